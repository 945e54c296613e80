"""Whole bodies made of recorded streams, by the API's own rules and without our readers.

None where a stream has no whole form: it carries an error, is torn, or was begun twice.
"""

from __future__ import annotations

import json
from collections import defaultdict

from .traffic import frames


def whole_body(wire, item):
    """The body of the answer that this stream would have been, had it not been asked for as one."""
    events = frames(item)
    if any(event == "error" or (isinstance(frame, dict) and frame.get("error")) for event, frame in events):
        return None
    made = _MAKERS[wire]([frame for _, frame in events])
    return None if made is None else json.dumps(made).encode()


def _chat(chunks):
    message, calls, details, reason, usage = defaultdict(str), {}, [], None, None
    parts = []
    for chunk in chunks:
        usage = chunk.get("usage") or (chunk.get("x_groq") or {}).get("usage") or usage
        for choice in chunk.get("choices") or ():
            if choice.get("index"):
                continue
            reason = reason if choice.get("finish_reason") is None else choice["finish_reason"]
            delta = choice.get("delta") or {}
            for field in ("refusal", "reasoning_content", "reasoning"):
                message[field] += delta.get(field) or ""
            content = delta.get("content") or ""
            parts += [{"type": "text", "text": content}] if isinstance(content, str) else content
            details += delta.get("reasoning_details") or ()
            for call in delta.get("tool_calls") or ():
                _add_call(calls, call)
    message = {field: text for field, text in message.items() if text} | {"content": parts}
    message |= {"tool_calls": list(calls.values()), "reasoning_details": _joined(details)}
    head = next(chunk for chunk in chunks if chunk.get("model"))
    first_id = next((chunk["id"] for chunk in chunks if chunk.get("id")), None)
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return {"id": first_id, "model": head["model"], "choices": [choice], "usage": usage}


def _add_call(calls, piece):
    function = piece.get("function") or {}
    call = calls.setdefault(piece.get("index") or 0, {"id": "", "function": {"name": "", "arguments": ""}})
    call["id"] = call["id"] or piece.get("id") or ""
    call["function"]["name"] = call["function"]["name"] or function.get("name") or ""
    call["function"]["arguments"] += function.get("arguments") or ""


def _joined(details):
    """Reasoning details with the pieces of each put together, as OpenRouter itself gives them whole."""
    whole = []
    for piece in details:
        same = (
            whole
            and "index" in piece
            and (whole[-1].get("index"), whole[-1]["type"]) == (piece["index"], piece["type"])
        )
        if not same:
            whole.append(dict(piece))
            continue
        for field, value in piece.items():
            if field in {"text", "summary", "data"} and isinstance(whole[-1].get(field), str):
                whole[-1][field] += value or ""
            elif value is not None:
                whole[-1][field] = value
    return whole


def _messages(events):
    marks = [event["type"] for event in events if event["type"] in {"message_start", "message_stop"}]
    return _message(events) if marks == ["message_start", "message_stop"] else None


def _message(events):
    message, blocks = {}, {}
    for event in events:
        kind = event["type"]
        if kind == "message_start":
            message = dict(event["message"])
        elif kind == "content_block_start":
            blocks[event["index"]] = {**event["content_block"], "written": ""}
        elif kind == "content_block_delta":
            _add_to_block(blocks[event["index"]], event["delta"])
        elif kind == "message_delta":
            known = {name: value for name, value in (event.get("usage") or {}).items() if value is not None}
            message |= event["delta"] | {"usage": message["usage"] | known}
    return message | {"content": [_block(**block) for block in blocks.values()]}


def _block(*, written, **block):
    return block | {"input": json.loads(written)} if written else block


def _add_to_block(block, delta):
    kind = delta["type"].removesuffix("_delta")
    if kind == "input_json":
        block["written"] += delta["partial_json"]
    elif kind == "citations":
        block["citations"] = [*(block.get("citations") or ()), delta["citation"]]
    elif kind == "signature":
        block["signature"] = delta["signature"]
    else:
        block[kind] += delta[kind]


def _responses(events):
    ends = [event["response"] for event in events if event["type"] in {"response.completed", "response.incomplete"}]
    items = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    # Recordings were given ids of their own for each event; the first one counts.
    first = next(event["response"]["id"] for event in events if "response" in event)
    return {**ends[-1], "id": first, "output": ends[-1]["output"] or items} if ends else None


def _generate_content(answers):
    parts, whole, candidate = [], {}, {}
    for answer in answers:
        whole |= answer
        for given in answer.get("candidates") or ():
            if not given.get("index"):
                candidate |= given
                parts += (given.get("content") or {}).get("parts") or ()
    return whole | {"candidates": [candidate | {"content": {"role": "model", "parts": parts}}]} if candidate else whole


_MAKERS = {
    "openai_chat": _chat,
    "openai_responses": _responses,
    "anthropic_messages": _messages,
    "gemini": _generate_content,
}
