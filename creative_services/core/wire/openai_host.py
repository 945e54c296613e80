"""What OpenAI's own host, and those that imitate it, offer beside text, whichever of its two APIs text comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creative_services.core.secret import Secret
from creative_services.core.wire import embeddings, listings
from creative_services.core.wire.base import API_KEY_HEADER
from creative_services.core.wire.sending import get, post

if TYPE_CHECKING:
    from creative_services.core.http import HttpRequest
    from creative_services.core.request import EmbedRequest
    from creative_services.core.types import LLMEntry
    from creative_services.core.wire.base import Route, Vectors


class OpenAIHost:
    """The key's header, embeddings and the list of models."""

    def build_embeddings(self, entry: LLMEntry, route: Route, request: EmbedRequest) -> HttpRequest:
        body = embeddings.body_of(entry, request)
        return post(entry, f"{route.base_url}/embeddings", self.key_header(route), body, request)

    def parse_embeddings(self, entry: LLMEntry, body: bytes) -> Vectors:
        return embeddings.read(entry, body)

    def build_listing(self, entry: LLMEntry, route: Route) -> HttpRequest:
        return get(entry, f"{route.base_url}/models", self.key_header(route))

    def parse_listing(self, entry: LLMEntry, body: bytes) -> list[str]:
        return listings.read(entry, body)

    def key_header(self, route: Route) -> dict[str, str]:
        """The header that carries the key, if there is one."""
        if not route.api_key:
            return {}
        if API_KEY_HEADER in route.quirks:
            return {"api-key": Secret(route.api_key)}
        return {"authorization": Secret(f"Bearer {route.api_key}")}
