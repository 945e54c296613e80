"""The mark by which every process sees that the rows have changed.

One row holds a random token. Every write of an `Llms` row gives it a new one, in the same transaction and before the
write: whoever reads the token and then the rows can keep these rows for as long as the token stays. Random, because
a counter that is rolled back comes again and then stands for other rows.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import connections, models, router, transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

ROW = 1


def new_token() -> str:
    """A token that was never used before."""
    return secrets.token_hex(16)


class RegistryToken(models.Model):
    """One row, which stands for the state of all `Llms` rows of this database."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=ROW, editable=False)
    # Not serialised, and so anew when a fixture is loaded: a token must never come again.
    token = models.CharField(max_length=32, editable=False, serialize=False, default=new_token)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.token


class Changes:
    """What one connection has written and not yet committed. Lives on the connection, and so in one thread."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()
        self.writing = False

    @classmethod
    def of(cls, connection: BaseDatabaseWrapper) -> Changes:
        """Those of this connection."""
        changes: Changes = connection.__dict__.setdefault("_creative_services_changes", cls())
        return changes


@contextmanager
def changing(using: str) -> Iterator[None]:
    """Holds the transaction of one write: a new token first, then the block. Nested blocks give no further token.

    The token comes before the write because two writers that lock a row and then the token wait for each other.
    """
    connection = connections[using]
    changes = Changes.of(connection)
    if changes.writing:
        yield
        return
    if not connection.in_atomic_block and connection.get_autocommit():
        changes.tokens.clear()
    # No savepoint: an error spoils the caller's transaction exactly as Django's own save() would.
    with transaction.atomic(using=using, savepoint=False):
        _renew(using, changes)
        changes.writing = True
        try:
            yield
        finally:
            changes.writing = False


def touch_registry(using: str | None = None) -> None:
    """Tell every process that `Llms` rows are about to change.

    For raw SQL, which the ORM's hooks do not see: call it in the same transaction, before the statement. Outside of a
    transaction it raises TransactionManagementError, because then a reader could come in between and keep old rows.
    """
    alias = using or router.db_for_write(apps.get_model("creative_services", "Llms"))
    connection = connections[alias]
    if not connection.in_atomic_block and connection.get_autocommit():
        msg = "touch_registry() belongs inside transaction.atomic(), together with the statement that follows it."
        raise transaction.TransactionManagementError(msg)
    with changing(alias):
        pass


def _renew(using: str, changes: Changes) -> None:
    token = new_token()
    rows = RegistryToken._default_manager.using(using)
    # Marked first: should the statement fail half-way, the token counts as uncommitted.
    changes.tokens.add(token)
    if not rows.filter(pk=ROW).update(token=token):
        # The first write, or a test has emptied all tables; another writer may make the row at the same time.
        rows.get_or_create(pk=ROW, defaults={"token": token})
        rows.filter(pk=ROW).update(token=token)
    transaction.on_commit(lambda: changes.tokens.discard(token), using=using)
