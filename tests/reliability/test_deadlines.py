"""Whatever hangs where, a call ends at its deadline and leaves nothing behind.

Everyday each place is met by every face of the clients once. With SOAK=1 it is 200 calls each and 1,000 mixed, and
the latest of each is printed (`pytest -rP`).
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import pytest

from creative_services import (
    DeadlineExceededError,
    DictRegistry,
    DynamicLLMClient,
    LLMEntry,
    SyncDynamicLLMClient,
)
from creative_services.testing import faults
from tests.core.asking import entry
from tests.reliability.places import PLACES, Place, served

SOAK = bool(os.environ.get("SOAK"))
EACH, MIXED = (200, 1000) if SOAK else (2, 18)  # of each client
TIMEOUT = 0.5 if SOAK else 0.3  # seconds
MARGIN = 0.5 if SOAK else 1.5  # seconds; the everyday suite shares its machine with others


class Asked(NamedTuple):
    """One call that will hang."""

    llm_id: int
    place: Place
    streams: bool


def hang(client: SyncDynamicLLMClient, asked: Asked) -> float:
    """Seconds that a blocking call ended after its deadline."""

    def call() -> None:
        if asked.streams:
            list(client.stream(asked.place.prompt, llm_id=asked.llm_id, timeout=TIMEOUT))
        else:
            client.generate(asked.place.prompt, llm_id=asked.llm_id, timeout=TIMEOUT)

    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        call()
    return time.monotonic() - began - TIMEOUT


async def ahang(client: DynamicLLMClient, asked: Asked) -> float:
    """The same, awaited."""

    async def call() -> None:
        if asked.streams:
            async for _ in client.stream(asked.place.prompt, llm_id=asked.llm_id, timeout=TIMEOUT):
                pass
        else:
            await client.generate(asked.place.prompt, llm_id=asked.llm_id, timeout=TIMEOUT)

    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        await call()
    return time.monotonic() - began - TIMEOUT


def in_threads(registry: DictRegistry, calls: list[Asked]) -> list[float]:
    with SyncDynamicLLMClient(registry) as client, ThreadPoolExecutor(at_once(calls)) as pool:
        return list(pool.map(lambda asked: hang(client, asked), calls))


def in_tasks(registry: DictRegistry, calls: list[Asked]) -> list[float]:
    async def run() -> list[float]:
        free = asyncio.Semaphore(at_once(calls))

        async def one(client: DynamicLLMClient, asked: Asked) -> float:
            async with free:
                return await ahang(client, asked)

        async with DynamicLLMClient(registry) as client:
            late = await asyncio.gather(*[one(client, asked) for asked in calls])
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return late

    return asyncio.run(run())


def at_once(calls: list[Asked]) -> int:
    return max(asked.place.at_once for asked in calls)


Way = Callable[[DictRegistry, list[Asked]], list[float]]
WAYS: list[Way] = [in_threads, in_tasks]


def entries_at(places: list[Place]) -> list[LLMEntry]:
    return [entry(number, f"model-{number}", api_endpoint=place.endpoint) for number, place in enumerate(places, 1)]


def calls_to(places: list[Place], count: int) -> list[Asked]:
    """So many calls, spread over the places, whole and streamed in equal parts."""
    kinds = [Asked(number, place, streams) for number, place in enumerate(places, 1) for streams in (False, True)]
    return list(islice(cycle(kinds), count))


def held() -> set[object]:
    """Files, sockets and threads of this process; a thread in a look-up of names cannot be ended from outside."""
    found: set[object] = {thread for thread in threading.enumerate() if thread.name != "llm-dns"}
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile, by whoever else runs in this process
            found.add(link.readlink())
    return found


def tell(what: str, way: Way, late: list[float]) -> None:
    latest = f"the latest {max(late):.3f} s after its deadline"
    print(f"{what}, {way.__name__}: {len(late)} calls, {latest}")  # noqa: T201 - the figures of a soak


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", PLACES)
def test_no_call_outlives_its_deadline(name: str, way: Way) -> None:
    with PLACES[name]() as place:
        late = way(DictRegistry(entries_at([place])), calls_to([place], EACH))

    tell(name, way, late)
    assert max(late) <= MARGIN


@pytest.mark.parametrize("way", WAYS)
def test_calls_that_hang_leave_nothing_behind(way: Way) -> None:
    gc.collect()
    before = held()
    with ExitStack() as stack:
        places = [stack.enter_context(place()) for place in PLACES.values()]
        calls = calls_to(places, MIXED)
        random.shuffle(calls)
        late = way(DictRegistry(entries_at(places)), calls)

    tell("mixed", way, late)
    assert max(late) <= MARGIN
    assert held() <= before


@pytest.mark.parametrize("way", WAYS)
def test_a_flood_that_never_lets_the_client_wait_does_not_hide_the_deadline(way: Way) -> None:
    with served(faults.flood)() as place:
        late = way(DictRegistry(entries_at([place])), [Asked(1, place, streams=True)])

    assert max(late) <= MARGIN
