"""What choosing an LLM costs with 10 rows and with 10,000, when nothing has changed since the last call."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import django
from asgiref.sync import sync_to_async
from django.apps import apps
from django.conf import settings
from django.db import connection, connections

from benchmarks.rounds import Comparison, compare
from creative_services import DictRegistry, LLMEntry, LLMTier
from creative_services.adapters import DjangoLLMRegistry
from example_project.database import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from creative_services import LLMRegistry

FEW, MANY = 10, 10_000
Pair = dict[str, Comparison]


class Lookup:
    """`get_by_tier`, over and over."""

    def __init__(self, registry: LLMRegistry) -> None:
        self._registry = registry

    def run(self, calls: int, in_flight: int) -> None:
        for _ in range(calls):
            assert self._registry.get_by_tier(LLMTier.STANDARD) is not None

    def close(self) -> None:
        """Nothing is held."""


class AsyncLookup:
    """`aget_by_tier`, over and over."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self._runner = asyncio.Runner()

    def run(self, calls: int, in_flight: int) -> None:
        self._runner.run(self._look_up(calls))

    def close(self) -> None:
        # Rows are read in a thread, which keeps its connection.
        self._runner.run(sync_to_async(connections.close_all)())
        self._runner.close()

    async def _look_up(self, calls: int) -> None:
        for _ in range(calls):
            assert await self._registry.aget_by_tier(LLMTier.STANDARD) is not None


def compare_in_memory(calls: int, rounds: int) -> Pair:
    """DictRegistry: 10,000 entries against 10."""
    return _pair(Lookup(DictRegistry(_entries(FEW))), Lookup(DictRegistry(_entries(MANY))), calls, rounds)


def compare_in_database(url: str, calls: int, rounds: int) -> dict[str, Pair]:
    """DjangoLLMRegistry, by method: 10,000 rows against 10. A process of its own makes and drops its database."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_measure_database, url, calls, rounds).result()


def _measure_database(url: str, calls: int, rounds: int) -> dict[str, Pair]:
    with TemporaryDirectory() as folder:
        options = database(url)
        is_file = options["ENGINE"].endswith("sqlite3")
        options["TEST"] = {"NAME": str(Path(folder) / "benchmark") if is_file else f"{options['NAME']}_benchmark"}
        settings.configure(
            SECRET_KEY="benchmark",  # noqa: S106 - keeps nothing secret
            DATABASES={"default": options},
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "creative_services"],
            USE_TZ=True,
        )
        django.setup()
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            return _measure_rows(calls, rounds)
        finally:
            connection.creation.destroy_test_db(str(options["NAME"]), verbosity=0)


def _measure_rows(calls: int, rounds: int) -> dict[str, Pair]:
    Llms = apps.get_model("creative_services", "Llms")
    for count in (FEW, MANY):
        Llms.objects.bulk_create(
            Llms(
                name=f"{count} rows, {number}", provider="openai", model="gpt-4o-mini", tier="standard",
                api_key="sk-benchmark", cost_per_1k_input=0.00015 + number, cost_per_1k_output=0.0006,
            )
            for number in range(count)
        )  # fmt: skip
    few, many = (DjangoLLMRegistry(Llms.objects.filter(name__startswith=f"{count} rows")) for count in (FEW, MANY))
    return {
        "get_by_tier": _pair(Lookup(few), Lookup(many), calls, rounds),
        "aget_by_tier": _pair(AsyncLookup(few), AsyncLookup(many), calls, rounds),
    }


def _pair(few: Lookup | AsyncLookup, many: Lookup | AsyncLookup, calls: int, rounds: int) -> Pair:
    try:
        return compare({"few": few, "many": many}, calls, 1, rounds)
    finally:
        few.close()
        many.close()


def _entries(count: int) -> Iterator[LLMEntry]:
    for number in range(count):
        yield LLMEntry(
            number, str(number), "openai", "gpt-4o-mini", LLMTier.STANDARD, "sk-benchmark",
            cost_per_1k_input=0.00015 + number, cost_per_1k_output=0.0006,
        )  # fmt: skip
