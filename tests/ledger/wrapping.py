"""Something round every statement that the ledger's database is asked, on whatever connection."""

from contextlib import contextmanager

from django.db import OperationalError, connection
from django.db.backends.signals import connection_created

from creative_services.adapters.connection_pool import ALIAS


@contextmanager
def wrapping(execute):
    """`execute` as Django's `execute_wrapper` takes it, on this thread's connection and on those of the pool."""
    pooled = []

    def listen(sender, connection, **_):
        if connection.alias.startswith(ALIAS) and execute not in connection.execute_wrappers:
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


@contextmanager
def failing(kind, *, times=1, error=OperationalError, after=False):
    """The ledger's table refuses so many statements that begin so; `after` it has carried them out."""
    left = [times]

    def execute(run, sql, params, many, context):
        is_meant = sql.startswith(kind) and "llmcall" in sql and left[0] > 0
        left[0] -= is_meant
        if is_meant and not after:
            raise error("gone")
        result = run(sql, params, many, context)
        if is_meant:
            raise error("gone")
        return result

    with wrapping(execute):
        yield left
