"""Usage over HTTP: one's own, everybody's for staff, as JSON and as CSV."""

import csv
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from creative_services.models import MachineKey
from creative_services.testing import LlmsFactory
from tests.api.asking import Asker
from tests.ledger.calls import NOON, at, call

USAGE = "/api/llm/usage/"
NOTHING = {
    "calls": 0,
    "errors": 0,
    "input_tokens": None,
    "output_tokens": None,
    "cache_read_tokens": None,
    "cache_write_tokens": None,
    "reasoning_tokens": None,
    "calls_of_unknown_tokens": 0,
    "cost": None,
    "calls_of_unknown_cost": 0,
}


@pytest.fixture(autouse=True)
def friday(settings):
    settings.TIME_ZONE = "UTC"
    with at(NOON):
        yield


@pytest.fixture
def other(django_user_model):
    return django_user_model.objects.create_user("=ben")


@pytest.fixture
def reader(caller):
    return Asker("wsgi", caller)


@pytest.fixture
def staff(caller):
    caller.is_staff = True
    caller.save()
    return Asker("wsgi", caller)


def ask(reader, headers=None, **query):
    return reader.get(
        f"{USAGE}?" + urlencode({name.rstrip("_"): value for name, value in query.items()}), **headers or {}
    )


def test_the_route_has_a_name():
    assert reverse("creative_services:usage") == USAGE


def test_own_calls_of_the_last_thirty_days_are_told_by_day(reader, caller, other):
    call(user=caller, cost=Decimal("0.0000001"))
    call(user=caller, cost=None, input_tokens=None, outcome="error")
    call(user=caller, started_at=NOON - timedelta(days=29))
    call(user=caller, started_at=NOON - timedelta(days=30))
    call(user=other)
    call()

    told = ask(reader)

    some = {"calls": 1, "input_tokens": 1000, "output_tokens": 100, "cost": "0.002"}
    both = NOTHING | {"calls": 2, "errors": 1, "input_tokens": 1000, "output_tokens": 200, "cost": "0.0000001"}
    unknown = {"calls_of_unknown_tokens": 1, "calls_of_unknown_cost": 1}
    assert told.status == 200
    assert told.json == {
        "from": "2026-10-22",
        "to": "2026-11-20",
        "time_zone": "UTC",
        "by": ["day"],
        "groups": [{"day": "2026-10-22"} | NOTHING | some, {"day": "2026-11-20"} | both | unknown],
        "total": both | unknown | {"calls": 3, "input_tokens": 2000, "output_tokens": 300, "cost": "0.0020001"},
    }


def test_nothing_is_no_group(reader):
    told = ask(reader)

    assert (told.json["groups"], told.json["total"]) == ([], NOTHING)


def test_staff_see_everybody_and_their_names(staff, caller, other):
    key = MachineKey.objects.create(name="robot", user=other, prefix="p", digest="d")
    call(user=caller)
    call(user=other, machine_key=key)
    call()

    told = ask(staff, by="user,machine_key")

    assert [(one["user"], one["machine_key"], one["calls"]) for one in told.json["groups"]] == [
        (None, None, 1),
        ({"id": caller.pk, "name": "ann"}, None, 1),
        ({"id": other.pk, "name": "=ben"}, {"id": key.pk, "name": "robot"}, 1),
    ]


def test_the_deleted_have_no_name(staff):
    call(user_id=4711, machine_key_id=4712)

    (group,) = ask(staff, by="user,machine_key").json["groups"]

    assert (group["user"], group["machine_key"]) == ({"id": 4711, "name": None}, {"id": 4712, "name": None})


def test_staff_may_look_at_one_user(staff, caller, other):
    call(user=other)
    call(user=caller)

    told = ask(staff, user=other.pk, by="tier,source")

    assert [(one["tier"], one["source"], one["calls"]) for one in told.json["groups"]] == [("standard", "python", 1)]


def test_others_may_not_look_at_one_another(reader, caller, other):
    told = ask(reader, user=other.pk)

    assert (told.status, told.code) == (403, "permission_denied")
    assert ask(reader, user=caller.pk).status == 200


def test_llms_are_told_as_they_were(reader, caller):
    llm = LlmsFactory(name="Now")
    call(user=caller, llm=llm, llm_name="Then", model="old", provider="openai", tier="premium")

    (group,) = ask(reader, by="llm").json["groups"]

    assert group["llm"] == {"id": llm.pk, "name": "Then", "provider": "openai", "model": "old", "tier": "premium"}


def test_filters_and_days_narrow_it(reader, caller):
    llm = LlmsFactory()
    key = MachineKey.objects.create(name="robot", user=caller, prefix="p", digest="d")
    wanted = {"user": caller, "llm": llm, "machine_key": key, "tier": "local", "source": "task", "outcome": "lost"}
    call(**wanted)
    for name, value in {"llm": None, "machine_key": None, "tier": "economy", "source": "api", "outcome": "ok"}.items():
        call(**wanted | {name: value})
    call(**wanted, started_at=NOON - timedelta(days=2))

    query = {"tier": "local", "llm": llm.pk, "machine_key": key.pk, "source": "task", "outcome": "lost"}
    told = ask(reader, from_="2026-11-19", to="2026-11-20", **query)

    assert told.json["total"]["calls"] == 1
    for name, value in query.items():
        assert ask(reader, from_="2026-11-20", **{name: value}).json["total"]["calls"] == 5


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({"format": "csv"}, {}),
        ({"format": "csv"}, {"accept": "application/json"}),
        ({}, {"accept": "text/csv"}),
        ({}, {"accept": "text/csv; q=0.9, */*; q=0.1"}),
    ],
)
def test_csv_has_the_same_numbers(staff, other, query, headers):
    call(user=other, started_at=datetime(2026, 11, 19, 1, tzinfo=UTC))
    call(user=other, cost=None)

    told = ask(staff, headers, by="day,user", **query)

    assert told.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert told.headers["Content-Disposition"] == 'attachment; filename="usage-2026-10-22-2026-11-20.csv"'
    first, second = csv.DictReader(StringIO(told.body.decode(), newline=""))
    assert list(first) == ["day", "user_id", "user", *NOTHING]
    assert (first["day"], first["user_id"], first["user"]) == ("2026-11-19", str(other.pk), "'=ben")
    assert (first["cost"], first["calls"], first["cache_read_tokens"]) == ("0.002", "1", "")
    assert (second["day"], second["cost"], second["calls_of_unknown_cost"]) == ("2026-11-20", "", "1")


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({}, {}),
        ({}, {"accept": "*/*"}),
        ({}, {"accept": "text/csv, application/json"}),
        ({"format": "json"}, {"accept": "text/csv"}),
    ],
)
def test_json_is_what_others_get(reader, query, headers):
    assert ask(reader, headers, **query).headers["Content-Type"] == "application/json"


def test_csv_of_nothing_has_its_headings(reader):
    told = ask(reader, by="llm,tier", format="csv")

    assert told.body.decode() == ",".join(["llm_id", "llm", "provider", "model", "tier", *NOTHING]) + "\r\n"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"from_": "yesterday"}, "`from` must be a day such as 2026-11-30, not 'yesterday'."),
        ({"to": "20261120"}, "`to` must be a day"),
        ({"to": "2026-02-30"}, "`to` must be a day"),
        ({"to": "1999-12-31"}, "`to` must be a day"),
        ({"from_": "9999-12-31"}, "`from` must be a day"),
        ({"from_": "2026-11-21"}, "`from` (2026-11-21) is after `to` (2026-11-20)."),
        ({"from_": "2025-11-19"}, "From 2025-11-19 to 2026-11-20 is longer than 366 days."),
        ({"by": "color"}, "`by` takes day, llm, tier, user, machine_key, caller, source, outcome, and not 'color'."),
        ({"by": "day,llm,tier"}, "`by` takes one name, or 2 different ones."),
        ({"by": "day,day"}, "`by` takes one name, or 2 different ones."),
        ({"tier": "gold"}, "`tier` must be one of economy, standard, premium, local, not 'gold'."),
        ({"source": "web"}, "`source` must be one of python, api, admin, task, not 'web'."),
        ({"outcome": "fine"}, "`outcome` must be one of running, ok, error, cancelled, lost, not 'fine'."),
        ({"llm": "GPT"}, "`llm` must be an id, not 'GPT'."),
        ({"llm": "-1"}, "`llm` must be an id"),
        ({"llm": 2**63}, "`llm` must be an id"),
        ({"machine_key": "9" * 30}, "`machine_key` must be an id"),
        ({"user": "ben"}, "`user` must be the id of a user, not 'ben'."),
        ({"user": 10**30}, "`user` must be the id of a user"),
        ({"format": "xml"}, "`format` must be json or csv, not 'xml'."),
        ({"form": "2026-11-01"}, "There is no parameter 'form'; there are from, to, by,"),
    ],
)
def test_what_cannot_be_meant_is_named(staff, query, words):
    told = ask(staff, **query)

    assert (told.status, told.code) == (400, "invalid_request")
    assert told.json["detail"].startswith(words)


def test_a_year_can_be_looked_at_and_empty_parameters_mean_nothing(reader, caller):
    call(user=caller, started_at=datetime(2025, 11, 20, 1, tzinfo=UTC))

    assert ask(reader, from_="2025-11-20", to="", tier="", user="", by="").json["total"]["calls"] == 1


def test_it_needs_the_permission_to_ask(reader, caller, other):
    assert Asker("wsgi").get(USAGE).status in {401, 403}
    assert Asker("wsgi", other).get(USAGE).code == "permission_denied"
