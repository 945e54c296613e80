"""What a row says of an attempt."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from creative_services.core.errors import ProviderConnectionError
from creative_services.core.ledger import Caller
from creative_services.core.types import Usage
from creative_services.models import LlmCall
from creative_services.signals import llm_call_finished
from creative_services.testing import Failure, LlmsFactory, RawReply, Reply, override_llms
from tests.ledger.asking import booked, generating, streaming

pytestmark = pytest.mark.django_db


@pytest.fixture
def llm():
    return LlmsFactory(
        name="Mini", provider="openai", model="gpt-mini", max_tokens=100, cost_per_1k_input=0.5, cost_per_1k_output=2
    )


@pytest.fixture
def provider(llm):
    with override_llms() as provider:
        yield provider


@generating
def test_an_answer_is_booked_with_all_that_is_known_of_it(generate, llm, provider, admin_user):
    usage = Usage(input_tokens=30, output_tokens=5, cache_read_tokens=20, reasoning_tokens=3)
    provider.answer_with(Reply("Hello", usage=usage))
    caller = Caller("nightly", user_id=admin_user.pk, machine_key_id=4, source="task")

    [row] = booked(generate, caller=caller)

    assert (row.llm_id, row.llm_name, row.provider, row.model, row.tier) == (
        llm.pk, "Mini", "openai", "gpt-mini", "standard",
    )  # fmt: skip
    assert (row.user_id, row.machine_key_id, row.caller, row.source) == (admin_user.pk, 4, "nightly", "task")
    assert (row.outcome, row.status_code, row.error, row.finish_reason) == ("ok", 200, "", "stop")
    assert (row.input_tokens, row.output_tokens, row.cache_read_tokens, row.cache_write_tokens) == (30, 5, 20, None)
    assert row.reasoning_tokens == 3
    assert (row.price_input, row.price_output, row.price_cache_read) == (Decimal("0.5"), Decimal(2), None)
    assert (row.cost, row.cost_source, row.is_estimated) == (Decimal("0.025"), "prices", False)
    assert row.reserved > row.cost
    assert not row.exceeds_reservation
    assert (row.is_stream, row.first_token_seconds, row.decision) == (False, None, None)
    assert (row.prompt_text, row.answer_text) == (None, None)


@generating
def test_it_says_when(generate, provider):
    before = timezone.now()

    [row] = booked(generate, timeout=30)

    assert before <= row.started_at <= row.finished_at <= timezone.now()
    assert timedelta(seconds=30) < row.expires_at - row.started_at < timedelta(seconds=120)
    assert 0 < row.latency_seconds < 30


@streaming
def test_a_stream_says_when_its_first_words_came(stream, provider):
    provider.answer_with(Reply(["One", " two"], pause=0.02))

    [row] = booked(stream)

    assert (row.outcome, row.is_stream) == ("ok", True)
    assert row.first_token_seconds < row.latency_seconds


@generating
def test_each_attempt_of_a_call_has_a_row(generate, provider):
    LlmsFactory(name="Dear", model="dear", cost_per_1k_input=9, cost_per_1k_output=9)
    provider.answer_with({"gpt-mini": Failure(500), "dear": "Hello"})

    rows = booked(generate)

    assert [(row.number, row.llm_name, row.outcome) for row in rows] == [
        (1, "Mini", "error"), (2, "Mini", "error"), (3, "Mini", "error"), (4, "Dear", "ok"),
    ]  # fmt: skip
    assert len({row.request_id for row in rows}) == 1


@generating
def test_it_says_who_was_passed_by_and_what_was_asked_for(generate, llm, provider):
    LlmsFactory.create_batch(21, api_key=None, cost_per_1k_input=0, cost_per_1k_output=0)

    [by_tier] = booked(generate)
    [by_id] = booked(generate, llm_id=llm.pk)

    assert len(by_tier.decision["refusals"]) == 20
    assert by_tier.decision["refused"] == 21
    assert "has no API key" in by_tier.decision["refusals"][0]["reason"]
    assert by_id.decision == {"asked_for": "llm_id"}


@generating
def test_a_fallback_says_which_tier_was_asked_for(generate, llm, provider, settings):
    settings.CREATIVE_SERVICES = {"FALLBACK_TIERS": ["standard"]}

    [row] = booked(generate, tier="premium")

    assert (row.tier, row.decision) == ("standard", {"asked_for": "premium"})


# What it is charged with


@generating
def test_a_refusal_of_the_provider_costs_nothing(generate, provider):
    provider.answer_with(Failure(401))

    [row] = booked(generate)

    assert (row.outcome, row.status_code, row.error) == ("error", 401, "AuthenticationError")
    assert (row.cost, row.is_estimated, row.cost_source) == (0, False, "")


@generating
def test_a_gateway_that_gave_up_waiting_may_still_be_billed(generate, provider):
    provider.answer_with(Failure(504))

    row, *_ = booked(generate)

    assert (row.cost, row.is_estimated, row.cost_source) == (row.reserved, True, "reservation")


@generating
def test_what_was_never_sent_costs_nothing(generate, provider):
    provider.answer_with(ProviderConnectionError("Refused."))

    row, *_ = booked(generate)

    assert (row.outcome, row.error, row.cost, row.is_estimated) == ("error", "ProviderConnectionError", 0, False)


@generating
def test_an_answer_that_cannot_be_read_is_in_doubt(generate, provider):
    provider.answer_with(RawReply([b"<html>"]))

    row, *_ = booked(generate)

    assert (row.outcome, row.error) == ("error", "MalformedResponseError")
    assert (row.cost, row.is_estimated) == (row.reserved, True)


@streaming
def test_a_stream_that_is_cut_is_in_doubt(stream, provider):
    provider.answer_with(Reply(["One", " two"], ending="cut"))

    row, *_ = booked(stream)

    assert (row.outcome, row.cost, row.is_estimated) == ("error", row.reserved, True)


@streaming
def test_a_stream_that_is_left_is_in_doubt(stream, provider):
    provider.answer_with(Reply(["One", " two", " three"]))

    [row] = booked(stream, chunks=1)

    assert (row.outcome, row.cost, row.is_estimated) == ("cancelled", row.reserved, True)


@streaming
def test_one_that_was_dearer_than_thought_before_it_was_left_is_booked_in_full(stream, provider):
    claude = LlmsFactory(provider="anthropic", max_tokens=9, cost_per_1k_input=0.5, cost_per_1k_output=2)
    provider.answer_with(Reply(["One", " two", " three"], usage=Usage(input_tokens=100_000, output_tokens=1)))

    [row] = booked(stream, chunks=1, llm_id=claude.pk)

    assert (row.outcome, row.input_tokens, row.is_estimated) == ("cancelled", 100_000, True)
    assert row.cost >= 50 > row.reserved
    assert (row.cost_source, row.exceeds_reservation) == ("prices", True)


@generating
def test_an_answer_without_usage_is_in_doubt(generate, provider):
    provider.answer_with(Reply("Hello", usage=None))

    [row] = booked(generate)

    assert (row.outcome, row.input_tokens, row.cost, row.is_estimated) == ("ok", None, row.reserved, True)


@generating
def test_a_bill_above_the_reservation_is_booked_in_full(generate, provider):
    provider.answer_with(Reply("Hello", usage=Usage(input_tokens=100_000, output_tokens=1)))

    [row] = booked(generate)

    assert (row.cost, row.exceeds_reservation, row.is_estimated) == (Decimal("50.002"), True, False)


@generating
def test_an_llm_without_prices_has_no_cost(generate, llm, provider):
    llm.cost_per_1k_input = None
    llm.save()
    provider.answer_with({"gpt-mini": ["Hello", Reply("Hello", usage=None), Failure(401)]})

    [row], [unreported], [refused] = booked(generate), booked(generate), booked(generate)

    assert (row.cost, row.reserved, row.is_estimated, row.exceeds_reservation) == (None, None, False, False)
    assert (unreported.cost, unreported.is_estimated) == (None, False)
    assert (refused.cost, refused.is_estimated) == (0, False)


@generating
def test_texts_that_a_database_would_refuse_or_cut_are_mended(generate, provider):
    [row] = booked(generate, caller="\0\ud800" + "x" * 300)

    assert row.caller == "?" + "x" * 198


# Who is told of it


@generating
def test_receivers_get_the_settled_row_and_harm_nobody(generate, provider, caplog):
    got = []

    def receive(sender, call, **_):
        got.append((sender, call.outcome, call.cost, call.llm.name))
        raise RuntimeError("receiver")

    llm_call_finished.connect(receive)
    try:
        [row] = booked(generate)
    finally:
        llm_call_finished.disconnect(receive)

    assert got == [(LlmCall, "ok", row.cost, "Mini")]
    assert "receiver" in caplog.text
    assert str(row) == f"{row.request_id}/1"


@generating
def test_no_ledger_is_kept_where_the_settings_want_none(generate, provider, settings):
    settings.CREATIVE_SERVICES = {"LEDGER": False}

    assert booked(generate) == []
