"""The recorded traffic that lies beside the checkout, by wire; read where it lies, and empty where it is not."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from creative_services.core.errors import ProviderError
from creative_services.core.providers import WIRE_NAMES

from .answers import streamed

TRAFFIC = Path(__file__).resolve().parents[3].parent / "shared" / "wire"
needs_traffic = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recorded traffic is not beside this checkout")


@cache
def recorded(wire):
    folder = TRAFFIC / wire.replace("_", "-")
    return tuple(json.loads(path.read_text()) for path in sorted(folder.glob("*.json")))


def is_stream(item):
    return item["response"]["status"] == 200 and item["response"]["body"].lstrip().startswith(("data:", "event:", ":"))


def body(item):
    return item["response"]["body"].encode()


def frames(item):
    """The JSON of each event, with the name of its `event:` line, if any."""
    event, found = None, []
    for line in item["response"]["body"].replace("\r\n", "\n").split("\n"):
        if line.startswith("event:"):
            event = line[6:].strip()
        elif line.startswith("data:") and line[5:].strip() not in {"", "[DONE]"}:
            found.append((event, json.loads(line[5:])))
            event = None
    return found


def all_streams():
    """Every recorded stream of every wire, whatever its fidelity, as test parameters `wire, item`."""
    return [
        pytest.param(wire, item, id=f"{wire}-{item['id']}")
        for wire in WIRE_NAMES
        for item in recorded(wire)
        if is_stream(item)
    ]


def outcome(wire, *pieces):
    """The answer, or what the error says."""
    try:
        return streamed(wire, *pieces)
    except ProviderError as error:
        return type(error), str(error), error.provider_message, error.is_retryable
