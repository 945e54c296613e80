"""A second LLM is asked when the first is slow to begin, and whoever begins first answers.

Both tries are flows that wait with a time limit and can be resumed. So they are carried on in turns, each for a moment,
by one driver: no threads, no tasks, and the same for both clients.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from creative_services.core.errors import CreativeServicesError, LimitExceededError, ProviderTimeoutError
from creative_services.core.steps import AbandonedError, Begin, Read, Step
from creative_services.core.types import LLMChunk

TURN = 0.005  # seconds that one try waits before it is the other's turn
PENDING = object()

Flow = Generator[Step, Any, Any]


class HedgeBudget:
    """Keeps hedges to a share of the calls, so that a slow day does not double the bill."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._calls = 0
        self._hedges = 0

    def count(self) -> None:
        """One more call."""
        self._calls += 1

    def take(self) -> bool:
        """Whether one more hedge is within the share; if so, it counts."""
        if self._hedges + 1 > self._share * self._calls + 1:
            return False
        self._hedges += 1
        return True


@dataclass(slots=True)
class Raced:
    """What came of a race: the outcome, and whether a second one ran."""

    outcome: Any
    was_hedged: bool


class Runner:
    """One try under way: the step it waits for, or what it came to."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.outcome: Any = PENDING
        self.step: Step
        self._advance(flow.send, None)

    @property
    def has_failed(self) -> bool:
        """Whether it ended in an error."""
        return isinstance(self.outcome, CreativeServicesError)

    def carry_on(self) -> Generator[Step, Any, None]:
        """Have the step at hand carried out."""
        try:
            value = yield self.step
        except CreativeServicesError as error:
            self._advance(self._flow.throw, error)
        else:
            self._advance(self._flow.send, value)

    def wait(self, until: float, clock: Callable[[], float]) -> Generator[Step, Any, bool]:
        """Go on until this time at most; True once it has begun to answer, or has ended."""
        while self.outcome is PENDING:
            step = self.step
            if isinstance(step, LLMChunk):
                return True
            if not isinstance(step, Begin | Read):
                yield from self.carry_on()
                continue
            limit = step.until
            step.until = min(limit, until)
            try:
                value = yield step
            except ProviderTimeoutError as timeout:
                step.until = limit
                if until <= clock() < limit:
                    return False
                self._advance(self._flow.throw, timeout)
            except CreativeServicesError as error:
                self._advance(self._flow.throw, error)
            else:
                self._advance(self._flow.send, value)
        return True

    def finish(self) -> Flow:
        """Go on to the end."""
        while self.outcome is PENDING:
            yield from self.carry_on()
        return self.outcome

    def abandon(self) -> Generator[Step, Any, None]:
        """Cancel it: its connection is closed and its cost settled."""
        if self.outcome is not PENDING:
            return
        try:
            step = self._flow.throw(AbandonedError())
            while True:
                step = self._flow.send((yield step))
        except (AbandonedError, StopIteration):
            self.outcome = None

    def _advance(self, how: Callable[[Any], Step], value: Any) -> None:
        try:
            self.step = how(value)
        except StopIteration as stop:
            self.outcome = stop.value


def race(
    first: Flow, at: float, second: Callable[[], Generator[Step, Any, Flow | None]], clock: Callable[[], float]
) -> Flow:
    """Carry `first` on; if it has not begun to answer at the time `at`, the flow that `second` gives as well.

    Returns a Raced. The first useful beginning wins and the other is cancelled. A try that fails leaves the race to
    the other, unless its error is the caller's fault.
    """
    runners = [Runner(first)]
    try:
        if (yield from runners[0].wait(at, clock)):
            return Raced((yield from runners[0].finish()), was_hedged=False)
        hedge = yield from second()
        if hedge is None:
            return Raced((yield from runners[0].finish()), was_hedged=False)
        runners.append(Runner(_within_limits(hedge)))
        winner = yield from _winner(runners, clock)
        for runner in runners:
            if runner is not winner:
                yield from runner.abandon()
        return Raced((yield from winner.finish()), was_hedged=True)
    except BaseException:
        for runner in runners:
            yield from runner.abandon()
        raise


def _within_limits(hedge: Flow) -> Flow:
    """The hedge; even the caller's own limit, which would end a call, only keeps it from the race."""
    try:
        return (yield from hedge)
    except LimitExceededError as error:
        return error


def _winner(runners: list[Runner], clock: Callable[[], float]) -> Generator[Step, Any, Runner]:
    """The first that begins to answer, or whose error ends the call, or the last to fail."""
    racing = list(runners)
    while True:
        for runner in list(racing):
            if len(racing) == 1:
                return racing[0]
            if not (yield from runner.wait(clock() + TURN, clock)):
                continue
            if not runner.has_failed or not runner.outcome.may_fall_back:
                return runner
            racing.remove(runner)
