"""`python -m benchmarks.http_api`: requests and streams per second of `v1/chat/completions`, against the floor.

The floor is a bare REST framework view with httpx in the same server process (`benchmarks.site.floor`). Both are asked
in turns, for the same time, by a load generator of its own process; the provider is a third.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.server import running_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FLOOR, OURS = "/floor/chat/completions", "/api/llm/v1/chat/completions"
IN_FLIGHT = (1, 32, 128)
PROMISED = 0.7
SERVERS = {
    "gunicorn gthread": (
        "gunicorn", "django.core.wsgi:get_wsgi_application()", "--log-level=error", "--worker-class=gthread",
        "--threads=128", "--worker-connections=1000",
    ),
    "uvicorn": (
        "uvicorn", "example_project.asgi:application", "--lifespan=off", "--log-level=error", "--no-access-log",
        "--backlog=2048",
    ),
}  # fmt: skip
SET_UP = """
import django
django.setup()
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from creative_services.adapters.machine_keys import issue
from creative_services.models import Llms
call_command("migrate", verbosity=0)
user = User.objects.create_user("bench")
user.user_permissions.add(Permission.objects.get(codename="generate"))
Llms.objects.create(name="Bench", provider="bench", model="gpt-4o-mini", tier="standard", cost_per_1k_input=0.00015,
    cost_per_1k_output=0.0006, api_endpoint=settings.PROVIDER)
key = issue(user, "bench")
print(str(key.text))
"""


@dataclass(frozen=True)
class Rate:
    """Answers per second, and the median seconds of one."""

    per_second: float
    seconds: float


@contextmanager
def serving(kind: str, provider: str, folder: Path, *more: str) -> Iterator[tuple[int, str, int]]:
    """A server with both views, told `more`; gives its port, a machine key and its process."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.site.settings",
        "BENCHMARK_PROVIDER": f"{provider}/v1",
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/{kind.replace(' ', '_')}.sqlite3",
    }
    made = subprocess.run([sys.executable, "-c", SET_UP], env=environment, capture_output=True, text=True, check=False)
    if made.returncode:
        raise SystemExit(made.stderr)
    port = free_port()
    place = f"--port={port}" if kind == "uvicorn" else f"--bind=127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-m", *SERVERS[kind], place, *more], env=environment) as server:
        try:
            yield port, made.stdout.strip(), server.pid
        finally:
            server.terminate()


def free_port() -> int:
    """A port that nobody listens at. On a socket that is handed over uvicorn sets no TCP_NODELAY, which costs 40 ms."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def request(path: str, key: str, *, stream: bool) -> bytes:
    """The request's bytes."""
    body: dict[str, object] = {"model": "standard", "messages": [{"role": "user", "content": "Say two hundred words."}]}
    if stream:
        body["stream"] = True
    data = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def measure(port: int, sent: bytes, in_flight: int, seconds: float) -> Rate:
    """One contender's turn. Ends the program where answers were not 200; the bare view may lose one in a hundred."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(seconds), str(in_flight)]
    found = json.loads(subprocess.run(command, input=sent, stdout=subprocess.PIPE, check=True).stdout)
    # httpx loses a connection of many threads now and then.
    if found["refused"] > (len(found["whole"]) / 100 if FLOOR.encode() in sent else 0):
        raise SystemExit(f"{found['refused']} of {len(found['whole'])} answers were not 200.")
    return Rate(len(found["whole"]) / found["took"], median(found["whole"]))


def rows(kind: str, seconds: float, rounds: int) -> Iterator[list[str]]:
    """A line of the table for each number in flight, whole and streamed."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server() as provider,
        serving(kind, provider, Path(folder)) as (port, key, _pid),
    ):
        time.sleep(2)
        for stream in (False, True):
            sent = {path: request(path, key, stream=stream) for path in (FLOOR, OURS)}
            for one in sent.values():
                measure(port, one, 4, min(1.0, seconds))  # caches filled, connections made
            for in_flight in IN_FLIGHT:
                title = f"{kind}, {'streamed' if stream else 'whole'}, {in_flight} in flight"
                yield [title, *_cells(sent, port, in_flight, seconds, rounds)]


def _cells(sent: Mapping[str, bytes], port: int, in_flight: int, seconds: float, rounds: int) -> list[str]:
    found: dict[str, list[Rate]] = {path: [] for path in sent}
    for number in range(rounds):
        for path in list(sent) if number % 2 else reversed(list(sent)):
            found[path].append(measure(port, sent[path], in_flight, seconds))
    ratio = median(ours.per_second / floor.per_second for ours, floor in zip(found[OURS], found[FLOOR], strict=True))
    floor, ours = (median(rate.per_second for rate in found[path]) for path in (FLOOR, OURS))
    added = median(ours.seconds - floor.seconds for ours, floor in zip(found[OURS], found[FLOOR], strict=True))
    return [f"{floor:.0f}/s", f"{ours:.0f}/s", f"{ratio:.2f}", f"{added * 1000:+.1f} ms"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only show that everything runs")
    parser.add_argument("--server", choices=SERVERS, action="append")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    # Short turns and many, since a shared machine's speed changes within seconds.
    seconds, rounds = (0.3, 1) if options.quick else (1.0, options.rounds)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores; at least {PROMISED} of the floor is promised.\n"
    )
    print(f"{'what':<44}{'floor':>10}{'ours':>10}{'ratio':>8}{'added':>12}")
    for kind in options.server or SERVERS:
        for name, *cells in rows(kind, seconds, rounds):
            print(f"{name:<44}{cells[0]:>10}{cells[1]:>10}{cells[2]:>8}{cells[3]:>12}", flush=True)


if __name__ == "__main__":
    main()
