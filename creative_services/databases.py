"""In which database the ledger's rows live."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.db import connections, router

from creative_services.conf import app_settings

FILE = "creative_services_ledger"
"""The alias of a ledger in a SQLite file of its own."""


@cache
def own_model(name: str) -> Any:
    """A model of this app's, for modules that are imported before there are models."""
    return apps.get_model("creative_services", name)


def ledger_alias() -> str:
    """The alias of the database in which LlmCall and BudgetPeriod rows are written and read.

    In the TestCases of projects it is that of their other rows, unless the test opens the ledger's as well, so that
    every test sees its own rows only and nothing lands in the file of a real ledger.
    """
    usual = router.db_for_write(own_model("LlmCall"))
    place = app_settings.ledger_database
    if place is None:
        return usual
    if isinstance(place, Path):
        return usual if tests_are_running() else _alias_of_file(place)
    return usual if is_of_a_test(connections[usual]) and not is_of_a_test(connections[place]) else place


def migrate_file(*, using: str, verbosity: int, **_: object) -> None:
    """Receiver of post_migrate: the ledger's SQLite file, if it has one, is migrated with the other databases."""
    if using != FILE and ledger_alias() == FILE:
        call_command("migrate", "creative_services", database=FILE, verbosity=verbosity, interactive=False)


def is_of_a_test(connection: Any) -> bool:
    """Whether a TestCase of Django's has this connection in a transaction that it will roll back."""
    return any(getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def is_in_memory(connection: Any) -> bool:
    """Whether its database is one that only this connection has."""
    return connection.vendor == "sqlite" and bool(connection.is_in_memory_db())


def tests_are_running() -> bool:
    """Whether Django's test environment is set up."""
    module = sys.modules.get("django.test.utils")
    return hasattr(getattr(module, "_TestState", None), "saved_data")


def _alias_of_file(file: Path) -> str:
    known = connections.settings.get(FILE)
    if known is None or known["NAME"] != str(file):
        # Readers and one writer at a time do not wait for each other; writers wait instead of failing.
        options = {"timeout": 30, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": options}
        connections.settings[FILE] = connections.configure_settings({"default": database})["default"]
    return FILE
