"""Google's Gemini API.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from creative_services.core.secret import Secret
from creative_services.core.wire import json_text, listings
from creative_services.core.wire.base import Vectors
from creative_services.core.wire.errors import malformed, provider_error
from creative_services.core.wire.gemini_answer import GeminiReader, read_vectors
from creative_services.core.wire.gemini_conversation import Conversation, system_instruction
from creative_services.core.wire.gemini_options import generation_config, tool_config, tools
from creative_services.core.wire.models import wants_thought_signatures
from creative_services.core.wire.sending import get, post, temperature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.errors import ProviderError
    from creative_services.core.http import HttpRequest
    from creative_services.core.request import EmbedRequest, LLMRequest
    from creative_services.core.types import LLMEntry
    from creative_services.core.wire.base import Delta, Reader, Route


class Gemini:
    """The wire `gemini`."""

    name = "gemini"

    def build(self, entry: LLMEntry, route: Route, request: LLMRequest, *, stream: bool) -> HttpRequest:
        turns = Conversation(wants_signatures=wants_thought_signatures(entry.model))
        body: dict[str, Any] = {"contents": turns.contents(request)}
        if system := system_instruction(request):
            body["systemInstruction"] = system
        if request.tools:
            body["tools"] = tools(request.tools)
        if choice := tool_config(request):
            body["toolConfig"] = choice
        body["generationConfig"] = generation_config(entry, request)
        if (warmth := temperature(entry, route, request)) is not None:
            body["generationConfig"]["temperature"] = warmth
        headers = _headers(route) | ({"accept": "text/event-stream"} if stream else {})
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        return post(entry, f"{route.base_url}/{_resource(entry.model)}:{method}", headers, body, request)

    def parse(self, entry: LLMEntry, body: bytes) -> Delta:
        return GeminiReader(entry).whole(_load(entry, body))

    def reader(self, entry: LLMEntry) -> Reader:
        return GeminiReader(entry)

    def parse_error(self, entry: LLMEntry, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        return provider_error(entry, status, headers, body)

    def build_embeddings(self, entry: LLMEntry, route: Route, request: EmbedRequest) -> HttpRequest:
        resource = _resource(entry.model)
        size = {} if request.dimensions is None else {"outputDimensionality": request.dimensions}
        asked = [{"model": resource, "content": {"parts": [{"text": words}]}} | size for words in request.texts]
        url = f"{route.base_url}/{resource}:batchEmbedContents"
        return post(entry, url, _headers(route), {"requests": asked}, request)

    def parse_embeddings(self, entry: LLMEntry, body: bytes) -> Vectors:
        return Vectors(read_vectors(entry, _load(entry, body)))

    def build_listing(self, entry: LLMEntry, route: Route) -> HttpRequest:
        return get(entry, f"{route.base_url}/models?pageSize=1000", _headers(route))

    def parse_listing(self, entry: LLMEntry, body: bytes) -> list[str]:
        return [found.removeprefix("models/") for found in listings.read(entry, body, field="models", name="name")]


def _headers(route: Route) -> dict[str, str]:
    return {"x-goog-api-key": Secret(route.api_key)} if route.api_key else {}


def _load(entry: LLMEntry, body: bytes) -> Any:
    try:
        return json_text.load(body)
    except ValueError:
        raise malformed(entry) from None


def _resource(model: str) -> str:
    """The model's path: its name as the API lists it, `models/x`, or the bare `x`; tuned ones are `tunedModels/x`."""
    prefix = "tunedModels" if model.startswith("tunedModels/") else "models"
    return f"{prefix}/{quote(model.removeprefix(f'{prefix}/'), safe='')}"
