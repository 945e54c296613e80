"""How long the admin's page of usage takes with a million calls in the ledger.

`python -m benchmarks.usage`, on the database that DATABASE_URL names, in one of its own beside it that is dropped
again. Calls are spread over 90 days and by Zipf's law over 500 users, 12 LLMs and 40 names of callers.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from argparse import ArgumentParser
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import django
from django.apps import apps
from django.db import connection
from django.db.models import F

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS = 90
USERS, LLMS, CALLERS = 500, 12, 40
COPIES = 100
VIEWS = 7
PAGE = "/admin/creative_services/usage/"


def main() -> None:
    """Print a line for each thing that is measured."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows: int = parser.parse_args().rows
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark")
    django.setup()
    from django.test.utils import setup_test_environment  # noqa: PLC0415 - needs settings

    setup_test_environment()
    name = str(connection.settings_dict["NAME"])
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        make_calls(rows)
        measure(rows)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def make_calls(rows: int) -> None:
    """So many settled calls, the last of them now. Most are copies of others, at other times."""
    calls, (user, llm) = apps.get_model("creative_services", "LlmCall"), _people_and_llms()
    dice, window = random.Random(1), timedelta(days=DAYS) / COPIES  # noqa: S311 - no secret
    calls.objects.bulk_create((_call(calls, dice, user, llm, window) for _ in range(rows // COPIES)), batch_size=1000)
    with connection.cursor() as cursor:
        for copy in range(1, COPIES):
            _copy(cursor, calls, copy, copy * window)
    _look_at_tables()


def _people_and_llms() -> tuple[list[int], list[Any]]:
    users, llms = apps.get_model("auth", "User"), apps.get_model("creative_services", "Llms")
    users.objects.bulk_create(users(username=f"user{number}") for number in range(USERS))
    tiers = ("economy", "standard", "premium", "standard")
    for number in range(LLMS):
        llms.objects.create(name=f"LLM {number}", provider="openai", model=f"m-{number}", tier=tiers[number % 4])
    return list(users.objects.values_list("pk", flat=True)), list(llms.objects.all())


def _call(calls: Any, dice: random.Random, users: list[int], llms: list[Any], window: timedelta) -> Any:
    from django.utils import timezone  # noqa: PLC0415 - needs settings

    llm, started = llms[_zipf(dice, LLMS)], timezone.now() - window * dice.random()
    is_ok, seconds = dice.random() > 0.05, dice.lognormvariate(0.7, 0.8)
    return calls(
        request_id=uuid4(), llm=llm, llm_name=llm.name, provider=llm.provider, model=llm.model, tier=llm.tier,
        user_id=users[_zipf(dice, USERS)], caller=f"feature {_zipf(dice, CALLERS)}",
        source=dice.choice(("api", "python")), started_at=started, finished_at=started + timedelta(seconds=seconds),
        expires_at=started + timedelta(seconds=180), latency_seconds=seconds, first_token_seconds=seconds / 3,
        outcome="ok" if is_ok else "error", status_code=200 if is_ok else 500,
        input_tokens=dice.randrange(100, 5000) if is_ok else None,
        output_tokens=dice.randrange(10, 1000) if is_ok else None,
        price_input=Decimal("0.00015"), price_output=Decimal("0.0006"), reserved=Decimal("0.003"),
        cost=Decimal(dice.randrange(10**9)).scaleb(-12) if is_ok else Decimal(0), cost_source="prices",
        budget_periods=[1, 2],
    )  # fmt: skip


def _zipf(dice: random.Random, count: int) -> int:
    return min(int(count ** dice.random()) - 1, count - 1)


def _copy(cursor: Any, calls: Any, number: int, earlier: timedelta) -> None:
    changed = {"number": F("number") + number, "started_at": F("started_at") - earlier}
    names = [field.column for field in calls._meta.concrete_fields if not field.primary_key]
    values = {f"new_{name}": changed.get(name, F(name)) for name in names}
    rows = calls.objects.filter(number=1).annotate(**values).values(*values).order_by()
    sql, params = rows.query.sql_with_params()
    columns = ", ".join(connection.ops.quote_name(name) for name in names)
    cursor.execute(f"INSERT INTO {connection.ops.quote_name(calls._meta.db_table)} ({columns}) {sql}", params)


def _look_at_tables() -> None:
    """What the database does by itself within minutes."""
    if connection.vendor != "mysql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def measure(rows: int) -> None:
    """Print how long adding up takes, and then the pages."""
    from creative_services.adapters.days import ONE_DAY, today  # noqa: PLC0415 - needs models
    from creative_services.adapters.totals import close_days  # noqa: PLC0415

    client = _browser()
    print(f"{rows:,} calls in {DAYS} days, {connection.vendor} {'.'.join(map(str, connection.get_database_version()))}")
    print(f"adding up all days, once: {_seconds(close_days):.1f} s")
    _look_at_tables()
    for days in (7, 30, 90):
        query = {"from": str(today() - (days - 1) * ONE_DAY), "to": str(today())}

        def view(query: dict[str, str] = query) -> None:
            assert client.get(PAGE, query).status_code == 200

        times = [_seconds(view) for _ in range(VIEWS)]
        print(f"page of {days} days: {statistics.median(times):.2f} s (from {min(times):.2f} to {max(times):.2f} s)")


def _browser() -> Any:
    from django.contrib.auth import get_user_model  # noqa: PLC0415 - needs models
    from django.test import Client  # noqa: PLC0415

    client = Client()
    client.force_login(get_user_model().objects.create_superuser("admin", password="benchmark"))  # noqa: S106
    return client


def _seconds(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
