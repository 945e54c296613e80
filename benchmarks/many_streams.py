"""`python -m benchmarks.many_streams`: hundreds of streams at once through one server process, for as long as asked.

Each lasts five seconds; they begin one after the other, as users do. It prints how many came to their end, how much
later than the provider's own their first words came, and what the server took of the processor and of memory.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.http_api import FLOOR, OURS, SERVERS, request, serving
from benchmarks.server import SLOW_SECONDS, running_server

END = b"data: [DONE]"
MORE = {"gunicorn gthread": ("--workers=4", "--threads=50")}


@dataclass
class Tally:
    """Of all streams: those that ended well, what went wrong with others, and seconds to the first words."""

    whole: int = 0
    broken: list[str] = field(default_factory=list)
    first: list[float] = field(default_factory=list)


async def one(port: int, sent: bytes, tally: Tally) -> None:
    """One stream from its request to its end."""
    began = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        head = await reader.readuntil(b"\r\n\r\n")
        received = await reader.read(1024)
        tally.first.append(time.perf_counter() - began)
        while data := await reader.read(65536):
            received = received[-64:] + data
        writer.close()
    except OSError as error:
        tally.broken.append(type(error).__name__)
        return
    if head.startswith(b"HTTP/1.1 200") and END in received:
        tally.whole += 1
    else:
        tally.broken.append(head.split(b"\r\n", 1)[0].decode())


async def keep_up(port: int, sent: bytes, at_once: int, seconds: float, tally: Tally) -> None:
    """So many streams at a time, one beginning where another ends."""
    until = time.perf_counter() + seconds

    async def again(number: int) -> None:
        await asyncio.sleep(SLOW_SECONDS * number / at_once)
        while True:
            await one(port, sent, tally)
            if time.perf_counter() >= until:
                return

    await asyncio.gather(*(again(number) for number in range(at_once)))


def family(pid: int) -> list[int]:
    """This process and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def memory(pid: int) -> float:
    """Megabytes that this process and its children hold."""
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in family(pid))
    return pages * 4096 / 1e6


def processor_seconds(pid: int) -> float:
    """What this process and its children have taken of the processor so far."""
    ticks = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def watch(pid: int, every: float, found: list[float]) -> None:
    """Look at the memory now and then."""
    while True:
        await asyncio.sleep(every)
        found.append(memory(pid))


async def run(port: int, pid: int, sent: bytes, at_once: int, seconds: float) -> tuple[Tally, list[float]]:
    """The load, and the memory meanwhile."""
    tally, sizes = Tally(), [memory(pid)]
    watching = asyncio.create_task(watch(pid, max(seconds / 20, 1.0), sizes))
    await keep_up(port, sent, at_once, seconds, tally)
    watching.cancel()
    return tally, sizes


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", choices=SERVERS, default="uvicorn")
    parser.add_argument("--at-once", type=int, default=500)
    parser.add_argument("--rate", type=int, default=5, help="tokens a second of each, 40 at most")
    parser.add_argument("--floor", action="store_true", help="ask the bare view instead, which hands on what comes")
    parser.add_argument("--seconds", type=float, default=5.0, help="of steady load; at least one stream each is made")
    options = parser.parse_args()
    more = MORE.get(options.server, ())
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server() as provider,
        serving(options.server, f"{provider}/slow/{options.rate}", Path(folder), *more) as (port, key, pid),
    ):
        time.sleep(3)
        sent = request(FLOOR if options.floor else OURS, key, stream=True)
        before = processor_seconds(pid)
        tally, sizes = asyncio.run(run(port, pid, sent, options.at_once, options.seconds))
        taken = (processor_seconds(pid) - before) / max(tally.whole, 1)
    first = sorted(tally.first)
    print(f"{options.server}: {options.at_once} streams at once, {options.rate} tokens a second each")
    print(f"came to their end: {tally.whole}; broken: {len(tally.broken)} {sorted(set(tally.broken))}")
    late = [first[int(len(first) * part)] - 1 / options.rate for part in (0.5, 0.99)]
    print(f"first words, beyond the provider's: half within {late[0]:.2f} s, 99 % within {late[1]:.2f} s")
    print(f"the server's processor: {taken * 1000:.1f} ms a stream")
    print(f"memory, MB: {', '.join(f'{size:.0f}' for size in sizes)}")


if __name__ == "__main__":
    main()
