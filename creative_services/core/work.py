"""What can be asked for: an answer, embeddings. Each knows how to make a try at one LLM of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from creative_services.core.answering import AnswerAttempt
from creative_services.core.embedding import EmbedAttempt
from creative_services.core.errors import InvalidRequestError

if TYPE_CHECKING:
    from creative_services.core.attempt import AttemptFlow
    from creative_services.core.request import EmbedRequest, LLMRequest
    from creative_services.core.types import Limits, LLMEntry
    from creative_services.core.wire.base import Route, Wire


class Work(Protocol):
    """One kind of call."""

    @property
    def request(self) -> LLMRequest | EmbedRequest: ...

    def attempt(self, entry: LLMEntry, wire: Wire, route: Route, limits: Limits) -> AttemptFlow:
        """A try at this LLM. Raises InvalidRequestError naming what its API cannot do."""


@dataclass(frozen=True, slots=True)
class Answering:
    """An answer in words, whole or streamed."""

    request: LLMRequest
    is_stream: bool = False

    def attempt(self, entry: LLMEntry, wire: Wire, route: Route, limits: Limits) -> AttemptFlow:
        request = wire.build(entry, route, self.request, stream=self.is_stream)
        return AnswerAttempt(entry, wire, request, limits, is_stream=self.is_stream)


@dataclass(frozen=True, slots=True)
class Embedding:
    """Vectors for texts."""

    request: EmbedRequest

    def attempt(self, entry: LLMEntry, wire: Wire, route: Route, limits: Limits) -> AttemptFlow:
        if not hasattr(wire, "build_embeddings"):
            raise InvalidRequestError(f"{entry.name!r}: the API {wire.name} has no embeddings. Ask another LLM.")
        return EmbedAttempt(entry, wire, wire.build_embeddings(entry, route, self.request), limits)
