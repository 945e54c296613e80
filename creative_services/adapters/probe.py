"""Whether LLMs would answer: by what is known of them, or by asking them for a few tokens."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asgiref.sync import async_to_sync

from creative_services.adapters.clients import get_ledger, get_transport
from creative_services.adapters.connections import GivingBack, holding_none
from creative_services.core.errors import (
    ConfigurationError,
    CreativeServicesError,
    DeadlineExceededError,
    ProviderTimeoutError,
)
from creative_services.core.limits import Limits, Retry
from creative_services.core.llm_registry import DictRegistry
from creative_services.core.providers import route, wire_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from creative_services.core.client import DynamicLLMClient
    from creative_services.core.ledger import Caller
    from creative_services.core.types import LLMEntry, LLMResponse, LLMTier

AT_ONCE = 10
PROMPT = "Reply with OK."
MAX_TOKENS = 16  # the least that OpenAI's newer API takes


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of asking one entry: an answer, or the error instead. `latency_seconds` is the wall time."""

    entry: LLMEntry
    outcome: LLMResponse | CreativeServicesError
    latency_seconds: float


def fault_of(entry: LLMEntry) -> str | None:
    """Why a call would pass this entry by without asking it; None if it would be asked."""
    try:
        wire_for(entry)
        route(entry)
    except ConfigurationError as error:
        return str(error)
    return None


def first_callable(entries: Iterable[LLMEntry]) -> dict[LLMTier, LLMEntry]:
    """The entry that a call would ask first, for each tier that has one; `entries` are in the order of `rank`."""
    chosen: dict[LLMTier, LLMEntry] = {}
    for entry in entries:
        if entry.tier not in chosen and fault_of(entry) is None:
            chosen[entry.tier] = entry
    return chosen


def probe(entries: Iterable[LLMEntry], seconds: float, caller: Caller) -> list[Probe]:
    """Really call each entry, active or not, with no retry and no fallback; results in the order of `entries`.

    Ten at a time; all together take no longer than `seconds`. The ledger books it; no connection is held meanwhile, if
    the one of before was given back.
    """
    from creative_services.core.client import DynamicLLMClient  # noqa: PLC0415 - the client takes the transport in

    asked = [replace(entry, is_active=True) for entry in entries]
    transport = GivingBack(get_transport())
    client = DynamicLLMClient(DictRegistry(asked), transport=transport, retry=Retry(max_retries=0), ledger=get_ledger())
    with holding_none():
        # On a loop and not in threads, so that in tests and on SQLite the ledger writes on this thread's connection.
        return async_to_sync(_ask_all)(client, asked, time.monotonic() + seconds, caller)


def all_within(seconds: float) -> Limits:
    """Limits of a call that may take `seconds` with any part of it."""
    left = max(seconds, 0.001)
    return Limits(total=left, connect=left, first_token=left, stall=left, attempt=left)


def too_late(entry: LLMEntry, seconds: float) -> ProviderTimeoutError:
    """What a call under such limits ends in, for people who did not set them."""
    name = f"LLM #{entry.id} {entry.name!r} ({entry.provider})"
    return ProviderTimeoutError(f"{name}: No answer came within {seconds:.0f} s.")


async def _ask_all(client: DynamicLLMClient, entries: list[LLMEntry], deadline: float, caller: Caller) -> list[Probe]:
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(entry: LLMEntry) -> Probe:
        async with places:
            return await _ask(client, entry, deadline, caller)

    return await asyncio.gather(*map(ask, entries))


async def _ask(client: DynamicLLMClient, entry: LLMEntry, deadline: float, caller: Caller) -> Probe:
    began = time.monotonic()
    left = deadline - began
    outcome: LLMResponse | CreativeServicesError
    try:
        outcome = await client.generate(
            PROMPT, llm_id=entry.id, max_tokens=MAX_TOKENS, limits=all_within(left), caller=caller
        )
    except DeadlineExceededError:
        outcome = too_late(entry, left)
    except CreativeServicesError as error:
        outcome = error
    return Probe(entry, outcome, time.monotonic() - began)
