"""Database connections, and how long a request may sit on one."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections
from django.db.transaction import non_atomic_requests

from creative_services.adapters.connection_pool import pool_of
from creative_services.databases import is_in_memory, tests_are_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    from creative_services.core.http import AsyncExchange, Exchange, HttpRequest, Transport

View = TypeVar("View", bound="Callable[..., Any]")

_loan: ContextVar[Loan | None] = ContextVar("creative_services_loan", default=None)


def outside_transactions(view: View) -> View:
    """Take the view out of ATOMIC_REQUESTS of every database: an answer takes minutes, and a failed one still cost."""
    for alias in connections:
        view = non_atomic_requests(using=alias)(view)
    return view


def give_back_connections() -> None:
    """Close this thread's database connections, or give them to their pool, unless a transaction is open there."""
    for one in connections.all(initialized_only=True):
        if one.connection is not None and not one.in_atomic_block and one.autocommit:
            one.close()


@dataclass(slots=True)
class Loan:
    """Whether this request's threads may have taken a connection since they last gave theirs back."""

    is_open: bool = True
    is_over: bool = False
    """A cancelled request's context may come back to its caller while the request's thread is still within."""


@contextmanager
def holding_none() -> Iterator[None]:
    """Within it, no database connection of this thread is held while a provider talks.

    What the project's code opens on the way, for a session or in a signal's receiver, `GivingBack` gives back when the
    provider is about to be asked: to give it back after each read would open it anew for the next.
    """
    loan = Loan()
    token = _loan.set(loan)
    try:
        yield
    finally:
        loan.is_over = True
        _loan.reset(token)


def give_back_borrowed() -> None:
    """Give back this thread's connections if it is `holding_none`, and is about to ask or to hand over to a loop."""
    if (loan := _present_loan()) is not None:
        give_back_connections()
        loan.is_open = False


def _present_loan() -> Loan | None:
    loan = _loan.get()
    return None if loan is None or loan.is_over else loan


@contextmanager
def borrowed() -> Iterator[None]:
    """Around what uses connections on the way to a provider: they are given back before it is asked."""
    try:
        yield
    finally:
        if (loan := _present_loan()) is not None:
            loan.is_open = True


@contextmanager
def connection_for(alias: str) -> Iterator[BaseDatabaseWrapper]:
    """A connection to read rows by; `connection.alias` is its alias for Django, within.

    It is this thread's if that is open, maybe in a transaction, whose rows nobody else sees. Else it is one of a pool,
    so that a request which needs no more opens none: under ASGI each has a thread, and would have a connection, of its
    own. Where those of the pool are all busy, the thread's is opened: who only reads need not wait for writers.
    """
    own = connections[alias]
    if own.connection is None and not is_in_memory(own) and not tests_are_running():
        with pool_of(alias).loan_soon() as pooled:
            if pooled is not None:
                yield pooled
                return
    with borrowed():
        yield own


class GivingBack:
    """A transport that has a caller who is `holding_none` give its connections back before it sends."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def open(self, request: HttpRequest) -> Exchange:
        """Give back, and send."""
        give_back_borrowed()
        return self._transport.open(request)

    async def aopen(self, request: HttpRequest) -> AsyncExchange:
        """The same; what is given back is that of the thread on which this request does its blocking work."""
        if (loan := _present_loan()) is not None and loan.is_open:
            await sync_to_async(give_back_connections)()
            loan.is_open = False
        return await self._transport.aopen(request)

    def close(self) -> None:
        """Close the transport's connections."""
        self._transport.close()

    async def aclose(self) -> None:
        """Close those of the running loop."""
        await self._transport.aclose()
