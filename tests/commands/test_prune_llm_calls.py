from datetime import timedelta

import pytest
from django.test import override_settings

from creative_services.models import LlmCall
from tests.commands.running import run
from tests.ledger.calls import NOON, at, call

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def friday(settings):
    settings.TIME_ZONE = "UTC"
    with at(NOON):
        yield


def test_old_calls_and_texts_go():
    call(started_at=NOON - timedelta(days=91))
    call(started_at=NOON - timedelta(days=31), prompt_text="Who?")
    call(prompt_text="Who?")

    told = run("prune_llm_calls", "--days", "90")

    assert told.out == "Deleted calls: 1.\nDeleted texts of calls: 1.\n"
    assert list(LlmCall.objects.order_by("started_at").values_list("prompt_text", flat=True)) == [None, "Who?"]


def test_the_days_of_texts_are_a_setting():
    call(started_at=NOON - timedelta(days=8), prompt_text="Who?")

    with override_settings(CREATIVE_SERVICES={"LEDGER": {"TEXT_DAYS": 7}}):
        assert run("prune_llm_calls", "--days", "90").out == "Deleted calls: 0.\nDeleted texts of calls: 1.\n"


def test_a_project_that_keeps_no_ledger_has_no_days_of_texts():
    call(started_at=NOON - timedelta(days=91))

    with override_settings(CREATIVE_SERVICES={"LEDGER": False}):
        assert run("prune_llm_calls", "--days", "90").out == "Deleted calls: 1.\n"


@pytest.mark.parametrize("days", ["0", "-3", "36501"])
def test_days_must_be_some(days):
    told = run("prune_llm_calls", "--days", days)

    assert (told.code, told.error) == (1, "--days must be from 1 to 36500.")
