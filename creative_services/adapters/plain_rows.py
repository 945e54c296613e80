"""Rows that a plain cursor reads and that are then as the ORM would have made them.

The ORM's queries, and its raw ones, take ten times as long to write; this is for what every request asks.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db.models import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper


class PlainRows:
    """The rows of a model in a statement, in which its table goes by the name `alias`; one for each database."""

    def __init__(self, model: Any, alias: str, connection: BaseDatabaseWrapper) -> None:
        quote, fields = escaping(connection), _fields(model)
        self.selected = ", ".join(f"{alias}.{quote(field.column)}" for field in fields)
        self._model = model
        self._names = [field.attname for field in fields]
        self._converted = [
            (place, field.cached_col, converters)
            for place, field in enumerate(fields)
            if (converters := _converters(field, connection))
        ]

    def take(self, values: Iterator[Any], using: str, connection: BaseDatabaseWrapper) -> Any:
        """The row, made of the next values; those are read by the database's rules first, and then by the field's."""
        found = list(islice(values, len(self._names)))
        for place, column, converters in self._converted:
            for convert in converters:
                found[place] = convert(found[place], column, connection)
        return self._model.from_db(using, self._names, found)


def escaping(connection: BaseDatabaseWrapper) -> Callable[[str], str]:
    """What quotes names for a statement that has parameters, in which a percent sign is to be doubled."""
    return lambda name: connection.ops.quote_name(name).replace("%", "%%")


def is_plain(model: Any) -> bool:
    """Whether a row is one of a single table, and its columns are read as they stand, as geometries are not."""
    kinds: list[Any] = [type(field) for field in _fields(model)]
    return not model._meta.parents and all(kind.select_format is Field.select_format for kind in kinds)


def _fields(model: Any) -> Sequence[Any]:
    return model._meta.concrete_fields  # type: ignore[no-any-return]


def _converters(field: Any, connection: BaseDatabaseWrapper) -> list[Any]:
    return [*connection.ops.get_db_converters(field.cached_col), *field.get_db_converters(connection)]
