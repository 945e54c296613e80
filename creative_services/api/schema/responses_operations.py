"""`v1/responses`, with examples."""

from __future__ import annotations

from creative_services.api.schema.faults import OPENAI_ERRORS
from creative_services.api.schema.openai import MODEL, MORE
from creative_services.api.schema.openai_operations import TAG
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

ASKED = Shape(
    "OpenAIResponseAsked",
    open_object(
        {
            "model": MODEL,
            "input": {"anyOf": [STRING, array(OBJECT, least=1)]},
            "instructions": nullable(STRING),
            "max_output_tokens": nullable(INTEGER),
            "temperature": nullable(NUMBER),
            "text": OBJECT_OR_NULL,
            "tools": {"type": ["array", "null"], "items": OBJECT},
            "tool_choice": {"description": "`auto`, `none`, `required`, or a function by its name."},
            "top_p": nullable(NUMBER),
            "parallel_tool_calls": nullable(BOOLEAN),
            "include": {"type": ["array", "null"], "items": STRING},
            "metadata": OBJECT_OR_NULL,
            "user": nullable(STRING),
            "stream": nullable(BOOLEAN, "Whether the answer comes as server-sent events."),
            "store": nullable(BOOLEAN),
        },
        ("model", "input"),
        f"{MORE} Nothing is kept: `store` and `previous_response_id` are refused.",
    ),
)
USAGE = open_object(
    {
        "input_tokens": INTEGER,
        "input_tokens_details": OBJECT,
        "output_tokens": INTEGER,
        "output_tokens_details": OBJECT,
        "total_tokens": INTEGER,
    },
    ("input_tokens", "output_tokens", "total_tokens"),
)
ANSWER = Shape(
    "OpenAIResponse",
    open_object(
        {
            "id": STRING,
            "object": one_of("response"),
            "created_at": INTEGER,
            "status": one_of("completed", "incomplete", "failed"),
            "model": {"type": "string", "description": "The model that answered."},
            "output": array(
                open_object({"type": one_of("message", "function_call", "reasoning"), "id": STRING}, ("type", "id"))
            ),
            "usage": nullable(USAGE),
            "error": nullable(OBJECT),
            "incomplete_details": nullable(OBJECT),
        },
        ("id", "object", "created_at", "status", "model", "output", "usage", "error", "incomplete_details"),
    ),
)
TEXT = {"type": "output_text", "text": "Warm bread, early birds.", "annotations": [], "logprobs": []}
WHOLE = {
    "id": "resp_0b0cbf3c95a54f0e8f0f8e1d4c1b7a55",
    "object": "response",
    "created_at": 1795356000,
    "status": "completed",
    "model": "gpt-4o-mini",
    "output": [
        {
            "type": "message",
            "id": "msg_0b0cbf3c95a54f0e8f0f8e1d4c1b7a5500",
            "status": "completed",
            "role": "assistant",
            "content": [TEXT],
        }
    ],
    "usage": {"input_tokens": 14, "output_tokens": 7, "total_tokens": 21},
    "error": None,
    "incomplete_details": None,
    "store": False,
}
STREAM = """event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":4,"output_index":0,"content_index":0,"delta":"Warm "}

event: response.completed
data: {"type":"response.completed","sequence_number":9,"response":{"object":"response","status":"completed"}}

"""

describe(
    "creative_services.api.dialect_views.ResponsesView",
    "post",
    Operation(
        name="openai_responses",
        summary="A response, whole or as server-sent events; nothing is kept",
        takes=ASKED,
        asks={
            "By tier": {"model": "standard", "input": "Write a tagline for a bakery."},
            "As a stream": {"model": "standard", "input": "Write a tagline for a bakery.", "stream": True},
        },
        gives=ANSWER,
        example=WHOLE,
        also={EVENTS: STREAM},
        errors=OPENAI_ERRORS,
        statuses=ASKING,
        tag=TAG,
    ),
)
