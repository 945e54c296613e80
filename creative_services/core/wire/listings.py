"""Lists of models: `{"data": [{"id"}]}` at OpenAI, Anthropic and most others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from creative_services.core.wire import json_text
from creative_services.core.wire.errors import malformed
from creative_services.core.wire.json_text import mapping, objects, text

if TYPE_CHECKING:
    from creative_services.core.types import LLMEntry


def read(entry: LLMEntry, body: bytes, *, field: str = "data", name: str = "id") -> list[str]:
    """The ids, in the provider's order. Raises MalformedResponseError."""
    try:
        answer = json_text.load(body)
    except ValueError:
        raise malformed(entry) from None
    listed = answer if isinstance(answer, list) else mapping(answer).get(field)  # Together answers a bare list
    if not isinstance(listed, list):
        raise malformed(entry)
    return [found for item in objects(listed) if (found := text(item.get(name)))]
