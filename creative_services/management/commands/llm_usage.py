"""`manage.py llm_usage`: what calls came to, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from creative_services.adapters.days import ONE_DAY, today
from creative_services.adapters.usage import MOST_DAYS, Asked, total, usage
from creative_services.adapters.usage_query import USUAL_DAYS, UsageError, groups_of
from creative_services.adapters.usage_table import plain, table, to_csv

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator, Mapping, Sequence

    from creative_services.adapters.usage import Sums

NUMBERS = ("calls", "errors", "input_tokens", "output_tokens", "cost", "calls_of_unknown_cost")
LEFT_OUT = ("cache_read_tokens", "cache_write_tokens", "reasoning_tokens", "calls_of_unknown_tokens")
UNKNOWN = "?"


class Command(BaseCommand):
    """Prints calls, tokens and US dollars by day, LLM or whatever else they can be grouped by."""

    help = "Show what calls came to: how many, how many failed, tokens, and US dollars."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=USUAL_DAYS, help="So many, of which today is the last.")
        parser.add_argument(
            "--by",
            default="day",
            help="One or two of day, llm, tier, user, machine_key, caller, source, outcome, as in day,llm.",
        )
        parser.add_argument("--csv", action="store_true", help="Print a CSV file, with all columns.")

    def handle(self, *, days: int, by: str, csv: bool, **options: Any) -> None:
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days must be from 1 to {MOST_DAYS}.")
        try:
            names = groups_of(by)
        except UsageError as error:
            raise CommandError(str(error)) from None
        last = today()
        groups = usage(Asked(last - (days - 1) * ONE_DAY, last), names)
        if csv:
            self.stdout.write(to_csv(groups, names), ending="")
            return
        for line in aligned(shown(table(groups, names))):
            self.stdout.write(line)
        self.stdout.write(summary(total(groups), days))


def shown(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The rows as texts under a line of headings, without the columns that few need; nothing if there is no row."""
    columns = [name for name in rows[0] if name not in LEFT_OUT and not name.endswith("_id")] if rows else []
    lines = [[UNKNOWN if row[name] is None else printable(str(row[name])) for name in columns] for row in rows]
    return [columns, *lines] if rows else []


def printable(text: str) -> str:
    """The text without what a terminal would obey."""
    return "".join(char if char.isprintable() else UNKNOWN for char in text)


def aligned(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of columns; what is a number in each line stands on the right."""
    columns = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    are_numbers = [name in NUMBERS for name in (lines[0] if lines else ())]
    for line in lines:
        cells = zip(line, widths, are_numbers, strict=True)
        yield "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells).rstrip()


def summary(sums: Sums, days: int) -> str:
    """One line over everything, with what is not known."""
    cost = UNKNOWN if sums.cost is None else f"${plain(sums.cost)}"
    line = f"Days: {days}, calls: {sums.calls}, failed: {sums.errors}, cost: {cost}"
    return f"{line}, calls of unknown cost: {sums.calls_of_unknown_cost}." if sums.calls_of_unknown_cost else f"{line}."
