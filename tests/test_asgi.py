"""Our ASGI application: a thread for each request that does all of it, and that the next request has too."""

import asyncio
import inspect
import io
import sys
import threading
import time
from types import ModuleType

import pytest
from asgiref.sync import async_to_sync, markcoroutinefunction
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.core.signals import request_finished, request_started
from django.db import connections
from django.http import FileResponse, HttpResponse
from django.urls import path, reverse
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


class Asked(io.RawIOBase):
    """A file whose content is how much of it is asked for at once."""

    has_told = False

    def read(self, size=-1):
        told = b"" if self.has_told else str(size).encode()
        self.has_told = True
        return told


def file(request):
    return FileResponse(Asked())


def linger(request):
    left.wait(timeout=20)
    time.sleep(0.05)
    lingered.append(str(threading.get_native_id()))
    return tell(request)


def bridge(request):
    """Wait for async code that has not begun when its client leaves."""

    @markcoroutinefunction
    def begin_late():
        linger(request)
        return asyncio.sleep(0)

    async_to_sync(begin_late)()
    return tell(request)


def where(request):
    return HttpResponse(reverse("tell"))


request_met, left, lingered = threading.Barrier(3), threading.Event(), []
VIEWS = (tell, atell, meet, read, file, linger, bridge, where)
urlpatterns = [path(view.__name__, view, name=view.__name__) for view in VIEWS]


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


async def stay():
    """Wait for no end."""
    await asyncio.Event().wait()


async def ask(application, name, kind="http", received=stay, refused=None, more=()):
    """Status, headers and body; the client stays until it has all of it, or does what `received` does.

    `more` is what else the scope says.
    """
    sent = []
    begun = False

    async def receive():
        nonlocal begun
        if begun:
            return await received()
        begun = True
        return {"type": "http.request", "body": b"hello", "more_body": False}

    async def send(message):
        if refused is not None:
            raise refused
        sent.append(message)

    scope = {"type": kind, "method": "GET", "path": f"/{name}", "query_string": b"", "headers": [], **dict(more)}
    await application(scope, receive, send)
    if not sent:
        return None
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


def test_receivers_of_a_requests_start_are_told_before_its_view_on_its_thread(application):
    told = []

    def receive(scope, **_):
        told.append((scope["path"], str(threading.get_native_id())))

    async def areceive(scope, **_):
        told.append((scope["path"], id(asyncio.get_running_loop())))

    async def with_loop():
        return id(asyncio.get_running_loop()), await ask(application, "tell")

    request_started.connect(receive)
    request_started.connect(areceive)
    try:
        loop, (_, headers, _) = asyncio.run(with_loop())
    finally:
        request_started.disconnect(receive)
        request_started.disconnect(areceive)

    assert told == [("/tell", headers["x-view"]), ("/tell", loop)]


async def leave():
    left.set()
    return {"type": "http.disconnect"}


@pytest.fixture
def nobody_has_left():
    left.clear()
    lingered.clear()


@pytest.mark.usefixtures("nobody_has_left")
@pytest.mark.parametrize("view", ["linger", "bridge"])
def test_a_client_that_leaves_ends_the_waiting_and_the_thread_is_kept_when_its_view_has_ended(application, view):
    finished = []

    def note(**_):
        finished.append((len(lingered), str(threading.get_native_id())))

    async def two():
        return await ask(application, view, received=leave), await ask(application, "tell")

    request_finished.connect(note)
    try:
        answered, (status, headers, _) = asyncio.run(two())
    finally:
        request_finished.disconnect(note)

    assert (answered, status) == (None, 200)
    assert lingered == [headers["x-view"]]
    assert finished == [(1, headers["x-view"])] * 2


def test_a_client_that_leaves_while_it_sends_its_request_is_told_nothing(application):
    async def begin_only():
        sent = []
        messages = [{"type": "http.request", "body": b"hel", "more_body": True}, {"type": "http.disconnect"}]

        async def receive():
            return messages.pop(0)

        await application({"type": "http"}, receive, sent.append)
        return sent

    assert asyncio.run(begin_only()) == []


def test_links_begin_with_the_path_that_the_site_is_at(application):
    _, _, body = asyncio.run(ask(application, "where", more={"root_path": "/below", "path": "/below/where"}))

    assert body == b"/below/tell"


def test_a_request_that_cannot_be_read_is_refused_and_finished(application):
    finished = []

    def note(sender, **_):
        finished.append(sender)

    request_finished.connect(note)
    try:
        status, _, _ = asyncio.run(ask(application, "tell", more={"query_string": b"\xff"}))
    finally:
        request_finished.disconnect(note)

    assert (status, finished) == (400, [KeptThreadsHandler])


def test_what_breaks_a_response_reaches_the_server_with_what_it_came_from(application):
    gone = ConnectionResetError("gone")
    refused = OSError("cannot send")
    refused.__context__ = gone

    with pytest.raises(OSError, match="cannot send") as raised:
        asyncio.run(ask(application, "tell", refused=refused))

    assert raised.value is refused
    assert raised.value.__context__ is gone
    assert not raised.value.__suppress_context__


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators")
def test_files_are_read_in_pieces_as_long_as_django_reads_for_such_servers(application):
    _, _, body = asyncio.run(ask(application, "file"))

    assert int(body) == ASGIHandler.chunk_size > FileResponse.block_size


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
