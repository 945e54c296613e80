"""A process that is killed, wherever its call is just then: the books say what is in doubt, and no less."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.ledger.killed import DOUBTFUL, SETTLED

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(tmp_path):
    """The environment of another process: with a database of files on SQLite, else with this test's."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.ledger.race_settings"}
    if connection.vendor == "sqlite":
        url = f"sqlite:///{tmp_path / 'rows.sqlite3'}"
        return environment | {"DATABASE_URL": url, "RACE_LEDGER": str(tmp_path / "ledger.sqlite3")}
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return environment | {"DATABASE_URL": url}


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_leaves_its_call_in_doubt_and_charged_or_no_trace(environment, tmp_path):
    def run(*command):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    if connection.vendor == "sqlite":
        run("-m", "django", "migrate", "-v0")
    found = json.loads(run("-m", "tests.ledger.killed", str(tmp_path)))

    assert found["before"] == dict.fromkeys(DOUBTFUL, "running") | dict.fromkeys(SETTLED, "ok")
    assert found["named"] == sorted(DOUBTFUL)
    assert found["faults"] == [len(DOUBTFUL), 0]
    assert found["after"] == dict.fromkeys(DOUBTFUL, "lost") | dict.fromkeys(SETTLED, "ok")
    assert found["reserved"] == "0.000000000000"
    assert found["billed"] == len(DOUBTFUL) - 1 + len(SETTLED)
    assert found["is_enough"]
