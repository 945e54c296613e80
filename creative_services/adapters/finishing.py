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

    Nor does a loop that ends and cancels all of its tasks, as that of a server that is told to stop. What the function
    raises is raised; where whoever waits was cancelled as well, as the cause of a `CancelledError`.

    The way is awaited to its end, although the thread could tell sooner: what is left of one when its loop has gone
    is cleaned up by asgiref whenever the garbage collector comes by, in the context of whoever runs then.
    """
    once = _Once(partial(function, *args))
    was_cancelled = False
    while not once.over.done():
        # A task may be cancelled with all others: before a thread has the function, it is begun anew.
        waited = asyncio.wrap_future(once.over) if once.has_begun else asyncio.ensure_future(way(once))
        was_cancelled |= await _was_cancelled_until(waited)
        error = None if waited.cancelled() else waited.exception()
        if error is not None and not once.has_begun:
            raise error  # why no thread takes it
    try:
        return once.result(), was_cancelled
    except BaseException as error:
        if was_cancelled:
            raise asyncio.CancelledError from error
        raise


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
        self.over: Future[None] = Future()  # carries nothing: an error would be told again by whoever watches it
        self._ended: Future[Result] = Future()
        self._function = function
        self._begun = Lock()

    @property
    def has_begun(self) -> bool:
        return self._begun.locked()

    def __call__(self) -> None:
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._ended.set_result(self._function())
        except BaseException as error:
            self._ended.set_exception(error)
        finally:
            self.over.set_result(None)

    def result(self) -> Result:
        """What the function gave, once it is over; raises what it raised."""
        return self._ended.result()
