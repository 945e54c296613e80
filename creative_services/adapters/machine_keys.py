"""Machine keys: how they are made, and how they are known again."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import connections, router
from django.db.models import Field, Q
from django.utils import timezone

from creative_services.core.secret import Secret
from creative_services.models import MachineKey
from creative_services.models.keys import MARK

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import QuerySet

SHAPE = re.compile(rf"{MARK}([0-9a-f]{{12}})_[\w-]{{43}}", re.ASCII)
NO_DIGEST = "0" * 64
USE_INTERVAL = timedelta(minutes=1)


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
    row: MachineKey | None = _one(MachineKey, "prefix", shape[1])
    # A prefix that nobody has takes as long as a wrong secret.
    is_it = secrets.compare_digest(_digest(text), row.digest if row else NO_DIGEST)
    if row is None or not is_it:
        return None
    users: Any = get_user_model()
    if _is_plain(users):  # else Django reads the user when it is needed
        row.user = _one(users, users._meta.pk.name, row.user_id)
    return row


def note_use(row: MachineKey) -> None:
    """Keep when the key was used, to the minute: a write for each request would cost more than it tells."""
    now = timezone.now()
    if row.last_used_at is None or row.last_used_at < now - USE_INTERVAL:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_INTERVAL)
        _rows().filter(stale, pk=row.pk).update(last_used_at=now)


def _rows() -> QuerySet[MachineKey]:
    # A replica may not know yet that a key was revoked.
    return MachineKey.objects.using(router.db_for_write(MachineKey))


def _one(model: Any, name: str, value: Any) -> Any:
    # Neither the ORM's queries nor its raw ones: they take ten times as long, and this is asked with every request.
    using = router.db_for_write(MachineKey)  # a replica may not know yet that a key was revoked
    connection = connections[using]
    quote, fields, field = connection.ops.quote_name, model._meta.concrete_fields, model._meta.get_field(name)
    columns = ", ".join(quote(one.column) for one in fields)
    sql = f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE {quote(field.column)} = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [field.get_db_prep_value(value, connection)])
        row = cursor.fetchone()
    if row is None:
        return None
    values = [_converted(one, found, connection) for one, found in zip(fields, row, strict=True)]
    return model.from_db(using, [one.attname for one in fields], values)


def _converted(field: Any, value: Any, connection: BaseDatabaseWrapper) -> Any:
    """A column's value as the ORM would read it: by the database's rules first, and then by the field's."""
    column = field.cached_col
    for convert in (*connection.ops.get_db_converters(column), *field.get_db_converters(connection)):
        value = convert(value, column, connection)
    return value


def _is_plain(model: Any) -> bool:
    """Whether a row is one of a single table, and its columns are read as they stand, as geometries are not."""
    kinds: list[Any] = [type(one) for one in model._meta.concrete_fields]
    return not model._meta.parents and all(kind.select_format is Field.select_format for kind in kinds)


def _digest(text: str) -> str:
    # Slow hashes make guessing dear where people choose the secret; nobody guesses 256 random bits.
    return sha256(text.encode()).hexdigest()
