"""`python -m example_project.demo`: from nothing to generated text and a site to look around in.

`make demo` installs what this needs and then calls it.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError
from django.db import Error as DatabaseError

from creative_services import CreativeServicesError
from example_project.demo.model_server import ModelServerError, model_server

HOST = "127.0.0.1"
FILES = Path(__file__).parents[1] / ".demo"
PROMPT = "Write a short tagline for a bakery that opens before sunrise."

FORESEEABLE = (ModelServerError, CreativeServicesError, ImproperlyConfigured, CommandError, DatabaseError, OSError)


def main() -> int:
    """Run the demo; every foreseeable failure is one line and exit code 1."""
    arguments = parse()
    for way in (signal.SIGINT, signal.SIGTERM):
        signal.signal(way, _interrupt)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_project.settings")
    # The development server hands out the admin's static files only so; it listens on this machine alone.
    os.environ.setdefault("DEBUG", "1")
    try:
        if not arguments.once:
            check_port(arguments.port)
        FILES.mkdir(exist_ok=True)
        django.setup()
        run(arguments)
    except (KeyboardInterrupt, SystemExit):
        say("\nStopped, and the model with it.")
    except FORESEEABLE as error:
        say(f"The demo stops here: {error}")
        return 1
    return 0


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make demo DEMO_ARGS=…", description="Real text from a real, small model.")
    parser.add_argument("--once", action="store_true", help="end after the text instead of serving the site")
    parser.add_argument("--model", type=Path, metavar="FILE.gguf", help="a better model than the bundled one")
    parser.add_argument("--port", type=int, default=8000, help="where to serve the site (8000)")
    parser.add_argument("--prompt", default=PROMPT, help="what to ask the model")
    return parser.parse_args()


def run(arguments: argparse.Namespace) -> None:
    """Prepare the database, start the model, ask it, and serve the site unless `--once`."""
    # Django's models can be imported only now that it is set up.
    from example_project.demo import site, talk  # noqa: PLC0415

    say("Preparing the database …")
    site.migrate()
    say(f"Loading {arguments.model or 'SmolLM2-135M'} …", end="")
    with model_server(arguments.model, log=FILES / "model.log", waiting=lambda _: say(".", end="")) as server:
        say(f" served by llama.cpp at {server.url}")
        with site.local_row(server):
            site.seed()
            talk.ask(arguments.prompt)
            if not arguments.once:
                site.admin_user()
                site.serve(HOST, arguments.port)


def check_port(port: int) -> None:
    """Refuse at once, rather than after the download of a model, a port that somebody else listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            msg = f"port {port} of {HOST} is taken. Choose another: make demo DEMO_ARGS='--port {port + 1}'"
            raise OSError(msg) from None


def say(line: str = "", *, end: str = "\n") -> None:
    """Print at once, also through a pipe."""
    print(line, end=end, flush=True)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    """A polite `kill` ends the demo as Ctrl-C does, also where it was started in the background."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
