"""Connections of our own, for the ledger and for what every request reads. They work the same on every database."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import DatabaseError, Error, connections, transaction

from creative_services import adapters
from creative_services.adapters import connection_pool, ledger, ledger_database
from creative_services.adapters.connection_pool import ALIAS, ConnectionPool, close_pools, pool_of
from creative_services.adapters.connections import connection_for
from creative_services.adapters.ledger_database import ledger_connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alias(tmp_path):
    """The test's database; a file on SQLite, where the one in memory is never closed."""
    if connections["default"].vendor != "sqlite":
        yield "default"
        return
    connections.settings["filed"] = {**connections.settings["default"], "NAME": str(tmp_path / "file.sqlite3")}
    yield "filed"
    del connections.settings["filed"]


@pytest.fixture
def pool(alias, monkeypatch):
    """A pool as it is outside of tests, where connections are kept."""
    monkeypatch.setattr(connection_pool, "tests_are_running", lambda: False)
    pool = ConnectionPool(alias, size=2, patience=0.05)
    yield pool
    pool.close()


def ask(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return connection.connection


def test_a_connection_is_used_again_by_whatever_thread_comes_next(pool):
    def use():
        with pool.loan() as connection:
            return ask(connection)

    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(use).result() is use()


def test_it_is_known_by_its_alias_to_its_own_thread_and_only_for_a_while(pool):
    with pool.loan() as connection:
        alias = connection.alias
        assert alias.startswith(ALIAS)
        assert connections[alias] is connection
        assert connection is not connections["default"]
        assert connection not in connections.all()
    assert not hasattr(connections._connections, alias)


def test_within_a_loan_its_thread_has_the_same_connection_and_waits_for_no_other(pool):
    with pool.loan() as connection:
        for _ in range(pool._size):
            with pool.loan() as again:
                assert again is connection
        assert connections[connection.alias] is connection
    with pool.loan() as later:
        assert ask(later) is not None


def test_loans_of_two_databases_do_not_get_into_each_others_way(pool, monkeypatch):
    monkeypatch.setitem(connections.settings, "beside", connections.settings["default"])
    with pool.loan() as one, ConnectionPool("beside").loan() as two:
        assert connections[one.alias] is one
        assert connections[two.alias] is two


def test_no_more_are_open_than_its_size_and_who_waits_gets_the_next(pool):
    held, is_over = threading.Barrier(3), threading.Event()

    def hold():
        with pool.loan():
            held.wait(5)
            is_over.wait(5)

    with ThreadPoolExecutor(2) as threads:
        holders = [threads.submit(hold), threads.submit(hold)]
        held.wait(5)
        with pytest.raises(DatabaseError, match="All 2 of our connections"):
            pool.loan().__enter__()
        pool._patience = 5
        is_over.set()
        with pool.loan() as connection:
            assert ask(connection)
        for holder in holders:
            holder.result(5)


def test_one_that_broke_is_opened_anew(pool):
    def use_broken(connection):
        ask(connection).close()
        ask(connection)

    with pytest.raises(Error), pool.loan() as connection:
        use_broken(connection)
    if connection.vendor == "sqlite":
        connection.close()  # what is a file does not break by itself
    with pool.loan() as connection:
        assert ask(connection)


def test_when_one_broke_those_that_were_idle_are_opened_anew_as_well(pool):
    both = threading.Barrier(2)

    def use():
        with pool.loan() as connection:
            both.wait(5)
            return ask(connection)

    def use_both():
        with ThreadPoolExecutor(2) as threads:
            return {use.result(5) for use in [threads.submit(use), threads.submit(use)]}

    def break_it(connection):
        connection.is_usable = lambda: False  # what is a file does not break by itself
        connection.cursor().execute("SELECT nothing FROM nowhere")

    before = use_both()
    with pytest.raises(Error), pool.loan() as connection:
        break_it(connection)
    assert not before & use_both()


def test_one_that_broke_while_it_was_idle_is_opened_anew_before_it_is_used(pool, monkeypatch):
    monkeypatch.setattr(connection_pool, "TRUSTED", 60)
    with pool.loan() as connection:
        old = ask(connection)
    connection.is_usable = lambda: False
    with pool.loan() as connection:
        assert ask(connection) is old  # it was in use a moment ago
    monkeypatch.setattr(connection_pool, "TRUSTED", 0)
    time.sleep(0.001)
    with pool.loan() as connection:
        assert ask(connection) is not old


@pytest.fixture
def reading(alias, monkeypatch):
    """What is read by, as it is outside of tests."""
    monkeypatch.setattr(adapters.connections, "tests_are_running", lambda: False)
    yield connection_for
    connections[alias].close()


def test_what_is_read_comes_over_the_pool_and_opens_no_connection_of_the_threads(alias, reading):
    connections[alias].close()
    with reading(alias) as connection:
        assert ask(connection)
        assert connection.alias == f"{ALIAS}.{alias}"
    assert connections[alias].connection is None


def test_what_is_read_comes_over_the_threads_own_where_that_is_open(alias, reading, monkeypatch):
    own = connections[alias]
    monkeypatch.setattr(own, "connection", object())
    with reading(alias) as connection:
        assert connection is own
    monkeypatch.undo()


def test_in_a_transaction_what_is_read_comes_over_the_threads_own(reading):
    with transaction.atomic(), reading("default") as connection:
        assert connection is connections["default"]


def test_who_only_reads_does_not_wait_for_writers_that_have_them_all(alias, reading, pool, monkeypatch):
    monkeypatch.setattr(adapters.connections, "pool_of", lambda _: pool)
    monkeypatch.setattr(connection_pool, "SOON", 0.01)
    connections[alias].close()
    taken = [pool._places.get() for _ in range(pool._size)]
    with reading(alias) as connection:
        assert connection is connections[alias]
    for _ in taken:
        pool._places.put(None)


def test_the_ledger_writes_over_the_connection_of_a_thread_that_may_lock_the_file(alias, settings, monkeypatch):
    settings.CREATIVE_SERVICES = {"LEDGER_DATABASE": alias}
    own = connections[alias]
    own.close()
    with ledger_connection() as connection:
        assert connection is not own
    with monkeypatch.context() as opened:
        opened.setattr(own, "connection", object())
        with ledger_connection() as connection:
            assert (connection is own) == (own.vendor == "sqlite")


@pytest.mark.parametrize("limit", ["LONGEST_IDLE", "LONGEST_LIFE"])
def test_one_that_was_idle_or_lived_for_long_is_opened_anew(pool, monkeypatch, limit):
    monkeypatch.setattr(connection_pool, limit, 0)
    with pool.loan() as connection:
        old = ask(connection)
    time.sleep(0.001)
    with pool.loan() as connection:
        assert ask(connection) is not old


def test_options_of_the_database_hold_but_not_those_for_pools_and_ages(alias):
    settings = connections.settings[alias]
    before = dict(settings)
    settings.update(CONN_MAX_AGE=0, AUTOCOMMIT=False, OPTIONS={**before["OPTIONS"], "pool": True})
    try:
        with ConnectionPool(alias).loan() as connection:
            assert "pool" not in connection.settings_dict["OPTIONS"]
            assert connection.settings_dict["AUTOCOMMIT"]
            assert connection.settings_dict["CONN_MAX_AGE"] > 0
            assert connection.settings_dict["NAME"] == settings["NAME"]
    finally:
        settings.clear()
        settings.update(before)


def test_in_tests_none_stays_open_since_test_databases_are_dropped(alias):
    pool = ConnectionPool(alias)
    with pool.loan() as connection:
        ask(connection)
    assert connection.connection is None


def test_what_must_be_booked_waits_anew_for_a_connection(alias, pool, settings, monkeypatch):
    settings.CREATIVE_SERVICES = {"LEDGER_DATABASE": alias}
    monkeypatch.setattr(ledger_database, "pool_of", lambda _: pool)
    are_taken = Barrier(3)

    def hold():
        with pool.loan():
            are_taken.wait()
            time.sleep(0.2)

    with ThreadPoolExecutor(2) as others:
        holding = [others.submit(hold) for _ in range(2)]
        are_taken.wait()
        assert ledger._persistently(ledger.LAST_PAUSES, lambda connection, is_again: is_again)
        assert [one.result() for one in holding] == [None, None]


def test_on_sqlite_there_is_one_and_waiting_for_it_lasts_no_shorter_than_for_the_file(alias, monkeypatch):
    monkeypatch.setattr(connection_pool, "SOON", 0.01)
    monkeypatch.setitem(connections[alias].settings_dict, "OPTIONS", {"timeout": 30})
    is_sqlite = connections[alias].vendor == "sqlite"
    pool = connection_pool._pool_for(connections[alias])

    def finds_none():
        with pool.loan_soon() as second:
            return second is None

    with ThreadPoolExecutor(1) as other, pool.loan():
        assert other.submit(finds_none).result() == is_sqlite
    assert pool._patience == (30 if is_sqlite else connection_pool.PATIENCE)


def test_a_process_has_one_for_each_database_and_a_forked_one_its_own(monkeypatch):
    ours = pool_of("default")
    assert pool_of("default") is ours
    assert pool_of("elsewhere") is not ours

    monkeypatch.setattr(os, "getpid", lambda: -1)
    theirs = pool_of("default")
    close_pools()

    assert theirs is not ours
