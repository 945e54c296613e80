"""A provider on loopback that costs next to nothing: canned bytes, written by a bare asyncio protocol.

It runs in a process of its own, so that its work is not counted, and prints its port. The path says how it answers:
`/v1/...` whole, or as a stream where the body asks for one; `/paced/v1/...` streams one token at a time, and
`/slow/v1/...` half of them in five seconds.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKENS = 200
PACE = 0.0005  # seconds between two tokens of a paced stream: each is then read, and waited for, on its own
SLOW_SECONDS = 5  # that a stream under `/slow/<tokens a second>` lasts
HEADERS = (
    "date: Sun, 22 Nov 2026 11:00:00 GMT\r\n"
    "openai-organization: example\r\n"
    "openai-processing-ms: 412\r\n"
    "openai-version: 2020-10-01\r\n"
    "x-ratelimit-remaining-requests: 9999\r\n"
    "x-request-id: req_0123456789abcdef\r\n"
)
USAGE = {"prompt_tokens": 12, "completion_tokens": TOKENS, "total_tokens": 12 + TOKENS}
ANSWER = {"id": "chatcmpl-0123456789", "created": 1795000000, "model": "gpt-4o-mini-2024-07-18"}


def whole_answer() -> bytes:
    """A chat completion of 200 tokens."""
    message = {"role": "assistant", "content": " word" * TOKENS}
    choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
    body = json.dumps({**ANSWER, "object": "chat.completion", "choices": choices, "usage": USAGE}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n{HEADERS}\r\n"
    return head.encode() + body


def streamed_answer() -> list[bytes]:
    """The same answer as a head and one HTTP chunk for each event."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n{HEADERS}\r\n"
    events = [_event({"role": "assistant", "content": ""}), *[_event({"content": " word"})] * TOKENS]
    events += [_event({}, "stop"), json.dumps({**ANSWER, "choices": [], "usage": USAGE}), "[DONE]"]
    return [head.encode(), *(_http_chunk(f"data: {event}\n\n") for event in events), b"0\r\n\r\n"]


def _event(delta: dict[str, str], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return json.dumps({**ANSWER, "object": "chat.completion.chunk", "choices": [choice]})


def _http_chunk(text: str) -> bytes:
    data = text.encode()
    return b"%x\r\n%b\r\n" % (len(data), data)


WHOLE, STREAMED = whole_answer(), streamed_answer()
STREAMED_AT_ONCE = b"".join(STREAMED)


class Connection(asyncio.Protocol):
    """Takes requests one after the other, as both clients send them."""

    def __init__(self) -> None:
        self._received = b""
        self._writing: asyncio.Task[None] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            return
        self._received = b""
        if b'"stream":' not in body:
            self._transport.write(WHOLE)
        elif b" /paced/" in head:
            self._writing = asyncio.create_task(self._write_slowly(STREAMED, PACE))
        elif b" /slow/" in head:
            rate = int(head.partition(b" /slow/")[2].partition(b"/")[0])
            pieces = STREAMED[:1] + STREAMED[-SLOW_SECONDS * rate :]
            self._writing = asyncio.create_task(self._write_slowly(pieces, 1 / rate))
        else:
            self._transport.write(STREAMED_AT_ONCE)

    async def _write_slowly(self, pieces: list[bytes], pace: float) -> None:
        for piece in pieces:
            self._transport.write(piece)
            await asyncio.sleep(pace)


def _content_length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"content-length:")
    return int(after.partition(b"\r\n")[0])


async def serve() -> None:
    """Listen on a free port of loopback, print it, and answer until the process is ended."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running_server() -> Iterator[str]:
    """The server in another process; gives its address, and ends it."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(serve())
