"""Whatever is sent, the answer is one of the documented ones."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creative_services.api.dialects.own import FIELDS
from creative_services.testing import LlmsFactory
from tests.api.asking import Asker

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["user", "assistant", "system", "tool", "x"]) | JSON},
        optional={"content": JSON, "tool_calls": JSON, "tool_call_id": JSON, "name": JSON},
    )
)
TOOLS = st.lists(st.fixed_dictionaries({"type": st.just("function") | JSON}, optional={"function": JSON}))
LIKELY = {
    "prompt": st.just("Hello"),
    "messages": MESSAGES,
    "tools": TOOLS,
    "stop": st.lists(st.text()),
    "tool_choice": st.fixed_dictionaries({"type": JSON}, optional={"function": JSON}),
    "response_format": st.fixed_dictionaries({"type": st.just("json_schema")}, optional={"json_schema": JSON}),
    "stream": st.booleans(),
}  # fmt: skip
BODIES = st.fixed_dictionaries({}, optional={name: LIKELY.get(name, JSON) | JSON for name in sorted(FIELDS)})
CALLS = st.one_of(
    BODIES,
    BODIES.map(lambda body: {**body, "prompt": "Hello", "messages": None, "llm_id": None, "tier": None}),
    BODIES.map(lambda body: {**body, "prompt": None, "llm_id": None, "tier": None}),
)


@pytest.fixture(params=["openai", "anthropic"])
def only(request, cheap, dear, provider):
    """The one active LLM, of this provider."""
    type(cheap).objects.update(is_active=False)
    return LlmsFactory(provider=request.param)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=CALLS | JSON)
def test_any_json_is_answered_as_documented(caller, only, body):
    told = Asker("wsgi", caller).send(json.dumps(body))

    assert told.status in {200, 400, 404}
    assert told.status == 200 or told.code in {"invalid_request", "llm_not_found"}


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary() | st.text().map(str.encode))
def test_any_bytes_are_answered_as_documented(caller, provider, body):
    told = Asker("wsgi", caller).send(body)

    assert told.status == 400 if body else told.status in {400, 415}
