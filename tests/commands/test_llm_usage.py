import csv
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest

from creative_services.models import MachineKey
from tests.commands.running import run
from tests.ledger.calls import NOON, at, call

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def friday(settings):
    settings.TIME_ZONE = "UTC"
    with at(NOON):
        yield


def test_days_are_told_as_a_table_and_in_a_line():
    call(cost=Decimal("0.00000012"))
    call(cost=None, outcome="error", started_at=NOON - timedelta(days=1), input_tokens=None)

    told = run("llm_usage")

    assert told.out.splitlines() == [
        "day         calls  errors  input_tokens  output_tokens        cost  calls_of_unknown_cost",
        "2026-11-19      1       1             ?            100           ?                      1",
        "2026-11-20      1       0          1000            100  0.00000012                      0",
        "Days: 30, calls: 2, failed: 1, cost: $0.00000012, calls of unknown cost: 1.",
    ]
    assert (told.err, told.error) == ("", None)


def test_nothing_is_one_line():
    assert run("llm_usage", "--days", "7").out == "Days: 7, calls: 0, failed: 0, cost: ?.\n"


def test_only_so_many_days_count():
    call()
    call(started_at=NOON - timedelta(days=2))

    assert run("llm_usage", "--days", "2").out.splitlines()[-1] == "Days: 2, calls: 1, failed: 0, cost: $0.002."


def test_groups_have_names_and_no_terminal_obeys_them(django_user_model):
    user = django_user_model.objects.create_user("ann")
    key = MachineKey.objects.create(name="robot", user=user, prefix="p", digest="d")
    call(llm_name="\x1b[31mGPT", user=user, machine_key=key)

    assert run("llm_usage", "--by", "llm,user").out.splitlines()[1].split()[:5] == [
        "?[31mGPT",
        "openai",
        "gpt-5",
        "standard",
        "ann",
    ]
    assert run("llm_usage", "--by", "machine_key").out.splitlines()[1].split()[0] == "robot"


def test_a_csv_file_has_all_columns():
    call(cache_read_tokens=7)

    told = run("llm_usage", "--by", "day, tier", "--csv")

    (row,) = csv.DictReader(StringIO(told.out, newline=""))
    assert (row["day"], row["tier"], row["cache_read_tokens"], row["cost"]) == ("2026-11-20", "standard", "7", "0.002")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--days", "0"), "--days must be from 1 to 366."),
        (("--days", "367"), "--days must be from 1 to 366."),
        (("--by", "color"), "`by` takes day, llm, tier, user, machine_key, caller, source, outcome, and not 'color'."),
    ],
)
def test_what_cannot_be_meant_is_named(words, error):
    told = run("llm_usage", *words)

    assert (told.code, told.error) == (1, error)
