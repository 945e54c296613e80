"""Connections over real sockets: reused, never leaked, right after forks, in threads and on loop after loop."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from creative_services import (
    DeadlineExceededError,
    DictRegistry,
    DynamicLLMClient,
    Limits,
    LLMEntry,
    MalformedResponseError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    SyncDynamicLLMClient,
)
from creative_services.core.http import HttpRequest
from creative_services.core.transport import HttpTransport
from creative_services.core.transport.http11 import Place
from creative_services.core.transport.lanes import KEEP_MOST, Lanes
from creative_services.core.types import Reach
from creative_services.testing import Failure, Reply
from tests.core.asking import ONCE, STREAMED, WHOLE, Ask, entry
from tests.loopback import LoopbackProvider, OnTheWire

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
BODY = b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
ANSWER = HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture
def provider() -> Iterator[LoopbackProvider]:
    with LoopbackProvider("Hi") as provider:
        yield provider


def at(provider: LoopbackProvider) -> LLMEntry:
    return entry(1, "real", api_endpoint=provider.url)


def sync_client(provider: LoopbackProvider, **options: Any) -> SyncDynamicLLMClient:
    return SyncDynamicLLMClient(DictRegistry([at(provider)]), retry=ONCE, **options)


def async_client(provider: LoopbackProvider, **options: Any) -> DynamicLLMClient:
    return DynamicLLMClient(DictRegistry([at(provider)]), retry=ONCE, **options)


def over_sockets(ask: Ask, provider: LoopbackProvider, **options: Any) -> Any:
    transport = HttpTransport()
    try:
        return ask(transport, at(provider), **options)
    finally:
        transport.close()


on_sockets = pytest.mark.parametrize("ask", WHOLE + STREAMED)


@on_sockets
def test_an_answer_comes_over_a_real_socket(ask: Ask, provider: LoopbackProvider) -> None:
    assert over_sockets(ask, provider).text == "Hi"


def test_the_sync_client_reuses_its_connection(provider: LoopbackProvider) -> None:
    with sync_client(provider) as client:
        for _ in range(3):
            client.generate("Hello")
            list(client.stream("Hello"))

    assert provider.connections == 1
    assert provider.has_closed()


def test_the_async_client_reuses_its_connection_within_a_loop(provider: LoopbackProvider) -> None:
    async def run() -> None:
        async with async_client(provider) as client:
            for _ in range(3):
                await client.generate("Hello")
                async for _ in client.stream("Hello"):
                    pass

    asyncio.run(run())

    assert provider.connections == 1
    assert provider.has_closed()


def test_a_client_stays_usable_after_it_was_closed(provider: LoopbackProvider) -> None:
    client = sync_client(provider)
    client.close()
    assert client.generate("Hello").text == "Hi"
    client.close()

    async def run() -> str:
        client = async_client(provider)
        await client.aclose()
        text = (await client.generate("Hello")).text
        await client.aclose()
        return text

    assert asyncio.run(run()) == "Hi"


def test_a_failed_answer_leaves_the_connection_usable() -> None:
    with LoopbackProvider([Failure(500), "Hi"]) as provider, sync_client(provider) as client:
        with pytest.raises(ProviderError):
            client.generate("Hello")

        assert client.generate("Hello").text == "Hi"
        assert provider.connections == 1


@pytest.mark.parametrize("start", [lambda ask: asyncio.run(ask()), lambda ask: async_to_sync(ask)()])
def test_a_hundred_loops_one_after_another_leak_nothing(provider: LoopbackProvider, start: Any) -> None:
    client = async_client(provider)

    async def ask() -> str:
        return (await client.generate("Hello")).text

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(100):
            assert start(ask) == "Hi"
        gc.collect()

    assert provider.has_closed()


def test_a_loop_that_was_closed_without_ceremony_is_forgotten(provider: LoopbackProvider) -> None:
    client = async_client(provider)
    for _ in range(2):
        loop = asyncio.new_event_loop()
        loop.run_until_complete(client.generate("Hello"))
        loop.run_until_complete(client.aclose())
        loop.close()
    forgotten = asyncio.new_event_loop()
    forgotten.run_until_complete(client.generate("Hello"))
    forgotten.close()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        assert asyncio.run(client.generate("Hello")).text == "Hi"
        del forgotten
        gc.collect()


def test_closing_on_a_loop_that_never_called_is_nothing(provider: LoopbackProvider) -> None:
    asyncio.run(async_client(provider).aclose())

    assert provider.connections == 0


def test_threads_share_a_client(provider: LoopbackProvider) -> None:
    answers: list[str] = []
    with sync_client(provider) as client:

        def work() -> None:
            answers.extend(client.generate("Hello").text for _ in range(10))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers == ["Hi"] * 80
    assert provider.connections <= 8


def test_the_sync_client_works_while_a_loop_runs_in_another_thread_and_in_this_one(provider: LoopbackProvider) -> None:
    client = sync_client(provider)

    async def run() -> tuple[str, str]:
        return client.generate("Hello").text, (await asyncio.to_thread(client.generate, "Hello")).text

    assert asyncio.run(run()) == ("Hi", "Hi")
    client.close()


FORK = """
import asyncio, os, sys
from creative_services import DictRegistry, DynamicLLMClient, LLMEntry, SyncDynamicLLMClient
registry = DictRegistry([LLMEntry(1, "a", "test", "m", "standard", api_endpoint=sys.argv[1])])
client, async_client = SyncDynamicLLMClient(registry), DynamicLLMClient(registry)
assert client.generate("Hello").text == "Hi"
async def main():
    assert (await async_client.generate("Hello")).text == "Hi"
    child = os.fork()
    return child
child = asyncio.run(main())
for _ in range(2):
    assert client.generate("Hello").text == "Hi"
    assert asyncio.run(async_client.generate("Hello")).text == "Hi"
client.close()
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def test_parent_and_child_both_work_after_a_fork(provider: LoopbackProvider) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORK, provider.url],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_connection_that_the_provider_closed_is_not_used_again() -> None:
    with LoopbackProvider([OnTheWire([ANSWER]), "Hi"]) as provider, sync_client(provider) as client:
        client.generate("Hello")
        assert provider.has_closed()

        assert client.generate("Hello").text == "Hi"
        assert provider.connections == 2


def test_an_async_connection_that_the_provider_closed_is_not_used_again() -> None:
    async def run(provider: LoopbackProvider) -> str:
        client = async_client(provider)
        await client.generate("Hello")
        await asyncio.sleep(0.1)
        return (await client.generate("Hello")).text

    with LoopbackProvider([OnTheWire([ANSWER]), "Hi"]) as provider:
        assert asyncio.run(run(provider)) == "Hi"
        assert provider.connections == 2


UNASKED = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"


def test_what_nobody_asked_for_is_not_taken_for_the_next_answer() -> None:
    with LoopbackProvider([OnTheWire([ANSWER, UNASKED], "silence", pause=0.1), "Hi"]) as provider:
        with sync_client(provider) as client:
            client.generate("Hello")
            time.sleep(0.3)

            assert client.generate("Hello").text == "Hi"
        assert provider.connections == 2


def test_what_nobody_asked_for_is_not_taken_for_the_next_answer_on_a_loop() -> None:
    async def run(provider: LoopbackProvider) -> str:
        async with async_client(provider) as client:
            await client.generate("Hello")
            await asyncio.sleep(0.3)
            return (await client.generate("Hello")).text

    with LoopbackProvider([OnTheWire([ANSWER, UNASKED], "silence", pause=0.1), "Hi"]) as provider:
        assert asyncio.run(run(provider)) == "Hi"
        assert provider.connections == 2


def test_a_connection_of_which_more_may_have_come_than_was_read_serves_no_other_call() -> None:
    """TLS would keep that where nobody sees it, and hand it to the next call as its answer."""
    long = HEAD + b"content-length: 300000\r\n\r\n" + b" " * 300_000

    async def run(provider: LoopbackProvider) -> bytes:
        transport = HttpTransport()
        bodies = []
        for _ in range(2):
            request = HttpRequest("POST", f"{provider.url}/chat/completions", {}, b"{}")
            exchange = await transport.aopen(request)
            await exchange.begin(time.monotonic() + 5)
            await asyncio.sleep(0.3)  # all of it has come
            body = b""
            while piece := await exchange.read(time.monotonic() + 5):
                body += piece
            bodies.append(body)
            await exchange.aclose()
        await transport.aclose()
        return bodies[1]

    with LoopbackProvider([OnTheWire([long], "silence"), OnTheWire([ANSWER], "silence")]) as provider:
        assert asyncio.run(run(provider)) == BODY
        assert provider.connections == 2


class StillLane:
    """An idle connection that only says whether it was cut."""

    idle_since = 0.0
    is_cut = False

    def is_quiet(self) -> bool:
        return True

    def cut(self) -> None:
        self.is_cut = True


PLACE = Place("http", "example.org", 80, Reach.ANY)


def test_an_idle_connection_is_taken_last_in_first_out_and_let_go_when_it_is_old() -> None:
    idle: Lanes[StillLane] = Lanes()
    first, second, third = StillLane(), StillLane(), StillLane()
    idle.give_back(PLACE, first)
    idle.give_back(PLACE, second)
    first.idle_since -= 3600

    idle.give_back(PLACE, third)

    assert (first.is_cut, second.is_cut, third.is_cut) == (True, False, False)
    assert idle.take(PLACE) is third
    second.idle_since -= 3600
    assert idle.take(PLACE) is None
    assert second.is_cut


def test_connections_of_one_rule_do_not_serve_another() -> None:
    idle: Lanes[StillLane] = Lanes()
    idle.give_back(PLACE, StillLane())

    assert idle.take(PLACE._replace(reach=Reach.PUBLIC)) is None


def test_no_more_idle_connections_are_kept_than_the_bound() -> None:
    idle: Lanes[StillLane] = Lanes()
    for _ in range(KEEP_MOST):
        idle.give_back(PLACE, StillLane())
    one_more = StillLane()

    idle.give_back(PLACE, one_more)

    assert one_more.is_cut


@on_sockets
@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (OnTheWire([], "close"), ProviderConnectionError),
        (OnTheWire([], "reset"), ProviderConnectionError),
        (OnTheWire([b"SSH-2.0-OpenSSH\r\n\r\n"]), ProviderConnectionError),
        (OnTheWire([HEAD + b"content-length: 100\r\n\r\n{"]), MalformedResponseError),
        (OnTheWire([HEAD + b"content-length: 100\r\n\r\n{"], "reset"), ProviderError),
        (OnTheWire([HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n"]), MalformedResponseError),
        (OnTheWire([HEAD + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd"]), MalformedResponseError),
        (OnTheWire([HEAD + b"\r\n" + b"<html>"]), MalformedResponseError),
        (
            OnTheWire([b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere/\r\ncontent-length: 0\r\n\r\n"]),
            MalformedResponseError,
        ),
    ],
)
def test_what_is_no_answer_is_an_error_and_the_connection_is_gone(
    ask: Ask, wire: OnTheWire, error: type[ProviderError]
) -> None:
    with LoopbackProvider(wire) as provider:
        with pytest.raises(error) as raised:
            over_sockets(ask, provider)

        assert "#1 'Real'" in str(raised.value) or "LLM 1" in str(raised.value)
        assert provider.has_closed()


@on_sockets
def test_an_answer_that_only_the_close_ends_and_one_after_interim_responses_are_read(ask: Ask) -> None:
    for pieces in ([HEAD + b"\r\n" + BODY], [b"HTTP/1.1 100 Continue\r\n\r\n", ANSWER], [ANSWER[:30], ANSWER[30:]]):
        with LoopbackProvider(OnTheWire(pieces, pause=0.01)) as provider:
            assert over_sockets(ask, provider).text == "Hi"


@on_sockets
def test_a_compressed_answer_is_read_though_none_was_asked_for(ask: Ask) -> None:
    import gzip

    packed = gzip.compress(BODY)
    head = HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    with LoopbackProvider(OnTheWire([head + packed[:9], packed[9:]], pause=0.01)) as provider:
        assert over_sockets(ask, provider).text == "Hi"


@on_sockets
@pytest.mark.parametrize(
    "wire",
    [
        OnTheWire([], "silence"),
        OnTheWire([HEAD], "silence"),
        OnTheWire([HEAD + b"content-length: 99\r\n\r\n", *[b" "] * 100], pause=0.05),
        Reply("late", delay=5),
    ],
)
def test_whatever_hangs_the_deadline_holds_on_real_sockets(ask: Ask, wire: Any) -> None:
    with LoopbackProvider(wire) as provider:
        began = time.monotonic()

        with pytest.raises(DeadlineExceededError):
            over_sockets(ask, provider, timeout=0.3)

        assert time.monotonic() - began < 0.8
        assert provider.has_closed()


@on_sockets
def test_a_host_that_does_not_take_the_connection_in_time_is_a_timeout(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        try:
            unheard = entry(1, "real", api_endpoint=f"http://127.0.0.1:{address[1]}/v1")
            with pytest.raises(ProviderTimeoutError, match="took too long"):
                ask(HttpTransport(), unheard, limits=Limits(connect=0.2))
        finally:
            for filler in fillers:
                filler.close()


@on_sockets
def test_a_port_nobody_listens_on_and_a_host_without_an_address_are_connection_errors(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(ProviderConnectionError, match=f"'127.0.0.1', port {port}"):
        ask(HttpTransport(), entry(1, "real", api_endpoint=f"http://127.0.0.1:{port}/v1"))
    with pytest.raises(ProviderConnectionError, match="has no address"):
        ask(HttpTransport(), entry(1, "real", api_endpoint="http://nowhere.invalid/v1"))


@on_sockets
def test_a_name_is_looked_up_and_each_of_its_addresses_tried(ask: Ask, provider: LoopbackProvider) -> None:
    named = entry(1, "real", api_endpoint=f"http://localhost:{provider.port}/v1")

    transport = HttpTransport()
    assert ask(transport, named).text == "Hi"
    transport.close()


def test_a_large_request_is_sent_whole(provider: LoopbackProvider) -> None:
    prompt = "word " * 300_000
    with sync_client(provider) as client:
        client.generate(prompt)
    asyncio.run(async_client(provider).generate(prompt))

    assert [len(request.prompt) for request in provider.requests] == [len(prompt)] * 2


def test_a_provider_that_does_not_take_the_request_is_a_timeout() -> None:
    # Four bytes a character: more than the buffers of both sockets hold.
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        here = entry(1, "real", api_endpoint=f"http://127.0.0.1:{deaf.getsockname()[1]}/v1")
        for ask in WHOLE:
            with pytest.raises(DeadlineExceededError):
                ask(HttpTransport(), here, prompt="\N{GRINNING FACE}" * 1_900_000, timeout=0.5)


def test_a_slow_reader_of_a_fast_stream_loses_nothing() -> None:
    pieces = ["x" * 100_000] * 100

    async def run(provider: LoopbackProvider) -> int:
        size = 0
        async for chunk in async_client(provider).stream("Hello"):
            size += len(chunk.text)
            if size in {100_000, 5_000_000}:
                await asyncio.sleep(0.3)
        return size

    with LoopbackProvider(Reply(pieces)) as provider:
        assert asyncio.run(run(provider)) == 10_000_000


def test_a_slow_reader_of_a_stream_that_breaks_off_has_all_that_came_before() -> None:
    told: list[str] = []

    async def read_slowly(provider: LoopbackProvider) -> None:
        async with async_client(provider) as client, client.stream("Hi") as stream:
            async for chunk in stream:
                told.append(chunk.text)
                while provider.open_connections:  # until the loop has all of it, its end too
                    await asyncio.sleep(0.01)

    reply = Reply(["Warm ", "bread"], pause=0.01, ending="cut")
    with LoopbackProvider(reply) as provider, pytest.raises(MalformedResponseError):
        asyncio.run(read_slowly(provider))

    assert "".join(told) == "Warm bread"


def test_a_provider_that_hangs_up_while_it_is_sent_a_long_request_is_a_connection_error() -> None:
    def hang_up(server: socket.socket) -> None:
        connection, _ = server.accept()
        connection.recv(1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    for ask in WHOLE:
        with socket.create_server(("127.0.0.1", 0)) as server:
            hanging_up = threading.Thread(target=hang_up, args=(server,))
            hanging_up.start()
            here = entry(1, "real", api_endpoint=f"http://127.0.0.1:{server.getsockname()[1]}/v1")
            with pytest.raises(ProviderConnectionError):
                ask(HttpTransport(), here, prompt="\N{GRINNING FACE}" * 1_900_000)
            hanging_up.join()


def test_a_call_cancelled_before_it_is_connected_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(0.3) or [])

    async def run() -> None:
        task = asyncio.create_task(
            DynamicLLMClient(DictRegistry([entry(1, "real", api_endpoint="http://slow.example/v1")])).generate("Hello")
        )
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    time.sleep(0.3)


def test_leaving_a_stream_closes_the_providers_connection() -> None:
    async def leave(provider: LoopbackProvider) -> None:
        async with async_client(provider).stream("Hello") as stream:
            await anext(stream)
        assert await asyncio.to_thread(provider.has_closed, within=1.0)

    with LoopbackProvider(Reply(["a"] * 50, pause=0.1)) as provider:
        asyncio.run(leave(provider))
    with LoopbackProvider(Reply(["a"] * 50, pause=0.1)) as provider:
        with sync_client(provider).stream("Hello") as stream:
            next(stream)
        assert provider.has_closed(within=1.0)


def test_no_file_descriptor_is_left_behind() -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    with LoopbackProvider(OnTheWire([], "reset")) as provider:
        before = count()
        for _ in range(20):
            for ask in WHOLE:
                with pytest.raises(ProviderConnectionError):
                    over_sockets(ask, provider)
        assert provider.has_closed()
        assert count() <= before + 1


def exchange_of(provider: LoopbackProvider) -> Any:
    return HttpTransport().open(HttpRequest("POST", f"{provider.url}/chat/completions", {}, b"{}"))


def test_a_wait_that_was_too_short_can_be_resumed_and_one_in_the_past_ends_at_once() -> None:
    with LoopbackProvider(Reply("Hi", delay=0.2)) as provider:
        exchange = exchange_of(provider)
        for until in (time.monotonic() - 1, time.monotonic() + 0.05):
            with pytest.raises(ProviderTimeoutError):
                exchange.begin(until)
        exchange.begin(time.monotonic() + 5)
        assert exchange.status == 200
        exchange.close()


def test_async_waits_can_be_resumed_too_and_idle_timers_harm_nothing() -> None:
    async def run(provider: LoopbackProvider) -> int:
        transport = HttpTransport()
        request = HttpRequest("POST", f"{provider.url}/chat/completions", {}, b"{}")
        exchange = await transport.aopen(request)
        for until in (time.monotonic() - 1, time.monotonic() + 0.05):
            with pytest.raises(ProviderTimeoutError):
                await exchange.begin(until)
        await exchange.begin(time.monotonic() + 0.4)
        while await exchange.read(time.monotonic() + 0.4):
            pass
        await exchange.aclose()
        await asyncio.sleep(0.5)
        again = await transport.aopen(request)
        waiting = asyncio.create_task(again.begin(time.monotonic() + 0.1))
        await asyncio.sleep(0.05)
        waiting.cancel()
        await asyncio.sleep(0.1)
        await again.begin(time.monotonic() + 5)
        await again.aclose()
        return exchange.status

    with LoopbackProvider(Reply("Hi", delay=0.2)) as provider:
        assert asyncio.run(run(provider)) == 200
        assert provider.connections == 1


def test_a_wait_whose_time_is_over_ends_though_more_has_come() -> None:
    """Otherwise a provider that floods a client would keep it beyond every deadline."""

    async def run(provider: LoopbackProvider) -> None:
        exchange = await HttpTransport().aopen(HttpRequest("POST", f"{provider.url}/chat/completions", {}, b"{}"))
        await exchange.begin(time.monotonic() + 5)
        time.sleep(0.3)  # so that the loop does not see the body come
        with pytest.raises(ProviderTimeoutError):
            await exchange.read(time.monotonic() - 0.01)
        assert await exchange.read(time.monotonic() + 5) == b"{}"
        await exchange.aclose()

    with LoopbackProvider(OnTheWire([HEAD + b"content-length: 2\r\n\r\n", b"{}"], pause=0.1)) as provider:
        asyncio.run(run(provider))
        exchange = exchange_of(provider)
        exchange.begin(time.monotonic() + 5)
        time.sleep(0.3)
        with pytest.raises(ProviderTimeoutError):
            exchange.read(time.monotonic() - 0.01)
        assert exchange.read(time.monotonic() + 5) == b"{}"
        exchange.close()


def test_a_closed_exchange_says_so() -> None:
    async def run(provider: LoopbackProvider) -> None:
        exchange = await HttpTransport().aopen(HttpRequest("POST", provider.url, {}, b"{}"))
        for _ in range(2):
            await exchange.aclose()
        with pytest.raises(ProviderConnectionError, match="closed"):
            await exchange.read(time.monotonic() + 1)

    with LoopbackProvider("Hi") as provider:
        exchange = exchange_of(provider)
        for _ in range(2):
            exchange.close()
        with pytest.raises(ProviderConnectionError, match="closed"):
            exchange.read(time.monotonic() + 1)
        asyncio.run(run(provider))


@on_sockets
def test_a_connection_that_the_provider_wants_closed_is_closed(ask: Ask) -> None:
    last = HEAD + b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
    with LoopbackProvider(OnTheWire([last], "silence")) as provider:
        assert over_sockets(ask, provider).text == "Hi"
        assert provider.has_closed()


def test_a_call_cancelled_while_connecting_leaves_no_connection() -> None:
    async def run(port: int) -> None:
        there = entry(1, "real", api_endpoint=f"https://127.0.0.1:{port}/v1")
        task = asyncio.create_task(DynamicLLMClient(DictRegistry([there])).generate("Hello"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(run(silent.getsockname()[1]))
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(2)
            while connection.recv(4096):
                pass


def test_a_wait_that_is_longer_than_the_one_before_has_all_its_time() -> None:
    async def run(provider: LoopbackProvider) -> bytes:
        transport = HttpTransport()
        exchange = await transport.aopen(
            HttpRequest("POST", f"{provider.url}/chat/completions", {}, b'{"stream": true}')
        )
        await exchange.begin(time.monotonic() + 0.1)
        body = b""
        while piece := await exchange.read(time.monotonic() + (0.1 if not body else 5)):
            body += piece
        await exchange.aclose()
        await transport.aclose()
        return body

    with LoopbackProvider(Reply(["a", "b"], pause=0.25)) as provider:
        assert b"[DONE]" in asyncio.run(run(provider))
