"""What a fake provider received."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from creative_services.testing.spelling_gemini import model_in

if TYPE_CHECKING:
    from creative_services.core.http import HttpRequest


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as it was sent. Keys in `headers` read as themselves but show masked; `json` is the parsed body."""

    method: str
    url: str
    headers: Mapping[str, str]
    json: Mapping[str, Any]
    http: HttpRequest = field(repr=False)

    @classmethod
    def of(cls, request: HttpRequest) -> ReceivedRequest:
        """The record of a request whose body, if any, is a JSON object."""
        return cls(request.method, request.url, dict(request.headers), json.loads(request.body or b"{}"), request)

    @property
    def model(self) -> str:
        """The model asked for."""
        return str(self.json.get("model") or model_in(self.url))

    @property
    def is_stream(self) -> bool:
        """Whether the answer is wanted as a stream."""
        return bool(self.json.get("stream")) or ":streamGenerateContent" in self.url

    @property
    def prompt(self) -> str:
        """The text of the last message, its parts joined."""
        messages: Any = next(
            (self.json[name] for name in ("messages", "input", "contents") if self.json.get(name)), [{}]
        )
        content = next((messages[-1][name] for name in ("content", "output", "parts") if messages[-1].get(name)), "")
        if isinstance(content, str):
            return content
        return "".join(part.get("text", "") for part in content)
