"""`manage.py prune_llm_calls`: deletes the rows of old calls, and keeps what they came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from creative_services.adapters.pruning import forget_texts, prune_calls
from creative_services.conf import app_settings

if TYPE_CHECKING:
    from argparse import ArgumentParser

MOST_DAYS = 36_500


class Command(BaseCommand):
    """Deletes calls and, where the ledger keeps texts, those that were kept long enough."""

    help = (
        "Delete the rows of calls that began more than so many days ago. Totals by day, LLM and caller stay, and what "
        "budgets have spent. Prompts and answers go after TEXT_DAYS, whatever becomes of their calls."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, required=True, help="Keep the calls of so many days before today.")

    def handle(self, *, days: int, **options: Any) -> None:
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days must be from 1 to {MOST_DAYS}.")
        self.stdout.write(f"Deleted calls: {prune_calls(days)}.")
        kept = app_settings.ledger
        if kept is not None:
            self.stdout.write(f"Deleted texts of calls: {forget_texts(kept.text_days)}.")
