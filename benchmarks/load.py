"""A load generator that costs little: bare asyncio connections that send one prepared request again and again.

`python -m benchmarks.load PORT SECONDS IN_FLIGHT` reads the request from its standard input and prints, as JSON, how
many answers came, how many of them were not 200, and their times in seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What came of it. Seconds of each answer to its first byte of the body, and to its end."""

    until: float
    refused: int = 0
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)


class Connection:
    """One of those in flight."""

    def __init__(self, port: int, request: bytes, tally: Tally) -> None:
        self._port = port
        self._request = request
        self._tally = tally

    async def run(self) -> None:
        """Ask until time is over."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        while time.perf_counter() < self._tally.until:
            began = time.perf_counter()
            writer.write(self._request)
            if await self._answer(reader, began):
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, began: float) -> bool:
        """Read one answer; whether the server then closes."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            self._tally.refused += 1
        closes = b"connection: close" in head
        if b"content-length:" in head:
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            first = time.perf_counter()
        elif b"transfer-encoding: chunked" in head:
            await reader.readline()
            first = time.perf_counter()
            await reader.readuntil(b"\r\n0\r\n\r\n")
        else:
            await reader.read(1)
            first = time.perf_counter()
            await reader.read()
        self._tally.first.append(first - began)
        self._tally.whole.append(time.perf_counter() - began)
        return closes


async def load(port: int, seconds: float, in_flight: int, request: bytes) -> Tally:
    """So many connections at once, for so long."""
    tally = Tally(time.perf_counter() + seconds)
    await asyncio.gather(*(Connection(port, request, tally).run() for _ in range(in_flight)))
    return tally


def main() -> None:
    """Be the process of its own that it is."""
    port, seconds, in_flight = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    began = time.perf_counter()
    tally = asyncio.run(load(port, seconds, in_flight, sys.stdin.buffer.read()))
    took = time.perf_counter() - began
    print(json.dumps({"took": took, "refused": tally.refused, "first": tally.first, "whole": tally.whole}))


if __name__ == "__main__":
    main()
