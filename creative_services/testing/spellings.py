"""Which API lives at an address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from creative_services.testing.spelling import ChatSpelling, MessagesSpelling
from creative_services.testing.spelling_gemini import GeminiSpelling, model_in
from creative_services.testing.spelling_responses import ResponsesSpelling

if TYPE_CHECKING:
    from creative_services.testing.spelling import Json, Spelling


def spelling_for(url: str, request: Json, number: int) -> Spelling:
    """The API that lives at this address. Raises AssertionError where the fake speaks none."""
    path = urlsplit(url).path
    if path.endswith("/chat/completions"):
        return ChatSpelling(request, number)
    if path.endswith("/responses"):
        return ResponsesSpelling(request, number)
    if path.endswith("/messages"):
        return MessagesSpelling(request, number)
    if path.endswith((":generateContent", ":streamGenerateContent")):
        return GeminiSpelling(model_in(path), number)
    msg = f"FakeProvider does not speak the API at {url!r}; answer it with a RawReply."
    raise AssertionError(msg)
