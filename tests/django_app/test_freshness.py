import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from creative_services.adapters import DjangoLLMRegistry
from creative_services.models import Llms, RegistryToken, touch_registry
from tests.django_app import freshness_worker
from tests.django_app.rows import make, values

ROOT = Path(__file__).parents[2]
WORKER = freshness_worker.__name__
transactional = pytest.mark.django_db(transaction=True)


def run(*command, environment):
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, **both)


@pytest.fixture
def other_process(tmp_path):
    """The environment of another process on a database of several processes: a file, or this server's."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    if connection.vendor == "sqlite":
        url = f"sqlite:///{tmp_path / 'rows.sqlite3'}"
    else:
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return environment | {"DATABASE_URL": url}


def finish(process):
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output


@transactional
def test_no_process_and_no_thread_ever_sees_old_or_rolled_back_rows(other_process, tmp_path):
    board, steps = str(tmp_path / "board"), os.environ.get("FRESHNESS_STEPS", "20")
    finish(run("-m", "django", "migrate", "-v0", environment=other_process))
    prepare = f"import django; django.setup(); from {WORKER} import prepare; prepare({board!r}, 4)"
    finish(run("-c", prepare, environment=other_process))

    workers = [run("-m", WORKER, board, "4", steps, *pair, environment=other_process) for pair in ("01", "23")]

    for worker in workers:
        finish(worker)


@transactional
@pytest.mark.parametrize("write", freshness_worker.WRITES, ids=lambda write: write.__name__)
def test_every_kind_of_write_is_seen_and_its_rollback_too(write, tmp_path):
    freshness_worker.prepare(tmp_path / "board", 1)
    worker = freshness_worker.Worker(0, freshness_worker.Board(tmp_path / "board", 1), DjangoLLMRegistry(), seed=1)

    for act in (worker.commit, worker.roll_back, worker.commit_block, worker.roll_back_half):
        worker.number += 2
        act(write)
        worker.look()


@transactional
@pytest.mark.parametrize("write", freshness_worker.WRITES, ids=lambda write: write.__name__)
def test_every_kind_of_write_takes_the_token_before_it_locks_a_row(write, tmp_path):
    freshness_worker.prepare(tmp_path / "board", 1)

    with CaptureQueriesContext(connection) as queries:
        write("w0", 4)

    statements = [query["sql"].replace('"', "").replace("`", "") for query in queries.captured_queries]
    locking = [sql for sql in statements if not sql.startswith("SELECT") or "FOR UPDATE" in sql]
    tables = [sql for sql in locking if "creative_services" in sql]
    assert tables[0].startswith("UPDATE creative_services_registrytoken")
    assert any("creative_services_llms" in sql for sql in tables)


@transactional
def test_nothing_is_read_again_while_nothing_changes(django_assert_num_queries):
    registry = DjangoLLMRegistry()
    make()
    registry.get_by_tier("standard")

    with django_assert_num_queries(1):
        assert registry.get_by_tier("standard").name == "GPT"
    with django_assert_num_queries(3):
        registry.get_by_id(1), registry.list_active(), list(registry.candidates("standard"))


@transactional
def test_calls_in_and_out_of_an_open_change_do_not_push_each_other_out(django_assert_num_queries):
    registry = DjangoLLMRegistry()
    row = make()
    registry.list_active()

    with transaction.atomic():
        row.delete()
        assert registry.list_active() == []
        transaction.set_rollback(True)

    with django_assert_num_queries(1):
        assert len(registry.list_active()) == 1


@transactional
def test_an_open_change_of_ones_own_is_seen_but_not_remembered(django_assert_num_queries):
    registry = DjangoLLMRegistry()
    with transaction.atomic():
        make()
        assert len(registry.list_active()) == 1
        with django_assert_num_queries(2):
            assert len(registry.list_active()) == 1
    registry.list_active()

    with django_assert_num_queries(1):
        assert len(registry.list_active()) == 1


@transactional
def test_a_lost_token_costs_a_read_and_comes_back_with_the_next_write(django_assert_num_queries):
    registry = DjangoLLMRegistry()
    row = make()
    RegistryToken.objects.all().delete()
    with django_assert_num_queries(2):
        registry.list_active()

    row.save()

    registry.list_active()
    with django_assert_num_queries(1):
        assert registry.get_by_id(row.pk)


@transactional
def test_each_operation_renews_the_token_once(django_assert_max_num_queries):
    Llms.objects.bulk_create([Llms(**values(name=f"m{n}", api_key=None)) for n in range(500)])

    with django_assert_max_num_queries(16) as queries:  # budgets and the ledger refer to them
        Llms.objects.all().delete()

    assert sum("registrytoken" in query["sql"] for query in queries.captured_queries) == 1


@transactional
def test_only_the_latest_states_are_kept(django_assert_num_queries):
    registry = DjangoLLMRegistry()
    for number in range(10):
        row = make(name=f"m{number}")
        assert len(registry.list_active()) == number + 1

    with transaction.atomic():
        row.delete()
        assert len(registry.list_active()) == 9
        transaction.set_rollback(True)

    with django_assert_num_queries(1):
        assert len(registry.list_active()) == 10
    assert len(registry._fresh._kept) == 4


@transactional
def test_raw_sql_is_seen_when_it_touches_the_registry_first():
    registry = DjangoLLMRegistry()
    row = make()
    registry.list_active()

    with transaction.atomic(), connection.cursor() as cursor:
        touch_registry()
        cursor.execute("DELETE FROM creative_services_llms WHERE id = %s", [row.pk])

    assert registry.list_active() == []


@transactional
def test_raw_sql_cannot_touch_the_registry_outside_its_transaction():
    with pytest.raises(transaction.TransactionManagementError, match="atomic"):
        touch_registry()


@transactional
def test_a_failed_write_leaves_the_rows_and_the_memory_as_they_were():
    registry = DjangoLLMRegistry()
    make()
    before = RegistryToken.objects.get().token

    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        make()

    assert str(RegistryToken.objects.get()) == before
    assert [entry.name for entry in registry.list_active()] == ["GPT"]


@transactional
def test_sync_and_async_code_get_the_same_answers():
    registry = DjangoLLMRegistry()
    row = make()
    make(name="bad", tier="economy", api_key="env:NOT_ALLOWED")

    async def ask():
        return [
            await registry.aget_by_id(row.pk),
            await registry.aget_by_tier("standard"),
            await registry.aget_by_tier("economy"),
            await registry.alist_active(),
            list(await registry.acandidates("economy")),
        ]

    assert async_to_sync(ask)() == [
        registry.get_by_id(row.pk),
        registry.get_by_tier("standard"),
        registry.get_by_tier("economy"),
        registry.list_active(),
        list(registry.candidates("economy")),
    ]
