"""The story of one call: who is asked, how often, until when, and what comes of it. It does none of it itself.

A flow is a generator. It yields steps (`steps`) and is sent their results; errors are thrown into it. Two drivers of
a few lines carry the steps out, one blocking, one on an event loop (`client`). Cancelling a call, or leaving a stream,
is thrown in as well, so that connections are closed and money is settled whatever happens.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from creative_services.core.attempt import AttemptFlow
from creative_services.core.call import Call, Services, Strategy
from creative_services.core.candidates import Candidates
from creative_services.core.errors import (
    ConfigurationError,
    ContextLengthError,
    CreativeServicesError,
    DeadlineExceededError,
    InvalidRequestError,
    ProviderError,
    ProviderTimeoutError,
)
from creative_services.core.hedging import Raced, race
from creative_services.core.ledger import PlannedAttempt
from creative_services.core.pricing import estimate, worst_case
from creative_services.core.providers import route, wire_for
from creative_services.core.steps import Ask, Sleep, Step
from creative_services.core.types import Attempt, Candidate, Explanation, LLMChunk, LLMEntry

FIRST_BACKOFF = 0.5  # seconds, doubled with each retry, with full jitter


Flow = Generator[Step, Any, Any]


class CallFlow:
    """One call. `run` is the generator that drivers drive."""

    def __init__(self, call: Call, services: Services) -> None:
        self._call = call
        self._services = services
        self._cooling: list[tuple[float, LLMEntry]] = []
        self._ignores_breaker = call.target.tier is None
        self._attempts: list[Attempt] = []
        self._asked = 0

    def _start(self) -> None:
        """Let the call's time run from its first step: a stream may wait long for somebody to read it."""
        services = self._services
        self._began = services.clock()
        self._deadline = self._began + self._call.limits.total
        order = self._cheapest_for_call if services.strategy is Strategy.CHEAPEST_FOR_CALL else None
        self._candidates = Candidates(
            services.registry, self._call.target, services.fallback_tiers, self._deadline, order
        )

    def run(self) -> Flow:
        """Ask one candidate after the other; returns the answer, raises the error of `errors` that fits."""
        self._start()
        try:
            response = yield from self._run()
        except CreativeServicesError as error:
            error.attempts = tuple(self._attempts)
            raise
        response.attempts = tuple(self._attempts)
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
        if attempt is not None:
            yield from self._is_cooling(entry, "cooling")
        refusals = self._candidates.refusals[before:]
        worst = None if attempt is None else self._worst_case(attempt)
        return (refusals[0].reason if refusals else None), worst

    def _worst_case(self, attempt: AttemptFlow) -> Decimal | None:
        return worst_case(attempt.entry, attempt.input_bytes, self._call.work.output_tokens(attempt.entry))

    def _cheapest_for_call(self, ranked: Iterable[LLMEntry]) -> list[LLMEntry]:
        """Cheapest for this prompt and this many output tokens first; unknown prices last, ties as ranked."""
        size = self._call.work.request.size

        def price(entry: LLMEntry) -> tuple[bool, Decimal]:
            cost = estimate(entry, size, self._call.work.output_tokens(entry))
            return cost is None, cost or Decimal(0)

        return sorted(ranked, key=price)

    def _nearest_to_recovery(self) -> LLMEntry | None:
        """When the breaker refused everybody: the one that may be well soonest, which is better than no try at all."""
        cooling, self._cooling = self._cooling, []
        self._ignores_breaker = True
        return None if self._attempts or not cooling else min(cooling, key=lambda one: one[0])[1]

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
        if isinstance(outcome, ConfigurationError):
            self._candidates.refuse(entry, outcome)
            return None
        return outcome

    def _ask_again(self, attempt: AttemptFlow, outcome: Any) -> Flow:
        """What comes of the same LLM after a failed try: it is retried while that may help."""
        number = 0
        while isinstance(outcome, CreativeServicesError) and not attempt.has_emitted:
            wait = self._wait_before_retry(outcome, number)
            if wait is None:
                break
            number += 1
            yield Sleep(wait)
            outcome = yield from self._try(attempt, wait)
        return outcome

    def _try(self, attempt: AttemptFlow, waited: float) -> Flow:
        """One try, sent once more for each parameter that the model turns out to refuse, and then without it."""
        outcome = yield from self._attempt(attempt, waited)
        while (
            isinstance(outcome, CreativeServicesError)
            and self._services.lessons.learn(attempt.entry, outcome)
            and (taught := self._prepare(attempt.entry)) is not None
        ):
            attempt.request = taught.request
            outcome = yield from self._attempt(attempt, 0.0)
        return outcome

    def _hedged(self, attempt: AttemptFlow) -> Flow:
        """A first try; that of the whole call is raced by the next candidate, if the call allows it and it is slow."""
        after = self._call.hedge_after
        if after is None or self._call.target.tier is None or self._attempts:
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

    def _prepare(self, entry: LLMEntry) -> AttemptFlow | None:
        try:
            wire = wire_for(entry)
            way = route(entry)
            if quirks := self._services.lessons.of(entry):
                way = replace(way, quirks=way.quirks | quirks)
            return self._call.work.attempt(entry, wire, way, self._call.limits)
        except (ConfigurationError, InvalidRequestError) as error:
            self._candidates.refuse(entry, error)
            return None

    def _wait_before_retry(self, error: CreativeServicesError, number: int) -> float | None:
        """Seconds until the same LLM is asked again; None when it is not, or when that would take too long."""
        retry = self._services.retry
        if not error.is_retryable or number >= retry.max_retries:
            return None
        asked: float | None = getattr(error, "retry_after", None)
        wait = FIRST_BACKOFF * 2**number * self._services.jitter() if asked is None else asked
        if wait > retry.patience or self._services.clock() + wait >= self._deadline:
            return None
        return wait

    def _attempt(self, attempt: AttemptFlow, waited: float) -> Flow:
        """One try, booked before and after, whatever becomes of it: the response or the error that ended it."""
        clock = self._services.clock
        began = clock()
        if began >= self._deadline:
            raise self._too_late("")
        reservation = yield from self._reserve(attempt)
        error: CreativeServicesError | None = None
        try:
            yield from attempt.run(clock, self._deadline, self._candidates.peek)
        except (ProviderError, DeadlineExceededError, ConfigurationError) as exc:
            error = exc
        except BaseException:  # cancelled, or the stream was left: the money is settled, then it goes its way
            yield from self._settle(reservation, attempt, attempt.record("cancelled", None, clock() - began, waited))
            raise
        now = clock()
        record = attempt.record("error" if error else "ok", error, now - began, waited)
        yield from self._settle(reservation, attempt, record)
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

    # What it costs

    def _reserve(self, attempt: AttemptFlow) -> Generator[Step, Any, Any]:
        if self._services.ledger is None:
            return None
        call = self._call
        self._asked += 1
        planned = PlannedAttempt(
            call.request_id, self._asked, attempt.entry, call.work.request, attempt.is_stream, call.caller
        )
        return (yield Ask(self._services.ledger, "reserve", (planned,)))

    def _settle(self, reservation: Any, attempt: AttemptFlow, record: Attempt) -> Generator[Step, Any, None]:
        self._attempts.append(record)
        if self._services.breaker is not None:
            yield Ask(self._services.breaker, "report", (attempt.entry, record))
        if self._services.ledger is not None:
            yield Ask(self._services.ledger, "settle", (reservation, record))
