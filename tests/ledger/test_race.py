"""The promise of hard budgets: what many processes spend at once never passes the limit, even if they are killed."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.ledger import race

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(tmp_path):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.ledger.race_settings"}
    if connection.vendor == "sqlite":
        environment |= {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'rows.sqlite3'}",
            "RACE_LEDGER": str(tmp_path / "ledger.sqlite3"),
        }
    else:
        name = connection.settings_dict["NAME"]
        environment["DATABASE_URL"] = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()

    def run(killed):
        command = [sys.executable, "-m", race.__name__, str(tmp_path), str(killed)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)  # noqa: PLW1510
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_of_400_calls_at_once_exactly_those_are_made_that_the_budget_pays_for(run):
    (after,) = run(killed=0)

    assert after["came"] == {"ok": 100, "BudgetExceededError": 300}
    assert after["billed"] == 100
    assert (Decimal(after["spent"]), Decimal(after["reserved"]), Decimal(after["booked"])) == (100, 0, 100)
    assert after["rows"] == {"ok": 100}
    assert Decimal(after["watched"]["most"]) <= 100
    assert after["watched"]["faults"] == []
    assert after["watched"]["seen"] > 10
    assert after["audit"] == "ok"


def test_what_killed_processes_may_have_spent_is_charged_and_nothing_is_forgotten(run):
    before, late, swept = run(killed=4)

    assert Decimal(before["watched"]["most"]) <= 100
    assert before["watched"]["faults"] == []
    in_doubt = before["rows"].get("running", 0)
    assert before["audit"] == "ok"
    assert late["audit"] == (f"Off: {in_doubt}, see above." if in_doubt else "ok")
    assert Decimal(swept["reserved"]) == 0
    assert swept["billed"] <= Decimal(swept["booked"]) == Decimal(swept["spent"]) <= 100
    assert swept["rows"].get("lost", 0) == in_doubt
    assert swept["audit"] == "ok"
