"""Whatever becomes of calls, the ledger has what their provider bills, to the last digit or, in doubt, more.

FUZZ_ROUNDS says how many calls there are; `make soak` makes 10,000.
"""

import asyncio
import os
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from asgiref.sync import async_to_sync
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from creative_services import (
    CreativeServicesError,
    DictRegistry,
    DynamicLLMClient,
    LLMEntry,
    ProviderConnectionError,
    Retry,
    SyncDynamicLLMClient,
    Usage,
)
from creative_services.adapters.ledger import DjangoLedger
from creative_services.ledger_options import LedgerOptions
from creative_services.models import BudgetPeriod, LlmCall
from creative_services.testing import Failure, FakeProvider, Reply
from tests.commands.running import run
from tests.ledger.plans import budget

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "150"))
pytestmark = pytest.mark.django_db

# US dollars per million tokens, as providers print them: input, cache read, cache write, output.
PRICES = {
    "gpt": ("0.15", "0.075", "0.15", "0.6"),
    "claude": ("0.8", "0.08", "1", "4"),
    "gemini": ("1.25", "0.3125", "1.25", "10.01"),
    "o": ("2.7", "1.35", "2.7", "10.8"),
}
WIRES = {"gpt": ("openai", None), "claude": ("anthropic", None), "gemini": ("gemini", None)}
WIRES["o"] = ("openai", "openai_responses")
MOST_OUTPUT = 40
PROMPT = "Tell me of the sea. " * 10


def entry(number, model):
    fresh, read, write, out = (float(Decimal(price) / 1000) for price in PRICES[model])
    provider, wire = WIRES[model]
    return LLMEntry(
        number,
        model.title(),
        provider,
        model,
        "standard",
        "sk-test",
        max_tokens=MOST_OUTPUT,
        wire=wire,
        cost_per_1k_input=fresh,
        cost_per_1k_output=out,
        cost_per_1k_cache_read=read,
        cost_per_1k_cache_write=write,
    )


def bill(model, usage):
    """What the provider asks for: reckoned by itself, in fractions, from the prices as they are printed."""
    fresh, read, write, out = (Fraction(price) / 1_000_000 for price in PRICES[model])
    was_read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    plain = usage.input_tokens - was_read - written
    exact = plain * fresh + was_read * read + written * write + usage.output_tokens * out
    return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("1e-12"), ROUND_HALF_EVEN)


@dataclass
class Received:
    """A request, what it is billed, and whether the answer said so."""

    bill: Decimal
    is_reported: bool


class BillingProvider(FakeProvider):
    """Answers each request with the next of the given steps, and keeps the bill."""

    def __init__(self):
        super().__init__(self.answer)
        self.plan, self.received = iter(()), defaultdict(list)

    def answer(self, request):
        kind, usage = next(self.plan, ("answered", Usage(1, 1)))
        if request.model == "claude" or usage.cache_write_tokens is None:
            counted = usage
        else:
            counted = replace(usage, cache_write_tokens=None)  # the others tell of no writes
        step, is_billed = self.step(kind, counted, is_stream=request.is_stream)
        total = bill(request.model, counted) if is_billed else Decimal(0)
        self.received[request.model].append(Received(total, is_reported=kind in {"answered", "slow", "above"}))
        return step

    def step(self, kind, usage, *, is_stream):
        reply = Reply(("The ", "sea ", "is wide."), usage=usage)
        steps = {
            "unreported": (replace(reply, usage=None), True),
            "cut": (replace(reply, ending="cut"), True),
            "broken": (replace(reply, ending=ProviderConnectionError("The line is dead.")), True),
            "failed later": (replace(reply, ending=Failure(529)), is_stream),
            "slow": (replace(reply, delay=0.004, pause=0.001), True),
            "refused": (Failure(429, headers={"retry-after": "0"}), False),
            "failed": (Failure(503), False),
            "gateway": (Failure(504), True),
        }
        return steps.get(kind, (reply, True))


@st.composite
def usages(draw):
    read, written = draw(st.integers(0, 20)), draw(st.integers(0, 20))
    counts = Usage(
        input_tokens=read + written + draw(st.integers(0, 60)),
        output_tokens=draw(st.integers(0, MOST_OUTPUT)),
        cache_read_tokens=read or None,
        cache_write_tokens=written or None,
    )
    counts.reasoning_tokens = draw(st.none() | st.integers(0, counts.output_tokens))
    return counts


@st.composite
def steps(draw):
    kind = draw(
        st.sampled_from(
            ["answered", "unreported", "cut", "broken", "failed later", "slow", "refused", "failed", "gateway", "above"]
        )
    )
    usage = draw(usages())
    if kind == "above":  # more than it was allowed
        usage.output_tokens = draw(st.integers(10_000, 20_000))
    return kind, usage


class Callers:
    """The ways in which code calls."""

    def __init__(self, provider, first):
        entries = [entry(number, model) for number, model in enumerate(PRICES, 1)]
        registry = DictRegistry(entries[first:])
        options = {"transport": provider, "ledger": DjangoLedger(LedgerOptions()), "retry": Retry(2, patience=0)}
        self.sync, self.other = SyncDynamicLLMClient(registry, **options), DynamicLLMClient(registry, **options)

    def whole(self, asked, moment):
        self.sync.generate(**asked)

    def streamed(self, asked, moment):
        for _chunk in self.sync.stream(**asked, on_interrupt="restart"):
            pass

    def left(self, asked, moment):
        with self.sync.stream(**asked) as stream:
            for _chunk, _ in zip(stream, range(int(moment * 1000)), strict=False):
                pass

    def hedged(self, asked, moment):
        self.sync.generate(**asked, hedge_after=0.001)

    def awaited(self, asked, moment):
        async_to_sync(self.other.generate)(**asked)

    def hedged_awaited(self, asked, moment):
        async_to_sync(self.other.generate)(**asked, hedge_after=0.001)

    def cancelled(self, asked, moment):
        async def cancel():
            call = asyncio.ensure_future(self.other.generate(**asked, hedge_after=0.002))
            await asyncio.sleep(moment)
            call.cancel()
            with suppress(asyncio.CancelledError):
                await call

        async_to_sync(cancel)()


def agree(row, received):
    """Whether a row has what its request was billed."""
    assert row.outcome != "running"
    assert received.bill <= row.cost or (row.is_estimated and received.bill > row.reserved)  # which nobody has said
    if not row.is_estimated:
        assert row.cost == received.bill
    elif row.cost_source == "reservation":
        assert row.cost == row.reserved
    assert row.exceeds_reservation == (row.cost > row.reserved)
    if row.outcome == "ok" and received.is_reported:
        assert not row.is_estimated


def test_the_ledger_has_what_providers_bill_to_the_last_digit_or_in_doubt_more():
    budget("1000000", period="total")
    provider = BillingProvider()
    callers = [Callers(provider, first) for first in range(len(PRICES))]
    found = defaultdict(int)

    @settings(max_examples=ROUNDS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        plan=st.lists(steps(), min_size=1, max_size=6),
        way=st.sampled_from(["whole", "streamed", "left", "hedged", "awaited", "hedged_awaited", "cancelled"]),
        first=st.integers(0, len(PRICES) - 1),
        is_cached=st.booleans(),
        moment=st.sampled_from([0.0, 0.001, 0.002, 0.003, 0.005]),
    )
    # What must come up does so, whatever chance says: reported and not, answered and not.
    @example(plan=[("answered", Usage(9, 5))], way="whole", first=0, is_cached=False, moment=0.0)
    @example(plan=[("unreported", Usage(9, 5))], way="whole", first=0, is_cached=False, moment=0.0)
    @example(plan=[("refused", Usage(9, 5))], way="whole", first=0, is_cached=False, moment=0.0)
    @example(plan=[("gateway", Usage(9, 5))], way="whole", first=0, is_cached=False, moment=0.0)
    def call(plan, way, first, is_cached, moment):
        mark = {"cache_control": {"type": "ephemeral"}} if is_cached else {}
        if not is_cached:
            for _kind, usage in plan:
                usage.cache_write_tokens = None
        content = [{"type": "text", "text": PROMPT, **mark}]
        provider.plan, provider.received = iter(plan), defaultdict(list)
        last = LlmCall.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

        with suppress(CreativeServicesError):
            getattr(callers[first], way)(
                {"messages": [{"role": "user", "content": content}], "tier": "standard"}, moment
            )

        rows = defaultdict(list)
        for row in LlmCall.objects.filter(pk__gt=last).order_by("number"):
            rows[row.model].append(row)
            found[row.outcome, row.is_estimated] += 1
        for model, received in provider.received.items():
            for row, one in zip(rows[model], received, strict=False):
                agree(row, one)
            assert len(rows[model]) >= len(received)

    call()

    # Which others come up is chance's to say, and the machine's: a cancelled call may have been quicker.
    assert set(found) >= {("ok", False), ("ok", True), ("error", False), ("error", True)}
    assert run("llm_audit").code == 0
    period = BudgetPeriod.objects.get()
    assert period.spent == sum(LlmCall.objects.values_list("cost", flat=True))
    assert period.reserved == 0
