"""Who is asked, in which order, and what callers learn of it."""

from __future__ import annotations

import time
from decimal import Decimal
from uuid import RFC_4122, UUID

import pytest

from creative_services import (
    AuthenticationError,
    ConfigurationError,
    ContentFilterError,
    InvalidRequestError,
    LLMEntry,
    LLMNotFoundError,
    LLMTier,
    MalformedResponseError,
    MissingAPIKeyError,
    ModelNotFoundError,
    NoLLMAvailableError,
    ProviderConnectionError,
    ProviderUnavailableError,
    RateLimitError,
    UnknownProviderError,
)
from creative_services.core.breaker import Cooling
from creative_services.core.types import Attempt
from creative_services.testing import Failure, FakeProvider, RawReply, Reply
from tests.core.asking import ENTRY, Ask, entry, every_face

CHEAP, MIDDLE, DEAR = entry(1, "cheap"), entry(2, "middle"), entry(3, "dear")


class ThreeMethods:
    """The least a registry can be."""

    def __init__(self, *entries: LLMEntry) -> None:
        self.entries = entries
        self.asked: list[str] = []

    def get_by_id(self, llm_id: int) -> LLMEntry | None:
        self.asked.append("get_by_id")
        return next((entry for entry in self.entries if entry.id == llm_id), None)

    def get_by_tier(self, tier: LLMTier) -> LLMEntry | None:
        self.asked.append("get_by_tier")
        return next((entry for entry in self.entries if entry.tier is tier), None)

    def list_active(self) -> list[LLMEntry]:
        self.asked.append("list_active")
        return list(self.entries)


@every_face
def test_the_cheapest_llm_of_the_tier_answers(ask: Ask) -> None:
    answer = ask(FakeProvider("Hi"), [DEAR, CHEAP, MIDDLE])

    assert answer.text == str(answer) == "Hi"
    assert answer.llm.id == CHEAP.id
    assert [(attempt.llm_id, attempt.outcome, attempt.error) for attempt in answer.attempts] == [(1, "ok", None)]


@every_face
def test_the_next_llm_answers_when_the_first_fails(ask: Ask) -> None:
    provider = FakeProvider({"cheap": Failure(503), "middle": "Hi", "dear": "never"})

    answer = ask(provider, [CHEAP, MIDDLE, DEAR])

    assert answer.llm.id == MIDDLE.id
    assert [(attempt.llm_id, attempt.outcome, attempt.status_code) for attempt in answer.attempts] == [
        (1, "error", 503),
        (2, "ok", 200),
    ]
    assert provider.open_exchanges == 0


@every_face
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (Failure(500), ProviderUnavailableError),
        (Failure(529), ProviderUnavailableError),
        (Failure(429), RateLimitError),
        (Failure(401), AuthenticationError),
        (Failure(402), AuthenticationError),
        (Failure(403), AuthenticationError),
        (Failure(404), ModelNotFoundError),
        (ProviderConnectionError("reset"), ProviderConnectionError),
    ],
)
def test_when_all_fail_the_last_error_is_raised_with_every_attempt(
    ask: Ask, failure: Failure, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        ask(FakeProvider({"cheap": Failure(503), "dear": failure}), [CHEAP, DEAR])

    assert raised.value.llm_id == DEAR.id
    assert raised.value.provider == "openai"
    assert raised.value.model == "dear"
    assert [attempt.llm_id for attempt in raised.value.attempts] == [1, 3]
    assert raised.value.attempts[-1].error is raised.value


@every_face
@pytest.mark.parametrize("failure", [Failure(400), Failure(422)])
def test_a_bad_request_is_the_callers_fault_and_nobody_else_is_asked(ask: Ask, failure: Failure) -> None:
    provider = FakeProvider(failure)

    with pytest.raises(InvalidRequestError) as raised:
        ask(provider, [CHEAP, DEAR])

    assert isinstance(raised.value, ValueError)
    assert provider.models == ["cheap"]


@every_face
def test_refused_content_stops_the_call(ask: Ask) -> None:
    provider = FakeProvider(Failure(400, "Too naughty.", code="content_filter"))

    with pytest.raises(ContentFilterError) as raised:
        ask(provider, [CHEAP, DEAR])

    assert raised.value.provider_message == "Too naughty."
    assert provider.models == ["cheap"]


@every_face
def test_a_prompt_too_long_for_one_llm_goes_to_the_next(ask: Ask) -> None:
    provider = FakeProvider({"cheap": Failure(400, code="context_length_exceeded"), "dear": "Hi"})

    assert ask(provider, [CHEAP, DEAR]).llm.id == DEAR.id


@every_face
def test_an_llm_id_means_exactly_that_llm(ask: Ask) -> None:
    assert ask(FakeProvider("Hi"), [CHEAP, DEAR], llm_id=3).llm.id == DEAR.id

    provider = FakeProvider(Failure(503))
    with pytest.raises(ProviderUnavailableError):
        ask(provider, [CHEAP, DEAR], llm_id=1)
    assert provider.models == ["cheap"]


@every_face
def test_an_unknown_or_inactive_llm_id_is_not_found(ask: Ask) -> None:
    for llm_id in (2, 99):
        with pytest.raises(LLMNotFoundError, match=f"no active LLM with id {llm_id}"):
            ask(FakeProvider(), [CHEAP, entry(2, "off", is_active=False)], llm_id=llm_id)


@every_face
def test_an_empty_tier_says_so_and_what_to_do(ask: Ask) -> None:
    with pytest.raises(NoLLMAvailableError, match=r"tier 'premium'.*seed_llms") as raised:
        ask(FakeProvider(), [CHEAP], tier="premium")

    assert raised.value.refusals == ()


@every_face
def test_the_default_tier_is_standard_unless_the_client_is_told_otherwise(ask: Ask) -> None:
    premium = entry(7, "best", tier=LLMTier.PREMIUM)

    assert ask(FakeProvider(), [premium, CHEAP]).llm.id == CHEAP.id
    assert ask(FakeProvider(), [premium, CHEAP], default_tier="premium").llm.id == premium.id


@every_face
def test_an_entry_that_is_set_up_wrong_is_passed_by_within_a_tier(ask: Ask) -> None:
    broken = entry(1, "broken", unusable="its key cannot be decrypted")
    keyless = entry(2, "keyless", api_key=None)
    unknown = entry(3, "unknown", provider="nobody")

    assert ask(FakeProvider("Hi"), [broken, keyless, unknown, entry(4, "fine")]).llm.id == 4

    with pytest.raises(NoLLMAvailableError) as raised:
        ask(FakeProvider(), [broken, keyless, unknown])
    reasons = {refusal.llm_id: refusal.reason for refusal in raised.value.refusals}
    assert reasons.keys() == {1, 2, 3}
    assert "its key cannot be decrypted" in str(raised.value)
    assert "OPENAI_API_KEY" in reasons[2]


@every_face
@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"api_key": None}, MissingAPIKeyError),
        ({"provider": "nobody"}, UnknownProviderError),
        ({"unusable": "its key cannot be decrypted"}, ConfigurationError),
    ],
)
def test_an_entry_that_is_set_up_wrong_raises_when_asked_for_by_id(
    ask: Ask, fields: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        ask(FakeProvider(), [entry(1, "broken", **fields)], llm_id=1)


@every_face
def test_other_tiers_are_asked_only_when_allowed_and_in_their_order(ask: Ask) -> None:
    entries = [CHEAP, entry(5, "small", tier=LLMTier.ECONOMY), entry(6, "big", tier=LLMTier.PREMIUM)]
    provider = {"cheap": Failure(503), "small": Failure(503), "big": "Hi"}

    with pytest.raises(ProviderUnavailableError):
        ask(FakeProvider(provider), entries)
    answer = ask(FakeProvider(provider), entries, fallback_tiers=["economy", "premium"])

    assert [attempt.llm_id for attempt in answer.attempts] == [1, 5, 6]


@every_face
def test_what_is_local_stays_local(ask: Ask) -> None:
    local = entry(8, "local", tier=LLMTier.LOCAL, provider="ollama")

    with pytest.raises(ProviderUnavailableError):
        ask(FakeProvider({"local": Failure(503)}), [local, CHEAP], tier="local", fallback_tiers=["standard"])
    with pytest.raises(NoLLMAvailableError):
        ask(FakeProvider({}), [CHEAP], tier="local", fallback_tiers=["standard"])


@every_face
def test_a_registry_of_three_methods_gets_fallback_and_is_asked_for_the_list_only_then(ask: Ask) -> None:
    registry = ThreeMethods(DEAR, CHEAP)

    assert ask(FakeProvider("Hi"), registry).llm.id == DEAR.id
    assert registry.asked == ["get_by_tier"]

    assert ask(FakeProvider({"dear": Failure(503), "cheap": "Hi"}), registry).llm.id == CHEAP.id
    assert registry.asked == ["get_by_tier", "get_by_tier", "list_active"]
    assert ask(FakeProvider("Hi"), registry, llm_id=1).llm.id == CHEAP.id


@every_face
def test_the_answer_names_the_llm_without_its_key_and_what_it_cost(ask: Ask) -> None:
    answer = ask(FakeProvider(Reply("Hi", usage=None)), ENTRY)
    assert answer.cost is None
    assert answer.usage.input_tokens is None

    answer = ask(FakeProvider("Hi"), ENTRY)
    tokens = answer.usage
    assert answer.llm.api_key is None
    assert answer.llm == ENTRY.without_key()
    assert answer.cost == Decimal("0.0001") * tokens.input_tokens + Decimal("0.0002") * tokens.output_tokens
    assert answer.attempts[0].cost == answer.cost
    assert answer.message == {"role": "assistant", "content": "Hi"}
    assert answer.finish_reason == "stop"
    assert 0 <= answer.latency_seconds < 5
    assert len(answer.request_id) == 36


@every_face
def test_ids_of_calls_begin_with_the_time_and_are_all_different(ask: Ask) -> None:
    before = time.time_ns() // 1_000_000
    ids = [UUID(ask(FakeProvider("Hi"), ENTRY).request_id) for _ in range(5)]

    times = [one.int >> 80 for one in ids]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= time.time_ns() // 1_000_000
    assert {(one.version, one.variant) for one in ids} == {(7, RFC_4122)}
    assert len({one.int & (1 << 62) - 1 for one in ids}) == 5
    assert len({one.int >> 64 & 0xFFF for one in ids}) > 1


@every_face
def test_a_free_llm_costs_nothing_even_if_it_reports_no_usage(ask: Ask) -> None:
    free = entry(1, "free", price=0, cost_per_1k_output=0)

    assert ask(FakeProvider(Reply("Hi", usage=None)), free).cost == 0


class Cautious:
    """A breaker that holds some LLMs back for so many seconds."""

    def __init__(self, **seconds: float) -> None:
        self.seconds = seconds
        self.reports: list[tuple[int, str]] = []

    def cooling(self, entry: LLMEntry) -> Cooling | None:
        seconds = self.seconds.get(entry.model)
        return None if seconds is None else Cooling("cooling after 429", seconds)

    admit = cooling

    def report(self, entry: LLMEntry, attempt: Attempt) -> None:
        self.reports.append((entry.id, attempt.outcome))


@every_face
def test_an_llm_that_cools_is_passed_by_and_the_breaker_is_told_how_others_did(ask: Ask) -> None:
    breaker = Cautious(cheap=9)
    provider = FakeProvider({"cheap": "Hi", "middle": Failure(503), "dear": "Hi"})

    assert ask(provider, [CHEAP, MIDDLE, DEAR], breaker=breaker).llm.id == DEAR.id

    assert breaker.reports == [(2, "error"), (3, "ok")]


@every_face
def test_when_all_are_cooling_the_one_that_may_be_well_soonest_is_tried(ask: Ask) -> None:
    breaker = Cautious(cheap=9, middle=3, dear=6)

    assert ask(FakeProvider("Hi"), [CHEAP, MIDDLE, DEAR], breaker=breaker).llm.id == MIDDLE.id
    with pytest.raises(ProviderUnavailableError) as raised:
        ask(FakeProvider(Failure(503)), [CHEAP, MIDDLE, DEAR], breaker=breaker)
    assert [attempt.llm_id for attempt in raised.value.attempts] == [MIDDLE.id]


@every_face
def test_whoever_names_an_llm_means_it_even_if_it_is_cooling(ask: Ask) -> None:
    breaker = Cautious(cheap=9)

    assert ask(FakeProvider("Hi"), [CHEAP, DEAR], breaker=breaker, llm_id=1).llm.id == CHEAP.id
    assert breaker.reports == [(1, "ok")]


@every_face
def test_a_tier_is_a_promise_whatever_a_registry_says(ask: Ask) -> None:
    class Confused(ThreeMethods):
        def get_by_tier(self, tier: LLMTier) -> LLMEntry | None:
            return CHEAP

    class Offering(Confused):
        def candidates(self, tier: LLMTier) -> list[LLMEntry]:
            return list(self.entries)

    for registry in (Confused(CHEAP), Offering(CHEAP)):
        with pytest.raises(NoLLMAvailableError):
            ask(FakeProvider({}), registry, tier="local")


@every_face
def test_what_one_llm_cannot_express_goes_to_the_next_or_is_the_callers_fault(ask: Ask) -> None:
    claude = entry(1, "claude", provider="anthropic")
    options = {"response_format": {"type": "json_object"}}

    assert ask(FakeProvider("Hi"), [claude, DEAR], **options).llm.id == DEAR.id
    for target in ({}, {"llm_id": 1}):
        with pytest.raises(InvalidRequestError, match="json_object"):
            ask(FakeProvider(), claude, **options, **target)


@every_face
def test_an_answer_beyond_all_bounds_is_not_read_to_its_end(ask: Ask) -> None:
    endless = RawReply([b" " * 2**20] * 100, headers={"content-type": "application/json"})

    with pytest.raises(MalformedResponseError, match="longer than"):
        ask(FakeProvider(endless), CHEAP)
