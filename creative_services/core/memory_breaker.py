"""The breaker of a process: what it knows, other processes do not."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from creative_services.core.breaker import Cooling
from creative_services.core.circuit import LEASE, Circuit, after, being_probed, cooling, gives_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from creative_services.core.types import Attempt, LLMEntry

MOST_LLMS = 10_000

Key = tuple[int, int, str]


@dataclass(slots=True)
class _Known:
    circuit: Circuit
    probed: float | None = None
    """When a call became the probe, if one is."""


class InMemoryBreaker:
    """Leaves an LLM alone for 10 to 30 seconds when it fails again and again, then lets one call try it.

    It opens after three failures in a row, and at once when the key or the model is refused, or when the provider
    says for how long (429 with Retry-After). Errors of the request or of the caller do not count. An entry that is
    edited starts anew. It serves both clients, from any number of threads; `clock` gives seconds that never go back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[Key, _Known] = OrderedDict()
        self._lock = Lock()

    def cooling(self, entry: LLMEntry) -> Cooling | None:
        """Why not to ask this LLM now; None if it may be asked."""
        known = self._known.get(_key(entry))
        return None if known is None else self._refusal(known, self._clock())

    def admit(self, entry: LLMEntry) -> Cooling | None:
        """The same for a call that is about to ask, and that may become the probe by it."""
        if not self._known:
            return None
        with self._lock:
            known = self._known.get(_key(entry))
            if known is None:
                return None
            now = self._clock()
            refusal = self._refusal(known, now)
            if refusal is None and known.circuit.is_half_open(now):
                known.probed = now
            return refusal

    def report(self, entry: LLMEntry, attempt: Attempt) -> None:
        """How a try ended."""
        if attempt.outcome == "ok" and not self._known:
            return
        with self._lock:
            self._take_in(_key(entry), attempt, self._clock())

    def coolings(self, entries: Iterable[LLMEntry]) -> dict[int, Cooling]:
        """What `cooling` says of each, by id; those that may be asked are left out."""
        found = ((entry.id, self.cooling(entry)) for entry in entries)
        return {llm_id: refusal for llm_id, refusal in found if refusal is not None}

    def reset(self, entries: Iterable[LLMEntry]) -> bool:
        """Forget what was known of these, so that calls ask them again; True."""
        with self._lock:
            for entry in entries:
                self._known.pop(_key(entry), None)
        return True

    async def acooling(self, entry: LLMEntry) -> Cooling | None:
        """`cooling`, awaited."""
        return self.cooling(entry)

    async def aadmit(self, entry: LLMEntry) -> Cooling | None:
        """`admit`, awaited."""
        return self.admit(entry)

    async def areport(self, entry: LLMEntry, attempt: Attempt) -> None:
        """`report`, awaited."""
        self.report(entry, attempt)

    def _refusal(self, known: _Known, now: float) -> Cooling | None:
        is_probed = known.probed is not None and now < known.probed + LEASE
        return being_probed(known.circuit) if is_probed else cooling(known.circuit, now)

    def _take_in(self, key: Key, attempt: Attempt, now: float) -> None:
        known = self._known.get(key)
        circuit = after(known.circuit if known else None, attempt, now)
        if circuit is None:
            self._known.pop(key, None)
        elif known is None or circuit != known.circuit:
            self._known[key] = _Known(circuit)
            self._known.move_to_end(key)
            if len(self._known) > MOST_LLMS:
                self._known.popitem(last=False)
        elif known.probed is not None and gives_back(attempt, known.probed, now):
            known.probed = None


def _key(entry: LLMEntry) -> Key:
    # The hash takes in all that an edit can change, the key too, but for the extra parameters. Python keys the hashes
    # of strings anew in each process: as good here as a digest.
    return entry.id, hash(entry), repr(entry.extra_params) if entry.extra_params else ""
