"""The rows of budgets' periods, in plain SQL: the ORM takes ten times as long, and this is once a call or more.

Amounts are in the database's units (`fields.usd`); `connection` is that of the ledger's database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models.constants import OnConflict

from creative_services.adapters.days import stored
from creative_services.fields.usd import from_units

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    from creative_services.adapters.periods import Period

TABLE = "creative_services_budgetperiod"
RESERVE = f"UPDATE {TABLE} SET reserved = reserved + %s WHERE id = %s"  # noqa: S608 - the table's name
RESERVE_WITHIN = f"{RESERVE} AND spent + reserved <= %s"
MOVE = f"UPDATE {TABLE} SET reserved = reserved - %s, spent = spent + %s WHERE id = %s"  # noqa: S608
MOVE_QUIETLY = f"{MOVE} AND (warned_at IS NOT NULL OR spent + %s < %s)"
WARN = f"UPDATE {TABLE} SET warned_at = %s WHERE id = %s AND warned_at IS NULL"  # noqa: S608
LEFT = f"SELECT id, spent + reserved FROM {TABLE} WHERE id IN "  # noqa: S608
FIND = f"SELECT id FROM {TABLE} WHERE budget_id = %s AND starts_at = %s"  # noqa: S608
COLUMNS = "(budget_id, starts_at, ends_at, spent, reserved, archived) VALUES (%s, %s, %s, 0, 0, 0)"


def reserve_within(cursor: CursorWrapper, period_id: int, amount: int, limit: int) -> bool:
    """Reserve the amount if the limit allows it; whether it does."""
    cursor.execute(RESERVE_WITHIN, (amount, period_id, limit - amount))
    return bool(cursor.rowcount)


def reserve(cursor: CursorWrapper, period_id: int, amount: int) -> bool:
    """Reserve the amount; whether there is such a row."""
    cursor.execute(RESERVE, (amount, period_id))
    return bool(cursor.rowcount)


def move(cursor: CursorWrapper, period_id: int, reserved: int, spent: int) -> None:
    """Let go of what was reserved, and count what was spent."""
    cursor.execute(MOVE, (reserved, spent, period_id))


def move_quietly(cursor: CursorWrapper, period_id: int, amounts: tuple[int, int], mark: int) -> bool:
    """`move` the amounts, unless what is spent passes the mark for the first time; whether it was done."""
    reserved, spent = amounts
    cursor.execute(MOVE_QUIETLY, (reserved, spent, period_id, spent, mark))
    return bool(cursor.rowcount)


def warn(cursor: CursorWrapper, period_id: int, now: datetime) -> bool:
    """Whether this is the one that has to warn."""
    cursor.execute(WARN, (cursor.db.ops.adapt_datetimefield_value(now), period_id))
    return bool(cursor.rowcount)


def used(connection: BaseDatabaseWrapper, period_ids: Iterable[int]) -> dict[int, Decimal]:
    """The US dollars that are spent or reserved in each, by its id."""
    ids = tuple(period_ids)
    with connection.cursor() as cursor:
        cursor.execute(f"{LEFT}({', '.join(['%s'] * len(ids))})", ids)
        return {period_id: from_units(int(units)) for period_id, units in cursor.fetchall()}


def row_of(connection: BaseDatabaseWrapper, budget_id: int, period: Period) -> int:
    """The id of the period's row, which is made if it is not there; several processes may do so at once."""
    ops = connection.ops
    starts_at = ops.adapt_datetimefield_value(stored(period.starts_at))
    ends_at = None if period.ends_at is None else ops.adapt_datetimefield_value(stored(period.ends_at))
    with connection.cursor() as cursor:
        cursor.execute(FIND, (budget_id, starts_at))
        row = cursor.fetchone()
        if row is None:
            begin = ops.insert_statement(on_conflict=OnConflict.IGNORE)
            end = ops.on_conflict_suffix_sql((), OnConflict.IGNORE, (), ())
            cursor.execute(f"{begin} {TABLE} {COLUMNS} {end}", (budget_id, starts_at, ends_at))
            cursor.execute(FIND, (budget_id, starts_at))
            row = cursor.fetchone()
    return int(row[0])
