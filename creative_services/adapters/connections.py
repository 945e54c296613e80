"""Database connections, and how long a request may sit on one."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connections
from django.db.transaction import non_atomic_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

View = TypeVar("View", bound="Callable[..., Any]")

_only_borrowing: ContextVar[bool] = ContextVar("creative_services_only_borrowing", default=False)


def outside_transactions(view: View) -> View:
    """Take the view out of ATOMIC_REQUESTS of every database: an answer takes minutes, and a failed one still cost."""
    for alias in connections:
        view = non_atomic_requests(using=alias)(view)
    return view


def give_back_connections() -> None:
    """Close this thread's database connections, or give them to their pool, unless a transaction is open there."""
    for connection in connections.all(initialized_only=True):
        if connection.connection is not None and not connection.in_atomic_block and connection.get_autocommit():
            connection.close()


@contextmanager
def holding_none() -> Iterator[None]:
    """Within it, no database connection of this thread is held while a provider talks.

    A call begins by reading rows, so that a connection given back before it would be taken again for all its time:
    here each read of rows gives back what it took.
    """
    token = _only_borrowing.set(True)
    try:
        yield
    finally:
        _only_borrowing.reset(token)


@contextmanager
def borrowed() -> Iterator[None]:
    """Around reads of rows on the way to a provider: gives the connections back, if the caller is `holding_none`."""
    try:
        yield
    finally:
        if _only_borrowing.get():
            give_back_connections()
