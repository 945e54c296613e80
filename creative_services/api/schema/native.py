"""The shapes of `generate/`, `llms/` and `tiers/`."""

from __future__ import annotations

from typing import Any

from creative_services.api.schema.shapes import (
    BOOLEAN,
    DOLLARS,
    INTEGER,
    NUMBER,
    OBJECT,
    OBJECT_OR_NULL,
    STRING,
    Shape,
    array,
    closed_object,
    nullable,
    one_of,
    open_object,
    or_null,
    whole_object,
)
from creative_services.core.types import LLMTier

TIERS = [tier.value for tier in LLMTier]

MESSAGE = Shape(
    "LlmMessage",
    open_object(
        {
            "role": one_of("system", "developer", "user", "assistant", "tool"),
            "content": {"anyOf": [STRING, array(OBJECT)]},
            "name": STRING,
            "tool_calls": array(OBJECT),
            "tool_call_id": STRING,
        },
        ("role",),
        "A message of a chat, in the form of OpenAI's chat API.",
    ),
)
TOOL = Shape(
    "LlmTool",
    open_object(
        {
            "type": one_of("function"),
            "function": open_object(
                {"name": STRING, "description": STRING, "parameters": OBJECT, "strict": BOOLEAN}, ("name",)
            ),
        },
        ("type", "function"),
        "A function that the model may call, in the form of OpenAI's chat API.",
    ),
)
ASKED: dict[str, Any] = {
    "prompt": nullable(STRING, "What to answer; or send `messages`."),
    "messages": {"type": ["array", "null"], "items": MESSAGE},
    "system": nullable(STRING, "What the model is told before everything else."),
    "tier": {**one_of(*TIERS, None), "description": "The cheapest LLM of this tier."},
    "llm_id": nullable(INTEGER, "Exactly this LLM, with no other to take over."),
    "max_tokens": nullable(INTEGER),
    "temperature": nullable(NUMBER),
    "stop": {"type": ["array", "null"], "items": STRING},
    "tools": {"type": ["array", "null"], "items": TOOL},
    "tool_choice": {"description": "As in OpenAI's chat API."},
    "response_format": OBJECT_OR_NULL,
    "stream": nullable(BOOLEAN, "Whether the answer comes as server-sent events."),
    "on_interrupt": one_of("error", "restart", None),
}
GENERATE = Shape(
    "LlmGenerate", {**closed_object(ASKED), "anyOf": [{"required": ["prompt"]}, {"required": ["messages"]}]}
)

_NAME = {
    "id": INTEGER,
    "name": STRING,
    "provider": STRING,
    "model": STRING,
    "tier": one_of(*TIERS),
}
LLM_NAME = Shape("LlmName", whole_object(_NAME, "Which LLM this is."))
LLM = Shape(
    "Llm",
    {
        **whole_object(
            {
                **_NAME,
                "max_tokens": nullable(INTEGER),
                "temperature": nullable(NUMBER),
                "cost_per_1k_input": DOLLARS,
                "cost_per_1k_output": DOLLARS,
            },
            "An LLM with its limits, and its prices in US dollars per 1,000 tokens.",
        ),
        "additionalProperties": BOOLEAN,  # `api_key_set`, which only staff see
    },
)
LLMS = Shape("Llms", array(LLM))
TIER = Shape("LlmTier", whole_object({"tier": one_of(*TIERS), "llm": or_null(LLM_NAME)}))
TIER_LIST = Shape("LlmTiers", array(TIER))

TOOL_CALL = Shape(
    "LlmToolCall", whole_object({"id": STRING, "name": STRING, "arguments": STRING}, "`arguments` is JSON text.")
)
ATTEMPT = Shape(
    "LlmAttempt",
    open_object(
        {"llm_id": INTEGER, "outcome": STRING, "status_code": nullable(INTEGER), "latency_ms": INTEGER},
        ("llm_id", "outcome", "status_code", "latency_ms"),
    ),
)
ANSWER = Shape(
    "LlmAnswer",
    open_object(
        {
            "request_id": STRING,
            "text": STRING,
            "finish_reason": one_of("stop", "length", "content_filter", "tool_call", "error", None),
            "tool_calls": array(TOOL_CALL),
            "llm": LLM_NAME,
            "usage": whole_object(
                {
                    "input_tokens": nullable(INTEGER),
                    "output_tokens": nullable(INTEGER),
                    "cache_read_tokens": nullable(INTEGER),
                    "cache_write_tokens": nullable(INTEGER),
                    "reasoning_tokens": nullable(INTEGER),
                }
            ),
            "cost": DOLLARS,
            "attempts": array(ATTEMPT),
            "latency_ms": INTEGER,
        },
        ("request_id", "text", "finish_reason", "tool_calls", "llm", "usage", "cost", "attempts", "latency_ms"),
    ),
)
