"""The ledger's two statements. The ORM would take several times as long, and this is done on every call."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from django.apps import apps
from django.db import models

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper


# Of these, the ORM too writes a value as it stands.
PLAIN = (
    models.AutoField,
    models.BigAutoField,
    models.BigIntegerField,
    models.BooleanField,
    models.CharField,
    models.FloatField,
    models.IntegerField,
    models.PositiveSmallIntegerField,
    models.TextField,
)


class Statement(NamedTuple):
    """SQL, and its parameters' fields; None of those that are passed as they stand."""

    sql: str
    fields: Sequence[Any]


def insert(connection: BaseDatabaseWrapper, values: Mapping[str, Any]) -> None:
    """Write a new row of LlmCall; NULL where there is None, or nothing."""
    known = {name: value for name, value in values.items() if value is not None}
    with connection.cursor() as cursor:
        statement = _insertion(tuple(known))
        cursor.execute(statement.sql, _params(connection, statement, known.values()))


def update(connection: BaseDatabaseWrapper, values: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Change the row of LlmCall that has the values of `where`; whether there is one."""
    with connection.cursor() as cursor:
        statement = _change(tuple(values), tuple(where))
        cursor.execute(statement.sql, _params(connection, statement, (*values.values(), *where.values())))
        changed: int = cursor.rowcount
        return changed > 0


def _params(connection: BaseDatabaseWrapper, statement: Statement, values: Iterable[Any]) -> list[Any]:
    return [
        value if field is None or value is None else field.get_db_prep_save(value, connection)
        for field, value in zip(statement.fields, values, strict=True)
    ]


# The names are this app's own, and no words of SQL, so that they need no quotes.


@cache
def _insertion(names: Sequence[str]) -> Statement:
    table, fields = _layout()
    columns, marks = ", ".join(fields[name].column for name in names), ", ".join(["%s"] * len(names))
    return Statement(f"INSERT INTO {table} ({columns}) VALUES ({marks})", _converted(names))  # noqa: S608


@cache
def _change(names: Sequence[str], where: Sequence[str]) -> Statement:
    table, fields = _layout()
    changes = ", ".join(f"{fields[name].column} = %s" for name in names)
    conditions = " AND ".join(f"{fields[name].column} = %s" for name in where)
    return Statement(f"UPDATE {table} SET {changes} WHERE {conditions}", _converted((*names, *where)))  # noqa: S608


def _converted(names: Sequence[str]) -> list[Any]:
    fields = [_layout()[1][name] for name in names]
    return [None if type(getattr(field, "target_field", field)) in PLAIN else field for field in fields]


@cache
def _layout() -> tuple[str, Mapping[str, Any]]:
    """The table, and the fields by the names of their attributes."""
    meta = apps.get_model("creative_services", "LlmCall")._meta
    return meta.db_table, {field.attname: field for field in meta.concrete_fields}
