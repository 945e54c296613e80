"""A try at embeddings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from creative_services.core.attempt import AttemptFlow
from creative_services.core.types import EmbeddingResponse, Usage

if TYPE_CHECKING:
    from collections.abc import Generator

    from creative_services.core.steps import Step


class EmbedAttempt(AttemptFlow):
    """Takes the vectors in."""

    def begin(self) -> None:
        self.usage = Usage()
        self.vectors: list[list[float]] = []
        self.response_model: str | None = None

    def take(self, exchange: Any) -> Generator[Step, Any, None]:
        found = self.wire.parse_embeddings(self.entry, (yield from self.body(exchange)))  # type: ignore[attr-defined]
        self.vectors, self.response_model = found.vectors, found.response_model
        self.usage = found.usage or self.usage

    def billed(self) -> Usage:
        """The input: an embedding has no output, and so no API counts it."""
        return replace(self.usage, output_tokens=0)

    def response(self, call_id: str, latency: float) -> EmbeddingResponse:
        return EmbeddingResponse(
            vectors=self.vectors,
            llm=self.entry.without_key(),
            usage=self.usage,
            cost=self.cost(),
            response_model=self.response_model,
            request_id=call_id,
            latency_seconds=latency,
            attempts=(),
            provider_request_id=self.provider_request_id(),
        )
