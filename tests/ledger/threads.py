"""Which thread and which connection writes, and what is open afterwards, outside of tests. Prints what it sees."""

import asyncio
import json
import os
import threading

import django

if __name__ == "__main__":
    django.setup()

from django.core.management import call_command
from django.db import connections
from django.db.backends.signals import connection_created

from creative_services.adapters import get_client, get_sync_client
from creative_services.adapters.connection_pool import ALIAS, pool_of
from creative_services.models import Budget, LlmCall, Llms
from creative_services.testing import override_llms

writers = []


def note(execute, sql, params, many, context):
    if "INSERT INTO" in sql and "llmcall" in sql:
        writers.append((threading.current_thread().name.partition("_")[0], id(context["connection"].connection)))
    return execute(sql, params, many, context)


def listen(sender, connection, **_):
    if connection.alias.startswith(ALIAS):
        connection.execute_wrappers.append(note)


def written():
    found = sorted({thread for thread, _ in writers}), len({connection for _, connection in writers}), len(writers)
    writers.clear()
    return found


def left_open():
    return [one.alias for one in connections.all(initialized_only=True) if one.connection is not None]


async def ask_many(count):
    await asyncio.gather(*(get_client().generate("Hi") for _ in range(count)))
    return await asyncio.get_running_loop().run_in_executor(pool_of("other").threads, left_open)


def main():
    for alias in ("default", "other"):
        call_command("migrate", database=alias, verbosity=0)
    Llms.objects.create(name="Mini", provider="openai", model="m", tier="standard", api_key="sk-of-nobody")
    Budget.objects.create(name="All", limit=1, allows_unpriced=True)
    connection_created.connect(listen)
    with override_llms():
        for _ in range(2):
            get_sync_client().generate("Hi")
        blocking = written()
        open_there = asyncio.run(ask_many(20))
        awaited = written()
        child = os.fork()
        if child == 0:
            get_sync_client().generate("Hi")
            os._exit(0)
        os.waitpid(child, 0)
        get_sync_client().generate("Hi")
    outcomes = list(LlmCall.objects.values_list("outcome", flat=True))
    print(json.dumps([blocking, awaited, open_there, written(), outcomes]))  # noqa: T201 - what the test reads
    connections.close_all()


if __name__ == "__main__":
    main()
