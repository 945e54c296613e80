"""Whatever the schema lets a client send, or forbids it to: no crash, and no answer that the schema does not have.

`SCHEMATHESIS_CASES` says how many cases there are of each operation, in each world and of each kind: with 75 of them,
as continuous integration asks once, over 2,000 in all.
"""

import json
import os

import pytest
import requests
import schemathesis
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from creative_services import LLMEntry, LLMTier
from creative_services.testing import FakeProvider, RawReply, Reply, override_llms
from tests.api.schemas import operations, schema_of

CASES = int(os.environ.get("SCHEMATHESIS_CASES", "6"))
IS_JSON = {"content-type": "application/json"}
HOST = "http://testserver"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schema_of("3.1.0")
OPERATIONS = [(path, method) for path, method, _ in operations(SCHEMA)]
ENTRIES = [
    LLMEntry(1, "Chatty", "openai", "gpt-4o-mini", LLMTier.STANDARD, api_key="sk-none"),
    LLMEntry(2, "Formal", "anthropic", "claude-haiku-4-5", LLMTier.LOCAL, api_key="sk-none"),
    LLMEntry(3, "Sparkling", "gemini", "gemini-3-flash", LLMTier.PREMIUM, api_key="sk-none"),
]
MODELS = st.sampled_from(["standard", "premium", "Chatty", "Formal", "gemini/gemini-3-flash", "Nobody"])


@pytest.fixture(scope="module")
def described():
    schema = schemathesis.openapi.from_dict(SCHEMA)
    schema.config.generation.update(with_security_parameters=False)
    return schema


class Wsgi:
    def __init__(self, user):
        self.client = Client()
        self.client.force_login(user)

    def send(self, method, path, body, headers):
        content_type = headers.pop("Content-Type", "application/octet-stream")
        response = self.client.generic(method, path, body, content_type, headers=headers)
        return response, b"".join(response.streaming_content) if response.streaming else response.content


class Asgi:
    def __init__(self, user):
        self.client = AsyncClient()
        self.client.force_login(user)

    @async_to_sync
    async def send(self, method, path, body, headers):
        content_type = headers.pop("Content-Type", "application/octet-stream")
        response = await self.client.generic(method, path, body, content_type, headers=headers)
        if response.streaming:
            return response, b"".join([part async for part in response.streaming_content])
        return response, response.content


def check(world, case):
    request = requests.Request(**case.as_transport_kwargs(base_url=HOST)).prepare()
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    told, content = world.send(request.method, request.path_url, body, dict(request.headers))
    headers = {name.lower(): [value] for name, value in told.headers.items()}
    response = Response(told.status_code, headers, content, request, elapsed=0.1, verify=False)
    # OpenAPI has no words for the events of a stream before its version 3.2.
    checks = CHECKS[:-1] if told.streaming else CHECKS
    case.validate_response(response, checks=checks)


def provide(received):
    """A greeting, or a vector for each text."""
    if received.url.endswith("/embeddings"):
        given = received.json["input"]
        vectors = [{"embedding": [0.5], "index": at} for at in range(1 if isinstance(given, str) else len(given))]
        return RawReply([json.dumps({"data": vectors, "usage": {"prompt_tokens": 1}}).encode()], headers=IS_JSON)
    if received.url.endswith(":batchEmbedContents"):
        vectors = [{"values": [0.5]} for _ in received.json["requests"]]
        return RawReply([json.dumps({"embeddings": vectors}).encode()], headers=IS_JSON)
    return Reply("Hello")


def can_be_forbidden(mode, path, method):
    """What has neither body nor query can only be forbidden by its path, and then is no route of ours."""
    return mode.is_positive or method == "post" or path.endswith("/usage/")


RUNS = [
    (path, method, world, mode)
    for path, method in OPERATIONS
    for world in (Wsgi, Asgi)
    for mode in GenerationMode
    if can_be_forbidden(mode, path, method)
]


@pytest.mark.parametrize(("path", "method", "world", "mode"), RUNS)
def test_any_case_of_the_schema_is_answered_as_it_says(described, caller, path, method, world, mode):
    operation = described[path][method.upper()]
    client = world(caller)

    @settings(max_examples=CASES, deadline=None, derandomize=True, database=None, suppress_health_check=HealthCheck)
    @given(case=operation.as_strategy(generation_mode=mode), model=st.none() | MODELS)
    def run(case, model):
        if model and isinstance(case.body, dict) and "model" in case.body:
            case.body["model"] = model
        check(client, case)

    with override_llms(*ENTRIES, provider=FakeProvider(provide)):
        run()
