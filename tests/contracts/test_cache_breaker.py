"""The same promises over Django's cache, and what only a shared state can break."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection

from creative_services import DictRegistry, SyncDynamicLLMClient
from creative_services.adapters.breaker import MOST_NOTES, PAUSE, CacheBreaker
from creative_services.adapters.connections import GivingBack, holding_none
from creative_services.core.errors import AuthenticationError, RateLimitError
from creative_services.core.types import Attempt
from creative_services.testing import FakeProvider
from creative_services.testing.breaker_story import LLM, BreakerStory
from tests.contracts.breakers import OverviewContract
from tests.contracts.caches import observed
from tests.contracts.redis_server import needs_redis, redis_caches
from tests.loopback import LoopbackProvider

ROOT = Path(__file__).parents[2]


class OverACache(OverviewContract):
    @pytest.fixture(autouse=True)
    def project(self, settings):
        self.settings = settings
        yield
        cache.clear()

    def make(self, clock):
        self.settings.CACHES = observed(clock)
        return CacheBreaker(clock=clock)


class TestCacheBreaker(OverACache):
    pass


class TestCacheBreakerAwaited(OverACache):
    awaited = True


class OverRedis(OverACache):
    @pytest.fixture(autouse=True)
    def project(self, settings):
        self.settings = settings
        yield
        for key in self.keys():
            self.client.delete(key)
        self.client.close()

    def make(self, clock):
        import redis

        self.settings.CACHES = redis_caches()
        self.client = redis.Redis()
        return CacheBreaker(clock=clock)

    def keys(self):
        return self.client.keys(f"{cache.key_prefix}:*")

    def elapse(self, seconds):
        """The server has a clock of its own: what would expire by then does so sooner."""
        super().elapse(seconds)
        for key in self.keys():
            self.client.pexpire(key, self.client.pttl(key) - int(seconds * 1000))


@needs_redis
class TestCacheBreakerOverRedis(OverRedis):
    pass


@needs_redis
class TestCacheBreakerOverRedisAwaited(OverRedis):
    awaited = True


class Told(BreakerStory):
    """A breaker over a cache that tells each call of it, and that fails while it `is_down`."""

    is_down = False

    def __init__(self, settings, awaited):
        self.calls = []
        self.awaited = awaited
        settings.CACHES = observed(lambda: self.now, self.hear)
        self.begin()

    def make(self, clock):
        return CacheBreaker(clock=clock)

    def hear(self, method):
        self.calls.append(method)
        if self.is_down:
            raise ConnectionError("Nobody listens.")

    def told(self):
        calls, self.calls = self.calls, []
        return calls


@pytest.fixture(params=[False, True], ids=["blocking", "awaited"])
def story(settings, request):
    told = Told(settings, request.param)
    yield told
    told.is_down = False
    cache.clear()


def test_a_call_that_succeeds_costs_one_read(story):
    story.admit()
    story.succeed()

    assert story.told() == ["get"]


def test_a_success_is_written_only_after_a_failure(story):
    story.fail()
    story.told()
    for expected in (["get", "get", "delete"], ["get"]):
        story.admit()
        story.succeed()
        assert story.told() == expected


def test_what_does_not_count_is_not_written(story):
    story.fail(times=3)
    story.told()

    story.report("cancelled")
    story.fail()

    assert set(story.told()) == {"get"}


def test_processes_share_what_they_know(story):
    other = CacheBreaker(clock=lambda: story.now)
    story.fail(times=3)

    assert other.admit(LLM) is not None
    story.elapse(10)
    assert other.admit(LLM) is None
    assert story.admit() is not None
    other.report(LLM, Attempt(LLM.id, LLM.name, "ok"))
    assert story.admit() is None


def test_a_process_that_looked_before_the_probe_failed_does_not_take_a_second_place(story, settings):
    """Between its two looks at the cache the probe of another process fails."""
    story.fail(times=3)
    story.elapse(10)
    other = CacheBreaker(clock=lambda: story.now)
    seen = []

    def while_others_add(method):
        if method == "add" and not seen:
            seen.append(method)
            assert other.admit(LLM) is None
            other.report(LLM, Attempt(LLM.id, LLM.name, "error", AuthenticationError("No.")))

    settings.CACHES = observed(lambda: story.now, while_others_add)

    assert story.admit() is not None
    assert seen == ["add"]


def test_the_key_is_not_in_the_cache_and_neither_is_the_name(story, settings):
    story.fail(times=3)

    stored = repr(cache._cache)
    assert "creative_services.breaker" in stored
    assert LLM.api_key not in stored
    assert LLM.model not in stored


def test_projects_that_share_a_cache_do_not_know_each_others_keys(story, settings):
    story.fail(times=3)

    settings.SECRET_KEY = "another project's"

    assert CacheBreaker(clock=lambda: story.now).admit(LLM) is None


def test_what_a_process_notes_is_bounded(story):
    story.fail()
    for llm_id in range(2, MOST_NOTES + 2):
        story.breaker.report(replace(LLM, id=llm_id), Attempt(llm_id, LLM.name, "error", AuthenticationError("No.")))

    assert len(story.breaker._notes) <= MOST_NOTES


def test_a_cache_that_fails_is_logged_once_and_keeps_no_call_from_anybody(story, caplog):
    story.fail(times=3)
    story.is_down = True
    story.told()

    for _ in range(3):
        assert story.admit() is None
        story.fail()
        story.elapse(PAUSE)
    assert story.cooling() is None
    assert not story.breaker.reset([LLM])

    assert len(story.told()) == 4, "it is left alone for a while each time"
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "'default' fails" in record.message
    assert "ConnectionError: Nobody listens." in record.message


def test_a_cache_that_works_again_is_used_again_and_its_next_failure_logged(story, caplog):
    story.fail(times=3)
    story.is_down = True
    story.admit()
    story.is_down = False
    story.elapse(PAUSE)
    assert story.admit() is not None

    story.is_down = True
    story.admit()

    assert len(caplog.records) == 2


def test_a_redis_that_is_down_fails_no_call(settings, caplog):
    settings.CACHES = redis_caches(port=1)
    breaker = CacheBreaker()

    assert breaker.admit(LLM) is None
    breaker.report(LLM, Attempt(LLM.id, LLM.name, "error", AuthenticationError("No.")))
    assert breaker.coolings([LLM]) == {}

    [record] = caplog.records
    assert "Connection refused" in record.message


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("awaited", [False, True])
def test_a_cache_in_the_database_holds_no_connection_while_a_provider_talks(settings, awaited):
    backend = "django.core.cache.backends.db.DatabaseCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "test_breaker_cache"}}
    call_command("createcachetable", verbosity=0)
    breaker = CacheBreaker()
    breaker.report(LLM, Attempt(LLM.id, LLM.name, "error", AuthenticationError("No.")))

    seen = []

    class Provider(FakeProvider):
        def open(self, request):
            # A database in memory would be lost with its connection, so Django keeps that one.
            seen.append(connection.connection is None or connection.is_in_memory_db())
            return super().open(request)

    transport = GivingBack(Provider("Hi"))
    with holding_none():
        refusal = async_to_sync(breaker.aadmit)(LLM) if awaited else breaker.admit(LLM)
        client = SyncDynamicLLMClient(DictRegistry([LLM]), transport=transport)
        client.generate("Hello")

    assert refusal is not None
    assert seen == [True]
    with connection.schema_editor() as editor:
        editor.execute("DROP TABLE test_breaker_cache")


def keys_of(prefix):
    import redis

    with redis.Redis(decode_responses=True) as client:
        return client.keys(f"{prefix}:*")


@needs_redis
def test_on_recovery_one_of_four_processes_sends_one_probe(settings):
    settings.CACHES = redis_caches()
    is_back, askers = threading.Event(), []

    def recover(request):
        askers.append(is_back.is_set())
        if not is_back.is_set():
            time.sleep(1.5)
            is_back.set()
        return "back"

    with LoopbackProvider(recover) as sick, LoopbackProvider("instead") as well:
        entries = [
            replace(LLM, id=number, api_endpoint=provider.url, cost_per_1k_input=float(number))
            for number, provider in enumerate((sick, well), 1)
        ]
        workers = [start_worker(settings.CACHES, sick, well) for _ in range(4)]
        assert [worker.stdout.readline() for worker in workers] == ["ready\n"] * 4
        busy = RateLimitError("Busy.", status_code=429, retry_after=1.5)
        CacheBreaker().report(entries[0], Attempt(1, LLM.name, "error", busy))
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        heard = [json.loads(worker.communicate(timeout=50)[0]) for worker in workers]

    assert [worker.returncode for worker in workers] == [0] * 4
    assert askers.count(False) == 1
    assert len(askers) == 4
    assert all(answers[0] == "instead" and answers[-1] == "back" for answers in heard)
    # Not `clear()`, which empties the whole server, also of what other suites keep there meanwhile.
    cache.delete_many(key.rpartition(":")[2] for key in keys_of(cache.key_prefix))


def start_worker(caches, sick, well):
    command = [sys.executable, "-m", "tests.contracts.breaker_worker", json.dumps(caches), sick.url, well.url]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
