"""One whole answer and one stream of each wire, of our own writing: there even where the recorded traffic is not."""

from __future__ import annotations

import json

ARGUMENTS = '{"city": "Linz"}'


def sse(*events, named=False):
    lines = [(f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events]
    return "".join(lines).encode()


def chat_chunk(finish_reason=None, usage=None, **delta):
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "model": "m-1", "choices": [choice], "usage": usage}


CHAT_CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "weather", "arguments": ARGUMENTS}}
CHAT_USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}}
CHAT = {
    "id": "chatcmpl-1",
    "model": "m-1",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Grüß dich", "reasoning": "Hm", "tool_calls": [CHAT_CALL]},
            "finish_reason": "tool_calls",
        }
    ],
    "usage": CHAT_USAGE,
}
CHAT_STREAM = (
    sse(
        chat_chunk(role="assistant", content=""),
        chat_chunk(reasoning_content="Hm"),
        chat_chunk(content="Grüß "),
        chat_chunk(content="dich"),
        chat_chunk(tool_calls=[CHAT_CALL]),
        chat_chunk("tool_calls", CHAT_USAGE),
    )
    + b"data: [DONE]\n\n"
)

RESPONSE_ITEMS = [
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}], "encrypted_content": "e"},
    {"type": "message", "id": "msg_1", "content": [{"type": "output_text", "text": "Grüß dich", "annotations": []}]},
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "weather", "arguments": ARGUMENTS},
]
RESPONSE = {
    "id": "resp_1",
    "model": "m-1",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "output": RESPONSE_ITEMS,
    "usage": {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 3}, "output_tokens": 4},
}
RESPONSE_STREAM = sse(
    {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}},
    {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "Hm"},
    {"type": "response.output_item.done", "output_index": 0, "item": RESPONSE_ITEMS[0]},
    {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "Grüß "},
    {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "delta": "dich"},
    {"type": "response.output_text.done", "output_index": 1, "content_index": 0, "text": "Grüß dich"},
    {"type": "response.output_item.done", "output_index": 1, "item": RESPONSE_ITEMS[1]},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": ARGUMENTS},
    {"type": "response.output_item.done", "output_index": 2, "item": RESPONSE_ITEMS[2]},
    {"type": "response.completed", "response": RESPONSE},
    named=True,
)

MESSAGE_BLOCKS = [
    {"type": "thinking", "thinking": "Hm", "signature": "s"},
    {"type": "text", "text": "Grüß dich"},
    {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Linz"}},
]
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "model": "m-1",
    "content": MESSAGE_BLOCKS,
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 6, "cache_read_input_tokens": 3, "output_tokens": 4},
}
MESSAGE_STREAM = sse(
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
    {"type": "content_block_stop", "index": 0},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Grüß "}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "dich"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": {**MESSAGE_BLOCKS[2], "input": {}}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ARGUMENTS}},
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
    named=True,
)


def gemini_answer(*parts, reason=None):
    return {
        "candidates": [{"index": 0, "content": {"role": "model", "parts": list(parts)}, "finishReason": reason}],
        "usageMetadata": {"promptTokenCount": 9, "cachedContentTokenCount": 3, "candidatesTokenCount": 4},
        "modelVersion": "m-1",
        "responseId": "r1",
    }


GEMINI_CALL = {"functionCall": {"name": "weather", "args": {"city": "Linz"}}, "thoughtSignature": "c2ln"}
GEMINI = gemini_answer({"text": "Hm", "thought": True}, {"text": "Grüß dich"}, GEMINI_CALL, reason="STOP")
GEMINI_STREAM = sse(
    gemini_answer({"text": "Hm", "thought": True}),
    gemini_answer({"text": "Grüß "}),
    gemini_answer({"text": "dich"}),
    gemini_answer(GEMINI_CALL, reason="STOP"),
)

WHOLE = {
    "openai_chat": json.dumps(CHAT).encode(),
    "openai_responses": json.dumps(RESPONSE).encode(),
    "anthropic_messages": json.dumps(MESSAGE).encode(),
    "gemini": json.dumps(GEMINI).encode(),
}
STREAMS = {
    "openai_chat": CHAT_STREAM,
    "openai_responses": RESPONSE_STREAM,
    "anthropic_messages": MESSAGE_STREAM,
    "gemini": GEMINI_STREAM,
}
