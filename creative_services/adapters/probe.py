"""Whether LLMs would answer: by what is known of them, or by asking them for a few tokens."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from creative_services.adapters.clients import get_transport
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

    from creative_services.core.client import SyncDynamicLLMClient
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


def probe(entries: Iterable[LLMEntry], seconds: float) -> list[Probe]:
    """Really call each entry, active or not, with no retry and no fallback; results in the order of `entries`.

    Ten at a time; all together take no longer than `seconds`. Touches no database: give the connection back before.
    """
    from creative_services.core.client import SyncDynamicLLMClient  # noqa: PLC0415 - the client takes the transport in

    asked = [replace(entry, is_active=True) for entry in entries]
    deadline = time.monotonic() + seconds
    client = SyncDynamicLLMClient(DictRegistry(asked), transport=get_transport(), retry=Retry(max_retries=0))
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="llm-probe") as threads:
        return list(threads.map(partial(_ask, client, deadline), asked))


def all_within(seconds: float) -> Limits:
    """Limits of a call that may take `seconds` with any part of it."""
    left = max(seconds, 0.001)
    return Limits(total=left, connect=left, first_token=left, stall=left, attempt=left)


def too_late(entry: LLMEntry, seconds: float) -> ProviderTimeoutError:
    """What a call under such limits ends in, for people who did not set them."""
    name = f"LLM #{entry.id} {entry.name!r} ({entry.provider})"
    return ProviderTimeoutError(f"{name}: No answer came within {seconds:.0f} s.")


def _ask(client: SyncDynamicLLMClient, deadline: float, entry: LLMEntry) -> Probe:
    began = time.monotonic()
    left = deadline - began
    outcome: LLMResponse | CreativeServicesError
    try:
        outcome = client.generate(PROMPT, llm_id=entry.id, max_tokens=MAX_TOKENS, limits=all_within(left))
    except DeadlineExceededError:
        outcome = too_late(entry, left)
    except CreativeServicesError as error:
        outcome = error
    return Probe(entry, outcome, time.monotonic() - began)
