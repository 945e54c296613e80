"""What a fake provider can be told to answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from creative_services.core.errors import ProviderError
from creative_services.core.types import FinishReason, ToolCall, Usage

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Failure:
    """An error answer: a status, and the provider's own sentence in the wire's own error body.

    `code` is the wire's name of the error (`insufficient_quota`, `overloaded_error`); None takes the usual one of the
    status. `body` replaces the whole body. `delay` is in seconds, before the headers.
    """

    status: int
    message: str = "The fake provider was told to fail."
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    body: bytes | None = None
    delay: float = 0.0


@dataclass(frozen=True)
class Reply:
    """An answer: streamed it comes in the given pieces, otherwise they are joined, as the request asks.

    `delay` (before the headers) and `pause` (before each further piece) are in seconds. `usage=None` reports nothing.
    `finish_reason` of None is "stop", or "tool_call" where there are tool calls. `ending` breaks the answer after its
    pieces: "cut" ends the body too early, a Failure is reported inside the stream, an error is raised while reading.
    """

    text: str | Sequence[str] = ""
    reasoning: str = ""
    tool_calls: Sequence[ToolCall] = ()
    usage: Usage | None = field(default_factory=lambda: Usage(input_tokens=3, output_tokens=5))
    finish_reason: FinishReason | None = None
    delay: float = 0.0
    pause: float = 0.0
    ending: Literal["cut"] | Failure | ProviderError | None = None

    @property
    def pieces(self) -> tuple[str, ...]:
        """The pieces the text comes in when it is streamed."""
        return (self.text,) if isinstance(self.text, str) else tuple(self.text)

    @property
    def reason(self) -> FinishReason:
        """Why the answer ends, once said."""
        return self.finish_reason or ("tool_call" if self.tool_calls else "stop")


@dataclass(frozen=True)
class RawReply:
    """Exact bytes, for answers that no wire would write; each piece is one read, and `delay` is in seconds."""

    pieces: Sequence[bytes]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)
    delay: float = 0.0
    pause: float = 0.0


@dataclass(frozen=True)
class OnTheWire:
    """Exact bytes of a response, head included, with `pause` seconds between the pieces; then what the server does.

    For a LoopbackProvider only.
    "keep" waits for the next request, "close" ends the connection, "reset" aborts it, "silence" leaves it hanging.
    """

    pieces: Iterable[bytes] = ()
    ending: Literal["keep", "close", "reset", "silence"] = "close"
    pause: float = 0.0


@dataclass(frozen=True)
class HalfOpen:
    """A connection is accepted, then nothing is read from it and nothing written, until the client leaves.

    For a LoopbackProvider only. Met on a connection that is in use already, it is silence.
    """
