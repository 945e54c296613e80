"""The story of one call: who is asked, how often, until when, and what comes of it. It does none of it itself.

A flow is a generator. It yields steps (`steps`) and is sent their results; errors are thrown into it. Two drivers of
a few lines carry the steps out, one blocking, one on an event loop (`client`). Cancelling a call, or leaving a stream,
is thrown in as well, so that connections are closed and money is settled whatever happens.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from creative_services.core.attempt import AttemptFlow
from creative_services.core.booking import Books
from creative_services.core.call import Call, Services, Strategy
from creative_services.core.candidates import Candidates
from creative_services.core.errors import (
    BudgetExceededError,
    ConfigurationError,
    ContextLengthError,
    CreativeServicesError,
    DeadlineExceededError,
    InvalidRequestError,
    LimitExceededError,
    ProviderError,
    ProviderTimeoutError,
)
from creative_services.core.explanation import Candidate, Explanation
from creative_services.core.hedging import Raced, race
from creative_services.core.providers import route, wire_for
from creative_services.core.steps import Ask, Sleep, Step
from creative_services.core.types import LLMChunk, LLMEntry
from creative_services.core.work import Answering, cheapest_for

UNPAID = (BudgetExceededError, LimitExceededError)
REFUSALS = (ConfigurationError, *UNPAID)


Flow = Generator[Step, Any, Any]


class CallFlow:
    """One call. `run` is the generator that drivers drive."""

    def __init__(self, call: Call, services: Services) -> None:
        self._call = call
        self._services = services
        self._cooling: list[tuple[float, LLMEntry]] = []
        self._ignores_breaker = call.target.tier is None
        self._books = Books(call, services)
        self._tries: list[AttemptFlow] = []

    @property
    def request_id(self) -> str:
        """The call's own id."""
        return self._call.request_id

    @property
    def answering(self) -> AttemptFlow | None:
        """The try that emits, since of two that race only one does; else the last to begin."""
        return next((one for one in self._tries if one.has_emitted), self._tries[-1] if self._tries else None)

    @property
    def tries(self) -> int:
        """How many tries have begun."""
        return self._books.begun

    def _start(self) -> None:
        """Let the call's time run from its first step: a stream may wait long for somebody to read it."""
        services = self._services
        self._began = services.clock()
        self._deadline = self._began + self._call.limits.total
        order = cheapest_for(self._call.work) if services.strategy is Strategy.CHEAPEST_FOR_CALL else None
        self._candidates = Candidates(
            services.registry, self._call.target, services.fallback_tiers, self._deadline, order
        )

    def run(self) -> Flow:
        """Ask one candidate after the other; returns the answer, raises the error of `errors` that fits."""
        self._start()
        try:
            response = yield from self._run()
        except CreativeServicesError as error:
            error.attempts, error.request_id = tuple(self._books.attempts), self._call.request_id
            raise
        response.attempts = tuple(self._books.attempts)
        return response

    def _run(self) -> Flow:
        entry = yield from self._candidates.first()
        failure: CreativeServicesError | None = None
        while entry is not None:
            outcome = yield from self._ask(entry)
            if isinstance(outcome, CreativeServicesError):
                failure = outcome
                if not failure.may_fall_back:
                    raise failure
                if isinstance(failure, ContextLengthError):
                    self._candidates.need_more_room_than(entry)
            elif outcome is not None:
                return outcome
            entry = (yield from self._candidates.next()) or self._nearest_to_recovery()
        raise failure or self._candidates.nobody()

    def explain(self) -> Generator[Step, Any, Explanation]:
        """What `run` would do, found in the same way, without asking any LLM."""
        self._start()
        candidates: list[Candidate] = []
        chosen: LLMEntry | None = None
        entry = yield from self._candidates.first()
        while entry is not None:
            refusal, worst = yield from self._examine(entry)
            if refusal is None and chosen is None:
                chosen = entry
            candidates.append(Candidate(entry.without_key(), refusal, worst))
            entry = yield from self._candidates.next()
        chosen = chosen or self._nearest_to_recovery()
        return Explanation(tuple(candidates), chosen.without_key() if chosen else None)

    def _examine(self, entry: LLMEntry) -> Generator[Step, Any, tuple[str | None, Decimal | None]]:
        before = len(self._candidates.refusals)
        attempt = self._prepare(entry)
        if attempt is not None and not (yield from self._is_cooling(entry, "cooling")):
            refusal = yield from self._books.refusal(attempt, self._seconds_left())
            if refusal is not None:
                self._candidates.refuse(entry, refusal)
        refusals = self._candidates.refusals[before:]
        worst = None if attempt is None else self._books.worst_case(attempt)
        return (refusals[0].reason if refusals else None), worst

    def _nearest_to_recovery(self) -> LLMEntry | None:
        """When the breaker refused everybody: the one that may be well soonest, which is better than no try at all."""
        cooling, self._cooling = self._cooling, []
        self._ignores_breaker = True
        return None if self._books.attempts or not cooling else min(cooling, key=lambda one: one[0])[1]

    # How one candidate is asked

    def _ask(self, entry: LLMEntry) -> Flow:
        """The answer, the error of the last try, or None where the candidate was refused without being asked."""
        attempt = self._prepare(entry)
        if attempt is None or (yield from self._is_cooling(entry, "admit")):
            return None
        raced = yield from self._hedged(attempt)
        outcome = raced.outcome
        if not raced.was_hedged and isinstance(outcome, CreativeServicesError):
            outcome = yield from self._ask_again(attempt, outcome)
        if isinstance(outcome, REFUSALS):
            self._candidates.refuse(entry, outcome)
            return None
        return outcome

    def _ask_again(self, attempt: AttemptFlow, outcome: Any) -> Flow:
        """What comes of the same LLM after a failed try: it is retried while that may help."""
        number = 0
        while isinstance(outcome, CreativeServicesError) and not attempt.has_emitted:
            wait = self._services.retry.wait(outcome, number, self._services.jitter())
            if wait is None or wait >= self._seconds_left():
                break
            number += 1
            yield Sleep(wait)
            again = yield from self._try(attempt, wait)
            if isinstance(again, UNPAID):  # what happened says more than why it is not tried again
                self._candidates.refuse_again(attempt.entry, again)
                break
            outcome = again
        return outcome

    def _try(self, attempt: AttemptFlow, waited: float) -> Flow:
        """One try, sent once more for each parameter that the model turns out to refuse, and then without it."""
        outcome = yield from self._attempt(attempt, waited)
        while (
            isinstance(outcome, CreativeServicesError)
            and self._services.lessons.learn(attempt.entry, outcome)
            and (taught := self._prepare(attempt.entry, attempt.max_tokens)) is not None
        ):
            attempt.request = taught.request
            outcome = yield from self._attempt(attempt, 0.0)
        return outcome

    def _hedged(self, attempt: AttemptFlow) -> Flow:
        """A first try; that of the whole call is raced by the next candidate, if the call allows it and it is slow."""
        after = self._call.hedge_after
        if after is None or self._call.target.tier is None or self._books.attempts:
            return Raced((yield from self._try(attempt, 0.0)), was_hedged=False)
        self._services.hedges.count()
        at = self._services.clock() + after
        return (yield from race(self._try(attempt, 0.0), at, self._second, self._services.clock))

    def _second(self) -> Generator[Step, Any, Flow | None]:
        """A try at the next candidate that may be asked, if a hedge is within the share."""
        if (yield from self._candidates.peek()) is None or not self._services.hedges.take():
            return None
        while (entry := (yield from self._candidates.next())) is not None:
            attempt = self._prepare(entry)
            if attempt is not None and not (yield from self._is_cooling(entry, "admit")):
                return self._try(attempt, 0.0)
        return None

    def _is_cooling(self, entry: LLMEntry, question: str) -> Generator[Step, Any, bool]:
        """Whether the breaker keeps the call from this entry. Whoever names an LLM by id means it, breaker or not."""
        breaker = self._services.breaker
        if breaker is None or self._ignores_breaker:
            return False
        cooling = yield Ask(breaker, question, (entry,))
        if cooling is None:
            return False
        self._cooling.append((cooling.seconds, entry))
        self._candidates.refuse(entry, cooling.reason)
        return True

    def _prepare(self, entry: LLMEntry, max_tokens: int | None = None) -> AttemptFlow | None:
        work = self._call.work
        if max_tokens is not None and isinstance(work, Answering):
            work = work.shortened(max_tokens)
        try:
            wire = wire_for(entry)
            way = route(entry)
            if quirks := self._services.lessons.of(entry):
                way = replace(way, quirks=way.quirks | quirks)
            return work.attempt(entry, wire, way, self._call.limits)
        except (ConfigurationError, InvalidRequestError) as error:
            self._candidates.refuse(entry, error)
            return None

    def _attempt(self, attempt: AttemptFlow, waited: float) -> Flow:
        """One try, booked before: its outcome, or the error with which the ledger refused it."""
        if self._seconds_left() <= 0:
            raise self._too_late("")
        try:
            reservation = yield from self._reserve(attempt)
        except BaseException as error:  # nobody is asked, so that another call may be the breaker's probe
            yield from self._books.withdraw(attempt.entry)
            if not isinstance(error, UNPAID) or (isinstance(error, LimitExceededError) and error.is_callers):
                raise
            return error
        return (yield from self._booked(attempt, reservation, waited))

    def _booked(self, attempt: AttemptFlow, reservation: Any, waited: float) -> Flow:
        """One try, settled after, whatever becomes of it: the response or the error that ended it."""
        clock = self._services.clock
        began = clock()
        self._tries = [one for one in self._tries if one is not attempt and not one.has_emitted] + [attempt]
        error: CreativeServicesError | None = None
        try:
            yield from attempt.run(clock, self._deadline, self._candidates.peek)
        except (ProviderError, DeadlineExceededError, ConfigurationError) as exc:
            error = exc
        except BaseException:  # cancelled, or the stream was left: the money is settled, then it goes its way
            yield from self._books.settle(
                reservation, attempt, attempt.record("cancelled", None, clock() - began, waited)
            )
            raise
        now = clock()
        record = attempt.record("error" if error else "ok", error, now - began, waited)
        yield from self._books.settle(reservation, attempt, record)
        if error is None:
            return attempt.response(self._call.request_id, now - self._began)
        if isinstance(error, DeadlineExceededError) or (
            isinstance(error, ProviderTimeoutError) and now >= self._deadline
        ):
            raise self._too_late(attempt.partial)
        if attempt.has_emitted:
            yield from self._interrupted(error)
        return error

    def _interrupted(self, error: CreativeServicesError) -> Generator[Step, Any, None]:
        """A stream broke after its first chunk: the next LLM begins anew where the caller allows it."""
        if not (self._call.restarts and error.may_fall_back and (yield from self._candidates.peek()) is not None):
            raise error
        yield LLMChunk(restart=True)

    def _too_late(self, partial: str) -> DeadlineExceededError:
        error = DeadlineExceededError(
            f"The call's own time, {self._call.limits.total:g} s, ran out. Allow more with `timeout=` or LIMITS."
        )
        error.partial = partial
        return error

    def _reserve(self, attempt: AttemptFlow) -> Generator[Step, Any, Any]:
        """The reservation for a try; for a shorter answer, if only that is affordable and the caller allows it."""
        refusals = self._candidates.refusals
        try:
            return (yield from self._books.reserve(attempt, self._seconds_left(), refusals))
        except BudgetExceededError as error:
            if not self._call.fit_budget or error.available is None:
                raise
            tokens = self._books.affordable_tokens(attempt, error.available)
            if tokens is None or (shorter := self._prepare(attempt.entry, tokens)) is None:
                raise
        attempt.request, attempt.max_tokens = shorter.request, tokens
        return (yield from self._books.reserve(attempt, self._seconds_left(), refusals))

    def _seconds_left(self) -> float:
        return self._deadline - self._services.clock()
