"""What of the recorded traffic the suites look at; `python -m tests.core.wire.census` prints it for docs/wires.md."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from creative_services.core.providers import WIRE_NAMES

from . import test_recorded_gemini as gemini
from . import test_recorded_gemini_requests as gemini_requests
from . import test_recorded_requests as requests
from . import test_recorded_responses as responses
from . import test_recorded_responses_requests as responses_requests
from . import test_recorded_traffic as traffic
from .traffic import recorded

COUNTED_SET = "45b4fc79eae1ac83"
HEAD = ("wire", "provider", "recorded", "whole", "streamed", "errors", "requests")


def by_old_suite(folder):
    errors = [item for item in traffic.errors() if item["wire"] == folder]
    kept = {item["id"] for item in errors}
    whole, streamed = (
        [item for item in traffic.answers(folder, stream=stream) if item["id"] not in kept] for stream in (False, True)
    )
    sent = requests.recorded(folder)
    return whole, streamed, errors, sent if folder == "openai-chat" else list(filter(requests.is_expressible, sent))


def looked_at():
    """By wire: the whole answers, streams, errors and requests that are compared with an independent reading."""
    return {
        "openai_chat": by_old_suite("openai-chat"),
        "anthropic_messages": by_old_suite("anthropic-messages"),
        "openai_responses": (
            responses.answers(stream=False),
            responses.answers(stream=True),
            list(filter(responses.is_error, responses.recorded())),
            responses_requests.recorded(),
        ),
        "gemini": (
            gemini.answers(stream=False),
            gemini.answers(stream=True),
            [item for item in gemini.recorded() if item["response"]["status"] != 200],
            gemini_requests.recorded(),
        ),
    }


def left_out(wire):
    """Ids and fidelity of the interactions whose answer no suite compares."""
    seen = {item["id"] for items in looked_at()[wire][:3] for item in items}
    return {item["id"]: item["fidelity"] for item in recorded(wire) if item["id"] not in seen}


def unbuilt(wire):
    """Interactions whose request is known but is not built again, with why."""
    seen = {item["id"] for item in looked_at()[wire][3]}
    asked = [item for item in recorded(wire) if isinstance((item["request"] or {}).get("json"), dict)]
    return {item["id"]: why(item) for item in asked if item["id"] not in seen}


def why(item):
    return "made up" if item["fidelity"] in {"constructed", "reconstructed"} else "not expressible"


def this_set():
    """What tells this set of recordings from another: the page counts one."""
    return sha256("".join(item["id"] for wire in WIRE_NAMES for item in recorded(wire)).encode()).hexdigest()[:16]


def rows():
    found = looked_at()
    for wire in WIRE_NAMES:
        every = Counter(item["provider"] for item in recorded(wire))
        parts = [Counter(item["provider"] for item in items) for items in found[wire]]
        for provider, count in sorted(every.items(), key=lambda row: (-row[1], row[0])):
            yield (f"`{wire}`", provider, count, *(part[provider] for part in parts))
        yield (f"**`{wire}`**", "**all**", every.total(), *(part.total() for part in parts))


def table():
    lines = [HEAD, ("---", "---", *["---:"] * 5), *rows()]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


if __name__ == "__main__":
    print(this_set())  # noqa: T201
    print(table())  # noqa: T201 -- what it is for
    for wire in WIRE_NAMES:
        print(wire, "answers left out:", left_out(wire))  # noqa: T201
        print(wire, "requests left out:", unbuilt(wire))  # noqa: T201
