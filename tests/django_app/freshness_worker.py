"""One of several processes whose threads write and read the same rows at once, and notice every stale answer.

Worker n owns one row and writes a rising number into it: even ones are committed, odd ones rolled back. After a
commit it publishes the number to all. Whoever reads must see at least what was published before, and never an odd one.
"""

import mmap
import random
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django

if __name__ == "__main__":
    django.setup()

from django.core import serializers
from django.db import connection, connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import F

from creative_services.adapters.registry import DjangoLLMRegistry
from creative_services.models import Llms, touch_registry


def save(name, number):
    row = Llms.objects.get(name=name)
    row.max_tokens = number
    row.save()


def save_one_field(name, number):
    row = Llms.objects.get(name=name)
    row.max_tokens = number
    row.save(update_fields=["max_tokens"])


def update(name, number):
    Llms.objects.filter(name=name).update(max_tokens=number)


def update_by_expression(name, number):
    before = Llms.objects.get(name=name).max_tokens
    Llms.objects.filter(name=name).update(max_tokens=F("max_tokens") + number - before)


def bulk_update(name, number):
    rows = list(Llms.objects.filter(name=name))
    rows[0].max_tokens = number
    Llms.objects.bulk_update(rows, ["max_tokens"])


def upsert(name, number):
    row = Llms(name=name, provider="acme", model="m", tier="standard", max_tokens=number)
    unique = None if connection.vendor == "mysql" else ["name"]
    Llms.objects.bulk_create([row], update_conflicts=True, update_fields=["max_tokens"], unique_fields=unique)


def update_or_create(name, number):
    Llms.objects.update_or_create(name=name, defaults={"max_tokens": number})


def delete_and_create(name, number):
    with transaction.atomic():
        Llms.objects.get(name=name).delete()
        Llms.objects.create(name=name, provider="acme", model="m", tier="standard", max_tokens=number)


def delete_many_and_bulk_create(name, number):
    with transaction.atomic():
        Llms.objects.filter(name=name).delete()
        Llms.objects.bulk_create([Llms(name=name, provider="acme", model="m", tier="standard", max_tokens=number)])


def load_fixture(name, number):
    row = Llms.objects.get(name=name)
    row.max_tokens = number
    for item in serializers.deserialize("json", serializers.serialize("json", [row])):
        item.save()


def data_migration(name, number):
    historical = MigrationExecutor(connection).loader.project_state().apps.get_model("creative_services", "Llms")
    with transaction.atomic():
        historical.objects.get(name=name).delete()
        fresh = historical(name=name, provider="acme", model="m", tier="standard", max_tokens=number)
        historical.objects.bulk_create([fresh])
    fresh.save()


def raw_sql(name, number):
    with transaction.atomic(), connection.cursor() as cursor:
        touch_registry()
        cursor.execute("UPDATE creative_services_llms SET max_tokens = %s WHERE name = %s", [number, name])


WRITES = [
    save,
    save_one_field,
    update,
    update_by_expression,
    bulk_update,
    upsert,
    update_or_create,
    delete_and_create,
    delete_many_and_bulk_create,
    load_fixture,
    data_migration,
    raw_sql,
]


class Board:
    """The numbers that each worker has committed, shared among processes through a file."""

    def __init__(self, path, count):
        self.count = count
        with Path(path).open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), count * 8)

    def publish(self, index, number):
        struct.pack_into("q", self.memory, index * 8, number)

    def numbers(self):
        return list(struct.unpack_from(f"{self.count}q", self.memory))


class Worker:
    def __init__(self, index, board, registry, seed):
        self.index, self.board, self.registry = index, board, registry
        self.name, self.number = f"w{index}", 2
        self.random = random.Random(seed)  # noqa: S311 - which write comes next is no secret

    def shown(self):
        return {entry.name: entry.max_tokens for entry in self.registry.list_active()}

    def expect_own(self, number):
        shown = self.shown()[self.name]
        assert shown == number, f"{self.name} wrote {number} and sees {shown}"

    def step(self):
        write = self.random.choice(WRITES)
        self.number += 2
        self.random.choice([self.commit, self.commit_block, self.roll_back, self.roll_back_half])(write)
        self.look()

    def look(self):
        published = self.board.numbers()
        shown = self.shown()
        for index, least in enumerate(published):
            number = shown[f"w{index}"]
            assert number >= least, f"stale: w{index} is {least}, seen {number}"
            assert number % 2 == 0, f"w{index}: {number} was rolled back and is seen"
        assert shown[self.name] == published[self.index]

    def commit(self, write):
        write(self.name, self.number)
        self.board.publish(self.index, self.number)

    def commit_block(self, write):
        with transaction.atomic():
            write(self.name, self.number)
            self.expect_own(self.number)
        self.board.publish(self.index, self.number)

    def roll_back(self, write):
        with transaction.atomic():
            write(self.name, self.number + 1)
            self.expect_own(self.number + 1)
            transaction.set_rollback(True)

    def roll_back_half(self, write):
        with transaction.atomic():
            self.random.choice(WRITES)(self.name, self.number)
            self.expect_own(self.number)
            with transaction.atomic():
                write(self.name, self.number + 1)
                self.expect_own(self.number + 1)
                transaction.set_rollback(True)
            self.expect_own(self.number)
        self.board.publish(self.index, self.number)


def prepare(path, count):
    """The workers' rows, and the file by which they tell each other; call it before they start."""
    for index in range(count):
        Llms.objects.create(name=f"w{index}", provider="acme", model="m", tier="standard", max_tokens=2)
    Path(path).write_bytes(struct.pack(f"{count}q", *[2] * count))


def work(worker, steps):
    try:
        for _ in range(steps):
            worker.step()
    finally:
        connections.close_all()


def main():
    path, count, steps, *indexes = sys.argv[1], *map(int, sys.argv[2:])
    board, registry = Board(path, count), DjangoLLMRegistry()
    with ThreadPoolExecutor(len(indexes)) as threads:
        results = [threads.submit(work, Worker(index, board, registry, seed=index), steps) for index in indexes]
    for result in results:
        result.result()


if __name__ == "__main__":
    main()
