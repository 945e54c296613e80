"""The shapes of OpenAI's chat completions, embeddings and models, as far as they are served here."""

from __future__ import annotations

from typing import Any

from creative_services.api.schema.native import MESSAGE, TOOL
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
    whole_object,
)

MODEL: dict[str, Any] = {
    "type": "string",
    "description": "A tier, an LLM's name, or `<provider>/<model>` of an active LLM.",
}
MORE = (
    "Fields that change nothing of the answer are ignored; those that would, and are not served here, are refused by "
    "their names."
)

CHAT = Shape(
    "OpenAIChatCompletionAsked",
    open_object(
        {
            "model": MODEL,
            "messages": array(MESSAGE, least=1),
            "max_tokens": nullable(INTEGER, "The older word for `max_completion_tokens`."),
            "max_completion_tokens": nullable(INTEGER),
            "temperature": nullable(NUMBER),
            "stop": {"anyOf": [STRING, array(STRING), {"type": "null"}]},
            "tools": {"type": ["array", "null"], "items": TOOL},
            "tool_choice": {"description": "`auto`, `none`, `required`, or a function by its name."},
            "response_format": OBJECT_OR_NULL,
            "stream": nullable(BOOLEAN, "Whether the answer comes as server-sent events."),
            "stream_options": {
                "type": ["object", "null"],
                "properties": {"include_usage": nullable(BOOLEAN)},
                "additionalProperties": True,
            },
            "top_p": nullable(NUMBER),
            "presence_penalty": nullable(NUMBER),
            "frequency_penalty": nullable(NUMBER),
            "seed": nullable(INTEGER),
            "parallel_tool_calls": nullable(BOOLEAN),
            "n": nullable(INTEGER, "1 only."),
        },
        ("model", "messages"),
        MORE,
    ),
)
USAGE = Shape(
    "OpenAIUsage",
    open_object(
        {
            "prompt_tokens": INTEGER,
            "completion_tokens": INTEGER,
            "total_tokens": INTEGER,
            "prompt_tokens_details": OBJECT,
            "completion_tokens_details": OBJECT,
        },
        ("prompt_tokens", "completion_tokens", "total_tokens"),
    ),
)
CALL = Shape(
    "OpenAIToolCall",
    whole_object(
        {
            "id": STRING,
            "type": one_of("function"),
            "function": whole_object({"name": STRING, "arguments": STRING}, "JSON text."),
        }
    ),
)
CHAT_ANSWER = Shape(
    "OpenAIChatCompletion",
    open_object(
        {
            "id": STRING,
            "object": one_of("chat.completion"),
            "created": INTEGER,
            "model": {"type": "string", "description": "The model that answered."},
            "choices": array(
                open_object(
                    {
                        "index": INTEGER,
                        "message": open_object(
                            {
                                "role": one_of("assistant"),
                                "content": nullable(STRING),
                                "refusal": nullable(STRING),
                                "tool_calls": array(CALL),
                                "reasoning_content": STRING,
                            },
                            ("role", "content"),
                        ),
                        "logprobs": nullable(OBJECT),
                        "finish_reason": one_of("stop", "length", "tool_calls", "content_filter", "error"),
                    },
                    ("index", "message", "finish_reason"),
                )
            ),
            "usage": {"anyOf": [USAGE, {"type": "null"}]},
        },
        ("id", "object", "created", "model", "choices", "usage"),
    ),
)
EMBED = Shape(
    "OpenAIEmbeddingsAsked",
    open_object(
        {
            "model": MODEL,
            "input": {"anyOf": [STRING, array(STRING)]},
            "dimensions": nullable(INTEGER),
            "encoding_format": one_of("float", "base64", None),
        },
        ("model", "input"),
        MORE,
    ),
)
EMBEDDINGS = Shape(
    "OpenAIEmbeddings",
    open_object(
        {
            "object": one_of("list"),
            "data": array(
                whole_object(
                    {
                        "object": one_of("embedding"),
                        "index": INTEGER,
                        "embedding": {"anyOf": [array(NUMBER), {"type": "string", "description": "base64"}]},
                    }
                )
            ),
            "model": STRING,
            "usage": {"anyOf": [whole_object({"prompt_tokens": INTEGER, "total_tokens": INTEGER}), {"type": "null"}]},
        },
        ("object", "data", "model", "usage"),
    ),
)
ONE_MODEL = Shape(
    "OpenAIModel", whole_object({"id": STRING, "object": one_of("model"), "created": INTEGER, "owned_by": STRING})
)
MODELS = Shape("OpenAIModels", whole_object({"object": one_of("list"), "data": array(ONE_MODEL)}))
