"""The story of one call: who is asked, how often, until when, and what comes of it. It does none of it itself.

A flow is a generator. It yields steps (`steps`) and is sent their results; errors are thrown into it. Two drivers of
a few lines carry the steps out, one blocking, one on an event loop (`client`). Cancelling a call, or leaving a stream,
is thrown in as well, so that connections are closed and money is settled whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from creative_services.core.attempt import AttemptFlow
from creative_services.core.breaker import Breaker
from creative_services.core.errors import (
    ConfigurationError,
    CreativeServicesError,
    DeadlineExceededError,
    InvalidRequestError,
    LLMNotFoundError,
    NoLLMAvailableError,
    ProviderError,
    ProviderTimeoutError,
)
from creative_services.core.ledger import Ledger, PlannedAttempt
from creative_services.core.lessons import Lessons
from creative_services.core.listing import list_models
from creative_services.core.llm_registry import LLMRegistry, rank
from creative_services.core.providers import route, wire_for
from creative_services.core.request import Target
from creative_services.core.steps import Ask, Sleep, Step
from creative_services.core.types import Attempt, Limits, LLMChunk, LLMEntry, LLMTier, Refusal, Retry
from creative_services.core.work import Answering, Embedding, Work

__all__ = ["Answering", "Call", "CallFlow", "Embedding", "Flow", "Services", "list_models"]

FIRST_BACKOFF = 0.5  # seconds, doubled with each retry, with full jitter


@dataclass(frozen=True, slots=True)
class Call:
    """What one call asks for."""

    work: Work
    target: Target
    limits: Limits
    request_id: str = field(default_factory=lambda: str(uuid4()))
    restarts: bool = False
    caller: str | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """Whom flows work with. `clock` gives monotonic seconds, `jitter` numbers from 0 to 1."""

    registry: LLMRegistry
    retry: Retry
    fallback_tiers: tuple[LLMTier, ...]
    ledger: Ledger | None
    breaker: Breaker | None
    clock: Callable[[], float]
    jitter: Callable[[], float]
    lessons: Lessons = field(default_factory=Lessons)


Flow = Generator[Step, Any, Any]


class CallFlow:
    """One call. `run` is the generator that drivers drive."""

    def __init__(self, call: Call, services: Services) -> None:
        self._call = call
        self._services = services
        self._began = services.clock()
        self._deadline = self._began + call.limits.total
        self._attempts: list[Attempt] = []
        self._refusals: list[Refusal] = []
        self._inexpressible: InvalidRequestError | None = None
        self._seen: set[int] = set()
        self._queue: Iterator[LLMEntry] = iter(())
        self._peeked: LLMEntry | None = None
        self._tiers: list[LLMTier] = []

    def run(self) -> Flow:
        """Ask one candidate after the other; returns the answer, raises the error of `errors` that fits."""
        try:
            return (yield from self._run())
        except CreativeServicesError as error:
            error.attempts = tuple(self._attempts)
            raise

    def _run(self) -> Flow:
        entry = yield from self._first()
        failure: CreativeServicesError | None = None
        while entry is not None:
            outcome = yield from self._ask(entry)
            if isinstance(outcome, CreativeServicesError):
                failure = outcome
                if not failure.may_fall_back:
                    raise failure
            elif outcome is not None:
                return outcome
            entry = yield from self._next()
        raise failure or self._nobody()

    # Who is asked

    def _first(self) -> Generator[Step, Any, LLMEntry | None]:
        target, registry = self._call.target, self._services.registry
        if target.tier is None:
            entry = yield Ask(registry, "get_by_id", (target.llm_id,))
            if entry is None:
                raise LLMNotFoundError(f"There is no active LLM with id {target.llm_id}.")
        else:
            entry = yield Ask(registry, "get_by_tier", (target.tier,))
            self._tiers = [target.tier]
            if target.tier is not LLMTier.LOCAL:  # what is local stays local
                self._tiers += [tier for tier in self._services.fallback_tiers if tier is not target.tier]
            if entry is None:
                entry = yield from self._next()
        if entry is not None:
            self._seen.add(entry.id)
        return entry  # type: ignore[no-any-return]  # a step's result is what the driver sends

    def _next(self) -> Generator[Step, Any, LLMEntry | None]:
        """The next candidate, which is looked up only now: most calls never need one."""
        entry = yield from self._peek()
        self._peeked = None
        if entry is not None:
            self._seen.add(entry.id)
        return entry

    def _peek(self) -> Generator[Step, Any, LLMEntry | None]:
        while self._peeked is None:
            self._peeked = next((entry for entry in self._queue if entry.id not in self._seen), None)
            if self._peeked is None:
                if not self._tiers:
                    return None
                self._queue = yield from self._candidates(self._tiers.pop(0))
        return self._peeked

    def _candidates(self, tier: LLMTier) -> Generator[Step, Any, Iterator[LLMEntry]]:
        registry = self._services.registry
        if hasattr(registry, "candidates"):
            return iter((yield Ask(registry, "candidates", (tier,))))
        entries = yield Ask(registry, "list_active", ())
        return iter(rank(entry for entry in entries if entry.tier is tier))

    def _nobody(self) -> CreativeServicesError:
        tier = self._call.target.tier
        if self._inexpressible is not None:
            return self._inexpressible
        if not self._refusals:
            return NoLLMAvailableError(
                f"No active LLM in tier {tier.value if tier else None!r}. "
                "Add one to the registry: in Django in the admin, or with `manage.py seed_llms`."
            )
        reasons = "; ".join(f"#{refusal.llm_id} {refusal.llm_name!r}: {refusal.reason}" for refusal in self._refusals)
        return NoLLMAvailableError(f"No LLM could be asked: {reasons}", refusals=self._refusals)

    # How one candidate is asked

    def _ask(self, entry: LLMEntry) -> Flow:
        """The answer, the error of the last try, or None where the candidate was refused without being asked."""
        reason = yield from self._refusal(entry)
        if reason is not None:
            self._refuse(entry, reason)
            return None
        attempt = self._prepare(entry)
        if attempt is None:
            return None
        waited, number = 0.0, 0
        while True:
            outcome = yield from self._attempt(attempt, waited)
            if not isinstance(outcome, CreativeServicesError):
                return outcome
            if isinstance(outcome, ConfigurationError):
                self._refuse(entry, outcome)
                return None
            if self._services.lessons.learn(entry, outcome) and (again := self._prepare(entry)) is not None:
                attempt, waited = again, 0.0
                continue
            wait = None if attempt.has_emitted else self._wait_before_retry(outcome, number)
            if wait is None:
                return outcome
            yield Sleep(wait)
            waited = wait
            number += 1

    def _refusal(self, entry: LLMEntry) -> Generator[Step, Any, str | None]:
        """Why this entry should not be asked now. Whoever names an LLM by id means it, breaker or not."""
        if self._services.breaker is None or self._call.target.tier is None:
            return None
        return (yield Ask(self._services.breaker, "refuses", (entry,)))  # type: ignore[no-any-return]

    def _prepare(self, entry: LLMEntry) -> AttemptFlow | None:
        try:
            wire = wire_for(entry)
            way = route(entry)
            if quirks := self._services.lessons.of(entry):
                way = replace(way, quirks=way.quirks | quirks)
            return self._call.work.attempt(entry, wire, way, self._call.limits)
        except (ConfigurationError, InvalidRequestError) as error:
            self._refuse(entry, error)
            return None

    def _refuse(self, entry: LLMEntry, reason: CreativeServicesError | str) -> None:
        if isinstance(reason, CreativeServicesError):
            if self._call.target.tier is None:
                raise reason
            if isinstance(reason, InvalidRequestError):
                self._inexpressible = reason
        self._refusals.append(Refusal(entry.id, entry.name, str(reason).removeprefix(f"{entry.name!r}: ")))

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
            yield from attempt.run(clock, self._deadline, self._peek)
        except (ProviderError, DeadlineExceededError, ConfigurationError) as exc:
            error = exc
        except BaseException:  # cancelled, or the stream was left: the money is settled, then it goes its way
            yield from self._settle(reservation, attempt, attempt.record("cancelled", None, clock() - began, waited))
            raise
        now = clock()
        record = attempt.record("error" if error else "ok", error, now - began, waited)
        yield from self._settle(reservation, attempt, record)
        if error is None:
            return attempt.response(self._call.request_id, now - self._began, self._attempts)
        if isinstance(error, DeadlineExceededError) or (
            isinstance(error, ProviderTimeoutError) and now >= self._deadline
        ):
            raise self._too_late(attempt.partial)
        if attempt.has_emitted:
            yield from self._interrupted(error)
        return error

    def _interrupted(self, error: CreativeServicesError) -> Generator[Step, Any, None]:
        """A stream broke after its first chunk: the next LLM begins anew where the caller allows it."""
        if not (self._call.restarts and error.may_fall_back and (yield from self._peek()) is not None):
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
        number = len(self._attempts) + 1
        planned = PlannedAttempt(
            call.request_id, number, attempt.entry, call.work.request, attempt.is_stream, call.caller
        )
        return (yield Ask(self._services.ledger, "reserve", (planned,)))

    def _settle(self, reservation: Any, attempt: AttemptFlow, record: Attempt) -> Generator[Step, Any, None]:
        self._attempts.append(record)
        if self._services.breaker is not None and record.outcome != "cancelled":
            yield Ask(self._services.breaker, "report", (attempt.entry, record.error))
        if self._services.ledger is not None:
            yield Ask(self._services.ledger, "settle", (reservation, record))
