"""The providers' own SDKs, asking our API without a network, under WSGI or ASGI."""

from __future__ import annotations

from contextlib import contextmanager

import anthropic
import httpx2
import openai

ROOT = "/api/llm/"
KEY = "sk-unread"


def through(asker):
    """An HTTP client of the SDKs' own kind whose requests this user makes."""

    def answer(request):
        told = asker.send(request.content, path=request.url.path)
        return httpx2.Response(told.status, headers=dict(told.headers.items()), content=told.body)

    return httpx2.Client(transport=httpx2.MockTransport(answer))


@contextmanager
def openai_sdk(asker):
    """OpenAI's SDK, pointed at our site."""
    with openai.OpenAI(
        api_key=KEY, base_url=f"http://testserver{ROOT}v1", http_client=through(asker), max_retries=0
    ) as client:
        yield client


@contextmanager
def anthropic_sdk(asker):
    """Anthropic's SDK, pointed at our site."""
    with anthropic.Anthropic(
        api_key=KEY, base_url=f"http://testserver{ROOT}", http_client=through(asker), max_retries=0
    ) as client:
        yield client
