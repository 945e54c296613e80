"""With one dead and one healthy LLM, no error reaches the caller: 300 calls at once, and one after another."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from creative_services import DictRegistry, DynamicLLMClient, LLMEntry, Retry, SyncDynamicLLMClient
from creative_services.testing import LoopbackProvider, faults
from tests.core.asking import ONCE, entry
from tests.core.test_selection import Cautious

CALLS = 300
SOON = Retry(max_retries=1)


@contextmanager
def closed_port() -> Iterator[str]:
    """An address where nobody listens, and where nobody else will."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


@contextmanager
def unavailable() -> Iterator[str]:
    with LoopbackProvider(faults.unavailable()) as provider:
        yield provider.url


def threads_at_once(registry: DictRegistry, **options: Any) -> list[str]:
    with SyncDynamicLLMClient(registry, **options) as client, ThreadPoolExecutor(CALLS) as pool:
        return [answer.text for answer in pool.map(client.generate, ["Hello"] * CALLS)]


def tasks_at_once(registry: DictRegistry, **options: Any) -> list[str]:
    async def run() -> list[str]:
        async with DynamicLLMClient(registry, **options) as client:
            answers = await asyncio.gather(*[client.generate("Hello") for _ in range(CALLS)])
        return [answer.text for answer in answers]

    return asyncio.run(run())


def one_after_another(registry: DictRegistry, **options: Any) -> list[str]:
    with SyncDynamicLLMClient(registry, **options) as client:
        return [client.generate("Hello").text for _ in range(CALLS)]


def awaited_one_after_another(registry: DictRegistry, **options: Any) -> list[str]:
    async def run() -> list[str]:
        async with DynamicLLMClient(registry, **options) as client:
            return [(await client.generate("Hello")).text for _ in range(CALLS)]

    return asyncio.run(run())


Call = Callable[..., list[str]]
WAYS = [threads_at_once, tasks_at_once, one_after_another, awaited_one_after_another]


@pytest.mark.parametrize("call", WAYS)
@pytest.mark.parametrize("dead", [closed_port, unavailable])
@pytest.mark.parametrize("options", [{"retry": SOON}, {"retry": ONCE, "breaker": Cautious()}], ids=["usual", "bare"])
def test_no_error_reaches_the_caller(call: Call, dead: Any, options: dict[str, Any]) -> None:
    with dead() as nowhere, LoopbackProvider("Hi") as healthy:
        entries: list[LLMEntry] = [
            entry(1, "dead", api_endpoint=nowhere),
            entry(2, "healthy", api_endpoint=healthy.url),
        ]

        assert call(DictRegistry(entries), **options) == ["Hi"] * CALLS
        assert healthy.has_closed()
    assert len(healthy.requests) == CALLS
