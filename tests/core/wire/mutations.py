"""Bodies and streams as no provider should send them: mutated ones of real shape, each made from its own seed."""

from __future__ import annotations

import json
import random

from .answers import KEY

PIECES = (
    "", "a", "\x00", "\ud83d", "😀", "text", "error", "stop", "tool_use", "thinking", "function_call", "9" * 5000,
    "message", "response.completed", "response.output_text.delta", "STOP", KEY, "<script>", "\r", "\n\n", "data: ",
)  # fmt: skip
VALUES = (
    None, True, False, 0, -1, 1.5, 10**30, -(10**30), float("inf"), float("nan"), 2**63, [], {}, [None], [[]], [{}],
    {"": {}}, {"type": []}, {"text": {"text": 1}}, ["a", 1, None, {}],
)  # fmt: skip
TOKENS = (
    b"\r", b"\n", b"\n\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"event: error\n", b"error: x\n", b"{", b"}", b"[",
    b'"', b"\\u", b"\\ud800", b"1e999", b"-", b"9" * 5000, b"data: [DONE]\n\n", b"data: {}\n\n", b": x\n", b"null",
)  # fmt: skip


class Mutator:
    """Changes what it is given; equal seeds change equally."""

    def __init__(self, seed):
        self.rng = random.Random(seed)  # noqa: S311 -- chance that can be repeated, not a secret

    def body(self, data):
        """A whole body, changed as JSON or as bytes."""
        try:
            changed = self.dumped(self.value(json.loads(data))) if self.rng.random() < 0.7 else data
        except ValueError:
            changed = data
        return self.bytes(changed) if changed is data or self.rng.random() < 0.2 else changed

    def stream(self, data):
        """A stream with some of its events changed, doubled, dropped or put elsewhere."""
        events = data.replace(b"\r\n", b"\n").split(b"\n\n")
        for _ in range(self.rng.randint(1, 6)):
            at = self.rng.randrange(len(events))
            change = self.rng.choice((self.event, self.event, self.event, self.bytes, self.moved))
            events[at] = change(events[at])
            if self.rng.random() < 0.2:
                del events[at : at + self.rng.randint(1, 2)]
                events = events or [b""]
        return self.rng.choice((b"\n\n", b"\n\n", b"\r\n\r\n", b"\r\r")).join(events)

    def event(self, event):
        head, mark, data = event.partition(b"data: ")
        try:
            return head + mark + self.dumped(self.value(json.loads(data)))
        except (ValueError, RecursionError):  # the latter for what was changed before
            return self.bytes(event)

    def moved(self, event):
        return event + b"\n\n" + event

    def bytes(self, data):
        """Data with a few bytes changed, left out, doubled or put in."""
        for _ in range(self.rng.randint(1, 4)):
            at, size = self.rng.randrange(len(data) + 1), self.rng.choice((0, 1, 3, 40))
            middle = self.rng.choice((b"", self.rng.choice(TOKENS), data[at : at + size] * 2, self.rng.randbytes(size)))
            data = data[:at] + middle + data[at + size :]
        return data

    def value(self, value):
        """A JSON value with something in it changed."""
        holder, places = self.inside(value)
        if not places:
            return self.odd()
        place = self.rng.choice(places)
        kind = self.rng.random()
        if kind < 0.45:
            holder[place] = self.odd()
        elif kind < 0.6:
            del holder[place]
        elif kind < 0.75:
            holder[place] = [holder[place]] if self.rng.random() < 0.5 else {self.rng.choice(PIECES): holder[place]}
        else:
            holder[place] = self.value(holder[place])
        return value

    def inside(self, value):
        """A container somewhere in the value, and its places."""
        containers, waiting = [], [value]
        while waiting:
            found = waiting.pop()
            if isinstance(found, dict | list) and found:
                containers.append(found)
                waiting += found.values() if isinstance(found, dict) else found
        if not containers:
            return value, []
        holder = self.rng.choice(containers)
        return holder, list(holder) if isinstance(holder, dict) else list(range(len(holder)))

    def odd(self):
        if self.rng.random() < 0.05:
            return self.deep(self.rng.choice((10, 400, 2000)))
        return self.rng.choice((*VALUES, *PIECES))

    def deep(self, depth):
        value = self.rng.choice((None, "x"))
        for _ in range(depth):
            value = [value] if self.rng.random() < 0.5 else {"error": value}
        return value

    def dumped(self, value):
        try:
            return json.dumps(value, ensure_ascii=self.rng.random() < 0.5).encode(errors="replace")
        except RecursionError:
            return b"[" * 3000 + b"]" * 3000

    def headers(self):
        odd = (
            "",
            "-1",
            "1e400",
            "nan",
            "7",
            "9" * 5000,
            "Wed, 99 Foo 2026 00:00:00 GMT",
            "Fri, 31 Dec 9999 23:59:60 GMT",
        )
        names = ("retry-after", "retry-after-ms", "x-should-retry", "x-request-id", "content-type")
        return {name: self.rng.choice((*odd, "true", "text/html", KEY)) for name in names if self.rng.random() < 0.5}
