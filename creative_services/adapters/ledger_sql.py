"""The ledger's two statements. The ORM would take several times as long, and this is done on every call."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.apps import apps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.backends.base.base import BaseDatabaseWrapper


def insert(connection: BaseDatabaseWrapper, values: Mapping[str, Any]) -> None:
    """Write a new row of LlmCall."""
    table, fields = _layout()
    quote = connection.ops.quote_name
    columns = ", ".join(quote(fields[name].column) for name in values)
    marks = ", ".join(["%s"] * len(values))
    sql = f"INSERT INTO {quote(table)} ({columns}) VALUES ({marks})"  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.execute(sql, _params(connection, values))


def update(connection: BaseDatabaseWrapper, values: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Change the row of LlmCall that has the values of `where`; whether there is one."""
    table, fields = _layout()
    quote = connection.ops.quote_name
    changes = ", ".join(f"{quote(fields[name].column)} = %s" for name in values)
    conditions = " AND ".join(f"{quote(fields[name].column)} = %s" for name in where)
    sql = f"UPDATE {quote(table)} SET {changes} WHERE {conditions}"  # noqa: S608 - our own names
    with connection.cursor() as cursor:
        cursor.execute(sql, [*_params(connection, values), *_params(connection, where)])
        changed: int = cursor.rowcount
        return changed > 0


def _params(connection: BaseDatabaseWrapper, values: Mapping[str, Any]) -> list[Any]:
    fields = _layout()[1]
    return [fields[name].get_db_prep_save(value, connection) for name, value in values.items()]


@cache
def _layout() -> tuple[str, Mapping[str, Any]]:
    """The table, and the fields by the names of their attributes."""
    meta = apps.get_model("creative_services", "LlmCall")._meta
    return meta.db_table, {field.attname: field for field in meta.concrete_fields}
