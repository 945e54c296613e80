"""Usage as a table of plain values, with the names that people know; for CSV files and terminals."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, fields
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model

from creative_services.adapters.usage import Sums
from creative_services.models import MachineKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from creative_services.adapters.usage import Group

SUMS = tuple(one.name for one in fields(Sums))
COLUMNS = {
    "llm": ("llm_id", "llm", "provider", "model", "tier"),
    "user": ("user_id", "user"),
    "machine_key": ("machine_key_id", "machine_key"),
}
MARKS_OF_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of users and machine keys, by their ids; the deleted have none."""

    users: Mapping[Any, str]
    machine_keys: Mapping[int, str]

    @classmethod
    def of(cls, groups: Iterable[Group], by: Sequence[str]) -> Names:
        """The names of all whom the groups are by."""
        ids: defaultdict[str, set[Any]] = defaultdict(set)
        for group in groups:
            for name, value in zip(by, group.key, strict=True):
                ids[name].add(value)
        return cls.with_ids(ids["user"], ids["machine_key"])

    @classmethod
    def with_ids(cls, user_ids: set[Any], key_ids: set[int | None]) -> Names:
        """The names of those that have these ids."""
        users = get_user_model()._default_manager.in_bulk(list(user_ids - {None}))
        keys = MachineKey.objects.in_bulk(list(key_ids - {None}))
        return cls({pk: user.get_username() for pk, user in users.items()}, {pk: key.name for pk, key in keys.items()})


def plain(amount: Decimal) -> str:
    """The amount in plain digits, never in powers of ten."""
    return f"{amount.normalize():f}"


def table(groups: Sequence[Group], by: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each group: columns and their texts or numbers; what is not known is None."""
    names = Names.of(groups, by)
    return [
        {
            column: cell
            for name, value in zip(by, group.key, strict=True)
            for column, cell in zip(_columns(name), _cells(name, value, names), strict=True)
        }
        | sums_of(group.sums)
        for group in groups
    ]


def sums_of(sums: Sums) -> dict[str, Any]:
    """The sums by name, US dollars as text."""
    values = {name: getattr(sums, name) for name in SUMS}
    return values | {"cost": None if sums.cost is None else plain(sums.cost)}


def to_csv(groups: Sequence[Group], by: Sequence[str]) -> str:
    """The table as a CSV file with a line of headings, in which no cell is taken for a formula."""
    file = StringIO(newline="")
    writer = csv.DictWriter(file, list(dict.fromkeys([column for name in by for column in _columns(name)] + [*SUMS])))
    writer.writeheader()
    writer.writerows({column: _safe(cell) for column, cell in row.items()} for row in table(groups, by))
    return file.getvalue()


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(MARKS_OF_FORMULAS) else cell


def _columns(name: str) -> tuple[str, ...]:
    return COLUMNS.get(name, (name,))


def _cells(name: str, value: Any, names: Names) -> tuple[Any, ...]:
    match name:
        case "llm":
            return tuple(value)
        case "user":
            return value, names.users.get(value)
        case "machine_key":
            return value, names.machine_keys.get(value)
        case "day":
            return (value.isoformat(),)
        case _:
            return (value,)
