"""Responses requests that others sent, built again from the equivalent call in OpenAI chat form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from creative_services.core.request import LLMRequest
from creative_services.core.wire.base import DEVELOPER_ROLE, Route

from .answers import WIRES, entry

TRAFFIC = Path(__file__).resolve().parents[3].parent / "shared" / "wire" / "openai-responses"
pytestmark = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recorded traffic is not beside this checkout")

ARGUMENTS = {
    "model", "input", "instructions", "max_output_tokens", "temperature", "tools", "tool_choice", "text", "stream",
}  # fmt: skip
PLAIN = {"message", "function_call"}


def recorded():
    items = [json.loads(path.read_text()) for path in sorted(TRAFFIC.glob("*.json"))]
    sent = [item for item in items if item["fidelity"] not in {"reconstructed", "constructed"}]
    return [item for item in sent if item["request"]["json"]]


@pytest.mark.parametrize("item", recorded(), ids=lambda item: item["id"])
def test_a_recorded_responses_request_can_be_built(item):
    llm, request = asking(item)
    asked = item["request"]["json"]
    route = Route("https://acme.example/v1", quirks=frozenset({DEVELOPER_ROLE}))
    found = json.loads(WIRES["openai_responses"].build(llm, route, request, stream=bool(asked.get("stream"))).body)
    assert meaning(found, asked) == meaning(asked, asked)


def asking(item):
    """The entry and the request that ask for the same."""
    asked = item["request"]["json"]
    extra = {key: value for key, value in asked.items() if key not in ARGUMENTS}
    request = LLMRequest(
        messages=back(asked["input"]),
        system=asked.get("instructions"),
        max_tokens=asked.get("max_output_tokens"),
        temperature=asked.get("temperature"),
        tools=[tool_back(tool) for tool in asked.get("tools") or ()],
        tool_choice=asked.get("tool_choice"),
        response_format=format_back(asked.get("text")),
    )
    return entry(asked["model"], temperature=None, extra_params=extra), request


def meaning(request, asked):
    """What a request says, without what is ours to add: a cap, that nothing is stored, encrypted reasoning."""
    said = {key: value for key, value in request.items() if value or value == 0}
    ours = {"max_output_tokens", "store", "include"} - asked.keys()
    said = {key: value for key, value in said.items() if key not in ours and (key, value) != ("store", False)}
    said.pop("stream", None)
    said["input"] = [item_meaning(item) for item in listed(request["input"])]
    # Left out, it would be true here; chat form, which recordings that leave it out come from, means false.
    tools = [{"strict": False} | tool for tool in request.get("tools") or ()]
    said["tools"] = [{key: value for key, value in tool.items() if value is not None} for tool in tools]
    return said


def item_meaning(item):
    """The item with its optional fields left out, a string for content of one text."""
    plain = {"type": "message", **item}
    content = plain.get("content")
    if plain["type"] == "message" and isinstance(content, str):
        kind = "output_text" if item["role"] == "assistant" else "input_text"
        plain["content"] = [{"type": kind, "text": content}]
    if plain["type"] in PLAIN:
        plain = {key: value for key, value in plain.items() if key not in {"id", "status"}}
        plain["content"] = [without_notes(part) for part in plain.get("content") or ()]
    return plain


def without_notes(part):
    return {key: value for key, value in part.items() if key not in {"annotations", "logprobs"}}


def listed(given):
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def back(given):
    """The messages in OpenAI chat form that stand for these items; neighbours of the assistant's are one message."""
    messages, turn = [], []
    for item in [*listed(given), None]:
        is_ours = item and is_assistants(item)
        if turn and not (is_ours and continues(turn, item)):
            messages.append(assistant_back(turn))
            turn = []
        if is_ours:
            turn.append(item)
        elif item:
            messages.append(told_back(item))
    return messages


def continues(turn, item):
    """Whether the item fits behind the turn's others in one message, which has its text before its calls."""
    return item.get("type", "message") != "message" or all(other.get("type") == "reasoning" for other in turn)


def is_assistants(item):
    return item.get("role") == "assistant" or ("role" not in item and item["type"] != "function_call_output")


def assistant_back(turn):
    parts = [part for item in turn if item.get("role") == "assistant" for part in parts_back(item["content"])]
    called = [item for item in turn if item.get("type") == "function_call"]
    calls = [
        {"id": item["call_id"], "type": "function", "function": {"name": item["name"], "arguments": item["arguments"]}}
        for item in called
    ]
    kept = {} if {item.get("type", "message") for item in turn} <= PLAIN else {"replay": replay(turn)}
    return {"role": "assistant", "content": parts or None, "tool_calls": calls} | kept


def replay(turn):
    return {"wire": "openai_responses", "blocks": [{"type": "message", **item} for item in turn]}


def told_back(item):
    if "role" in item:
        return {"role": item["role"], "content": parts_back(item["content"])}
    return {"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]}


def parts_back(content):
    return [part_back(part) for part in content] if isinstance(content, list) else [{"type": "text", "text": content}]


def part_back(part):
    kind, rest = part["type"], {key: value for key, value in part.items() if key != "type"}
    if kind == "input_image":
        rest["url"] = rest.pop("image_url")
        return {"type": "image_url", "image_url": rest}
    if kind == "input_file":
        return {"type": "file", "file": rest}
    return {"type": "text", **rest}


def tool_back(tool):
    if tool["type"] != "function":
        return tool
    return {"type": "function", "function": {key: value for key, value in tool.items() if key != "type"}}


def format_back(text):
    if text is None:
        return None
    rest = {key: value for key, value in text["format"].items() if key != "type"}
    return {"type": text["format"]["type"]} | ({"json_schema": rest} if rest else {})
