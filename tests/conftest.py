"""What every test can use."""

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from creative_services.asgi import KeptThreads

pytest_plugins = ["tests.no_skips"]


@pytest.fixture
def kept_threads():
    """Threads for our ASGI application, of which the last few leave no connection open."""
    threads = KeptThreads()
    yield threads
    for thread in [threads.take() for _ in range(3)]:
        thread.submit(close_for_good).result()
        thread.shutdown()


def close_for_good():
    for one in connections.all(initialized_only=True):
        BaseDatabaseWrapper.close(one)  # Django's for SQLite keeps a database in memory, even at its thread's end
