"""Machine keys: how they are made, and how they are known again."""

from __future__ import annotations

import re
import secrets
import time
from datetime import timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.db.models import Q
from django.utils import timezone

from creative_services.adapters.connections import connection_for
from creative_services.adapters.fresh import TOKEN
from creative_services.adapters.permissions import generate_column, note_generate
from creative_services.adapters.plain_rows import PlainRows, escaping, is_plain
from creative_services.core.secret import Secret
from creative_services.models import Llms, MachineKey
from creative_services.models.keys import MARK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.db.models import QuerySet

SHAPE = re.compile(rf"{MARK}([0-9a-f]{{12}})_[\w-]{{43}}", re.ASCII)
NO_DIGEST = "0" * 64
USE_INTERVAL = timedelta(minutes=1)
JUST = 0.1  # seconds


def issue(user: Any, name: str, expires_at: datetime | None = None) -> MachineKey:
    """A new key of this user's, saved; its `text` is told here and never again. Raises ValidationError."""
    row = MachineKey(user=user, name=name, expires_at=expires_at)
    give_secret(row)
    row.full_clean()
    row.save()
    return row


def give_secret(row: MachineKey) -> None:
    """Make a key for this row, which is not saved yet."""
    row.prefix = secrets.token_hex(6)
    row.text = Secret(f"{MARK}{row.prefix}_{secrets.token_urlsafe(32)}")
    row.digest = _digest(row.text)


def find(text: str) -> MachineKey | None:
    """The key's row with its user, whatever its state; None if no such key was ever issued."""
    shape = SHAPE.fullmatch(text)
    if shape is None:
        return None
    row = _of_prefix(shape[1])
    # A prefix that nobody has takes as long as a wrong secret.
    is_it = secrets.compare_digest(_digest(text), row.digest if row else NO_DIGEST)
    return row if is_it else None


def note_use(row: MachineKey) -> None:
    """Keep when the key was used, to the minute: a write for each request would cost more than it tells."""
    now = timezone.now()
    if row.last_used_at is None or row.last_used_at < now - USE_INTERVAL:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_INTERVAL)
        _rows().filter(stale, pk=row.pk).update(last_used_at=now)


def token_just_read(auth: Any) -> str | None:
    """The registry's token, if it was read with this machine key a moment ago: a body may have been slow to come."""
    is_fresh = isinstance(auth, MachineKey) and time.monotonic() - auth.read_at < JUST
    return auth.registry_token if is_fresh else None


def _rows() -> QuerySet[MachineKey]:
    # A replica may not know yet that a key was revoked.
    return MachineKey.objects.using(router.db_for_write(MachineKey))


def _of_prefix(prefix: str) -> MachineKey | None:
    """The row that has this prefix; with what can be had in the same statement: its user, what he may, the token."""
    using = router.db_for_write(MachineKey)  # a replica may not know yet that a key was revoked
    users: Any = get_user_model()
    with connection_for(using) as connection:
        statement = _statement(using, users, router.db_for_write(Llms) == using)
        read_at = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, {**statement.params, "prefix": prefix})
            found = cursor.fetchone()
        if found is None:
            return None
        values = iter(found)
        row: MachineKey = statement.keys.take(values, using, connection)
        if statement.users is not None:  # else Django reads the user when it is needed
            row.user = statement.users.take(values, using, connection)
        if statement.has_token:
            row.registry_token, row.read_at = next(values), read_at
    for may in values:
        note_generate(row.user, may=bool(may))
    return row


class Statement(NamedTuple):
    """What finds a key by its prefix: SQL, and whose its values are. What the user may comes last, if it is told."""

    sql: str
    params: Mapping[str, str]
    keys: PlainRows
    users: PlainRows | None
    has_token: bool


@cache
def _statement(using: str, users: Any, has_token: bool) -> Statement:
    connection = connections.create_connection(using)  # nobody's, since what it converts by is kept
    quote = escaping(connection)
    keys, source = PlainRows(MachineKey, "k", connection), f"{quote(MachineKey._meta.db_table)} k"
    selected, owners, params = [f"({TOKEN})"] if has_token else [], None, dict[str, str]()
    if is_plain(users):
        owners, pk = PlainRows(users, "u", connection), f"u.{quote(users._meta.pk.column)}"
        source += f" JOIN {quote(users._meta.db_table)} u ON {pk} = k.user_id"
        may, params = generate_column(using, users, pk)
        selected = [owners.selected, *selected, *may]
    columns = ", ".join([keys.selected, *selected])
    sql = f"SELECT {columns} FROM {source} WHERE k.prefix = %(prefix)s"  # noqa: S608 - names of columns
    return Statement(sql, params, keys, owners, has_token)


def _digest(text: str) -> str:
    # Slow hashes make guessing dear where people choose the secret; nobody guesses 256 random bits.
    return sha256(text.encode()).hexdigest()
