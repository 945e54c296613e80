"""What real clients sent, asked of our routes: each request is answered, or refused with a reason."""

from collections import Counter
from http import HTTPStatus
from pathlib import Path

import pytest
from django.test import Client

from creative_services import LLMEntry, LLMTier
from creative_services.testing import override_llms
from tests.core.wire.traffic import needs_traffic, recorded

pytestmark = needs_traffic

PAGE = Path(__file__).parents[2] / "docs" / "http_api.md"
ROUTES = {
    "openai-chat": "/api/llm/v1/chat/completions",
    "openai-responses": "/api/llm/v1/responses",
    "anthropic-messages": "/api/llm/v1/messages",
}


def bodies(wire):
    """The requests, asking for a tier in place of a model that is not ours."""
    found = [item["request"]["json"] for item in recorded(wire) if item["request"]]
    return [body | {"model": "standard"} for body in found if isinstance(body, dict)]


def answer(client, route, body):
    response = client.post(route, body, "application/json")
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return response.status_code, content, response


@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("wire", ROUTES)
def test_every_recorded_request_is_answered_or_refused_with_a_reason(wire, provider, caller, capsys):
    client = Client()
    client.force_login(caller)
    statuses = Counter()
    with override_llms(LLMEntry(1, "One", provider, "one-1", LLMTier.STANDARD, api_key="sk-none")):
        for body in bodies(wire):
            status, content, response = answer(client, ROUTES[wire], body)
            statuses[status] += 1
            if status == HTTPStatus.OK:
                assert b'"error":{' not in content
            else:
                assert status in {400, 413}, content
                assert len(response.json()["error"]["message"]) > 20

    with capsys.disabled():
        print(f"\n{wire} for {provider}: {dict(sorted(statuses.items()))}")  # noqa: T201 - the counts are the point
    told = f"| {statuses[200]} | {statuses[400]} |"
    assert told in PAGE.read_text(), f"{told} is to be written in {PAGE.name}"
