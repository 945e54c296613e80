"""A ledger on connections of its own, as it is outside of tests: which thread writes, and what is open afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_threads_share_few_connections_and_forked_processes_none(tmp_path):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.ledger.threads_settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'rows.sqlite3'}",
        "OTHER_LEDGER": str(tmp_path / "other.sqlite3"),
    }
    command = [sys.executable, "-m", "tests.ledger.threads"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    blocking, awaited, left_open, after_a_fork, outcomes = json.loads(done.stdout)

    assert blocking == [["MainThread"], 1, 2]
    assert awaited[0] == ["llm-ledger"]
    assert awaited[1] <= 10
    assert awaited[2] == 20
    assert left_open == []
    assert after_a_fork == [["MainThread"], 1, 1]
    assert outcomes == ["ok"] * 24
