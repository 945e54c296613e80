"""Something round every statement that the ledger's database is asked, on whatever connection."""

from contextlib import contextmanager

from django.db import connection
from django.db.backends.signals import connection_created

from creative_services.adapters.connection_pool import ALIAS


@contextmanager
def wrapping(execute):
    """`execute` as Django's `execute_wrapper` takes it, on this thread's connection and on those of the pool."""
    pooled = []

    def listen(sender, connection, **_):
        if connection.alias == ALIAS and execute not in connection.execute_wrappers:
            connection.execute_wrappers.append(execute)
            pooled.append(connection)

    connection_created.connect(listen)
    try:
        with connection.execute_wrapper(execute):
            yield
    finally:
        connection_created.disconnect(listen)
        for one in pooled:
            one.execute_wrappers.remove(execute)
