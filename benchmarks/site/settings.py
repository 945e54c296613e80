"""The example project's settings, as a deployment has them: no debugging, connections that are kept."""

import os

from example_project.settings import *  # noqa: F403 - all of them, but for these
from example_project.settings import DATABASES, MIDDLEWARE

DEBUG = False
SECRET_KEY = "only-for-benchmarks"  # noqa: S105
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.site.urls"
DATABASES["default"]["CONN_MAX_AGE"] = None
if "sqlite3" in str(DATABASES["default"]["ENGINE"]):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
MIDDLEWARE = list(MIDDLEWARE) if not os.environ.get("BENCHMARK_BARE") else []
LOGGING_CONFIG = None
PROVIDER = os.environ.get("BENCHMARK_PROVIDER", "")
CREATIVE_SERVICES = {"ENDPOINTS_ALLOW_PRIVATE": True}
if os.environ.get("BENCHMARK_LEDGER") == "off":
    CREATIVE_SERVICES["LEDGER"] = False
