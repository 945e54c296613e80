"""The idle connections of each event loop, which live exactly as long as their loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from creative_services.core.transport.async_lane import AsyncLane
from creative_services.core.transport.lanes import Lanes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class LoopLanes:
    """One set of idle connections for each running loop.

    Each is held by an async generator: `asyncio.run` and `async_to_sync` end a loop's generators before they close
    it, and that is the moment to close its connections.
    """

    def __init__(self) -> None:
        self._lanes: dict[asyncio.AbstractEventLoop, Lanes[AsyncLane]] = {}
        self._keepers: dict[asyncio.AbstractEventLoop, AsyncGenerator[None, None]] = {}

    def current(self) -> Lanes[AsyncLane] | None:
        """The running loop's connections, once started."""
        return self._lanes.get(asyncio.get_running_loop())

    async def start(self) -> Lanes[AsyncLane]:
        """Begin keeping connections for the running loop."""
        self._forget_closed_loops()
        loop = asyncio.get_running_loop()
        lanes = self._lanes[loop] = Lanes()
        keeper = self._keepers[loop] = _keep(lanes)
        await anext(keeper)
        return lanes

    async def stop(self) -> None:
        """Close the running loop's connections and forget the loop."""
        loop = asyncio.get_running_loop()
        self._lanes.pop(loop, None)
        keeper = self._keepers.pop(loop, None)
        if keeper is not None:
            await keeper.aclose()

    def _forget_closed_loops(self) -> None:
        for loop in [loop for loop in self._lanes if loop.is_closed()]:
            self._lanes.pop(loop, None)
            self._keepers.pop(loop, None)


async def _keep(lanes: Lanes[AsyncLane]) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        lanes.cut_all()
        await asyncio.sleep(0)  # a cut connection is closed in the loop's next round
