"""Settings of a process whose ledger is in a database that is not SQLite to those who ask."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES

DATABASES["other"] = {
    "ENGINE": "tests.ledger.other_backend",
    "NAME": os.environ["OTHER_LEDGER"],
    "OPTIONS": {"timeout": 30, "transaction_mode": "IMMEDIATE"},
}
CREATIVE_SERVICES = {"LEDGER_DATABASE": "other"}
