"""How many calls and tokens per minute, and calls at once, an LLM takes and a caller may make; in all processes."""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass, field
from hashlib import blake2b
from random import randrange
from typing import TYPE_CHECKING, Any

from django.core.cache import DEFAULT_CACHE_ALIAS, caches

from creative_services.adapters.connections import borrowed
from creative_services.conf import app_settings
from creative_services.core.errors import LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from creative_services.core.ledger import PlannedAttempt
    from creative_services.core.types import Attempt

logger = logging.getLogger(__name__)

MINUTE = 60
PREFIX = "creative_services.rates.1"
GUESSES = 4
SCANNED = 1_000  # places that are looked at at once
GRACE = 10  # seconds past its time after which the place of a call that was never heard of again is free

WHAT: Mapping[str, str] = {
    "requests_per_minute": "requests per minute",
    "tokens_per_minute": "tokens per minute",
    "calls_at_once": "calls at once",
}
CALLERS: Mapping[str, str] = {
    "user": "This user may have",
    "machine_key": "This key may have",
    "caller": "This caller may have",
}


@dataclass(frozen=True, slots=True)
class Quota:
    """The most of something that one subject may have; `who` names the subject to people."""

    key: str
    kind: str
    most: int
    who: str
    is_callers: bool

    def exceeded(self, retry_after: float) -> LimitExceededError:
        """The error of a call that is beyond it."""
        text = f"{self.who} at most {self.most} {WHAT[self.kind]}. Try again in {retry_after:.0f} s."
        return LimitExceededError(text, retry_after=retry_after, is_callers=self.is_callers)


@dataclass(slots=True)
class Permit:
    """What an admitted attempt holds, and how it is given back."""

    places: list[str] = field(default_factory=list)
    mark: str = field(default_factory=lambda: secrets.token_hex(8))
    counted: list[tuple[str, int]] = field(default_factory=list)
    tokens: list[tuple[str, int]] = field(default_factory=list)


class RateLimits:
    """Counts in a cache that all processes share.

    A minute slides: of the last full minute's count the part counts that is still within sixty seconds. Tokens are
    counted by an estimate first, four characters a token and all output allowed, and by what was used afterwards; a
    call larger than the whole limit passes where nothing else was counted. A cache that fails is logged and limits
    nobody. `clock` gives seconds that are the same in every process.
    """

    def __init__(self, cache: str = DEFAULT_CACHE_ALIAS, *, clock: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._clock = clock

    def quotas(self, planned: PlannedAttempt) -> list[Quota]:
        """The quotas that this attempt falls under, the caller's first; asks no cache."""
        return [*_of_caller(planned), *_of_llm(planned)]

    def admit(self, planned: PlannedAttempt) -> Permit:
        """Count the attempt. Raises LimitExceededError where it is one too many, and then it counts nowhere."""
        permit = Permit()
        try:
            with borrowed():
                for quota in self.quotas(planned):
                    self._take(quota, planned, permit)
        except LimitExceededError:
            self.withdraw(permit)
            raise
        except Exception:  # whatever a cache raises, the call goes on
            logger.warning("The cache %r fails, so that limits hold nobody back.", self._cache, exc_info=True)
        return permit

    def refusal(self, planned: PlannedAttempt) -> LimitExceededError | None:
        """What `admit` would raise; counts nothing in the end."""
        try:
            self.withdraw(self.admit(planned))
        except LimitExceededError as error:
            return error
        return None

    def release(self, permit: Permit, attempt: Attempt) -> None:
        """Free its place, and count the tokens that it used instead of the estimate, where they are known."""
        usage = attempt.usage
        used = None if usage is None else _sum(usage.input_tokens, usage.output_tokens)
        try:
            with borrowed():
                self._free(permit)
                if used is not None:
                    for key, estimate in permit.tokens:
                        self._add(key, used - estimate)
        except Exception:  # as above
            logger.warning("The cache %r fails, so that a place stays taken for a while.", self._cache, exc_info=True)

    def withdraw(self, permit: Permit) -> None:
        """Undo `admit` for an attempt that was not made."""
        try:
            with borrowed():
                self._free(permit)
                for key, amount in (*permit.counted, *permit.tokens):
                    self._add(key, -amount)
        except Exception:  # as above
            logger.warning("The cache %r fails, so that a count stays too high.", self._cache, exc_info=True)

    def _take(self, quota: Quota, planned: PlannedAttempt, permit: Permit) -> None:
        match quota.kind:
            case "calls_at_once":
                self._take_place(quota, planned.seconds, permit)
            case "requests_per_minute":
                permit.counted.append(self._count(quota, 1))
            case _:
                size = -(-planned.request.size // 4) + planned.output_tokens
                permit.tokens.append(self._count(quota, size))

    def _count(self, quota: Quota, amount: int) -> tuple[str, int]:
        now = self._clock()
        minute, passed = divmod(now, MINUTE)
        key = f"{quota.key}.{minute:.0f}"
        before = caches[self._cache].get(f"{quota.key}.{minute - 1:.0f}", 0) * (1 - passed / MINUTE)
        counted = self._add(key, amount)
        if before + counted > quota.most and (quota.kind == "requests_per_minute" or before + counted > amount):
            self._add(key, -amount)
            raise quota.exceeded(MINUTE - passed)
        return key, amount

    def _add(self, key: str, amount: int) -> int:
        cache = caches[self._cache]
        cache.add(key, 0, 2 * MINUTE)
        count: int = cache.incr(key, amount)
        return count

    def _take_place(self, quota: Quota, seconds: float, permit: Permit) -> None:
        cache = caches[self._cache]
        for place in self._free_places(quota):
            if cache.add(place, permit.mark, seconds + GRACE):
                permit.places.append(place)
                return
        raise quota.exceeded(1.0)

    def _free_places(self, quota: Quota) -> Iterator[str]:
        """Some by chance, which are free as long as most are; then all that are, however many there may be."""
        for _ in range(GUESSES):
            yield f"{quota.key}.{randrange(quota.most)}"  # noqa: S311 - no secret
        for first in range(0, quota.most, SCANNED):
            places = [f"{quota.key}.{number}" for number in range(first, min(first + SCANNED, quota.most))]
            taken = caches[self._cache].get_many(places)
            yield from (place for place in places if place not in taken)

    def _free(self, permit: Permit) -> None:
        cache = caches[self._cache]
        for place in permit.places:
            if cache.get(place) == permit.mark:
                cache.delete(place)


def _of_caller(planned: PlannedAttempt) -> Iterator[Quota]:
    caller = planned.caller
    subjects = (("user", caller.user_id), ("machine_key", caller.machine_key_id), ("caller", caller.name))
    limits = app_settings.rate_limits
    for kind, who in subjects if limits else ():
        # A retry or a hedge is no further request of the caller's; what takes the place of a refused one is the first.
        for what, most in limits.get(kind, {}).items():
            if who is not None and (not planned.is_further or what != "requests_per_minute"):
                yield Quota(_key(kind, who, what), what, most, CALLERS[kind], is_callers=True)


def _of_llm(planned: PlannedAttempt) -> Iterator[Quota]:
    entry = planned.entry
    for what in WHAT:
        most: int | None = getattr(entry, what)
        if most is not None:
            yield Quota(_key("llm", entry.id, what), what, most, f"LLM #{entry.id} {entry.name!r} takes", False)


def _key(kind: str, who: Any, what: str) -> str:
    digest = blake2b(str(who).encode(), digest_size=12).hexdigest()  # any text, and no longer than a cache's key may be
    return f"{PREFIX}.{kind}.{what}.{digest}"


def _sum(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None
