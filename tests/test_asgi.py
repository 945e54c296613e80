"""Our ASGI application: a thread for each request that does all of it, and that the next request has too."""

import asyncio
import inspect
import sys
import threading
from types import ModuleType

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.http import HttpResponse
from django.urls import path
from django.utils.decorators import sync_and_async_middleware

from creative_services.asgi import MOST_IDLE, KeptThreads, KeptThreadsHandler, get_asgi_application

PROBE = f"{__name__}.probe"


@sync_and_async_middleware
def probe(get_response):
    """As Django's own are: async where the next one is."""
    if inspect.iscoroutinefunction(get_response):
        return lambda request: pytest.fail("there is a way to a thread for each hook of it")

    def on_a_thread(request):
        response = get_response(request)
        response["x-middleware"] = str(threading.get_native_id())
        return response

    return on_a_thread


def tell(request):
    response = HttpResponse(f"{request.method} {request.body.decode()}")
    response["x-view"] = str(threading.get_native_id())
    return response


async def atell(request):
    response = tell(request)
    response["x-loop"] = str(id(asyncio.get_running_loop()))
    return response


def meet(request):
    request_met.wait(timeout=20)
    return tell(request)


def read(request):
    connections["kept"].ensure_connection()
    return HttpResponse(str(id(connections["kept"].connection)))  # the driver's own


request_met = threading.Barrier(3)
urlpatterns = [path(view.__name__, view) for view in (tell, atell, meet, read)]


@pytest.fixture
def kept_threads():
    """Threads of which the last few leave no connection open."""
    threads = KeptThreads()
    yield threads
    for thread in [threads.take() for _ in range(3)]:
        threads.end(thread)
        thread.shutdown()


@pytest.fixture
def application(settings, kept_threads):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, PROBE]
    return KeptThreadsHandler(kept_threads)


async def ask(application, name, kind="http"):
    """Status, headers and body; the client stays until it has all of it."""
    sent = []
    received = [{"type": "http.request", "body": b"hello", "more_body": False}]

    async def receive():
        return received.pop() if received else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": "GET", "path": f"/{name}", "query_string": b"", "headers": []}
    await application(scope, receive, send)
    headers = {key.decode(): value.decode() for key, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])


def asked(application, *names):
    """What requests that are made one after the other come to."""

    async def all_of_them():
        return [await ask(application, name) for name in names]

    return asyncio.run(all_of_them())


def test_middleware_and_view_run_on_one_thread_and_the_next_request_has_the_same(application):
    (status, first, body), (_, second, _) = asked(application, "tell", "tell")

    assert (status, body) == (200, b"GET hello")
    assert first["x-middleware"] == first["x-view"] == second["x-view"] != str(threading.get_native_id())


def test_requests_at_once_have_a_thread_each(application):
    async def three():
        return await asyncio.gather(*(ask(application, "meet") for _ in range(3)))

    answers = asyncio.run(three())

    assert len({headers["x-view"] for _, headers, _ in answers}) == 3


def test_async_views_run_on_the_servers_loop(application):
    async def with_loop():
        return str(id(asyncio.get_running_loop())), await ask(application, "atell")

    loop, (status, headers, body) = asyncio.run(with_loop())

    assert (status, body) == (200, b"GET hello")
    assert headers["x-loop"] == loop


@pytest.fixture
def kept(django_db_blocker, tmp_path):
    """A database whose connections may live for ever."""
    like = {**connections.settings["elsewhere"], "NAME": str(tmp_path / "kept.sqlite3"), "CONN_MAX_AGE": None}
    connections.settings["kept"] = like
    with django_db_blocker.unblock():
        yield "kept"
    del connections.settings["kept"]


def test_a_connection_lives_as_long_as_the_project_says(kept, application):
    first, second = asked(application, "read", "read")

    assert first[0] == 200
    assert first[2] == second[2]


def test_what_is_no_http_is_refused_as_django_does_and_its_thread_is_nobodys(application):
    [(_, before, _)] = asked(application, "tell")

    with pytest.raises(ValueError, match="websocket"):
        asyncio.run(ask(application, "tell", "websocket"))

    [(_, after, _)] = asked(application, "tell")
    assert after["x-view"] != before["x-view"]


def test_urls_that_cannot_be_loaded_are_told_before_the_first_request(settings, monkeypatch):
    broken = ModuleType("broken_urls")
    monkeypatch.setitem(sys.modules, "broken_urls", broken)
    settings.ROOT_URLCONF = "broken_urls"

    with pytest.raises(ImproperlyConfigured, match="broken_urls"):
        get_asgi_application()


def test_threads_of_a_crowd_are_not_all_kept():
    threads = KeptThreads()
    crowd = [threads.take() for _ in range(MOST_IDLE + 1)]
    running = [thread.submit(threading.current_thread).result() for thread in crowd]

    for thread in crowd:
        threads.give_back(thread)
    running[-1].join(timeout=20)

    assert [thread.is_alive() for thread in running] == [True] * MOST_IDLE + [False]
    assert threads.take() is crowd[MOST_IDLE - 1]


def test_a_thread_that_is_not_kept_closes_its_connections(kept, kept_threads):
    thread = kept_threads.take()
    running, opened = thread.submit(opening, kept).result()

    kept_threads.end(thread)
    running.join(timeout=20)

    assert opened.connection is None


def opening(alias):
    connections[alias].ensure_connection()
    return threading.current_thread(), connections[alias]
