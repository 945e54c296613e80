"""Calls whose process is killed at one point of their life each. Prints what the books say of them afterwards."""

import json
import os
import signal
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import django

if __name__ == "__main__":
    django.setup()

from django.db import connections
from django.db.backends.signals import connection_created
from django.utils import timezone

from creative_services import Caller, DictRegistry, LLMEntry, SyncDynamicLLMClient
from creative_services.adapters.audit import auditing
from creative_services.adapters.connection_pool import close_pools
from creative_services.adapters.ledger import DjangoLedger
from creative_services.adapters.sweep import sweep
from creative_services.databases import ledger_alias
from creative_services.ledger_options import LedgerOptions
from creative_services.models import Budget, BudgetPeriod, LlmCall
from creative_services.testing import FakeProvider, Reply

ENTRY = LLMEntry(1, "GPT", "openai", "gpt", "standard", "sk-test", cost_per_1k_input=1, cost_per_1k_output=1)
STATEMENTS = {
    "INSERT INTO creative_services_llmcall": "booking",
    "UPDATE creative_services_budgetperiod SET reserved = reserved +": "reserving",
    "UPDATE creative_services_llmcall": "settling",
    "UPDATE creative_services_budgetperiod SET reserved = reserved -": "counting",
}
UNBOOKED = ["before booking", "after booking", "before reserving", "after reserving"]
DOUBTFUL = [
    "before sending", "after sending", "before headers", "after headers", "before a piece", "after a chunk",
    "before settling", "after settling", "before counting", "after counting",
]  # fmt: skip
SETTLED = ["after the answer", "never"]


class Life:
    """A call's, which ends at its point."""

    def __init__(self, point, bill):
        self.point, self.bill = point, bill

    def reaches(self, point):
        if point == self.point:
            os.kill(os.getpid(), signal.SIGKILL)

    def execute(self, run, sql, params, many, context):
        plain = sql.replace('"', "").replace("`", "")
        name = next((name for start, name in STATEMENTS.items() if plain.startswith(start)), None)
        self.reaches(f"before {name}")
        result = run(sql, params, many, context)
        self.reaches(f"after {name}")
        return result

    def live(self):
        connection_created.connect(self.listen)
        provider = FakeProvider(Reply(["One", " two"]))
        client = SyncDynamicLLMClient(
            DictRegistry([ENTRY]), transport=Watched(provider, self), ledger=DjangoLedger(LedgerOptions())
        )
        for _ in client.stream("Hi", caller=Caller(self.point)):
            self.reaches("after a chunk")
        self.reaches("after the answer")

    def listen(self, sender, connection, **_):
        connection.execute_wrappers.append(self.execute)


class Watched:
    """A transport, and an exchange."""

    def __init__(self, inner, life):
        self.inner, self.life = inner, life

    def open(self, request):
        self.life.reaches("before sending")
        exchange = self.inner.open(request)
        with self.life.bill.open("a") as bill:
            bill.write(f"{self.life.point}\n")
        self.life.reaches("after sending")
        return Watched(exchange, self.life)

    def begin(self, until):
        self.life.reaches("before headers")
        self.inner.begin(until)
        self.status, self.headers = self.inner.status, self.inner.headers
        self.life.reaches("after headers")

    def read(self, until):
        self.life.reaches("before a piece")
        return self.inner.read(until)

    def close(self):
        self.inner.close()


def live_and_die(point, bill):
    """In a process of its own."""
    process = os.fork()
    if process == 0:
        try:
            Life(point, bill).live()
        finally:
            connections.close_all()
            close_pools()
            os._exit(0)
    os.waitpid(process, 0)


def faults():
    with auditing() as audit:
        return list(audit.faults())


def main(folder):
    bill = Path(folder) / "bill"
    bill.touch()
    Budget.objects.create(name="All", limit=Decimal(1000))
    connections.close_all()
    for point in (*UNBOOKED, *DOUBTFUL, *SETTLED):
        live_and_die(point, bill)
    before = {call.caller: call.outcome for call in LlmCall.objects.all()}
    LlmCall.objects.filter(outcome="running").update(expires_at=timezone.now() - timedelta(seconds=1))
    named = {call.caller: any(str(call) in fault for fault in faults()) for call in LlmCall.objects.all()}
    count = len(faults())
    sweep()
    period = BudgetPeriod.objects.using(ledger_alias()).get()
    cost = LlmCall.objects.get(caller="never").cost
    print(  # noqa: T201 - what the test reads
        json.dumps({
            "before": before,
            "named": sorted(point for point, is_named in named.items() if is_named),
            "faults": [count, len(faults())],
            "after": {call.caller: call.outcome for call in LlmCall.objects.all()},
            "reserved": f"{period.reserved:f}",
            "is_enough": all(
                LlmCall.objects.get(caller=point).cost >= cost for point in bill.read_text().split("\n") if point
            ),
            "billed": bill.read_text().count("\n"),
        })
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
