"""What a team would write itself in ten minutes: a REST framework view that hands a request on with httpx.

It chooses nothing, checks nobody, books nothing, and hands on what comes.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from rest_framework.response import Response
from rest_framework.views import APIView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from django.http import HttpResponseBase
    from rest_framework.request import Request

POOL = httpx.Limits(max_connections=None, max_keepalive_connections=256)


@cache
def client() -> httpx.Client:
    """One pooled client for all threads."""
    return httpx.Client(limits=POOL, timeout=60)


@cache
def async_client() -> httpx.AsyncClient:
    """One pooled client for the server's loop."""
    return httpx.AsyncClient(limits=POOL, timeout=60)


class FloorView(APIView):
    """Hands a chat completion on, whole or streamed."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> HttpResponseBase:
        body: Any = request.data
        if not body.get("stream"):
            return Response(client().post(f"{settings.PROVIDER}/chat/completions", json=body).json())
        is_asgi = isinstance(request._request, ASGIRequest)  # noqa: SLF001 - REST framework's only way to it
        return StreamingHttpResponse(_alines(body) if is_asgi else _lines(body), content_type="text/event-stream")


def _lines(body: Any) -> Iterator[bytes]:
    with client().stream("POST", f"{settings.PROVIDER}/chat/completions", json=body) as response:
        for line in response.iter_lines():
            if line:
                yield f"{line}\n\n".encode()


async def _alines(body: Any) -> AsyncIterator[bytes]:
    async with async_client().stream("POST", f"{settings.PROVIDER}/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if line:
                yield f"{line}\n\n".encode()
