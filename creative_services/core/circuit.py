"""When an LLM is left alone, and for how long: the rules of every breaker, without a clock and without a place to keep.

A circuit is None while nothing is recorded, closed while it only counts failures, open while it cools, and half-open
afterwards, until a try that began since it opened succeeds, or fails and opens it anew.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from creative_services.core.breaker import Cooling
from creative_services.core.errors import (
    AuthenticationError,
    CreativeServicesError,
    DeadlineExceededError,
    InvalidRequestError,
    ModelNotFoundError,
    ProviderError,
    RateLimitError,
)

if TYPE_CHECKING:
    from creative_services.core.types import Attempt

FAILURES = 3  # in a row
COOLING = 10.0  # seconds, doubled with each failed probe
LONGEST_COOLING = 30.0
LONGEST_WAIT = 3600.0  # whatever a provider's Retry-After says
LEASE = 30.0  # for a probe: one that is never heard of again costs as much as one that failed
SILENCE = 10.0
LASTING = (AuthenticationError, ModelNotFoundError)
SLACK = 0.1  # durations and times of day come from different clocks


class Circuit(NamedTuple):
    """What is known of a failing LLM. Plain values only, so that any cache can keep it; times are the breaker's."""

    failures: int = 0
    """In a row."""
    cooling: float = 0.0
    """Seconds it cools by itself; 0 while it is closed."""
    opened: float = 0.0
    until: float = 0.0
    """When its cooling is over; later than `opened + cooling` where a provider asked for it."""
    cause: str = ""

    def is_half_open(self, now: float) -> bool:
        """Whether one call may try if the LLM is well again."""
        return self.cooling > 0 and now >= self.until


def cooling(circuit: Circuit | None, now: float) -> Cooling | None:
    """Why not to ask now; None for a closed circuit and for a half-open one."""
    if circuit is None or not circuit.cooling or now >= circuit.until:
        return None
    left = circuit.until - now
    return Cooling(f"cooling for {ceil(left)} s more: {circuit.cause}", left)


def being_probed(circuit: Circuit) -> Cooling:
    """Why not to ask while another call is the probe. Nobody is nearer to recovery, so it is for 0 seconds."""
    return Cooling(f"another call is finding out whether it is well again: {circuit.cause}", 0.0)


def after(circuit: Circuit | None, attempt: Attempt, now: float) -> Circuit | None:
    """The circuit once this attempt has ended."""
    began = now - attempt.latency_seconds
    # What began before it opened is no news of how the LLM is now, and there may be hundreds of them in flight.
    is_old = circuit is not None and circuit.cooling > 0 and began < circuit.opened
    if attempt.outcome == "ok":
        return circuit if is_old else None
    error = attempt.error
    if not counts(attempt) or error is None:
        return circuit
    before = circuit or Circuit()
    wait = _asked_wait(error)
    if is_old or now < before.until:
        return before._replace(until=max(before.until, now + wait)) if wait else before
    if before.cooling or wait or before.failures + 1 >= FAILURES or isinstance(error, LASTING):
        seconds = min(before.cooling * 2 or COOLING, LONGEST_COOLING)
        return Circuit(before.failures + 1, seconds, now, now + (wait or seconds), _cause(error))
    return Circuit(before.failures + 1, cause=_cause(error))


def counts(attempt: Attempt) -> bool:
    """Whether the attempt failed in a way that says something about the LLM, and not about the request or the caller.

    A call whose own time ran out says something only if the provider was silent, and for so long that it was not
    just an impatient caller: no headers came, and not within ten seconds. Without that, callers whose `timeout=` is
    shorter than all other limits would wait for a dead LLM each time anew.
    """
    error = attempt.error
    if attempt.outcome != "error":
        return False
    if isinstance(error, DeadlineExceededError):
        return attempt.status_code is None and attempt.latency_seconds >= SILENCE
    return isinstance(error, ProviderError) and not isinstance(error, InvalidRequestError)


def gives_back(attempt: Attempt, taken: float, now: float) -> bool:
    """Whether this is the probe that took its place then, and it ended without having found anything out."""
    began = now - attempt.latency_seconds
    return attempt.outcome != "ok" and not counts(attempt) and began >= taken - SLACK


def _asked_wait(error: CreativeServicesError) -> float:
    asked = error.retry_after if isinstance(error, RateLimitError) else None
    return min(asked or 0.0, LONGEST_WAIT)


def _cause(error: CreativeServicesError) -> str:
    """The status, or what happened where no status says it."""
    status: int | None = getattr(error, "status_code", None)
    return str(status) if status is not None and status >= 400 else type(error).__name__
