"""What an event loop does not break off once a call has begun it: its booking, and what has to be taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from functools import partial
from threading import Lock
from typing import Any, Generic, TypeVar

from asgiref.sync import sync_to_async

Result = TypeVar("Result")
Way = Callable[[Callable[[], None]], Awaitable[None]]
"""How a function gets to a thread that may call it."""


async def on_djangos_thread(function: Callable[[], None]) -> None:
    """Call it where Django's own sync code runs."""
    await sync_to_async(function)()


async def to_the_end(function: Callable[..., Result], *args: Any, way: Way = on_djangos_thread) -> tuple[Result, bool]:
    """What the function gives on a thread, and whether whoever waits was cancelled, which does not end it.

    Nor does a loop that ends and cancels all of its tasks, as that of a server that is told to stop. The way back is
    awaited too, although the thread could tell sooner that it has ended: what is left of it when its loop has gone,
    asgiref does whenever the collector comes by, in a context that is somebody else's.
    """
    once = _Once(partial(function, *args))
    was_cancelled = False
    while not once.ended.done():
        # A task may be cancelled with all others: before a thread has the function, it is begun anew.
        waited = asyncio.wrap_future(once.ended) if once.has_begun else asyncio.ensure_future(way(once))
        was_cancelled |= await _was_cancelled_until(waited)
        if not (once.has_begun or waited.cancelled()):
            waited.result()  # raises why no thread takes it
    return once.ended.result(), was_cancelled


async def _was_cancelled_until(future: asyncio.Future[Any]) -> bool:
    was_cancelled = False
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError:
            was_cancelled = True
    return was_cancelled


class _Once(Generic[Result]):
    """A function that is called by the first thread that calls this, and by no other."""

    def __init__(self, function: Callable[[], Result]) -> None:
        self.ended: Future[Result] = Future()
        self._function = function
        self._begun = Lock()

    @property
    def has_begun(self) -> bool:
        return self._begun.locked()

    def __call__(self) -> None:
        if not self._begun.acquire(blocking=False):
            return
        try:
            self.ended.set_result(self._function())
        except BaseException as error:
            self.ended.set_exception(error)
