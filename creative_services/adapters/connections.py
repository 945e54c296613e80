"""Database connections, and how long a request may sit on one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import connections
from django.db.transaction import non_atomic_requests

if TYPE_CHECKING:
    from collections.abc import Callable

View = TypeVar("View", bound="Callable[..., Any]")


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
