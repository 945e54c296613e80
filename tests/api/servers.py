"""Real WSGI and ASGI servers on loopback, each a process of its own with a SQLite file."""

from __future__ import annotations

import base64
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
UVICORN = ("uvicorn", "--fd=0", "--lifespan=off", "--log-level=warning", "--timeout-graceful-shutdown=1", "--factory")
DJANGOS, OURS = "django.core.asgi:get_asgi_application", "creative_services.asgi:get_asgi_application"
STANDARD = ("--loop=uvloop", "--http=httptools")
GUNICORN = (
    "gunicorn",
    "django.core.wsgi:get_wsgi_application()",
    "--bind=fd://0",
    "--log-level=warning",
    "--graceful-timeout=1",
)
COMMANDS = {
    "uvicorn": (*UVICORN, DJANGOS, "--loop=asyncio", "--http=h11"),
    "uvicorn-standard": (*UVICORN, DJANGOS, *STANDARD),
    "uvicorn-kept-threads": (*UVICORN, OURS, *STANDARD),
    "gunicorn": (*GUNICORN, "--worker-class=sync"),
    "gunicorn-threads": (*GUNICORN, "--worker-class=gthread", "--threads=4"),
}
SETUP = """
import sys, django
django.setup()
from django.core.management import call_command
from django.contrib.auth.models import Permission, User
from creative_services.models import Llms
call_command("migrate", verbosity=0)
user = User.objects.create_user("ann", password="sesame")
user.user_permissions.add(Permission.objects.get(codename="generate"))
Llms.objects.create(name="Near", provider="near", model="near-1", tier="local", api_endpoint=sys.argv[1])
"""


class Server:
    """A running server."""

    def __init__(self, port: int, database: Path, process: subprocess.Popen[bytes], said: str = "") -> None:
        self.port = port
        self.process = process
        self.database = database
        self.said = said  # by its set-up

    def ask(self, **body: Any) -> http.client.HTTPResponse:
        """The response as soon as its headers are there. Closing it leaves the server."""
        return self.post(json.dumps({"prompt": "Hello", "tier": "local"} | body).encode())

    def post(self, body: Any, **options: Any) -> http.client.HTTPResponse:
        connection = self.connect(body, **options)
        return connection.getresponse()

    def connect(self, body: Any, **options: Any) -> http.client.HTTPConnection:
        """A connection on which the request has been sent."""
        token = base64.b64encode(b"ann:sesame").decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json", "Connection": "close"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", "/api/llm/generate/", body, headers, **options)
        return connection

    def is_writable(self) -> bool:
        """Whether the database's file is in nobody's transaction, so that somebody else may write at once."""
        with closing(sqlite3.connect(self.database, timeout=0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                return False
            return True


@contextmanager
def serving(
    kind: str, folder: Path, url: str, more: str = "", *told: str, settings: str = "tests.settings"
) -> Iterator[Server]:
    """A server of this kind, with one row of the local tier whose endpoint is `url`.

    `more` is code that sets up more; it finds `told` in `sys.argv[2:]`, and what it prints is `Server.said`.
    """
    database = folder / "database.sqlite3"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}", "DJANGO_SETTINGS_MODULE": settings}
    set_up = [sys.executable, "-c", SETUP + more, url, *told]
    said = subprocess.run(set_up, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[kind]], cwd=ROOT, env=environment, stdin=listener.fileno()
        )
    try:
        _wait_until_up(port)
        yield Server(port, database, process, said)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:  # it lets whole answers run to their end, and a test's provider may be silent
            process.kill()
            process.wait()


def _wait_until_up(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", "/api/llm/tiers/")
            connection.getresponse().read()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
