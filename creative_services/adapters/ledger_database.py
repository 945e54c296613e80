"""How the ledger's database is reached, so that no transaction of a caller's can take a row back."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from contextvars import copy_context
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections
from django.db.utils import load_backend

from creative_services.adapters.connection_pool import pool_of
from creative_services.adapters.connections import borrowed, give_back_connections
from creative_services.databases import is_in_memory, is_of_a_test, ledger_alias, tests_are_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from django.db.backends.base.base import BaseDatabaseWrapper

__all__ = ["ledger_alias", "ledger_connection", "run_on_ledger"]

Result = TypeVar("Result")


def ledger_connection() -> AbstractContextManager[BaseDatabaseWrapper]:
    """A connection to the ledger's database; `connection.alias` is its alias for Django, within.

    It is one of a pool, in no transaction. Within a TestCase, whose rows nobody else sees, and on SQLite where this
    thread has one, which may be locking out all others, it is this thread's own.
    """
    alias = ledger_alias()
    own = connections[alias]
    may_lock = own.vendor == "sqlite" and own.connection is not None
    return _borrowed(own) if may_lock or is_in_memory(own) or is_of_a_test(own) else pool_of(alias).loan()


@contextmanager
def _borrowed(own: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    with borrowed():
        yield own


async def run_on_ledger(function: Callable[..., Result], *args: Any) -> Result:
    """Call what uses `ledger_connection` from an event loop: on a thread that has the right connection.

    The thread finishes what it began, even if this is cancelled.
    """
    alias = ledger_alias()
    if tests_are_running() or _vendor(connections.settings[alias]["ENGINE"]) == "sqlite":
        return await sync_to_async(function)(*args)
    call = partial(copy_context().run, _leaving_nothing_open, function, *args)
    return await asyncio.get_running_loop().run_in_executor(pool_of(alias).threads, call)


def _leaving_nothing_open(function: Callable[..., Result], *args: Any) -> Result:
    """Call it on a thread of the pool's, to which no request's end comes that would close what it opened beside."""
    try:
        return function(*args)
    finally:
        give_back_connections()


@cache
def _vendor(engine: str) -> str:
    return str(load_backend(engine).DatabaseWrapper.vendor)
