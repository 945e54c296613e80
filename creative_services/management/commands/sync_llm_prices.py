"""`manage.py sync_llm_prices`: prices of all LLMs from the list of the package genai-prices."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from creative_services.adapters.price_list import PriceList
from creative_services.adapters.prices import check_prices
from creative_services.core.errors import ConfigurationError
from creative_services.models import Llms

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from creative_services.adapters.prices import PriceCheck


class Command(BaseCommand):
    """Shows what the list would change in each row, and writes it unless told not to."""

    help = (
        "Bring the prices of LLMs up to date with the list of the package genai-prices, and say what changes. "
        "Prices that a person has set are kept. Needs: pip install 'creative-services[prices]'."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would change, and write nothing.")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        try:
            prices = PriceList()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        counts: Counter[str] = Counter()
        for check in check_prices(Llms.objects.order_by("name"), prices):
            is_written = dry_run or check.apply()
            counts[check.state if is_written else "edited"] += 1
            self._tell(check, is_written=is_written)
        self.stdout.write(_summary(counts, "would change" if dry_run else "changed"))

    def _tell(self, check: PriceCheck, *, is_written: bool) -> None:
        row, listed = check.row, check.listed
        name = f"{row.name} ({row.provider} {row.model})"
        if not is_written:
            self.stderr.write(f"{name}: somebody has changed its prices meanwhile. Run the command again.")
        elif listed is None:
            self.stdout.write(f"{name}: not in the list.")
        elif check.state == "changed":
            self.stdout.write(f"{name}: {changes_text(check)} per 1M tokens. From {listed.source}.")
        elif check.state == "kept":
            self.stdout.write(f"{name}: kept as somebody has set them; the list differs.")


def changes_text(check: PriceCheck) -> str:
    """Each price that changes, as `input 0.15 → 0.20`, in US dollars per million tokens."""
    return ", ".join(
        f"{column.removeprefix('cost_per_1k_').replace('_', ' ')} {_per_million(old)} → {_per_million(new)}"
        for column, old, new in check.changes
    )


def _per_million(per_1k: float | None) -> str:
    return "none" if per_1k is None else f"{(Decimal(str(per_1k)) * 1000).normalize():f}"


def _summary(counts: Counter[str], changed: str) -> str:
    texts = {"changed": changed, "same": "up to date", "kept": "kept", "unknown": "not listed", "edited": "not written"}
    told = [f"{counts[state]} {text}" for state, text in texts.items() if counts[state]]
    return f"{', '.join(told)}." if told else "There are no LLMs."
