"""What is compared: the same call by raw httpx and by this package's clients, each as a user would write it."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from creative_services import DictRegistry, DynamicLLMClient, LLMEntry, LLMTier, SyncDynamicLLMClient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PROMPT = "Write a story about a lighthouse keeper who finds a bottle with a letter in it."
TOTAL_TOKENS = 212
KEY = "sk-benchmark"
MOST = 100  # connections a raw client may open and keep
BODY: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "messages": [{"role": "user", "content": PROMPT}],
    "max_tokens": 4096,
    "temperature": 0.7,
}
STREAM_BODY = {**BODY, "stream": True, "stream_options": {"include_usage": True}}


class Contender(Protocol):
    """One way of making the call. `run` makes `calls` of them, `in_flight` at a time."""

    def run(self, calls: int, in_flight: int) -> None: ...
    def close(self) -> None: ...


class Events:
    """Server-sent events cut out of the bytes of a body, as briefly as the format allows."""

    def __init__(self) -> None:
        self._rest = b""
        self.text: list[str] = []
        self.usage: Any = None

    def feed(self, piece: bytes) -> None:
        """Take bytes in: text is collected, usage kept."""
        *events, self._rest = (self._rest + piece).split(b"\n\n")
        for event in events:
            if event != b"data: [DONE]":
                self.take(event[6:])

    def take(self, data: bytes | str) -> None:
        """Take one event's JSON in."""
        chunk = json.loads(data)
        if chunk["choices"]:
            self.text.append(chunk["choices"][0]["delta"].get("content", ""))
        if chunk.get("usage"):
            self.usage = chunk["usage"]


class RawHttpx:
    """A pooled httpx.AsyncClient, the measure of everything here."""

    def __init__(self, base_url: str, how: str) -> None:
        self._url = f"{base_url}/chat/completions"
        self._call: Callable[[], Awaitable[None]] = getattr(self, f"_{how}")
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            headers={"authorization": f"Bearer {KEY}"},
            timeout=120,
            limits=httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST),
        )

    def run(self, calls: int, in_flight: int) -> None:
        self._runner.run(at_a_time(self._call, calls, in_flight))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    async def _generate(self) -> None:
        response = await self._client.post(self._url, json=BODY)
        read_answer(response)

    async def _stream(self) -> None:
        events = Events()
        async with self._client.stream("POST", self._url, json=STREAM_BODY) as response:
            response.raise_for_status()
            async for piece in response.aiter_bytes():
                events.feed(piece)
        check("".join(events.text), events.usage)

    async def _stream_lines(self) -> None:
        events = Events()
        async with self._client.stream("POST", self._url, json=STREAM_BODY) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    events.take(line[6:])
        check("".join(events.text), events.usage)


class RawSyncHttpx:
    """A pooled httpx.Client, shared by threads."""

    def __init__(self, base_url: str) -> None:
        self._url = f"{base_url}/chat/completions"
        self._threads = ThreadPoolExecutor(MOST)
        self._client = httpx.Client(
            headers={"authorization": f"Bearer {KEY}"},
            timeout=120,
            limits=httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST),
        )

    def run(self, calls: int, in_flight: int) -> None:
        in_threads(self._threads, self._call, calls, in_flight)

    def close(self) -> None:
        self._threads.shutdown()
        self._client.close()

    def _call(self) -> None:
        read_answer(self._client.post(self._url, json=BODY))


class Async:
    """DynamicLLMClient."""

    def __init__(self, base_url: str, how: str) -> None:
        self._client = DynamicLLMClient(registry(base_url))
        self._call: Callable[[], Awaitable[None]] = getattr(self, f"_{how}")
        self._runner = asyncio.Runner()

    def run(self, calls: int, in_flight: int) -> None:
        self._runner.run(at_a_time(self._call, calls, in_flight))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    async def _generate(self) -> None:
        response = await self._client.generate(PROMPT)
        assert response.usage.output_tokens == 200
        assert response.text

    async def _stream(self) -> None:
        text: list[str] = []
        stream = self._client.stream(PROMPT)
        async for chunk in stream:
            text.append(chunk.text)  # noqa: PERF401 - as a user who shows each chunk would write it
        assert stream.response.usage.output_tokens == 200
        assert "".join(text)


class Sync:
    """SyncDynamicLLMClient, shared by threads."""

    def __init__(self, base_url: str, how: str) -> None:
        self._client = SyncDynamicLLMClient(registry(base_url))
        self._call: Callable[[], None] = getattr(self, f"_{how}")
        self._threads = ThreadPoolExecutor(MOST)

    def run(self, calls: int, in_flight: int) -> None:
        in_threads(self._threads, self._call, calls, in_flight)

    def close(self) -> None:
        self._threads.shutdown()
        self._client.close()

    def _generate(self) -> None:
        response = self._client.generate(PROMPT)
        assert response.usage.output_tokens == 200
        assert response.text

    def _stream(self) -> None:
        stream = self._client.stream(PROMPT)
        text = [chunk.text for chunk in stream]
        assert stream.response.usage.output_tokens == 200
        assert "".join(text)


def registry(base_url: str) -> DictRegistry:
    """One LLM of the default tier, with prices, so that the cost is computed as well."""
    entry = LLMEntry(
        1, "GPT-4o-mini", "openai", "gpt-4o-mini", LLMTier.STANDARD, KEY, base_url,
        cost_per_1k_input=0.00015, cost_per_1k_output=0.0006,
    )  # fmt: skip
    return DictRegistry([entry])


def read_answer(response: httpx.Response) -> None:
    """What code over raw httpx does with an answer."""
    response.raise_for_status()
    answer = response.json()
    check(answer["choices"][0]["message"]["content"], answer["usage"])


def check(text: str, usage: Any) -> None:
    """That the answer came whole: a contender that reads less would win."""
    assert text
    assert usage["total_tokens"] == TOTAL_TOKENS


async def at_a_time(call: Callable[[], Awaitable[None]], calls: int, in_flight: int) -> None:
    """Make that many calls, so many at a time, each worker one after the other."""

    async def work() -> None:
        for _ in range(calls // in_flight):
            await call()

    if in_flight == 1:
        await work()
    else:
        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(work())


def in_threads(threads: ThreadPoolExecutor, call: Callable[[], None], calls: int, in_flight: int) -> None:
    """The same with threads; alone, in the caller's own."""

    def work() -> None:
        for _ in range(calls // in_flight):
            call()

    if in_flight == 1:
        work()
    else:
        for done in [threads.submit(work) for _ in range(in_flight)]:
            done.result()
