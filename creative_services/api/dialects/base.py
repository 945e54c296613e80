"""What a dialect is: one API's way to ask, to answer, to stream and to say what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.errors import CreativeServicesError
    from creative_services.core.types import LLMChunk, LLMEntry, LLMResponse


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    `model` is as the client wrote it; of None, `call` names its own target or none. `call` holds the arguments of
    `generate` and `stream`, `options` what the dialect itself wants to remember until the answer.
    """

    model: str | None
    stream: bool
    call: dict[str, Any] = field(repr=False)
    options: Any = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong, as it is told: an HTTP status, our code, a sentence for people.

    `request_id` is the call's, or one of its own where no call was begun; it is in the response's header too. `error`
    is the core's error where it is one of those.
    """

    status: int
    code: str
    detail: str
    request_id: str
    error: CreativeServicesError | None = None


class Writer(Protocol):
    """Makes one streamed answer's server-sent events, as bytes; made when the first words have come."""

    def begin(self) -> bytes:
        """What comes before the first chunk."""

    def chunk(self, chunk: LLMChunk) -> bytes:
        """What this chunk adds; nothing where this API has no word for it. The last holds tool calls and usage."""

    def done(self, response: LLMResponse) -> bytes:
        """The end of a whole answer."""

    def error(self, fault: Fault) -> bytes:
        """The end of an answer that broke."""


class Form(Protocol):
    """One API's bodies. Stateless: one instance serves all threads."""

    def read(self, body: dict[str, Any]) -> Asked:
        """What this JSON object asks for. Raises InvalidRequestError, which names the field and quotes no prompt."""

    def whole(self, asked: Asked, response: Any) -> Mapping[str, Any]:
        """The body of a whole answer, an LLMResponse or an EmbeddingResponse."""

    def error_body(self, fault: Fault) -> Mapping[str, Any]:
        """The body of an error."""


class Dialect(Form, Protocol):
    """The form of an API whose answers may be streamed."""

    def writer(self, asked: Asked, request_id: str, llm: LLMEntry) -> Writer:
        """What writes the stream that this LLM answers with."""
