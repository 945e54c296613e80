"""`v1/messages`, with examples."""

from __future__ import annotations

from creative_services.api.schema.faults import ANTHROPIC_ERRORS
from creative_services.api.schema.openai import MODEL, MORE
from creative_services.api.schema.operations import ASKING, EVENTS, Operation, describe
from creative_services.api.schema.shapes import (
    BOOLEAN,
    INTEGER,
    NUMBER,
    OBJECT,
    OBJECT_OR_NULL,
    STRING,
    Shape,
    array,
    nullable,
    one_of,
    open_object,
)

TEXT_OR_BLOCKS = {"anyOf": [STRING, array(OBJECT)]}
ASKED = Shape(
    "AnthropicMessageAsked",
    open_object(
        {
            "model": MODEL,
            "max_tokens": INTEGER,
            "messages": array(
                open_object(
                    {"role": one_of("user", "assistant", "system"), "content": TEXT_OR_BLOCKS}, ("role", "content")
                ),
                least=1,
            ),
            "system": {"anyOf": [STRING, array(OBJECT), {"type": "null"}]},
            "temperature": nullable(NUMBER),
            "stop_sequences": {"type": ["array", "null"], "items": STRING},
            "tools": {"type": ["array", "null"], "items": OBJECT},
            "tool_choice": OBJECT_OR_NULL,
            "top_p": nullable(NUMBER),
            "output_config": OBJECT_OR_NULL,
            "output_format": OBJECT_OR_NULL,
            "cache_control": OBJECT_OR_NULL,
            "stream": nullable(BOOLEAN, "Whether the answer comes as server-sent events."),
        },
        ("model", "max_tokens", "messages"),
        MORE,
    ),
)
ANSWER = Shape(
    "AnthropicMessage",
    open_object(
        {
            "id": STRING,
            "type": one_of("message"),
            "role": one_of("assistant"),
            "model": {"type": "string", "description": "The model that answered."},
            "content": array(
                open_object(
                    {"type": one_of("text", "thinking", "redacted_thinking", "tool_use"), "text": STRING}, ("type",)
                )
            ),
            "stop_reason": one_of("end_turn", "max_tokens", "tool_use", "refusal", "stop_sequence", None),
            "stop_sequence": nullable(STRING),
            "usage": open_object(
                {"input_tokens": INTEGER, "output_tokens": INTEGER}, ("input_tokens", "output_tokens")
            ),
        },
        ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage"),
    ),
)
HELLO = [{"role": "user", "content": "Write a tagline for a bakery."}]
WHOLE = {
    "id": "msg_0b0cbf3c95a54f0e8f0f8e1d4c1b7a55",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "Warm bread, early birds."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 14, "output_tokens": 7},
}
STREAM = """event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Warm bread, "}}

event: message_stop
data: {"type":"message_stop"}

"""

describe(
    "creative_services.api.dialect_views.MessagesView",
    "post",
    Operation(
        name="anthropic_messages",
        summary="A message, whole or as server-sent events",
        takes=ASKED,
        asks={
            "By tier": {"model": "standard", "max_tokens": 100, "messages": HELLO},
            "As a stream": {"model": "standard", "max_tokens": 100, "messages": HELLO, "stream": True},
        },
        gives=ANSWER,
        example=WHOLE,
        also={EVENTS: STREAM},
        errors=ANTHROPIC_ERRORS,
        statuses=ASKING,
        tag="v1: Anthropic's API",
    ),
)
