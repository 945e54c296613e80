"""Machine keys: what they cost, what is noted of them, and what else they leave alone."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication

from creative_services.adapters.machine_keys import find, issue, token_just_read
from creative_services.adapters.permissions import generate_column
from creative_services.models import LlmCall, Llms, MachineKey
from creative_services.models.token import RegistryToken
from creative_services.testing import Failure

TIERS = "/api/llm/tiers/"
HERE = "tests.api.test_machine_keys"
OTHERS = {"DEFAULT_AUTHENTICATION_CLASSES": [f"{HERE}.ProjectTokens"]}


class ProjectTokens(BaseAuthentication):
    """Knows everybody who sends any bearer token, or a key of its own."""

    def authenticate(self, request):
        from django.contrib.auth.models import User

        sent = request.headers.get("Authorization") or request.headers.get("x-api-key")
        return (User.objects.get(username="project"), sent) if sent else None


class LlmsElsewhere:
    """The LLMs have a database of their own."""

    def db_for_read(self, model, **hints):
        return "elsewhere" if model is Llms else None

    db_for_write = db_for_read


@pytest.fixture
def ann(db, django_user_model):
    user = django_user_model.objects.create_user("ann")
    user.user_permissions.add(Permission.objects.get(codename="generate"))
    return user


@pytest.fixture
def key(ann):
    return issue(ann, "Nightly build")


def get(**headers):
    return Client().get(TIERS, headers={name.replace("_", "-"): value for name, value in headers.items()})


def bearer(key, word="Bearer "):
    return get(authorization=f"{word}{key.text}")


def generate(key):
    client = Client(headers={"authorization": f"Bearer {key.text}"})
    return client.post("/api/llm/generate/", {"prompt": "Hello"}, "application/json")


def test_a_request_costs_one_query_for_the_key_its_user_and_what_he_may(key):
    bearer(key)  # notes its use

    with CaptureQueriesContext(connection) as asked:
        assert bearer(key).status_code == 200

    statements = [query["sql"] for query in asked]
    assert len([sql for sql in statements if "machinekey" in sql or "auth_" in sql]) == 1
    assert not [sql for sql in statements if sql.startswith(("UPDATE", "INSERT"))]


@pytest.mark.django_db(transaction=True)
def test_a_call_asks_the_database_one_question(key, provider, cheap):
    generate(key)  # notes the key's use, and reads the LLMs

    with CaptureQueriesContext(connection) as asked:
        assert generate(key).status_code == 200

    questions = [query["sql"] for query in asked if not query["sql"].startswith(("INSERT", "UPDATE"))]
    assert ["machinekey" in sql for sql in questions] == [True]


def test_what_was_changed_is_seen_by_the_next_call_with_the_same_key(key, provider, cheap):
    assert generate(key).json()["llm"]["name"] == "Cheap"

    cheap.name = "Renamed"
    cheap.save()
    assert generate(key).json()["llm"]["name"] == "Renamed"

    cheap.is_active = False
    cheap.save()
    assert generate(key).json()["llm"]["name"] == "Dear"


@pytest.mark.django_db(transaction=True)
def test_what_is_changed_while_an_llm_is_asked_is_seen_when_the_next_one_is_chosen(key, provider, dear):
    generate(key)  # notes the key's use, and reads the LLMs

    def change(received):
        Llms.objects.filter(pk=dear.pk).update(is_active=False)
        return Failure(500)

    provider.answer_with({"cheap-1": change})
    assert generate(key).status_code == 502


def test_the_llms_are_asked_for_anew_when_the_body_was_slow_to_come(key, cheap):
    row = find(str(key.text))
    assert token_just_read(row) == RegistryToken.objects.get().token

    row.read_at -= 1
    assert token_just_read(row) is None
    assert token_just_read("a session's") is None


@pytest.mark.django_db(databases=["default", "elsewhere"])
def test_where_the_llms_are_in_another_database_the_keys_statement_leaves_their_state_out(key):
    with override_settings(DATABASE_ROUTERS=[f"{HERE}.LlmsElsewhere"]), CaptureQueriesContext(connection) as asked:
        assert bearer(key).status_code == 200

    assert not [query["sql"] for query in asked if "registrytoken" in query["sql"]]


def test_use_is_noted_once_a_minute(key):
    assert MachineKey.objects.get().last_used_at is None

    bearer(key)
    first = MachineKey.objects.get().last_used_at
    bearer(key)
    assert MachineKey.objects.get().last_used_at == first > timezone.now() - timedelta(seconds=30)

    MachineKey.objects.update(last_used_at=first - timedelta(minutes=2))
    bearer(key)
    assert MachineKey.objects.get().last_used_at >= first


def test_a_refused_key_is_not_noted(key):
    MachineKey.objects.update(revoked_at=timezone.now())

    assert bearer(key).status_code == 401
    assert MachineKey.objects.get().last_used_at is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"revoked_at": timezone.now()}, "was revoked"),
        ({"expires_at": timezone.now()}, "has expired"),
        ({"digest": "0" * 64}, "is not known"),
    ],
)
def test_who_has_the_key_is_told_why_it_is_refused_and_others_are_not(key, change, told):
    MachineKey.objects.update(**change)

    assert told in bearer(key).json()["detail"]
    key.text = key.text[:-3] + "abc"
    assert "is not known" in bearer(key).json()["detail"]


@pytest.mark.parametrize("word", ["bearer ", "BEARER ", "Bearer  "])
def test_the_scheme_is_read_as_http_has_it(key, word):
    assert bearer(key, word).status_code == 200


def test_a_key_in_another_scheme_is_no_machine_key(key):
    assert bearer(key, "Token ").json()["detail"] != "This machine key is not known."


@override_settings(REST_FRAMEWORK=OTHERS)
def test_tokens_that_are_not_ours_are_left_to_the_project(key, django_user_model):
    project = django_user_model.objects.create_user("project")
    project.user_permissions.add(Permission.objects.get(codename="generate"))

    assert get(authorization="Bearer eyJhbGciOi.of.JWT").status_code == 200
    assert get(x_api_key="sk-ant-of-somebody").status_code == 200
    assert get(authorization="Bearer csk_of_nobody").status_code == 401
    assert get(authorization="Bearer eyJhbGciOi.of.JWT", x_api_key=key.text).status_code == 200
    assert MachineKey.objects.get().last_used_at is not None


def test_the_call_is_booked_on_the_keys_user_and_the_key(key, provider, ann):
    generate(key)

    call = LlmCall.objects.get()
    assert (call.user, call.machine_key, call.source) == (ann, key, "api")


def test_keys_work_where_the_project_puts_requests_into_transactions(key, provider):
    depths = []
    provider.answer_with(lambda asked: depths.append(len(connection.savepoint_ids)) or "Hello")
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        statuses = [bearer(key).status_code, generate(key).status_code]
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    assert statuses == [200, 200]
    assert depths == [len(connection.savepoint_ids)]
    assert MachineKey.objects.get().last_used_at is not None


def test_a_key_goes_with_its_user(key, ann):
    ann.delete()

    assert bearer(key).status_code == 401
    assert find(key.text) is None


def test_only_a_digest_is_kept(key):
    (kept,) = MachineKey.objects.values_list()

    assert not [value for value in kept if isinstance(value, str) and key.text[17:] in value]
    assert "text" not in {field.name for field in MachineKey._meta.get_fields()}
    assert MachineKey.objects.get().text is None


def by_group(user):
    group = Group.objects.create(name="Writers")
    group.permissions.add(Permission.objects.get(codename="generate"))
    user.groups.add(group)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda user: None, 403),
        (by_group, 200),
        (lambda user: type(user).objects.filter(pk=user.pk).update(is_superuser=True), 200),
        (lambda user: user.user_permissions.add(Permission.objects.get(codename="add_user")), 403),
    ],
)
def test_what_the_user_of_a_key_may_is_asked_at_every_request(key, ann, change, status):
    assert bearer(key).status_code == 200

    ann.user_permissions.clear()
    change(ann)

    assert bearer(key).status_code == status


class NobodyMay(ModelBackend):
    """A backend that lets nobody ask."""

    def has_perm(self, user_obj, perm, obj=None):
        return False


def test_where_the_project_has_another_judge_that_one_is_asked(key, settings):
    assert bearer(key).status_code == 200
    settings.AUTHENTICATION_BACKENDS = [f"{HERE}.NobodyMay"]

    assert bearer(key).status_code == 403
    assert generate_column("default", type(key.user), "u.id") == ([], {})


@pytest.mark.parametrize("model", ["Person", "Employee"])
def test_a_user_model_of_the_projects_own_with_uuids_works(model):
    program = Path(__file__).with_name("own_users.py")

    done = subprocess.run([sys.executable, program, model], capture_output=True, text=True, check=False)

    assert (done.stdout, done.returncode) == ("200 401 200\n", 0), done.stderr
