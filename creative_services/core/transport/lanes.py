"""Idle connections, kept so that the next call to the same place finds one ready.

A call leases a connection for itself alone: taking one is a `pop`, whatever the number in flight, where a shared
pool looks at every connection for every request.
"""

from __future__ import annotations

import select
import time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from creative_services.core.transport.http11 import Place

KEEP_SECONDS = 15.0
KEEP_MOST = 128


class Lane(Protocol):
    """One connection."""

    idle_since: float

    def is_quiet(self) -> bool:
        """Whether it is open with nothing to read; an idle connection with something to read was closed."""

    def cut(self) -> None:
        """Close it at once."""


LaneT = TypeVar("LaneT", bound=Lane)


class Lanes(Generic[LaneT]):
    """The idle connections of one process or one event loop.

    Safe for threads without a lock: each step is one list operation.
    """

    def __init__(self) -> None:
        self._idle: dict[Place, list[LaneT]] = {}

    def take(self, place: Place) -> LaneT | None:
        """A live idle connection to this place, the one used last first."""
        idle = self._idle.get(place)
        while idle:
            try:
                lane = idle.pop()
            except IndexError:  # pragma: no cover - another thread took it
                return None
            if lane.idle_since + KEEP_SECONDS > time.monotonic() and lane.is_quiet():
                return lane
            lane.cut()
        return None

    def give_back(self, place: Place, lane: LaneT) -> None:
        """Keep a connection for the next call, and let go the one that has been idle longest when it is too old."""
        lane.idle_since = now = time.monotonic()
        idle = self._idle.setdefault(place, [])
        if len(idle) >= KEEP_MOST:
            lane.cut()
            return
        idle.append(lane)
        if idle[0].idle_since + KEEP_SECONDS < now:
            try:
                idle.pop(0).cut()
            except IndexError:  # pragma: no cover - another thread took the last one
                return

    def cut_all(self) -> None:
        """Close every idle connection."""
        for idle in self._idle.values():
            while idle:
                try:
                    idle.pop().cut()
                except IndexError:  # pragma: no cover - another thread took the last one
                    break


def is_quiet(fileno: int) -> bool:
    """Whether a socket is open and has nothing to read."""
    poll = select.poll()
    poll.register(fileno, select.POLLIN | select.POLLERR | select.POLLHUP)
    return not poll.poll(0)
