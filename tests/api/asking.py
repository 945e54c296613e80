"""Asks the API as a WSGI or an ASGI server would, and reads what comes back to its end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import async_to_sync
from django.contrib.auth.models import AbstractBaseUser
from django.test import AsyncClient, Client

GENERATE = "/api/llm/generate/"
CHAT = "/api/llm/v1/chat/completions"


@dataclass(frozen=True)
class Told:
    """A response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        assert set(self.json) == {"code", "detail"}
        assert isinstance(self.json["detail"], str)
        return self.json["code"]

    @property
    def data(self) -> list[Any]:
        """The data of nameless events, of which the last may be `[DONE]`."""
        assert self.headers["Content-Type"] == "text/event-stream"
        told = [block.removeprefix("data: ") for block in self.body.decode().removesuffix("\n\n").split("\n\n")]
        return [data if data == "[DONE]" else json.loads(data) for data in told]

    @property
    def events(self) -> list[tuple[str, Any]]:
        assert self.headers["Content-Type"] == "text/event-stream"
        return parse_events(self.body)


def parse_events(body: bytes) -> list[tuple[str, Any]]:
    """The events of a body, each exactly one `event:` and one `data:` line."""
    events = []
    for block in body.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events


class Asker:
    """One user of the API."""

    def __init__(self, world: str, user: AbstractBaseUser | None = None) -> None:
        self.world = world
        self.user = user

    def generate(self, **body: Any) -> Told:
        return self.send(json.dumps(body))

    def chat(self, **body: Any) -> Told:
        return self.post(CHAT, {"model": "standard", "messages": [{"role": "user", "content": "Hello"}]} | body)

    def post(self, path: str, body: Any, **headers: str) -> Told:
        return self.send(json.dumps(body), path=path, **headers)

    def send(
        self, body: str | bytes, content_type: str = "application/json", path: str = GENERATE, **headers: str
    ) -> Told:
        if self.world == "asgi":
            return async_to_sync(self._asend)(path, body, content_type, headers)
        client = Client()
        if self.user:
            client.force_login(self.user)
        response = client.post(path, body, content_type, headers=headers)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        return Told(response.status_code, response.headers, content)

    def get(self, path: str, **headers: str) -> Told:
        client = Client()
        if self.user:
            client.force_login(self.user)
        response = client.get(path, headers=headers)
        return Told(response.status_code, response.headers, response.content)

    async def _asend(self, path: str, body: str | bytes, content_type: str, headers: Mapping[str, str]) -> Told:
        client = AsyncClient()
        if self.user:
            await client.aforce_login(self.user)
        response = await client.post(path, body, content_type, headers=dict(headers))
        parts = [part async for part in response.streaming_content] if response.streaming else [response.content]
        return Told(response.status_code, response.headers, b"".join(parts))
