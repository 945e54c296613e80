"""What can be asked for: an answer, embeddings. Each knows how to make a try at one LLM of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Protocol

from creative_services.core.answering import AnswerAttempt, Upstream
from creative_services.core.embedding import EmbedAttempt
from creative_services.core.errors import InvalidRequestError
from creative_services.core.pricing import estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from creative_services.core.attempt import AttemptFlow
    from creative_services.core.limits import Limits
    from creative_services.core.request import EmbedRequest, LLMRequest
    from creative_services.core.types import LLMEntry
    from creative_services.core.wire.base import Route, Wire


class Work(Protocol):
    """One kind of call."""

    @property
    def request(self) -> LLMRequest | EmbedRequest: ...

    def attempt(self, entry: LLMEntry, wire: Wire, route: Route, limits: Limits) -> AttemptFlow:
        """A try at this LLM. Raises InvalidRequestError naming what it or its API cannot do."""

    def output_tokens(self, entry: LLMEntry) -> int:
        """The most output tokens that this LLM may bill."""


@dataclass(frozen=True, slots=True)
class Answering:
    """An answer in words, whole or streamed."""

    request: LLMRequest
    upstream: Upstream = Upstream.WHOLE

    def attempt(self, entry: LLMEntry, wire: Wire, route: Route, limits: Limits) -> AttemptFlow:
        lacking = _lacking(entry, self.request)
        if lacking:
            raise InvalidRequestError(f"{entry.name!r}: this LLM takes no {lacking}. Ask another LLM.")
        request = wire.build(entry, route, self.request, stream=self.upstream is not Upstream.WHOLE)
        return AnswerAttempt(entry, wire, request, limits, self.upstream)

    def output_tokens(self, entry: LLMEntry) -> int:
        return self.request.max_tokens or entry.max_tokens

    def shortened(self, max_tokens: int) -> Answering:
        """The same with so many output tokens at most."""
        return replace(self, request=replace(self.request, max_tokens=max_tokens))


@dataclass(frozen=True, slots=True)
class Embedding:
    """Vectors for texts."""

    request: EmbedRequest

    def attempt(self, entry: LLMEntry, wire: Wire, route: Route, limits: Limits) -> AttemptFlow:
        if not hasattr(wire, "build_embeddings"):
            raise InvalidRequestError(f"{entry.name!r}: the API {wire.name} has no embeddings. Ask another LLM.")
        return EmbedAttempt(entry, wire, wire.build_embeddings(entry, route, self.request), limits)

    def output_tokens(self, entry: LLMEntry) -> int:
        return 0


def _lacking(entry: LLMEntry, request: LLMRequest) -> str | None:
    """What the call needs and the LLM is known not to have."""
    if entry.supports_images is False and request.wants_images:
        return "images"
    if entry.supports_tools is False and request.tools:
        return "tools"
    if entry.supports_json_schema is False and request.wants_json_schema:
        return "JSON schema"
    return None


def cheapest_for(work: Work) -> Callable[[Iterable[LLMEntry]], list[LLMEntry]]:
    """Orders LLMs by what this work would cost with its prompt and output; unknown prices last, ties as ranked."""

    def price(entry: LLMEntry) -> tuple[bool, Decimal]:
        cost = estimate(entry, work.request.size, work.output_tokens(entry))
        return cost is None, cost or Decimal(0)

    return lambda ranked: sorted(ranked, key=price)
