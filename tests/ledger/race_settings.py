"""Settings of the processes that race for a budget: the tests', and on SQLite a ledger in a file of its own."""

import os

from tests.settings import *  # noqa: F403

if "RACE_LEDGER" in os.environ:
    CREATIVE_SERVICES = {"LEDGER_DATABASE": os.environ["RACE_LEDGER"]}
