"""`generate/`, `llms/`, `llms/<id>/` and `tiers/`, with examples."""

from __future__ import annotations

from creative_services.api.schema.faults import OWN_ERRORS
from creative_services.api.schema.native import ANSWER, GENERATE, LLM, LLMS, TIER_LIST
from creative_services.api.schema.operations import ASKING, EVENTS, LOOKING, Operation, describe

VIEWS = "creative_services.api.views."
NAME = {"id": 2, "name": "GPT-4o-mini", "provider": "openai", "model": "gpt-4o-mini", "tier": "standard"}
ONE = {
    **NAME,
    "max_tokens": 4096,
    "temperature": 0.7,
    "cost_per_1k_input": "0.00015",
    "cost_per_1k_output": "0.0006",
}
WHOLE = {
    "request_id": "0b0cbf3c-95a5-4f0e-8f0f-8e1d4c1b7a55",
    "text": "Warm bread, early birds.",
    "finish_reason": "stop",
    "tool_calls": [],
    "llm": NAME,
    "usage": {
        "input_tokens": 14,
        "output_tokens": 7,
        "cache_read_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
    },
    "cost": "0.0000063",
    "attempts": [{"llm_id": 2, "outcome": "ok", "status_code": 200, "latency_ms": 412}],
    "latency_ms": 415,
}
STREAM = """event: chunk
data: {"text":"Warm bread, "}

event: chunk
data: {"text":"early birds."}

event: done
data: {"request_id":"0b0cbf3c-95a5-4f0e-8f0f-8e1d4c1b7a55","text":"Warm bread, early birds.","finish_reason":"stop"}

"""

describe(
    VIEWS + "GenerateView",
    "post",
    Operation(
        name="llm_generate",
        summary="One answer, whole or as server-sent events",
        about=(
            "One of `prompt` and `messages` is needed; one of `tier` and `llm_id` may be given. A stream has the "
            "events `chunk`, `restart`, and at its end `done`, with the body of a whole answer, or `error`, with that "
            "of an error."
        ),
        takes=GENERATE,
        asks={
            "By tier": {"prompt": "Write a tagline for a bakery.", "tier": "standard"},
            "As a stream": {"prompt": "Write a tagline for a bakery.", "stream": True},
        },
        gives=ANSWER,
        example=WHOLE,
        also={EVENTS: STREAM},
        errors=OWN_ERRORS,
        statuses=ASKING,
    ),
)
describe(
    VIEWS + "LLMListView", "get", Operation("llm_list", "The active LLMs, cheapest first", LLMS, [ONE], OWN_ERRORS)
)
describe(
    VIEWS + "LLMDetailView",
    "get",
    Operation(
        "llm_detail",
        "One active LLM",
        LLM,
        ONE,
        OWN_ERRORS,
        (*LOOKING, 404),
        path={"llm_id": {"type": "integer", "minimum": 0}},
    ),
)
describe(
    VIEWS + "TierListView",
    "get",
    Operation(
        "llm_tiers",
        "Each tier, and the LLM that a call for it asks first",
        TIER_LIST,
        [{"tier": "local", "llm": None}, {"tier": "standard", "llm": NAME}],
        OWN_ERRORS,
    ),
)
