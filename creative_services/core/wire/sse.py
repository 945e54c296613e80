"""Server-sent events, decoded from bytes as they arrive (the WHATWG HTML standard's event stream format)."""

from __future__ import annotations

from creative_services.core.errors import MalformedResponseError

BOM = b"\xef\xbb\xbf"
MAX_EVENT_BYTES = 32 * 1024 * 1024

Event = tuple[str, bytes]


class SSEDecoder:
    """Turns pieces of a body, cut anywhere, into `(event, data)` pairs; the default event is "message".

    Raises MalformedResponseError when one event grows beyond 32 MB. Unlike the standard it also gives, at the end, an
    event that no blank line closes, because several providers end their streams so; and takes a field named `error` as
    an event of that name, because older llama.cpp servers send errors so.
    """

    __slots__ = ("_after_cr", "_data", "_event", "_line", "_size", "_started")

    def __init__(self) -> None:
        self._line: list[bytes] = []  # pieces of a line that has not ended; joined once, so that huge lines stay linear
        self._data: list[bytes] = []
        self._event = ""
        self._size = 0
        self._after_cr = False
        self._started = False

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes."""
        if not self._started:
            piece = self._without_bom(piece)
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in piece:
            self._after_cr = piece.endswith(b"\r")
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = piece.split(b"\n")
        if self._line and len(lines) > 1:
            lines[0] = b"".join((*self._line, lines[0]))
            self._line.clear()
        rest = lines.pop()
        events = self._lines(lines)
        if rest:
            self._line.append(rest)
            self._grow(len(rest))
        return events

    def flush(self) -> list[Event]:
        """The event that the end of the body completes, if any."""
        lines = [b"".join(self._line), b""]
        self._line.clear()
        return self._lines(lines)

    def _lines(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        data = self._data
        for line in lines:
            if line.startswith(b"data: "):
                data.append(line[6:])
                if len(data) > 1:
                    self._grow(len(line))
            elif line:
                self._field(line)
            else:
                if data:
                    events.append((self._event or "message", data[0] if len(data) == 1 else b"\n".join(data)))
                    data.clear()
                self._event = ""
                self._size = 0
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"event":
            self._event = value.decode(errors="replace")
        elif name in {b"data", b"error"}:
            if name == b"error":
                self._event = "error"
            self._data.append(value)
            self._grow(len(line) + 1)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > MAX_EVENT_BYTES:
            raise MalformedResponseError(
                f"The provider's stream sent one event of more than {MAX_EVENT_BYTES // 2**20} MB. Ask another LLM."
            )

    def _without_bom(self, piece: bytes) -> bytes:
        head = b"".join((*self._line, piece))
        self._line.clear()
        if len(head) < len(BOM) and BOM.startswith(head):
            self._line = [head]
            return b""
        self._started = True
        return head.removeprefix(BOM)
