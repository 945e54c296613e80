"""Database connections of our own: few, shared by all threads of a process, and in nobody's transaction."""

from __future__ import annotations

import atexit
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import local
from typing import TYPE_CHECKING, Generic, TypeVar

from django.db import OperationalError, connections

from creative_services.databases import tests_are_running

if TYPE_CHECKING:
    from types import TracebackType

    from django.db.backends.base.base import BaseDatabaseWrapper

ALIAS = "creative_services.pool"
"""Of an alias that begins so, on its thread only, Django knows the connection that is on loan."""
SIZE = 10
SQLITE_SIZE = 1  # its writers take turns anyway, each telling the others' connections to forget what they have read
PATIENCE = 10.0  # seconds that a loan may be waited for
SOON = 1.0  # seconds for those who can do without
TRUSTED = 1.0  # seconds for which a connection is believed to be as it was; then it is asked
LONGEST_IDLE = 60.0  # seconds after which a firewall may have forgotten the connection without telling
LONGEST_LIFE = 600  # seconds

Lent = TypeVar("Lent")


class ConnectionPool:
    """Up to `size` connections to the database of an alias. `threads` are as many, for callers on event loops."""

    def __init__(self, alias: str, size: int = SIZE, patience: float = PATIENCE) -> None:
        self._alias = alias
        self._own_alias = f"{ALIAS}.{alias}"
        self._size = size
        self._patience = patience
        self._places: SimpleQueue[None] = SimpleQueue()  # a semaphore is written in Python, and takes ten times as long
        for _ in range(size):
            self._places.put(None)
        self._idle: list[tuple[BaseDatabaseWrapper, float]] = []  # the last one used is the first to be used again
        self._held = local()
        self.threads = ThreadPoolExecutor(size, thread_name_prefix="llm-ledger")

    def loan(self) -> Borrowing[BaseDatabaseWrapper]:
        """A connection for this thread, the same one within. Raises OperationalError when none is free for too long."""
        return Borrowing(self)

    def loan_soon(self) -> Borrowing[BaseDatabaseWrapper | None]:
        """The same, but None when none is free soon."""
        return Borrowing(self, is_needed=False)

    @property
    def lent(self) -> BaseDatabaseWrapper | None:
        """The connection that this thread has on loan."""
        return getattr(self._held, "connection", None)

    def lend(self, *, is_needed: bool) -> BaseDatabaseWrapper | None:
        """Begin a loan, which `take_back` ends."""
        try:
            self._places.get(timeout=self._patience if is_needed else SOON)
        except Empty:
            if is_needed:
                raise OperationalError(f"All {self._size} of our connections to the database are busy.") from None
            return None
        try:
            connection = self._take()
        except BaseException:
            self._places.put(None)
            raise
        connections[self._own_alias] = self._held.connection = connection
        return connection

    def take_back(self, connection: BaseDatabaseWrapper) -> None:
        """End this thread's loan."""
        try:
            del connections[self._own_alias], self._held.connection
            self._give_back(connection)
        finally:
            self._places.put(None)

    def close(self) -> None:
        """Close what is idle; the pool stays usable."""
        with suppress(IndexError):  # others take from them meanwhile
            while True:
                self._idle.pop()[0].close()

    def _take(self) -> BaseDatabaseWrapper:
        try:
            connection, since = self._idle.pop()
        except IndexError:
            return self._make()
        idle = time.monotonic() - since
        if idle > LONGEST_IDLE:
            connection.close()  # its next use opens it again
        elif idle > TRUSTED and connection.connection is not None and not connection.is_usable():
            connection.close()
            self.close()  # the server was gone, for the idle ones too: each of them would cost a try
        return connection

    def _make(self) -> BaseDatabaseWrapper:
        connection = connections.create_connection(self._alias)
        settings = connection.settings_dict
        options = {name: value for name, value in settings["OPTIONS"].items() if name != "pool"}
        own = {"AUTOCOMMIT": True, "CONN_MAX_AGE": LONGEST_LIFE, "CONN_HEALTH_CHECKS": False, "OPTIONS": options}
        connection.settings_dict = {**settings, **own}
        connection.alias = self._own_alias
        connection.inc_thread_sharing()
        return connection

    def _give_back(self, connection: BaseDatabaseWrapper) -> None:
        if tests_are_running():
            connection.close()  # a test database cannot be dropped while somebody is connected to it
        else:
            had_errors = connection.errors_occurred
            connection.close_if_unusable_or_obsolete()
            if had_errors and connection.connection is None:
                self.close()
        self._idle.append((connection, time.monotonic()))


class Borrowing(Generic[Lent]):
    """`with` it, a connection of the pool's is this thread's. A class, since a generator takes three times as long."""

    __slots__ = ("_is_needed", "_lent", "_pool")

    def __init__(self, pool: ConnectionPool, *, is_needed: bool = True) -> None:
        self._pool = pool
        self._is_needed = is_needed
        self._lent: BaseDatabaseWrapper | None = None

    def __enter__(self) -> Lent:
        held = self._pool.lent
        if held is None:
            held = self._lent = self._pool.lend(is_needed=self._is_needed)
        return held  # type: ignore[return-value]  # `lend` gives none where none is needed

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lent is not None:
            self._pool.take_back(self._lent)


_pools: dict[tuple[int, str], ConnectionPool] = {}


def pool_of(alias: str) -> ConnectionPool:
    """This process's pool for the database of an alias; what a forked process inherited is its parent's."""
    key = os.getpid(), alias
    return _pools.get(key) or _pools.setdefault(key, _pool_for(connections[alias]))


def _pool_for(own: BaseDatabaseWrapper) -> ConnectionPool:
    if own.vendor != "sqlite":
        return ConnectionPool(own.alias)
    # Who is lent it may wait for the file so long, and those behind him are to wait no shorter.
    timeout = own.settings_dict["OPTIONS"].get("timeout", PATIENCE)
    return ConnectionPool(own.alias, SQLITE_SIZE, max(PATIENCE, timeout))


@atexit.register
def close_pools() -> None:
    """Close the idle connections of this process."""
    for (process, _), pool in _pools.items():
        if process == os.getpid():
            pool.close()
