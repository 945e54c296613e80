"""Processes whose threads all call at once, on one budget; some are killed while they do. Prints what came of it.

The provider bills each call as soon as it receives it, and as much as was reserved: it writes one byte to a file.
"""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from threading import Barrier

import django

if __name__ == "__main__":
    django.setup()

from django.core.management import CommandError, call_command
from django.db import connections
from django.db.models import Sum
from django.utils import timezone

from creative_services import (
    BudgetExceededError,
    DictRegistry,
    LLMEntry,
    NoLLMAvailableError,
    SyncDynamicLLMClient,
    Usage,
)
from creative_services.adapters.audit import auditing
from creative_services.adapters.ledger import DjangoLedger
from creative_services.adapters.ledger_database import ledger_connection
from creative_services.databases import ledger_alias
from creative_services.ledger_options import LedgerOptions
from creative_services.models import Budget, BudgetPeriod, LlmCall
from creative_services.testing import FakeProvider, Reply

PROCESSES, CALLS, PAYS_FOR = 8, 50, 100
ENTRY = LLMEntry(
    1, "GPT", "openai", "gpt", "standard", "sk-test", max_tokens=1000, cost_per_1k_input=0, cost_per_1k_output=1
)
forked = multiprocessing.get_context("fork")


class Race:
    def __init__(self, folder, killed):
        self.folder, self.killed = Path(folder), killed
        self.bill = self.folder / "bill"
        self.bill.touch()
        self.start = forked.Barrier(PROCESSES + 2)
        self.is_over = forked.Event()

    def billed(self):
        return self.bill.stat().st_size

    def prepare(self):
        for alias in {"default", ledger_alias()}:
            if connections[alias].vendor == "sqlite":
                call_command("migrate", database=alias, verbosity=0)
        Budget.objects.create(name="Team", limit=Decimal(PAYS_FOR), period="total")
        connections.close_all()

    def run(self):
        racers = [forked.Process(target=self.race, args=(number,)) for number in range(PROCESSES)]
        watcher = forked.Process(target=self.watch)
        for process in (*racers, watcher):
            process.start()
        self.start.wait()
        if self.killed:
            while self.billed() < PAYS_FOR // 2:
                time.sleep(0.001)
        for process in racers[: self.killed]:
            os.kill(process.pid, signal.SIGKILL)
        for process in racers:
            process.join()
        self.is_over.set()
        watcher.join()

    # One of the processes

    def race(self, number):
        ledger = DjangoLedger(LedgerOptions())
        client = SyncDynamicLLMClient(DictRegistry([ENTRY]), ledger=ledger, transport=FakeProvider(self.answer))
        barrier = Barrier(CALLS)
        self.start.wait()
        with ThreadPoolExecutor(CALLS) as threads:
            came = Counter(threads.map(lambda _: self.call(client, barrier), range(CALLS)))
        self.report(f"racer-{number}", came)

    def answer(self, request):
        with self.bill.open("ab", buffering=0) as bill:
            bill.write(b"$")
        if self.killed:
            time.sleep(random.uniform(0, 0.2))  # noqa: S311 - how long an answer takes is no secret
        return Reply("Hello", usage=Usage(input_tokens=10, output_tokens=request.json["max_tokens"]))

    def call(self, client, barrier):
        barrier.wait()
        try:
            client.generate("Hi")
        except (BudgetExceededError, NoLLMAvailableError) as error:
            return type(error).__name__
        finally:
            connections.close_all()
        return "ok"

    def watch(self):
        """Look at the budget all the time, and audit the books now and then."""
        seen, most, faults = 0, Decimal(0), []
        self.start.wait()
        while not self.is_over.is_set():
            with ledger_connection() as connection:
                rows = BudgetPeriod.objects.using(connection.alias).values_list("spent", "reserved")
                most = max([most, *map(sum, rows)])
            seen += 1
            if seen % 10 == 0:
                with auditing() as audit:
                    faults += audit.faults()
            time.sleep(0.002)
        self.report("watcher", {"seen": seen, "most": str(most), "faults": faults})

    def report(self, name, found):
        (self.folder / f"{name}.json").write_text(json.dumps(found))

    def result(self):
        came = Counter()
        for path in self.folder.glob("racer-*.json"):
            came.update(json.loads(path.read_text()))
        watched = json.loads((self.folder / "watcher.json").read_text())
        with ledger_connection() as connection:
            period = BudgetPeriod.objects.using(connection.alias).get()
            calls = LlmCall.objects.using(connection.alias)
            rows = Counter(calls.values_list("outcome", flat=True))
            cost = calls.aggregate(Sum("cost"))["cost__sum"]
        amounts = {"spent": str(period.spent), "reserved": str(period.reserved), "booked": str(cost)}
        return amounts | {"came": came, "watched": watched, "rows": rows, "billed": self.billed(), "audit": audit()}


def audit():
    try:
        call_command("llm_audit", stdout=sys.stderr)
    except CommandError as error:
        return str(error)
    return "ok"


def an_hour_later():
    with ledger_connection() as connection:
        running = LlmCall.objects.using(connection.alias).filter(outcome="running")
        running.update(expires_at=timezone.now() - timedelta(hours=1))


def main():
    race = Race(sys.argv[1], int(sys.argv[2]))
    race.prepare()
    race.run()
    results = [race.result()]
    if race.killed:
        an_hour_later()
        results.append(race.result())
        call_command("release_llm_reservations", stdout=sys.stderr)
        results.append(race.result())
    sys.stdout.write(json.dumps(results))


if __name__ == "__main__":
    main()
