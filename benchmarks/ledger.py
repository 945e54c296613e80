"""`python -m benchmarks.ledger`: what the ledger, and a budget, add to a call; and 32 callers on one budget.

`DATABASE_URL` names the database: its name gets `_benchmark` at its end, and it is made and dropped here. Figures of
SQLite say little, since each commit waits for the disk.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any

import django
from django.db import connection, connections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from creative_services import SyncDynamicLLMClient

ANSWER = "word " * 50
CALLERS = 32


def clients() -> dict[str, SyncDynamicLLMClient]:
    """The same client over the same rows, with more and more books; the provider costs next to nothing."""
    from creative_services import SyncDynamicLLMClient  # noqa: PLC0415 - needs settings
    from creative_services.adapters import DjangoLLMRegistry  # noqa: PLC0415 - needs settings
    from creative_services.adapters.ledger import DjangoLedger  # noqa: PLC0415 - needs settings
    from creative_services.core.memory_breaker import InMemoryBreaker  # noqa: PLC0415 - needs settings
    from creative_services.ledger_options import LedgerOptions  # noqa: PLC0415 - needs settings
    from creative_services.testing import FakeProvider  # noqa: PLC0415 - needs settings

    provider = FakeProvider({"gpt-4o-mini": ANSWER})
    options: dict[str, Any] = {"transport": provider, "breaker": InMemoryBreaker()}
    registry = DjangoLLMRegistry()
    return {
        "no ledger": SyncDynamicLLMClient(registry, **options),
        "ledger": SyncDynamicLLMClient(registry, ledger=DjangoLedger(LedgerOptions()), **options),
    }


def cpu(call: Callable[[], object], calls: int) -> tuple[float, float]:
    """CPU of this process, and wall time, of one call."""
    began, clock = time.process_time(), time.perf_counter()
    for _ in range(calls):
        call()
    return (time.process_time() - began) / calls, (time.perf_counter() - clock) / calls


def measured(contenders: dict[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, tuple[float, float]]:
    """Medians over rounds in which all take turns."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for call in contenders.values():
        cpu(call, calls)
    for _ in range(rounds):
        for name, call in contenders.items():
            found[name].append(cpu(call, calls))
    return {name: (median(one[0] for one in all_), median(one[1] for one in all_)) for name, all_ in found.items()}


def throughput(call: Callable[[], object], seconds: float) -> float:
    """Calls per second of so many threads at once."""
    until = time.perf_counter() + seconds

    def again() -> int:
        made = 0
        while time.perf_counter() < until:
            call()
            made += 1
        connections.close_all()
        return made

    with ThreadPoolExecutor(CALLERS) as threads:
        return sum(threads.map(lambda _: again(), range(CALLERS))) / seconds


def lines(rounds: int, calls: int, seconds: float) -> Iterator[str]:
    """What is printed."""
    from creative_services.models import Budget, BudgetPeriod, Llms  # noqa: PLC0415 - needs settings

    Llms.objects.create(
        name="Bench", provider="openai", model="gpt-4o-mini", tier="standard", api_key="sk-benchmark",
        cost_per_1k_input=0.00015, cost_per_1k_output=0.0006,
    )  # fmt: skip
    books = clients()

    def asking(name: str) -> Callable[[], object]:
        return lambda: books[name].generate("Say fifty words.", max_tokens=100)

    found = measured({name: asking(name) for name in books}, rounds, calls)
    budget = Budget.objects.create(name="All", limit=Decimal(100_000), period="total")
    found |= {"ledger and a budget": measured({"ledger": asking("ledger")}, rounds, calls)["ledger"]}
    bare = found["no ledger"][0]
    for name, (busy, wall) in found.items():
        added = f"{(busy - bare) * 1e6:+7.0f} µs" if name != "no ledger" else ""
        yield f"{name:<24}{busy * 1e6:>8.0f} µs CPU{wall * 1e6:>9.0f} µs wall{added:>14}"
    yield f"{CALLERS} callers on one budget: {throughput(asking('ledger'), seconds):.0f} calls/s"
    period = BudgetPeriod.objects.get(budget=budget)
    yield f"the budget has spent {period.spent.normalize():f} and holds {period.reserved.normalize():f} US dollars"


def main() -> None:
    """Measure on a database of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.site.settings")
    os.environ.setdefault("DATABASE_URL", "sqlite:////tmp/creative_services_ledger_benchmark.sqlite3")
    django.setup()
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        for line in lines(*((1, 20, 0.2) if options.quick else (9, 300, 5.0))):
            print(line, flush=True)
    finally:
        from creative_services.adapters.connection_pool import close_pools  # noqa: PLC0415 - needs settings

        close_pools()
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


if __name__ == "__main__":
    main()
