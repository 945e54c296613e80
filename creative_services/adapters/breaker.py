"""The breaker whose state all processes share, through Django's cache."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import sync_to_async
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.crypto import salted_hmac

from creative_services.adapters.connections import borrowed
from creative_services.core.circuit import LEASE, Circuit, after, being_probed, cooling, gives_back

if TYPE_CHECKING:
    from collections.abc import Callable

    from creative_services.core.breaker import Cooling
    from creative_services.core.types import Attempt, LLMEntry

logger = logging.getLogger(__name__)

LAYOUT = "creative_services.breaker.1"  # counted up when Circuit changes, since old and new processes share a cache
KEPT = 3600  # seconds after its cooling that a circuit is remembered
PAUSE = 5.0  # seconds that a cache which failed is left alone: finding out may take as long as a time-out each time
MOST_NOTES = 10_000
IN_MEMORY = (LocMemCache, DummyCache)

Result = TypeVar("Result")
Steps = Generator[tuple[Any, ...], Any, Result]
"""Yields the name and the arguments of a method of the cache, and is sent what it returns."""


class CacheBreaker:
    """Leaves failing LLMs alone by the rules of `InMemoryBreaker`, in all processes that share this cache.

    The state lies in the cache under digests that no key can be read from. One call reads it once; it is written when
    something fails or is well again. Exactly one process gets the probe where the cache's `add` is atomic, as that of
    Redis and Memcached is. A cache that fails is logged once and loses only the state: all LLMs are asked.

    `clock` gives seconds that are the same in every process.
    """

    def __init__(self, cache: str = DEFAULT_CACHE_ALIAS, *, clock: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._clock = clock
        self._secret = salted_hmac(__name__, "entries", algorithm="sha256").digest()
        # Of which entries the cache holds something, as far as this process knows: its own probe's place and time.
        self._notes: dict[str, tuple[str, float] | None] = {}
        # To make a key takes long, and a registry hands out the same entry again and again.
        self._keys: dict[int, tuple[LLMEntry, str]] = {}
        self._lost_until = 0.0
        self._is_lost = False

    def cooling(self, entry: LLMEntry) -> Cooling | None:
        """Why not to ask this LLM now; None if it may be asked."""
        return self.coolings([entry]).get(entry.id)

    def admit(self, entry: LLMEntry) -> Cooling | None:
        """The same for a call that is about to ask, and that may become the probe by it."""
        return self._run(self._admit(entry))

    def report(self, entry: LLMEntry, attempt: Attempt) -> None:
        """How a try ended."""
        if self._is_news(entry, attempt):
            self._run(self._report(entry, attempt))

    def coolings(self, entries: Iterable[LLMEntry]) -> dict[int, Cooling]:
        """What `cooling` says of each, by id, with two reads; those that may be asked are left out."""
        return self._run(self._coolings(entries)) or {}

    def reset(self, entries: Iterable[LLMEntry]) -> bool:
        """Forget what was known of these, so that calls ask them again; False if the cache could not be reached."""
        return self._run(self._reset(entries)) is True

    async def acooling(self, entry: LLMEntry) -> Cooling | None:
        """`cooling`, awaited."""
        return (await self._arun(self._coolings([entry])) or {}).get(entry.id)

    async def aadmit(self, entry: LLMEntry) -> Cooling | None:
        """`admit`, awaited."""
        return await self._arun(self._admit(entry))

    async def areport(self, entry: LLMEntry, attempt: Attempt) -> None:
        """`report`, awaited."""
        if self._is_news(entry, attempt):
            await self._arun(self._report(entry, attempt))

    # What is asked of the cache

    def _admit(self, entry: LLMEntry) -> Steps[Cooling | None]:
        key = self._key(entry)
        circuit = _circuit((yield "get", key))
        if circuit is None:
            self._notes.pop(key, None)
            return None
        self._note(key)
        now = self._clock()
        if not circuit.is_half_open(now):
            return cooling(circuit, now)
        place = _place(key, circuit)
        if not (yield "add", place, now, LEASE):
            return being_probed(circuit)
        self._notes[key] = place, now
        return None

    def _is_news(self, entry: LLMEntry, attempt: Attempt) -> bool:
        return attempt.outcome != "ok" or self._key(entry) in self._notes

    def _report(self, entry: LLMEntry, attempt: Attempt) -> Steps[None]:
        key = self._key(entry)
        before = _circuit((yield "get", key))
        now = self._clock()
        circuit = after(before, attempt, now)
        probe = self._notes.get(key)
        if circuit is None:
            self._notes.pop(key, None)
            if before is not None:
                yield "delete", key
        elif circuit != before:
            self._note(key)
            yield "set", key, tuple(circuit), max(circuit.until - now, 0) + KEPT
        elif probe is not None and gives_back(attempt, probe[1], now):
            self._notes[key] = None
            yield "delete", probe[0]

    def _coolings(self, entries: Iterable[LLMEntry]) -> Steps[dict[int, Cooling]]:
        keys = {self._key(entry): entry.id for entry in entries}
        circuits = {key: _circuit(value) for key, value in (yield "get_many", list(keys)).items()}
        now = self._clock()
        found = {keys[key]: refusal for key, circuit in circuits.items() if (refusal := cooling(circuit, now))}
        half_open = {
            _place(key, circuit): (keys[key], circuit)
            for key, circuit in circuits.items()
            if circuit is not None and circuit.is_half_open(now)
        }
        if half_open:
            taken = yield "get_many", list(half_open)
            found |= {half_open[place][0]: being_probed(half_open[place][1]) for place in taken}
        return found

    def _reset(self, entries: Iterable[LLMEntry]) -> Steps[bool]:
        yield "delete_many", [self._key(entry) for entry in entries]
        return True

    def _note(self, key: str) -> None:
        if len(self._notes) >= MOST_NOTES:
            self._notes.clear()
        self._notes.setdefault(key, None)

    def _key(self, entry: LLMEntry) -> str:
        known = self._keys.get(entry.id)
        if known is not None and known[0] is entry:
            return known[1]
        if len(self._keys) >= MOST_NOTES:
            self._keys.clear()
        key = self._made_key(entry)
        self._keys[entry.id] = entry, key
        return key

    def _made_key(self, entry: LLMEntry) -> str:
        # All that an edit can change. What repr leaves out or masks stands beside it.
        subject = repr((entry, dict(entry.extra_params), entry.api_key and str(entry.api_key)))
        digest = blake2b(subject.encode(), key=self._secret, digest_size=16)
        return f"{LAYOUT}.{digest.hexdigest()}"

    # Asking it

    def _run(self, steps: Steps[Result]) -> Result | None:
        """What the steps come to, or None where the cache fails: then all is as if nothing were known."""
        if self._clock() < self._lost_until:
            return None
        answer: Any = None
        try:
            with borrowed():  # a cache in the database must hold no connection while a provider talks
                while True:
                    method, *args = steps.send(answer)
                    answer = getattr(caches[self._cache], method)(*args)
                    self._is_lost = False
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # what these steps return
        except Exception as error:  # whatever a cache raises, the call goes on
            self._lose(error)
            return None

    async def _arun(self, steps: Steps[Result]) -> Result | None:
        """The same, awaited."""
        if self._clock() < self._lost_until:
            return None
        answer: Any = None
        try:
            cache = caches[self._cache]
            if type(cache) in IN_MEMORY:  # nothing to wait for, and a way through a thread takes 0.1 ms
                return self._run(steps)
            if isinstance(cache, BaseDatabaseCache):  # its connection is to be given back by the thread that took it
                return await sync_to_async(self._run)(steps)
            while True:
                method, *args = steps.send(answer)
                answer = await getattr(cache, f"a{method}")(*args)
                self._is_lost = False
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]  # what these steps return
        except Exception as error:  # whatever a cache raises, the call goes on
            self._lose(error)
            return None

    def _lose(self, error: Exception) -> None:
        if not self._is_lost:
            name = type(error).__name__
            logger.warning("The cache %r fails, so that no LLM is left alone: %s: %s", self._cache, name, error)
        self._is_lost = True
        self._lost_until = self._clock() + PAUSE


def _circuit(value: Any) -> Circuit | None:
    return None if value is None else Circuit(*value)


def _place(key: str, circuit: Circuit) -> str:
    """Where the probe's place is taken. Each opening has its own, so that nobody who looked earlier takes a second."""
    return f"{key}.{circuit.until!r}"
