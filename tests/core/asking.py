"""Asking through all four faces of the clients alike: sync and async, whole and streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from creative_services import (
    DictRegistry,
    DynamicLLMClient,
    LLMEntry,
    LLMResponse,
    LLMTier,
    Retry,
    SyncDynamicLLMClient,
)
from creative_services.testing import FakeProvider

Ask = Callable[..., LLMResponse]
ONCE = Retry(max_retries=0)
CLIENT_OPTIONS = (
    "limits_of_client",
    "retry",
    "fallback_tiers",
    "ledger",
    "breaker",
    "default_tier",
    "bounds",
    "strategy",
)

ENTRY = LLMEntry(
    id=1,
    name="Cheap",
    provider="openai",
    model="cheap",
    tier=LLMTier.STANDARD,
    api_key="sk-very-secret-0001",
    cost_per_1k_input=0.1,
    cost_per_1k_output=0.2,
)


def entry(id: int, model: str, price: float | None = None, **fields: Any) -> LLMEntry:
    """An entry like ENTRY; its price grows with its id unless given."""
    cost = float(id) if price is None else price
    return replace(ENTRY, id=id, name=model.title(), model=model, cost_per_1k_input=cost, **fields)


def build(kind: type, provider: Any, registry: Any, options: dict[str, Any]) -> Any:
    if isinstance(registry, LLMEntry):
        registry = DictRegistry([registry])
    elif isinstance(registry, Sequence):
        registry = DictRegistry(registry)
    wanted = {name: options.pop(name) for name in CLIENT_OPTIONS if name in options}
    if "limits_of_client" in wanted:
        wanted["limits"] = wanted.pop("limits_of_client")
    return kind(registry, transport=provider, **{"retry": ONCE} | wanted)


def sync_whole(provider: FakeProvider, registry: Any = ENTRY, **options: Any) -> LLMResponse:
    client = build(SyncDynamicLLMClient, provider, registry, options)
    return client.generate(**{"prompt": "Hello"} | options)


def async_whole(provider: FakeProvider, registry: Any = ENTRY, **options: Any) -> LLMResponse:
    client = build(DynamicLLMClient, provider, registry, options)
    return asyncio.run(client.generate(**{"prompt": "Hello"} | options))


def sync_streamed(provider: FakeProvider, registry: Any = ENTRY, **options: Any) -> LLMResponse:
    client = build(SyncDynamicLLMClient, provider, registry, options)
    stream = client.stream(**{"prompt": "Hello"} | options)
    text = ""
    for chunk in stream:
        text = "" if chunk.restart else text + chunk.text
    assert text == stream.response.text
    return stream.response


def async_streamed(provider: FakeProvider, registry: Any = ENTRY, **options: Any) -> LLMResponse:
    async def run() -> LLMResponse:
        client = build(DynamicLLMClient, provider, registry, options)
        text = ""
        async with client.stream(**{"prompt": "Hello"} | options) as stream:
            async for chunk in stream:
                text = "" if chunk.restart else text + chunk.text
        assert text == stream.response.text
        return stream.response

    return asyncio.run(run())


WHOLE = [sync_whole, async_whole]
STREAMED = [sync_streamed, async_streamed]

every_face = pytest.mark.parametrize("ask", WHOLE + STREAMED)
whole_faces = pytest.mark.parametrize("ask", WHOLE)
streamed_faces = pytest.mark.parametrize("ask", STREAMED)
