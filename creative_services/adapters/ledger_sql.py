"""The ledger's two statements. The ORM would take several times as long, and this is done on every call."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import models

from creative_services.databases import own_model
from creative_services.fields.usd import UsdField, to_units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper

    Convert = Callable[[Any, BaseDatabaseWrapper], Any]


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


# And these it writes so, but on a longer way, for values that may be something else than ours are.
CONVERTED: Mapping[type[models.Field[Any, Any]], Convert] = MappingProxyType(
    {
        models.DateTimeField: lambda value, connection: connection.ops.adapt_datetimefield_value(value),
        models.JSONField: lambda value, connection: connection.ops.adapt_json_value(value, None),
        models.UUIDField: lambda value, connection: value if connection.features.has_native_uuid_field else value.hex,
        UsdField: lambda value, _: to_units(value),
    }
)


class Statement(NamedTuple):
    """SQL, its parameters' names, and how they are converted; None for those that are passed as they stand.

    They have names, since Django searches the statement for those that have none, each time anew, on SQLite.
    """

    sql: str
    names: Sequence[str]
    converts: Sequence[Convert | None]


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


def _params(connection: BaseDatabaseWrapper, statement: Statement, values: Iterable[Any]) -> dict[str, Any]:
    return {
        name: value if convert is None or value is None else convert(value, connection)
        for name, convert, value in zip(statement.names, statement.converts, values, strict=True)
    }


# The names are this app's own, and no words of SQL, so that they need no quotes.


@cache
def _insertion(names: Sequence[str]) -> Statement:
    table, fields = _layout()
    columns, marks = ", ".join(fields[name].column for name in names), ", ".join(f"%({name})s" for name in names)
    return Statement(f"INSERT INTO {table} ({columns}) VALUES ({marks})", names, _converts(names))  # noqa: S608


@cache
def _change(names: Sequence[str], where: Sequence[str]) -> Statement:
    table, fields = _layout()
    known = [f"known_{name}" for name in where]  # a column may be changed and looked for
    changes = ", ".join(f"{fields[name].column} = %({name})s" for name in names)
    conditions = " AND ".join(f"{fields[name].column} = %(known_{name})s" for name in where)
    sql = f"UPDATE {table} SET {changes} WHERE {conditions}"  # noqa: S608
    return Statement(sql, (*names, *known), _converts((*names, *where)))


def _converts(names: Sequence[str]) -> list[Convert | None]:
    fields = [_layout()[1][name] for name in names]
    return [None if type(getattr(field, "target_field", field)) in PLAIN else _convert(field) for field in fields]


def _convert(field: Any) -> Convert:
    # Not by the target's type: what users and keys are called by comes from callers, and may be a text.
    convert: Convert = CONVERTED.get(type(field), field.get_db_prep_save)
    return convert


@cache
def _layout() -> tuple[str, Mapping[str, Any]]:
    """The table, and the fields by the names of their attributes."""
    meta = own_model("LlmCall")._meta
    return meta.db_table, {field.attname: field for field in meta.concrete_fields}
