"""Django's ASGI application, for sites of sync views: a request's thread does all of it in one go, and is kept.

Django's own takes a way to the thread and back for each hook of each middleware, once more for the view, and once for
the signal before it, and begins and ends a thread with each request. With hundreds of streams open that was a quarter
of what each cost, and each way takes several turns of a loop that is busy with all the others' words.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event
from typing import TYPE_CHECKING, Any

import django
from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_finished, request_started
from django.db import connections
from django.http import FileResponse
from django.urls import get_resolver, set_script_prefix

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

MOST_IDLE = 100
"""Threads that are kept for requests to come."""


def get_asgi_application() -> KeptThreadsHandler:
    """Set up Django, load its URLs, and give the application: what `django.core.asgi` has under this name, but faster.

    As under WSGI connections live as long as CONN_MAX_AGE says, and a thread is busy as long as its view, async or not.
    """
    django.setup(set_prefix=False)
    application = KeptThreadsHandler(KeptThreads())
    _ = get_resolver().url_patterns  # loaded with the first request else, which all others then wait for
    return application


class KeptThreadsHandler(ASGIHandler):
    """Runs middleware and view as under WSGI, on a thread that other requests have after this one."""

    def __init__(self, threads: KeptThreads) -> None:
        super().__init__()
        self._threads = threads
        self._respond = sync_to_async(self._response_on_thread)
        self._finish = sync_to_async(request_finished.send)

    def load_middleware(self, is_async: bool = False) -> None:
        """Load it for a thread, whatever Django asks for."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        async with ThreadSensitiveContext() as context:
            # Not by the context's argument `executor`: what a cancelled request has still to do would then fail, for
            # which asgiref finds another thread after this.
            threads = SyncToAsync.context_to_thread_executor
            thread = threads[context] = self._threads.take()
            try:
                await super().__call__(scope, receive, send)
            except BaseException:
                self._threads.end(thread)  # it may be busy with what was given up
                raise
            else:
                self._threads.give_back(thread)
            finally:
                del threads[context]

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request; a client that leaves cancels its async view, or its stream, and ends the sending.

        Django's own, but that the request is made on its thread, and that `get_response_async` has no part in it.
        """
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        set_script_prefix(get_script_prefix(scope))
        response, begun = None, Event()

        async def respond() -> None:
            nonlocal response
            response = await self._respond(scope, body, begun)
            await self.send_response(response, send)
            listening.cancel()

        with closing(body):
            errors = []
            try:
                async with asyncio.TaskGroup() as group:
                    listening = group.create_task(self.listen_for_disconnect(receive))
                    # In a context of its own, where asgiref leaves whom a view waits for that is given up within
                    # `async_to_sync`: here that would take the next way to the thread.
                    group.create_task(respond())
            except BaseExceptionGroup as found:
                errors = [error for error in found.exceptions if not isinstance(error, RequestAborted)]
            if errors:
                raise errors[0]  # outside the `except`, so that its `__context__` stays its own
            if response is not None:
                await sync_to_async(response.close)()
            elif begun.is_set():
                # On the thread, and so behind what a request that was left still does there: it is idle after this.
                await self._finish(sender=type(self))

    def _response_on_thread(self, scope: Any, body: Any, begun: Event) -> HttpResponseBase:
        begun.set()
        request_started.send(sender=type(self), scope=scope)
        response: Any
        request, response = self.create_request(scope, body)
        if request is not None:
            response = self.get_response(request)
        response._handler_class = type(self)  # noqa: SLF001 - whom `request_finished` names as its sender
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        return response  # type: ignore[no-any-return]


class KeptThreads:
    """Threads for one request at a time each; the last one used is the first to be used again."""

    def __init__(self) -> None:
        self._idle: list[ThreadPoolExecutor] = []

    def take(self) -> ThreadPoolExecutor:
        """A thread that has nothing to do."""
        try:
            return self._idle.pop()
        except IndexError:
            return ThreadPoolExecutor(1, thread_name_prefix="request")

    def give_back(self, thread: ThreadPoolExecutor) -> None:
        """Keep it, or end it where enough are kept."""
        if len(self._idle) < MOST_IDLE:
            self._idle.append(thread)
        else:
            self.end(thread)

    def end(self, thread: ThreadPoolExecutor) -> None:
        """Let it finish what it does, close its connections, and end."""
        thread.submit(connections.close_all)
        thread.shutdown(wait=False)
