"""`manage.py llm_audit`: whether budgets, ledger and a provider's bill agree."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from creative_services.adapters.audit import auditing
from creative_services.adapters.bills import BillError, Line, compared

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    """Names what is off, and exits with 1 if anything is."""

    help = "Check that budgets have counted what the ledger says, that each call is settled, and a provider's bill."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bill",
            metavar="FILE.csv",
            help="Also compare a provider's bill: a CSV file with day, model, input, output and cost.",
        )

    def handle(self, *, bill: str | None, **options: Any) -> None:
        off = self._audit() + (0 if bill is None else self._compare(bill))
        if off:
            raise CommandError(f"Off: {off}, see above.")

    def _audit(self) -> int:
        off = 0
        with auditing() as audit:
            for fault in audit.faults():
                self.stdout.write(fault)
                off += 1
            counts = audit.counts()
        self.stdout.write(
            f"Calls: {counts['calls']}, of which {counts['running']} are running and {counts['estimated']} are charged "
            "with what they may have cost."
        )
        return off

    def _compare(self, bill: str) -> int:
        try:
            with Path(bill).open(newline="", encoding="utf-8-sig") as file:
                lines = compared(file)
        except (OSError, UnicodeDecodeError, BillError) as error:
            raise CommandError(str(error)) from error
        for line in lines:
            self.stdout.write(_shown(line))
        missing = sum((line.missing for line in lines), Decimal(0))
        self.stdout.write(f"Billed beyond the ledger: ${missing.normalize():f}; below 0, it booked more.")
        return sum(line.missing > 0 for line in lines)


def _shown(line: Line) -> str:
    columns = (
        f"{name} {getattr(line.billed, name)} billed, {getattr(line.booked, name)} booked"
        for name in ("input", "output")
    )
    cost = f"${line.billed.cost.normalize():f} billed, ${line.booked.cost.normalize():f} booked"
    mark = f", ${line.missing.normalize():f} MISSING" if line.missing > 0 else ""
    return f"{line.day} {line.model}: {'; '.join(columns)}; {cost}{mark}"
