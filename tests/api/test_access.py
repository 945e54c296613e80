"""Who may ask what: a table of everybody against every route, those included that somebody adds tomorrow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client, override_settings
from django.utils import timezone

from creative_services import urls
from creative_services.adapters.machine_keys import issue
from creative_services.models import MachineKey
from creative_services.testing import LlmsFactory, RawReply, override_llms

MINI, BEST = 8_001, 8_002
CHAT: Mapping[str, Any] = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5}
BY_MODEL = ({"model": "premium"}, {"model": "Best"}, {"model": "openai/best-1"})
OPEN_MODEL = {"model": "standard"}
VECTORS = json.dumps({
    "model": "best-1", "data": [{"index": 0, "embedding": [0.1]}], "usage": {"prompt_tokens": 1, "total_tokens": 1}
}).encode()  # fmt: skip


@dataclass(frozen=True)
class Route:
    """How a route is asked.

    `closed` are all ways to name an LLM of tier premium, `open` is one that names none; both go into the path, or into
    `body`. `generates` says whether an LLM is asked, `status` what everybody gets where it does not matter who asks.
    """

    path: str
    body: Mapping[str, Any] | None = None
    closed: tuple[Mapping[str, Any], ...] = ()
    open: Mapping[str, Any] | None = None
    generates: bool = False
    status: int | None = None

    def ask(self, client: Client, **named: Any) -> Any:
        path = "/api/llm/" + self.path.format(**named)
        if self.body is None:
            return client.get(path)
        return client.post(path, json.dumps({**self.body, **named}), "application/json")


ROUTES = {
    "generate": Route(
        "generate/", {"prompt": "Hello"}, ({"tier": "premium"}, {"llm_id": BEST}), {"tier": "standard"}, generates=True
    ),
    "llm-list": Route("llms/"),
    "llm-detail": Route("llms/{id}/", None, ({"id": BEST},), {"id": MINI}),
    "tier-list": Route("tiers/"),
    "usage": Route("usage/"),
    "chat-completions": Route("v1/chat/completions", CHAT, BY_MODEL, OPEN_MODEL, generates=True),
    "responses": Route("v1/responses", {"input": "Hello"}, BY_MODEL, OPEN_MODEL, generates=True),
    "messages": Route("v1/messages", CHAT, BY_MODEL, OPEN_MODEL, generates=True),
    "embeddings": Route("v1/embeddings", {"input": "Hello"}, BY_MODEL, OPEN_MODEL, generates=True),
    "model-list": Route("v1/models"),
    "model-detail": Route("v1/models/{model}", None, BY_MODEL, OPEN_MODEL),
    "unknown-route": Route("v1/completions", {}, status=404),
}
THERE = sorted(str(pattern.name) for pattern in urls.urlpatterns)
OURS = [name for name in THERE if name in ROUTES and not ROUTES[name].status]
CLOSED = [(name, way) for name in OURS for way in ROUTES[name].closed]
STREAMED = [(name, way) for name, way in CLOSED if ROUTES[name].generates and name != "embeddings"]


@pytest.fixture
def provider(db):
    LlmsFactory(pk=MINI, name="Mini", model="mini-1")
    LlmsFactory(pk=BEST, name="Best", model="best-1", tier="premium")
    with override_llms() as provider:
        provider.answer_with(lambda asked: RawReply([VECTORS]) if "embeddings" in asked.url else "Hello")
        yield provider


@pytest.fixture
def user(db, django_user_model):
    """Makes a user with these permissions."""

    def make(name: str, *permissions: str, **fields: Any) -> Any:
        user = django_user_model.objects.create_user(name, **fields)
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return user

    return make


def logged_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def with_key(text: str) -> Client:
    return Client(headers={"authorization": f"Bearer {text}"})


def group_member(user: Callable[..., Any]) -> Client:
    ann = user("ann")
    group = Group.objects.create(name="Writers")
    group.permissions.add(Permission.objects.get(codename="generate"))
    ann.groups.add(group)
    return logged_in(ann)


def left(user: Any) -> Any:
    user.is_active = False
    user.save()
    return user


def leaver(user: Callable[..., Any]) -> Client:
    ann = user("ann", "generate")
    client = logged_in(ann)
    left(ann)
    return client


def revoked(user: Callable[..., Any]) -> Client:
    row = issue(user("ann", "generate"), "revoked")
    MachineKey.objects.update(revoked_at=timezone.now())
    return with_key(row.text)


def key(user: Callable[..., Any], **left: float) -> str:
    """The text of a key of somebody's who may ask; `left` is how long it is good for."""
    return issue(user("ann", "generate"), "one", timezone.now() + timedelta(**left) if left else None).text


def mixed_up(user: Callable[..., Any]) -> Client:
    ann = user("ann", "generate")
    one, other = issue(ann, "one").text, issue(ann, "other").text
    return with_key(one[:17] + other[17:])


EVERYBODY: Mapping[str, tuple[int, Callable[[Callable[..., Any]], Client]]] = {
    "a stranger": (401, lambda user: Client()),
    "a user without the permission": (403, lambda user: logged_in(user("bob"))),
    "a user with the permission": (200, lambda user: logged_in(user("ann", "generate"))),
    "a user in a group with the permission": (200, group_member),
    "a user who has left": (401, leaver),
    "a superuser": (200, lambda user: logged_in(user("root", is_superuser=True))),
    "a key": (200, lambda user: with_key(key(user))),
    "a key as Anthropic's clients send it": (200, lambda user: Client(headers={"x-api-key": key(user)})),
    "a key that will expire": (200, lambda user: with_key(key(user, minutes=1))),
    "a key that has expired": (401, lambda user: with_key(key(user, seconds=-1))),
    "a key that was revoked": (401, revoked),
    "a key of a user without the permission": (403, lambda user: with_key(issue(user("bob"), "one").text)),
    "a key of a user who has left": (401, lambda user: with_key(issue(left(user("eve", "generate")), "one").text)),
    "a key with another key's secret": (401, mixed_up),
    "a key that nobody has": (401, lambda user: with_key("csk_000000000000" + key(user)[16:])),
    "a key that is cut short": (401, lambda user: with_key(key(user)[:-1])),
    "a key of letters that no key has": (401, lambda user: with_key("csk_\xe4'--\xdf")),
}


def test_every_route_has_a_row_in_the_table():
    assert set(THERE) - set(ROUTES) == set()


@pytest.mark.parametrize("name", THERE)
@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_gets_what_is_his(provider, user, name, who):
    status, client_of = EVERYBODY[who]
    route = ROUTES[name]

    response = route.ask(client_of(user), **(route.open or {}))

    assert response.status_code == (route.status or status)
    assert len(provider.requests) == (1 if route.generates and status == 200 else 0)
    assert response.get("WWW-Authenticate") == ('Bearer realm="api"' if response.status_code == 401 else None)


@pytest.fixture
def kim(user):
    """Somebody who may ask, but not the tiers premium and economy."""
    with override_settings(
        CREATIVE_SERVICES={"TIER_PERMISSIONS": {"premium": "auth.view_group", "economy": "auth.add_group"}}
    ):
        yield user("kim", "generate")


@pytest.mark.parametrize(("name", "way"), CLOSED)
def test_a_closed_tier_is_closed_however_it_is_named(provider, kim, name, way):
    response = ROUTES[name].ask(logged_in(kim), **way)

    assert response.status_code == 403
    assert b"the tier 'premium'" in response.content
    assert provider.requests == []


@pytest.mark.parametrize(("name", "way"), STREAMED)
def test_a_stream_of_a_closed_tier_does_not_begin(provider, kim, name, way):
    response = ROUTES[name].ask(with_key(issue(kim, "one").text), **way, stream=True)

    assert (response.status_code, response["Content-Type"]) == (403, "application/json")
    assert provider.requests == []


@pytest.mark.parametrize("name", OURS)
def test_the_other_tiers_stay_open_and_the_closed_ones_unseen(provider, kim, name):
    route = ROUTES[name]

    response = route.ask(logged_in(kim), **(route.open or {}))

    assert response.status_code == 200
    assert b"Best" not in response.content
    assert b"premium" not in response.content


@pytest.mark.parametrize(("name", "way"), CLOSED)
def test_who_has_a_tiers_permission_and_a_superuser_may_use_it(provider, kim, user, name, way):
    kim.user_permissions.add(Permission.objects.get(codename="view_group"))

    assert ROUTES[name].ask(logged_in(kim), **way).status_code == 200
    assert ROUTES[name].ask(logged_in(user("root", is_superuser=True)), **way).status_code == 200


def test_the_permission_of_a_tier_is_not_enough(provider, user):
    with override_settings(CREATIVE_SERVICES={"TIER_PERMISSIONS": {"premium": "auth.view_group"}}):
        response = ROUTES["generate"].ask(logged_in(user("bob", "view_group")), tier="premium")

    assert response.status_code == 403
    assert b"creative_services.generate" in response.content


@pytest.mark.parametrize("name", [name for name in OURS if ROUTES[name].generates])
def test_nobody_falls_back_into_a_closed_tier(provider, kim, name):
    provider.answer_with({"mini-1": RawReply([b"{}"], status=401)})
    services = {"TIER_PERMISSIONS": {"premium": "auth.view_group"}, "FALLBACK_TIERS": ["premium"]}

    with override_settings(CREATIVE_SERVICES=services):
        response = ROUTES[name].ask(logged_in(kim), **ROUTES[name].open)

    assert response.status_code >= 500
    assert provider.models == ["mini-1"]


RATES = {"DEFAULT_THROTTLE_RATES": {"llm-generate": "1/day"}}
BY_SCOPE = {"DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.ScopedRateThrottle"]}


@pytest.mark.parametrize("settings", [RATES, RATES | BY_SCOPE], ids=["no class", "the project's class"])
@pytest.mark.parametrize("name", OURS)
def test_asking_llms_has_a_rate_of_its_own_by_user(provider, user, locmem, name, settings):
    route, ann = ROUTES[name], user("ann", "generate")
    clients = [logged_in(ann), with_key(issue(ann, "one").text), logged_in(user("joe", "generate"))]

    with override_settings(REST_FRAMEWORK=settings):
        statuses = [route.ask(client, **(route.open or {})).status_code for client in clients]

    assert statuses == ([200, 429, 200] if route.generates else [200, 200, 200])


@pytest.mark.parametrize("name", [name for name in OURS if ROUTES[name].generates])
def test_all_routes_that_ask_llms_share_the_rate(provider, user, locmem, name):
    client = logged_in(user("ann", "generate"))

    with override_settings(REST_FRAMEWORK=RATES):
        ROUTES["generate"].ask(client)
        response = ROUTES[name].ask(client, **ROUTES[name].open)

    assert response.status_code == 429
    assert 86_000 < int(response["Retry-After"]) <= 86_400


def test_without_a_rate_the_projects_class_by_scope_lets_all_through(provider, user):
    with override_settings(REST_FRAMEWORK=BY_SCOPE):
        assert ROUTES["generate"].ask(logged_in(user("ann", "generate"))).status_code == 200


@pytest.mark.parametrize("name", [name for name in OURS if ROUTES[name].body is not None])
def test_sessions_need_the_csrf_token_and_keys_do_not(provider, user, name):
    ann = user("ann", "generate")
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    forged = ROUTES[name].ask(client, **ROUTES[name].open)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {issue(ann, 'one').text}"

    assert forged.status_code == 403
    assert b"CSRF" in forged.content
    assert ROUTES[name].ask(client, **ROUTES[name].open).status_code == 200
