"""What an event loop does not break off once a call has begun it: its booking, and what has to be taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import Any, Generic, TypeVar

from asgiref.sync import sync_to_async

Result = TypeVar("Result")
Way = Callable[[Callable[[], None]], Coroutine[Any, Any, None]]
"""How a function gets to a thread that may call it."""


async def on_djangos_thread(function: Callable[[], None]) -> None:
    """Call it where Django's own sync code runs."""
    await sync_to_async(function)()


async def to_the_end(function: Callable[..., Result], *args: Any, way: Way = on_djangos_thread) -> tuple[Result, bool]:
    """What the function gives on a thread, and whether whoever waits was cancelled, which does not end it.

    Nor does a loop that ends and cancels all of its tasks, as that of a server that is told to stop.
    """
    work = _Work(partial(function, *args), way)
    was_cancelled = False
    while not work.ended.done():
        try:
            await work.news()
        except asyncio.CancelledError:
            was_cancelled = True
    return work.ended.result(), was_cancelled


class _Work(Generic[Result]):
    """A function that is called by the first thread that gets to it, and by no other.

    That thread tells the loop itself: what comes back by the way it went takes more turns of the loop, each of which is
    as long as the server is busy.
    """

    def __init__(self, function: Callable[[], Result], way: Way) -> None:
        self.ended: Future[Result] = Future()
        self._function = function
        self._way = way
        self._begun = Lock()
        self._loop = asyncio.get_running_loop()
        self._news = self._loop.create_future()
        self._begin()

    def news(self) -> asyncio.Future[None]:
        """To be awaited once, anew each time: it may have ended then."""
        self._news = self._loop.create_future()
        return self._news

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._way(self._call))
        self._task.add_done_callback(self._has_come_back)

    def _call(self) -> None:
        if not self._begun.acquire(blocking=False):
            return
        try:
            self.ended.set_result(self._function())
        except BaseException as error:
            self.ended.set_exception(error)
        self._loop.call_soon_threadsafe(self._tell)

    def _has_come_back(self, task: asyncio.Task[None]) -> None:
        """Begin anew what was cancelled with all other tasks before a thread had it; end what no thread takes."""
        if self._begun.locked():
            return
        if task.cancelled():
            self._begin()
        else:
            self.ended.set_exception(task.exception())
            self._tell()

    def _tell(self) -> None:
        if not self._news.done():
            self._news.set_result(None)
