"""`manage.py release_llm_reservations`: settles the calls whose process died."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand

from creative_services.adapters.sweep import sweep


class Command(BaseCommand):
    """Charges each call that is still running past its time with what was reserved for it."""

    help = "Settle the calls whose process died: what was reserved for each counts as spent, since it may be billed."

    def handle(self, **options: Any) -> None:
        calls = sweep()
        for call in calls:
            amount = "an unknown cost" if call.cost is None else f"${call.cost.normalize():f}"
            self.stdout.write(f"{call} of {call.started_at:%Y-%m-%d %H:%M:%S} to {call.llm_name}: {amount}")
        total = sum((call.cost for call in calls if call.cost is not None), Decimal(0))
        self.stdout.write(f"Settled: {len(calls)}, ${total.normalize():f} in all.")
