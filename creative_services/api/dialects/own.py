"""Our own API, `generate/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.api.bodies import answer_body, chunk_body
from creative_services.api.dialects.base import Asked, Fault
from creative_services.api.dialects.sse import event
from creative_services.core.errors import InvalidRequestError

if TYPE_CHECKING:
    from creative_services.core.types import LLMChunk, LLMEntry, LLMResponse

FIELDS = frozenset({
    "prompt", "messages", "system", "tier", "llm_id", "max_tokens", "temperature", "stop", "tools", "tool_choice",
    "response_format", "stream", "on_interrupt",
})  # fmt: skip


class Own:
    """The bodies and events of `generate/`; its errors are those of all our own routes."""

    def read(self, body: dict[str, Any]) -> Asked:
        unknown = [name for name in body if name not in FIELDS]
        if unknown:
            named = ", ".join(f"`{name[:40]}`" for name in unknown[:5])
            raise InvalidRequestError(f"Unknown: {named}. The fields are: {', '.join(sorted(FIELDS))}.")
        stream = body.pop("stream", None)
        if not isinstance(stream, bool | None):
            raise InvalidRequestError("`stream` must be true or false.")
        if body.get("on_interrupt") is None:
            body.pop("on_interrupt", None)
        elif not stream:
            raise InvalidRequestError("`on_interrupt` is only for streams: send it with `stream` true.")
        return Asked(None, bool(stream), body)

    def whole(self, asked: Asked, response: LLMResponse) -> dict[str, Any]:
        return answer_body(response)

    def writer(self, asked: Asked, request_id: str, llm: LLMEntry) -> OwnWriter:
        return OwnWriter()

    def error_body(self, fault: Fault) -> dict[str, str]:
        return {"code": fault.code, "detail": fault.detail}


class OwnWriter:
    """Events `chunk`, `restart`, `done` and `error`."""

    def begin(self) -> bytes:
        return b""

    def chunk(self, chunk: LLMChunk) -> bytes:
        if chunk.restart:
            return event("restart", {})
        body = chunk_body(chunk)
        return event("chunk", body) if body else b""

    def done(self, response: LLMResponse) -> bytes:
        return event("done", answer_body(response))

    def error(self, fault: Fault) -> bytes:
        return event("error", OWN.error_body(fault))


OWN = Own()
