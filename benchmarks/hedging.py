"""What hedging does to the slowest answers: `python -m benchmarks.hedging` prints one table.

A provider on loopback answers in 20 ms, and one call in twenty, at random, in 400 ms. The same calls are made without
and with a second LLM that is asked after 40 ms, for at most 7 % of them.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from creative_services import DictRegistry, DynamicLLMClient, LLMEntry, LLMTier
from creative_services.testing import LoopbackProvider, Reply

if TYPE_CHECKING:
    from creative_services.testing import ReceivedRequest

CALLS = 2_000
AT_ONCE = 8
USUAL, SLOW, SHARE_OF_SLOW = 0.02, 0.4, 0.05  # seconds, seconds, of the first LLM's calls
AFTER, SHARE = 0.04, 0.07


@dataclass(frozen=True)
class Measured:
    """Seconds of all calls, sorted, and the requests that they took."""

    seconds: list[float]
    requests: int

    def at(self, share: float) -> float:
        """The time that this share of the calls stayed within."""
        return self.seconds[int(len(self.seconds) * share) - 1]


def measure(calls: int, hedge_after: float | None) -> Measured:
    """The calls' times over a real socket; the same calls are slow each time."""
    dice = random.Random(7)  # noqa: S311 - the same for both

    def answer(request: ReceivedRequest) -> Reply:
        is_slow = request.model == "first" and dice.random() < SHARE_OF_SLOW
        return Reply("Hi", delay=SLOW if is_slow else USUAL)

    async def run(url: str) -> list[float]:
        entries = [
            LLMEntry(number, model, "loopback", model, LLMTier.STANDARD, api_endpoint=url, cost_per_1k_input=number)
            for number, model in enumerate(("first", "second"), 1)
        ]
        client = DynamicLLMClient(DictRegistry(entries), hedge_after=hedge_after, hedge_share=SHARE)
        left = iter(range(calls))

        async def work() -> list[float]:
            return [(await client.generate("Hello")).latency_seconds for _ in left]

        return [one for part in await asyncio.gather(*(work() for _ in range(AT_ONCE))) for one in part]

    with LoopbackProvider(answer) as provider:
        return Measured(sorted(asyncio.run(run(provider.url))), len(provider.requests))


def main(calls: int = CALLS) -> None:
    """Measure both and print the table."""
    without, with_hedges = measure(calls, None), measure(calls, AFTER)
    print(
        f"{calls} calls, {AT_ONCE} at once; usual {USUAL * 1000:.0f} ms, {SHARE_OF_SLOW:.0%} take {SLOW * 1000:.0f} ms"
    )
    print(f"{'':10}{'p50':>10}{'p95':>10}{'p99':>10}{'requests':>10}")
    for name, one in (("plain", without), ("hedged", with_hedges)):
        times = "".join(f"{one.at(share) * 1000:>7.0f} ms" for share in (0.5, 0.95, 0.99))
        print(f"{name:10}{times}{one.requests:>10}")
    lower = without.at(0.99) / with_hedges.at(0.99)
    more = with_hedges.requests / without.requests - 1
    print(f"p99 is {lower:.1f} times lower, with {more:.1%} more requests")


if __name__ == "__main__":
    main()
