"""Gemini requests that others sent, built again from the equivalent call; compared by meaning.

All can be built. What differs in spelling only is made equal first: `snake_case` names and Google's own schema dialect,
nulls and empty objects, ids of calls where theirs are matched by name, neighbouring turns of one role.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from creative_services.core.request import LLMRequest
from creative_services.core.wire.base import Route

from .answers import WIRES, entry

TRAFFIC = Path(__file__).resolve().parents[3].parent / "shared" / "wire" / "gemini"
pytestmark = pytest.mark.skipif(not TRAFFIC.is_dir(), reason="the recorded traffic is not beside this checkout")

ARGUMENTS = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}
OPTIONS = {
    "maxOutputTokens", "temperature", "stopSequences", "responseMimeType", "responseJsonSchema",
}  # fmt: skip
SCHEMAS = {"parameters": "parametersJsonSchema", "responseSchema": "responseJsonSchema"}
TYPES = {1: "string", 2: "number", 3: "integer", 4: "boolean", 5: "array", 6: "object"}
ROLES = {"user": "user", "model": "assistant"}


def recorded():
    items = [json.loads(path.read_text()) for path in sorted(TRAFFIC.glob("*.json"))]
    sent = [item for item in items if item["request"] and isinstance(item["request"]["json"], dict)]
    # Google refused one for a role that it does not know, and that cannot be asked for.
    return [item for item in sent if "Please use a valid role" not in item["response"]["body"]]


def named(key):
    key = re.sub("_([a-z])", lambda found: found[1].upper(), key)
    return SCHEMAS.get(key, key)


def plain(value, *, schema=False):
    """The same JSON in one spelling; what stands in arguments, results and schemas keeps its names."""
    if isinstance(value, list):
        return [plain(item, schema=schema) for item in value]
    if not isinstance(value, dict):
        return value
    made = {}
    for key, item in value.items():
        name = key if schema else named(key)
        if schema and key == "type" and not isinstance(item, dict):
            made[key] = TYPES.get(item, str(item).lower())
        elif name in {"args", "response"}:
            made[name] = item
        elif name == "mode":
            made[name] = item.upper()
        elif item is not None and (name, item) != ("thought", False):
            made[name] = plain(item, schema=schema or name in SCHEMAS.values())
    return made


def listed(parts):
    parts = parts if isinstance(parts, list) else [parts]
    return [part for part in parts if part != {"text": ""}]


def normal(body):
    """The request with its turns joined, and without what says nothing."""
    body = plain(body)
    turns = []
    for turn in body.pop("contents"):
        if not turns or turns[-1][0] != turn["role"]:
            turns.append((turn["role"], []))
        turns[-1][1].extend(listed(turn["parts"]))
    system = listed(body.pop("systemInstruction", {}).get("parts", []))
    body["generationConfig"] = {"maxOutputTokens": 4096} | body.get("generationConfig", {})
    body["tools"] = [{name: tool} for tools in body.get("tools", ()) for name, tool in tools.items()]
    return {key: value for key, value in body.items() if value} | {"contents": turns, "system": system}


def without_ids(body):
    for _, parts in body["contents"]:
        for call in (part[name] for part in parts for name in ("functionCall", "functionResponse") if name in part):
            call.pop("id", None)
    return body


class Call:
    """The call that asks for the same."""

    def __init__(self, asked):
        self.asked = plain(asked)
        self.config = self.asked.get("generationConfig", {})
        self.choice = self.asked.get("toolConfig", {}).get("functionCallingConfig", {})
        self.mode = self.choice.get("mode")
        self.pending = []
        self.calls = 0

    def built(self, base, model, *, stream):
        llm, request = self.asking(model)
        return WIRES["gemini"].build(llm, Route(base), request, stream=stream)

    def asking(self, model):
        """The entry and the request."""
        extra = {key: value for key, value in self.asked.items() if key not in ARGUMENTS}
        options = {key: value for key, value in self.config.items() if key not in OPTIONS}
        if options:
            extra["generationConfig"] = options
        system = [{"type": "text"} | part for part in listed(self.asked.get("systemInstruction", {}).get("parts", []))]
        messages = [{"role": "system", "content": system}] if system else []
        for turn in self.asked["contents"]:
            messages += self.messages(turn)
        request = LLMRequest(
            messages=messages,
            max_tokens=self.config.get("maxOutputTokens"),
            temperature=self.config.get("temperature"),
            stop=self.config.get("stopSequences", ()),
            tools=self.tools(),
            tool_choice=self.tool_choice(),
            response_format=self.response_format(),
        )
        return entry(model, temperature=None, extra_params=extra), request

    def messages(self, turn):
        parts = turn["parts"]
        results = [part["functionResponse"] for part in parts if "functionResponse" in part]
        if turn["role"] == "user":
            others = [self.part(part) for part in parts if "functionResponse" not in part]
            return [self.result(result) for result in results] + (
                [{"role": "user", "content": others}] if others else []
            )
        calls = [self.call(part["functionCall"]) for part in parts if "functionCall" in part]
        self.pending = list(calls)
        words = [{"type": "text", "text": part["text"]} for part in parts if "text" in part and not part.get("thought")]
        message = {"role": "assistant", "content": words, "tool_calls": calls}
        if any(part.keys() - {"text"} and part.keys() != {"functionCall"} for part in parts):
            message["replay"] = {"wire": "gemini", "blocks": self.kept(parts, calls)}
        return [message]

    def kept(self, parts, calls):
        ids = iter(calls)
        return [
            part | {"functionCall": part["functionCall"] | {"id": next(ids)["id"]}} if "functionCall" in part else part
            for part in parts
        ]

    def call(self, call):
        self.calls += 1
        function = {"name": call["name"], "arguments": json.dumps(call["args"])}
        return {"id": call.get("id", f"call_{self.calls}"), "type": "function", "function": function}

    def result(self, result):
        asked = next(call for call in self.pending if call["function"]["name"] == result["name"])
        self.pending.remove(asked)
        return {"role": "tool", "tool_call_id": asked["id"], "content": json.dumps(result["response"])}

    def part(self, part):
        if "inlineData" in part:
            held = {"file_data": f"data:{part['inlineData']['mimeType']};base64,{part['inlineData']['data']}"}
        elif "fileData" in part:
            held = {"file_id": part["fileData"]["fileUri"], "mime_type": part["fileData"]["mimeType"]}
        else:
            return {"type": "text", "text": part["text"]}
        if held.get("mime_type", held.get("file_data", "")).removeprefix("data:").startswith("image/"):
            return {"type": "image_url", "image_url": {"url": held.get("file_data") or held["file_id"]}}
        return {"type": "file", "file": held}

    def tools(self):
        found = []
        for name, tool in ((name, tool) for tools in self.asked.get("tools", ()) for name, tool in tools.items()):
            if name != "functionDeclarations":
                found.append({"type": re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name), **tool})
                continue
            for declared in tool:
                function = {key: value for key, value in declared.items() if key != "parametersJsonSchema"}
                function |= {"parameters": declared.get("parametersJsonSchema"), "strict": self.mode == "VALIDATED"}
                found.append({"type": "function", "function": function})
        return found

    def tool_choice(self):
        if names := self.choice.get("allowedFunctionNames"):
            return {"type": "function", "function": {"name": names[0]}}
        return {"AUTO": "auto", "VALIDATED": "auto", "ANY": "required", "NONE": "none", None: None}[self.mode]

    def response_format(self):
        if schema := self.config.get("responseJsonSchema"):
            return {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
        return {"type": "json_object"} if "responseMimeType" in self.config else None


@pytest.mark.parametrize("item", recorded(), ids=lambda item: item["id"])
def test_a_recorded_gemini_request_can_be_built(item):
    asked, url = item["request"]["json"], item["request"]["url"]
    base, _, rest = url.partition("/models/")
    model, _, method = rest.partition(":")
    is_stream = method.startswith("stream")
    request = Call(asked).built(base, model, stream=is_stream)
    ours, theirs = normal(json.loads(request.body)), normal(asked)
    if '"id"' not in json.dumps(theirs["contents"]):
        ours = without_ids(ours)
    assert ours == theirs
    assert request.url == f"{base}/models/{model}:" + (
        "streamGenerateContent?alt=sse" if is_stream else "generateContent"
    )
