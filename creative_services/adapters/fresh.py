"""What was made of rows, kept for as long as the token says that they have not changed."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from django.db import router

from creative_services.adapters.connections import borrowed, connection_for
from creative_services.databases import own_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper

Found = TypeVar("Found")
KEPT = 4
TOKEN = "SELECT token FROM creative_services_registrytoken WHERE id = 1"  # noqa: S105 - no secret
"""What reads the token; a statement that is run anyway may hold it, to spare one."""


class Fresh(Generic[Found]):
    """The rows of one model, as `read(alias, token)` made them of those that this alias of their database leads to.

    The token is read first and the rows after it, so that what is kept is never older than its token says. Nothing is
    kept that was seen inside the caller's own uncommitted change; its token is None, as that of a lost one is.
    """

    def __init__(self, model: str, read: Callable[[str, str | None], Found]) -> None:
        self._model = model
        self._read = read
        self._kept: OrderedDict[tuple[str, str | None], Found] = OrderedDict()
        self._lock = Lock()

    def current(self, as_of: str | None = None, loan: BaseDatabaseWrapper | None = None) -> Found:
        """As the rows are now; or were at this token, which the caller has just read, if that is known still.

        `loan` is another connection to their database than this thread's own, to be used in its place.
        """
        using = router.db_for_write(own_model(self._model))
        known = None if as_of is None else self._kept.get((using, as_of))
        if known is not None:
            return known
        if loan is not None:
            return self._looked_up(using, loan, loan.alias)
        with connection_for(using) as connection:
            return self._looked_up(using, connection, using)

    def forget(self) -> None:
        """Read the rows anew the next time."""
        with self._lock:
            self._kept.clear()

    def _looked_up(self, using: str, connection: BaseDatabaseWrapper, rows_by: str) -> Found:
        token = _read_token(connection)
        found = self._kept.get((using, token))
        if found is None:
            if token in _uncommitted(connection):
                token = None
            with borrowed():  # a queryset may name its database, and joins with no alias of the pool
                found = self._read(rows_by, token)
            if token is not None:
                self._keep((using, token), found)
        return found

    def _keep(self, key: tuple[str, str], found: Found) -> None:
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)


def _read_token(connection: BaseDatabaseWrapper) -> str | None:
    # A plain cursor, because the ORM takes fifteen times as long, and this is asked on every call.
    with connection.cursor() as cursor:
        cursor.execute(TOKEN)
        row = cursor.fetchone()
    return row[0] if row else None


def _uncommitted(connection: BaseDatabaseWrapper) -> set[str]:
    from creative_services.models.token import Changes  # noqa: PLC0415 - models need the app registry

    return Changes.of(connection).tokens
