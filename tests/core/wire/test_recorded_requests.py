"""Requests that others sent, built again from the equivalent call; compared by meaning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from creative_services.core.request import LLMRequest
from creative_services.core.wire.base import CACHE_MARKS, DEVELOPER_ROLE, Route

from .answers import WIRES, entry

TRAFFIC = Path(__file__).resolve().parents[3].parent / "shared" / "wire"
pytestmark = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recorded traffic is not beside this checkout")

ARGUMENTS = {
    "model", "messages", "system", "max_tokens", "max_completion_tokens", "temperature", "stop", "stop_sequences",
    "tools", "tool_choice", "response_format", "stream", "stream_options",
}  # fmt: skip


def recorded(wire):
    items = [json.loads(path.read_text()) for path in sorted((TRAFFIC / wire).glob("*.json"))]
    sent = [item for item in items if item["fidelity"] not in {"reconstructed", "constructed"} and item["request"]]
    return [item for item in sent if isinstance(item["request"]["json"], dict)]


def name(item):
    return item["id"]


def built(wire, asked, **fields):
    llm, request = asking(asked, **fields)
    route = Route("https://acme.example/v1", quirks=frozenset({CACHE_MARKS, DEVELOPER_ROLE}))
    return json.loads(WIRES[wire].build(llm, route, request, stream=bool(asked.get("stream"))).body)


def asking(asked, **fields):
    """The entry and the request that ask for the same."""
    extra = {key: value for key, value in asked.items() if key not in ARGUMENTS}
    llm = entry(asked.get("model") or "m", temperature=None, extra_params=extra)
    request = LLMRequest(
        max_tokens=asked.get("max_tokens") or asked.get("max_completion_tokens"),
        temperature=asked.get("temperature"),
        **fields,
    )
    return llm, request


def chat_fields(asked):
    return {
        "messages": asked["messages"],
        "stop": listed(asked.get("stop")),
        "tools": asked.get("tools") or (),
        "tool_choice": asked.get("tool_choice"),
        "response_format": asked.get("response_format"),
    }


def messages_fields(asked):
    form = (asked.get("output_config") or {}).get("format")
    schema = {"type": "json_schema", "json_schema": {"name": "n", "schema": form["schema"]}} if form else None
    system = [{"role": "system", "content": asked["system"]}] if asked.get("system") else []
    return {
        "messages": [*system, *(message for turn in asked["messages"] for message in back(turn))],
        "stop": listed(asked.get("stop_sequences")),
        "tools": [tool_back(tool) for tool in asked.get("tools") or ()],
        "tool_choice": choice_back(asked.get("tool_choice")),
        "response_format": schema,
    }


def listed(stop):
    return [stop] if isinstance(stop, str) else list(stop or ())


@pytest.mark.parametrize("item", recorded("openai-chat"), ids=name)
def test_a_recorded_chat_request_can_be_built(item):
    asked = item["request"]["json"]
    found = built("openai_chat", asked, **chat_fields(asked))
    cap = found.pop("max_tokens", None) or found.pop("max_completion_tokens")
    assert cap == (asked.get("max_tokens") or asked.get("max_completion_tokens") or 4096)
    assert listed(found.pop("stop", None)) == listed(asked.get("stop"))
    assert found.pop("stream_options", None) == ({"include_usage": True} if asked.get("stream") else None)
    # Azure has the model in its URL; an empty list, and `stream: false`, say nothing.
    ours = found | {"model": asked.get("model") or "m"}
    ours, theirs = ({key: value for key, value in body.items() if value} for body in (ours, asked))
    for key in ("max_tokens", "max_completion_tokens", "stop", "stream_options"):
        theirs.pop(key, None)
    theirs.setdefault("model", "m")
    assert ours == theirs


# What the call form has no word for: system turns between others, files that the provider keeps, and turns that are no
# turns, which the provider refused.
def is_expressible(item):
    turns = item["request"]["json"]["messages"]
    if not all(isinstance(turn, dict) for turn in turns):
        return False
    blocks = [block for turn in turns if isinstance(turn["content"], list) for block in turn["content"]]
    kept = any(block.get("source", {}).get("type") == "file" for block in blocks)
    return not kept and all(turn["role"] != "system" for turn in turns)


@pytest.mark.parametrize("item", recorded("anthropic-messages"), ids=name)
def test_a_recorded_messages_request_can_be_built(item):
    asked = item["request"]["json"]
    if not is_expressible(item):
        return
    found = built("anthropic_messages", asked, **messages_fields(asked))
    ours, theirs = ({key: value for key, value in body.items() if value or value == 0} for body in (found, asked))
    for body in (ours, theirs):
        body["system"] = plain(body.get("system") or "")
        body["messages"] = joined(body["messages"])
        body.pop("stream", None)
    assert ours == theirs


def joined(turns):
    """Turns with neighbours of one role as one, as the API itself takes them."""
    whole = []
    for turn in turns:
        blocks = [
            block | ({"content": plain(block["content"])} if "content" in block else {}) for block in blocked(turn)
        ]
        for block in blocks:
            block.pop("is_error", None)
        if whole and whole[-1][0] == turn["role"]:
            whole[-1][1].extend(blocks)
        else:
            whole.append((turn["role"], blocks))
    return whole


def blocked(turn):
    content = turn["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def plain(content):
    texts = [] if isinstance(content, str) else [part.get("text", "") for part in content if len(part) == 2]
    return "\n\n".join(texts) if texts and len(texts) == len(content) else content


def back(turn):
    """The messages in OpenAI chat form that stand for this turn."""
    blocks = blocked(turn)
    if turn["role"] == "assistant":
        calls = [
            {"id": b["id"], "type": "function", "function": {"name": b["name"], "arguments": json.dumps(b["input"])}}
            for b in blocks
            if b["type"] == "tool_use"
        ]
        words = [b for b in blocks if b["type"] == "text"]
        has_others = len(words) + len(calls) != len(blocks)
        kept = {"replay": {"wire": "anthropic_messages", "blocks": blocks}} if has_others else {}
        return [
            {"role": "assistant", "content": words, "tool_calls": calls}
            | (kept if len(words) + len(calls) != len(blocks) else {})
        ]
    results = [
        {"role": "tool", "tool_call_id": b["tool_use_id"], "content": b.get("content") or ""}
        | {"cache_control": b.get("cache_control")}
        for b in blocks
        if b["type"] == "tool_result"
    ]
    parts = [part_back(b) for b in blocks if b["type"] != "tool_result"]
    return results + ([{"role": "user", "content": parts}] if parts else [])


def part_back(block):
    source = block.get("source")
    if source is None:
        return block
    kept = {"cache_control": block["cache_control"]} if "cache_control" in block else {}
    url = source.get("url") or f"data:{source['media_type']};base64,{source['data']}"
    if block["type"] == "image":
        return {"type": "image_url", "image_url": {"url": url}} | kept
    return {"type": "file", "file": {"file_data": url, "filename": block.get("title")}} | kept


def tool_back(tool):
    if "input_schema" not in tool:
        return tool
    function = {"name": tool["name"], "description": tool.get("description"), "parameters": tool["input_schema"]}
    return {
        "type": "function",
        "function": function | {"strict": tool.get("strict")},
        "cache_control": tool.get("cache_control"),
    }


def choice_back(choice):
    if choice is None:
        return None
    if choice["type"] == "tool":
        return {"type": "function", "function": {"name": choice["name"]}}
    return "required" if choice["type"] == "any" else choice["type"]
