"""`manage.py seed_llms`: rows for the providers whose keys are in the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from creative_services.adapters.probe import fault_of
from creative_services.adapters.snapshot import entry_of
from creative_services.core.errors import ConfigurationError
from creative_services.core.known_models import SOURCE, Price
from creative_services.core.llm_registry import DictRegistry
from creative_services.core.providers import PROVIDERS, price
from creative_services.models import Llms

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from creative_services.core.types import LLMEntry

COPIED = (
    "name", "provider", "model", "tier", "max_tokens", "temperature", "cost_per_1k_input", "cost_per_1k_output",
    "cost_per_1k_cache_read", "cost_per_1k_cache_write",
    "context_window", "supports_images", "supports_tools", "supports_json_schema",
)  # fmt: skip


class Command(BaseCommand):
    """Creates the LLMs that are missing by name, and never changes one that is there."""

    help = (
        "Create the missing LLMs of every provider whose key variable is set (OPENAI_API_KEY, ANTHROPIC_API_KEY, "
        "GROQ_API_KEY, OLLAMA_HOST). Keys stay in the environment: rows refer to them. Existing rows are kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--documented",
            action="store_true",
            help="The models of the documented table, also retired ones, instead of their living successors.",
        )

    def handle(self, *, documented: bool, **options: Any) -> None:
        try:
            entries = DictRegistry.from_env(successors=not documented).list_active()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if not entries:
            self.stdout.write("No provider found in the environment. Set OPENAI_API_KEY, for example.")
            return
        created = [self._seed(entry) for entry in entries]
        self.stdout.write(f"{created.count(True)} created, {created.count(False)} already there.")
        if None in created:
            raise CommandError(f"{created.count(None)} could not be created, see above.")

    def _seed(self, entry: LLMEntry) -> bool | None:
        """Whether the row was created; None if it cannot be."""
        values = row_values(entry)
        try:
            row = Llms(**values)
            row.clean_fields()
            row.clean()
            is_new: bool
            row, is_new = Llms.objects.get_or_create(name=entry.name, defaults=values)
        except ValidationError as error:
            self.stderr.write(f"{entry.name}: {' '.join(error.messages)}")
            return None
        if is_new:
            self.stdout.write(f"Created {row.name} ({row.tier}, {row.provider} {row.model}, API key {row.key_hint}).")
            fault = fault_of(entry_of(row))
            if fault:
                self.stderr.write(fault)
        return is_new


def row_values(entry: LLMEntry) -> dict[str, Any]:
    """The entry as a row's values, with a reference in the place of the key."""
    values = {name: getattr(entry, name) for name in COPIED}
    variables = PROVIDERS[entry.provider].key_variables if entry.api_key else ()
    variable = next((name for name in variables if os.environ.get(name, "").strip()), None)
    return values | {
        "tier": entry.tier.value,
        "api_endpoint": entry.api_endpoint or "",
        "prices_source": SOURCE if price(entry.provider, entry.model) != Price() else "",
        "api_key": f"env:{variable}" if variable else None,
    }
