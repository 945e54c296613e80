"""`v1/chat/completions`, `v1/embeddings` and `v1/models`, with examples."""

from __future__ import annotations

from creative_services.api.schema.faults import OPENAI_ERRORS, REQUEST_ID
from creative_services.api.schema.openai import CHAT, CHAT_ANSWER, EMBED, EMBEDDINGS, MODELS, ONE_MODEL
from creative_services.api.schema.operations import ASKING, EVENTS, LOOKING, Operation, describe

VIEWS = "creative_services.api.openai_views."
TAG = "v1: OpenAI's API"
ASKED = {
    "model": "standard",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Write a tagline for a bakery."},
    ],
}
WHOLE = {
    "id": f"chatcmpl-{REQUEST_ID}",
    "object": "chat.completion",
    "created": 1795356000,
    "model": "gpt-4o-mini",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Warm bread, early birds.", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 14, "completion_tokens": 7, "total_tokens": 21},
}
CHUNK = f'data: {{"id":"chatcmpl-{REQUEST_ID}","object":"chat.completion.chunk","created":1795356000,'
STREAM = f"""{CHUNK}"model":"gpt-4o-mini","choices":[{{"index":0,"delta":{{"content":"Warm bread, "}},\
"logprobs":null,"finish_reason":null}}]}}

{CHUNK}"model":"gpt-4o-mini","choices":[{{"index":0,"delta":{{}},"logprobs":null,"finish_reason":"stop"}}]}}

data: [DONE]

"""
TIER = {"id": "standard", "object": "model", "created": 0, "owned_by": "creative_services"}
NAMED = {"id": "GPT-4o-mini", "object": "model", "created": 0, "owned_by": "openai"}

describe(
    VIEWS + "ChatCompletionsView",
    "post",
    Operation(
        name="openai_chat_completions",
        summary="A chat completion, whole or as server-sent events",
        takes=CHAT,
        asks={"By tier": ASKED, "As a stream": {**ASKED, "stream": True, "stream_options": {"include_usage": True}}},
        gives=CHAT_ANSWER,
        example=WHOLE,
        also={EVENTS: STREAM},
        errors=OPENAI_ERRORS,
        statuses=ASKING,
        tag=TAG,
    ),
)
describe(
    VIEWS + "EmbeddingsView",
    "post",
    Operation(
        name="openai_embeddings",
        summary="Vectors of texts",
        takes=EMBED,
        asks={"Two texts": {"model": "Embedder", "input": ["Warm bread", "Cold brew"]}},
        gives=EMBEDDINGS,
        example={
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5, 0.125]}],
            "model": "text-embedding-3-small",
            "usage": {"prompt_tokens": 4, "total_tokens": 4},
        },
        errors=OPENAI_ERRORS,
        statuses=ASKING,
        tag=TAG,
    ),
)
describe(
    VIEWS + "ModelListView",
    "get",
    Operation(
        name="openai_models",
        summary="What `model` may name: tiers, then LLMs, cheapest first",
        gives=MODELS,
        example={"object": "list", "data": [TIER, NAMED]},
        errors=OPENAI_ERRORS,
        tag=TAG,
    ),
)
describe(
    VIEWS + "ModelView",
    "get",
    Operation(
        name="openai_model",
        summary="A tier, or the LLM that a call with this `model` asks",
        gives=ONE_MODEL,
        example=NAMED,
        errors=OPENAI_ERRORS,
        statuses=(*LOOKING, 404),
        tag=TAG,
    ),
)
