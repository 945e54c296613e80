"""Who may ask; and that a project's REST framework settings cannot break the contract, but do decide who is who."""

import base64

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory, override_settings
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.throttling import UserRateThrottle

from creative_services.api.views import GenerateView
from tests.api.asking import GENERATE, Asker

PATHS = (GENERATE, "/api/llm/llms/", "/api/llm/llms/1/", "/api/llm/tiers/")
HERE = "tests.api.test_policies"


class WordyAuthentication(BasicAuthentication):
    """Refuses everybody, in the structured way that some packages do."""

    def authenticate(self, request):
        raise AuthenticationFailed({"detail": "The token has ended.", "messages": ["x"]})


class ListAuthentication(BasicAuthentication):
    """Refuses everybody with a list."""

    def authenticate(self, request):
        raise AuthenticationFailed(["Gone.", "Quite gone."])


class BodyReadingAuthentication(BasicAuthentication):
    """Checks a signature over the body, say."""

    def authenticate(self, request):
        assert request.body
        return User.objects.get(username="ann"), None


class DataReadingAuthentication(BasicAuthentication):
    """Looks for a field in the body."""

    def authenticate(self, request):
        assert request.data["prompt"] == "Hello"
        return User.objects.get(username="ann"), None


class OwnRates(UserRateThrottle):
    """A throttle that has rates of its own."""

    THROTTLE_RATES = {"user": "2/day"}  # noqa: RUF012


def told_by(path, user=None, **headers):
    asker = Asker("wsgi", user)
    return asker.send('{"prompt": "Hello"}', **headers) if path == GENERATE else asker.get(path, **headers)


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_is_refused(path):
    told = told_by(path)

    assert (told.status, told.code) == (401, "not_authenticated")
    assert told.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
@override_settings(
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [f"{BasicAuthentication.__module__}.BasicAuthentication"]}
)
def test_a_stranger_is_asked_who_he_is_where_the_project_authenticates_by_header(path):
    told = told_by(path)

    assert (told.status, told.code) == (401, "not_authenticated")
    assert told.headers["WWW-Authenticate"] == 'Bearer realm="api", Basic realm="api"'


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_user_without_the_permission_is_told_which(path, django_user_model):
    told = told_by(path, django_user_model.objects.create_user("bob"))

    assert (told.status, told.code) == (403, "permission_denied")
    assert "creative_services.generate" in told.json["detail"]


@override_settings(REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": []})
def test_nobody_gets_in_where_nobody_is_authenticated(caller, provider):
    assert told_by(GENERATE, caller).status == 401


@override_settings(
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [f"{BasicAuthentication.__module__}.BasicAuthentication"]}
)
def test_the_projects_way_of_authenticating_holds_at_once(caller, provider):
    caller.set_password("open sesame")
    caller.save()
    token = base64.b64encode(b"ann:open sesame").decode()

    assert told_by(GENERATE, caller).status == 401
    assert told_by(GENERATE, authorization=f"Basic {token}").status == 200


@pytest.mark.parametrize(
    ("name", "detail"),
    [("WordyAuthentication", "The token has ended."), ("ListAuthentication", "Gone. Quite gone.")],
)
def test_whatever_an_authentication_says_the_body_has_one_shape(caller, name, detail):
    with override_settings(REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [f"{HERE}.{name}"]}):
        told = told_by(GENERATE, caller)

    assert told.status == 401
    assert told.json == {"code": "not_authenticated", "detail": detail}


@pytest.mark.parametrize("name", ["BodyReadingAuthentication", "DataReadingAuthentication"])
def test_an_authentication_may_read_the_body_first(caller, provider, name):
    with override_settings(REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [f"{HERE}.{name}"]}):
        assert told_by(GENERATE).status == 200


@override_settings(
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [f"{HERE}.BodyReadingAuthentication"]},
    DATA_UPLOAD_MAX_MEMORY_SIZE=5,
)
def test_djangos_own_limit_is_told_in_json_too(caller, provider):
    told = told_by(GENERATE)

    assert (told.status, told.code) == (413, "invalid_request")
    assert "DATA_UPLOAD_MAX_MEMORY_SIZE" in told.json["detail"]


@pytest.mark.parametrize(
    "settings",
    [
        {
            "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
            "DEFAULT_THROTTLE_RATES": {"user": "2/day"},
        },
        {"DEFAULT_THROTTLE_CLASSES": [f"{HERE}.OwnRates"]},
    ],
)
def test_the_projects_throttles_hold(caller, provider, settings, locmem):
    with override_settings(REST_FRAMEWORK=settings):
        statuses = [told_by(GENERATE, caller).status for _ in range(2)]
        told = told_by(GENERATE, caller)

    assert statuses == [200, 200]
    assert (told.status, told.code) == (429, "throttled")
    assert 86_000 < int(told.headers["Retry-After"]) <= 86_400


@override_settings(
    REST_FRAMEWORK={
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.StaticHTMLRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
        "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.NamespaceVersioning",
        "DEFAULT_CONTENT_NEGOTIATION_CLASS": "no.such.Class",
        "EXCEPTION_HANDLER": "no.such.handler",
        "COERCE_DECIMAL_TO_STRING": False,
        "URL_FORMAT_OVERRIDE": "format",
    }
)
def test_the_contract_holds_whatever_else_the_project_has_set(caller, provider, cheap):
    fine = told_by(GENERATE, caller)
    bad = Asker("wsgi", caller).generate()
    listed = Asker("wsgi", caller).get("/api/llm/llms/?format=xml")

    assert (fine.status, bad.status, bad.code, listed.status) == (200, 400, "invalid_request", 200)
    assert isinstance(fine.json["cost"], str)


@pytest.mark.parametrize("path", PATHS)
def test_another_method_is_refused_in_json(caller, path):
    client = Client()
    client.force_login(caller)

    response = client.delete(path)

    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"


def test_a_view_describes_itself(caller):
    client = Client()
    client.force_login(caller)

    assert client.options(GENERATE).json()["parses"] == ["application/json"]


def test_a_project_may_mount_a_view_with_its_own_policies(caller, provider):
    class Open(GenerateView):
        permission_classes = ()
        throttle_classes = (OwnRates,)

    request = RequestFactory().post("/", {"prompt": "Hello"}, "application/json")

    assert Open.as_view(authentication_classes=())(request).status_code == 200
    assert Open.throttle_classes == (OwnRates,)
