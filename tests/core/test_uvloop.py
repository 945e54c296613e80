"""The async client on uvloop, with which `uvicorn[standard]` serves."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from creative_services import DeadlineExceededError, DictRegistry, DynamicLLMClient, MalformedResponseError
from creative_services.core.transport import HttpTransport
from creative_services.testing import Reply
from tests.core.asking import ONCE, entry
from tests.loopback import LoopbackProvider, OnTheWire

if sys.platform == "win32":
    pytest.skip("uvloop does not run on Windows.", allow_module_level=True)
import uvloop

SCRIPT = {
    "Hello": "Hi",
    "Count": Reply(["One", " two", " three"], pause=0.02),
    "Wait": Reply("Late", delay=30),
    "Break": OnTheWire([b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"]),
}


def run(asking: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asking)


@pytest.fixture(params=["http", "https"])
def provider(request: pytest.FixtureRequest) -> Iterator[LoopbackProvider]:
    context = None
    if request.param == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        request.getfixturevalue("authority").issue_cert("localhost").configure_cert(context)
    with LoopbackProvider(lambda asked: SCRIPT[asked.prompt], tls=context) as provider:
        yield provider


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def client(provider: LoopbackProvider, authority: trustme.CA, tmp_path: Path) -> DynamicLLMClient:
    bundle = tmp_path / "authorities.pem"
    authority.cert_pem.write_to_path(str(bundle))
    url = f"{'https' if provider.tls else 'http'}://localhost:{provider.port}/v1"
    transport = HttpTransport(ca_bundle=str(bundle))
    return DynamicLLMClient(DictRegistry([entry(1, "real", api_endpoint=url)]), transport=transport, retry=ONCE)


def test_answers_come_over_one_connection_on_each_of_several_loops(
    client: DynamicLLMClient, provider: LoopbackProvider
) -> None:
    async def ask() -> list[str]:
        return [(await client.generate("Hello")).text for _ in range(3)]

    assert [run(ask()) for _ in range(3)] == [["Hi"] * 3] * 3
    assert provider.connections == 3
    assert provider.has_closed()


def test_a_stream_comes_in_pieces_and_leaving_it_closes_its_connection(
    client: DynamicLLMClient, provider: LoopbackProvider
) -> None:
    async def read(most: int) -> list[str]:
        found = []
        async with client.stream("Count") as stream:
            async for chunk in stream:
                found.append(chunk.text)
                if len(found) == most:
                    break
        return found

    assert "".join(run(read(9))) == "One two three"
    assert run(read(1)) == ["One"]
    assert provider.has_closed()
    assert provider.abandoned == 1


def test_what_takes_too_long_or_breaks_off_is_an_error(client: DynamicLLMClient) -> None:
    with pytest.raises(DeadlineExceededError):
        run(client.generate("Wait", timeout=0.5))
    with pytest.raises(MalformedResponseError):
        run(client.generate("Break"))
