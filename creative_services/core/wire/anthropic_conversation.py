"""From OpenAI chat form to what the Anthropic Messages API takes; what it cannot take is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from creative_services.core.errors import InvalidRequestError
from creative_services.core.request import REPLAY_KEY, LLMRequest, Message
from creative_services.core.wire import json_text

Block = dict[str, Any]

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,", re.ASCII)
_OWN_TOOL = re.compile(r"\w+_\d{8}", re.ASCII)
# What a message may carry beside its content: known here, or without meaning for the model.
_KNOWN_FIELDS = frozenset({
    "role", "content", "tool_calls", "tool_call_id", "refusal", "cache_control", REPLAY_KEY,
    "annotations", "reasoning", "reasoning_content", "reasoning_details",
})  # fmt: skip


def refuse(where: str, instead: str) -> InvalidRequestError:
    """The error for something that this API has no way to say."""
    return InvalidRequestError(f"The Anthropic Messages API cannot express {where}. {instead}")


def system_text(request: LLMRequest) -> str | list[Block]:
    """The top-level system prompt: the `system` argument, then all system messages, in order."""
    blocks: list[Block] = [{"type": "text", "text": request.system}] if request.system else []
    for index, message in enumerate(request.messages):
        if message["role"] in {"system", "developer"}:
            blocks += _content(message["content"], f"messages[{index}].content", _SYSTEM_PARTS)
    if all(len(block) == 2 for block in blocks):
        return "\n\n".join(block["text"] for block in blocks)
    return blocks


def conversation(request: LLMRequest) -> list[Message]:
    """User and assistant turns, in order; neighbours of one role become one turn, as the API would make them."""
    turns: list[dict[str, Any]] = []
    for index, message in enumerate(request.messages):
        if message["role"] in {"system", "developer"}:
            continue
        role = "assistant" if message["role"] == "assistant" else "user"
        blocks = _turn(message, f"messages[{index}]")
        if blocks and message.get("cache_control"):
            blocks = [*blocks[:-1], blocks[-1] | {"cache_control": message["cache_control"]}]
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    if not turns:
        raise refuse("a conversation with no user message", "Add one.")
    return [_plain(turn) for turn in turns]


def _plain(turn: dict[str, Any]) -> Message:
    blocks = turn["content"]
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"}:
        return {"role": turn["role"], "content": blocks[0]["text"]}
    return turn


def _turn(message: Message, where: str) -> list[Block]:
    unknown = [key for key, value in message.items() if value and key not in _KNOWN_FIELDS]
    role = message["role"]
    if unknown and not (role == "tool" and unknown == ["name"]):
        raise refuse(f"`{where}.{unknown[0]}`", "Leave it out.")
    if role == "assistant":
        return _assistant(message, where)
    blocks = _content(message["content"], f"{where}.content", _USER_PARTS)
    if role == "tool":
        result: Block = {"type": "tool_result", "tool_use_id": message.get("tool_call_id")}
        if not isinstance(result["tool_use_id"], str):
            raise InvalidRequestError(f"`{where}.tool_call_id` is missing.")
        return [result | ({"content": _plain({"role": role, "content": blocks})["content"]} if blocks else {})]
    if message.get("tool_calls"):
        raise refuse(f"`{where}.tool_calls` of a user", "Only the assistant calls tools.")
    if not blocks:
        raise refuse(f"the empty message `{where}`", "Give it content.")
    return blocks


def _assistant(message: Message, where: str) -> list[Block]:
    blocks = _content(message.get("content") or "", f"{where}.content", _ASSISTANT_PARTS)
    if not blocks and isinstance(message.get("refusal"), str) and message["refusal"]:
        blocks = [{"type": "text", "text": message["refusal"]}]
    calls = [_tool_use(call, f"{where}.tool_calls[{n}]") for n, call in enumerate(message.get("tool_calls") or ())]
    replay = json_text.mapping(message.get(REPLAY_KEY))
    if replay.get("wire") == "anthropic_messages":
        kept = json_text.objects(replay.get("blocks"))
        if _says(kept) == _says([*blocks, *calls]):
            return kept
    return [*blocks, *calls]


def _says(blocks: list[Block]) -> tuple[str, list[Any]]:
    """The visible part of a turn: its text and the ids of its calls. Kept blocks stand only for what is unchanged."""
    words = "".join(json_text.text(block.get("text")) for block in blocks if block.get("type") == "text")
    return words, [block.get("id") for block in blocks if block.get("type") == "tool_use"]


def _tool_use(call: Any, where: str) -> Block:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(call.get("id"), str):
        raise InvalidRequestError(f"`{where}` must be an object with `id` and `function`.")
    arguments = function.get("arguments") or "{}"
    try:
        given = json_text.load(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        given = None
    if not isinstance(given, Mapping):
        raise InvalidRequestError(f"`{where}.function.arguments` must be the JSON text of an object.")
    return {"type": "tool_use", "id": call["id"], "name": function.get("name"), "input": given}


def _content(content: Any, where: str, kinds: Mapping[str, Any]) -> list[Block]:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    blocks = []
    for index, part in enumerate(parts):
        make = kinds.get(part["type"])
        if make is None:
            raise refuse(f"a `{part['type'][:40]}` part in `{where}`", f"It takes: {', '.join(kinds)}.")
        if block := make(part, f"{where}[{index}]"):
            cached = {"cache_control": part["cache_control"]} if part.get("cache_control") else {}
            blocks.append(block | cached)
    return blocks


def _text_block(part: Mapping[str, Any], where: str) -> Block | None:
    words = part.get("text")
    if not isinstance(words, str):
        raise InvalidRequestError(f"`{where}.text` must be a string.")
    return {"type": "text", "text": words} if words else None


def _refusal_block(part: Mapping[str, Any], where: str) -> Block | None:
    return _text_block({"text": part.get("refusal")}, where)


def _image_block(part: Mapping[str, Any], where: str) -> Block:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, Mapping) else image
    return {"type": "image", "source": _source(url, f"{where}.image_url")}


def _file_block(part: Mapping[str, Any], where: str) -> Block:
    file = part.get("file")
    data = file.get("file_data") if isinstance(file, Mapping) else None
    if data is None:
        raise refuse(f"`{where}.file` without `file_data`", "Give the file as a data: URL.")
    name = file["filename"] if isinstance(file, Mapping) and file.get("filename") else None
    titled = {"title": name} if name else {}
    return {"type": "document", "source": _source(data, f"{where}.file"), **titled}


def _source(url: Any, where: str) -> Block:
    if not isinstance(url, str) or not url:
        raise InvalidRequestError(f"`{where}` must hold a URL.")
    if url.startswith(("https://", "http://")):
        return {"type": "url", "url": url}
    head = _DATA_URL.match(url)
    if head is None:
        raise refuse(f"the address in `{where}`", "Give an https:, or a data: URL in base64.")
    return {"type": "base64", "media_type": head[1], "data": url[head.end() :]}


_SYSTEM_PARTS = {"text": _text_block}
_ASSISTANT_PARTS = {"text": _text_block, "refusal": _refusal_block}
_USER_PARTS = {"text": _text_block, "image_url": _image_block, "file": _file_block}


def tools(given: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Tool definitions; the API's own tools, which carry a date in their type, go as they are."""
    return [_tool(tool, f"tools[{index}]") for index, tool in enumerate(given)]


def _tool(tool: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    if _OWN_TOOL.fullmatch(tool["type"]):
        return tool
    function = tool.get("function")
    if tool["type"] != "function":
        raise refuse(f"`{where}` of type {tool['type'][:40]}", "Define it as a function.")
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise InvalidRequestError(f"`{where}.function` must be an object with a `name`.")
    made = {
        "name": function["name"],
        "input_schema": function.get("parameters") or {"type": "object", "properties": {}},
    }
    optional = {"description": function.get("description"), "strict": function.get("strict")}
    cached = {"cache_control": tool.get("cache_control")}
    return made | {key: value for key, value in (optional | cached).items() if value is not None}


def tool_choice(given: str | Mapping[str, Any]) -> Block:
    """The same choice in this API's words."""
    if isinstance(given, str) and given in _CHOICES:
        return {"type": _CHOICES[given]}
    function = given.get("function") if isinstance(given, Mapping) and given.get("type") == "function" else None
    if isinstance(function, Mapping) and isinstance(function.get("name"), str):
        return {"type": "tool", "name": function["name"]}
    raise refuse("this `tool_choice`", "Give auto, none, required, or a function's name.")


_CHOICES = {"auto": "auto", "none": "none", "required": "any", "any": "any"}


def output_format(given: Mapping[str, Any]) -> Block | None:
    """The output format of a JSON schema; None for plain text."""
    kind = given.get("type")
    if kind == "text":
        return None
    named = given.get("json_schema")
    schema = named.get("schema") if isinstance(named, Mapping) else None
    if kind != "json_schema":
        raise refuse(f"`response_format` {str(kind)[:40]}", "Give a JSON schema (type json_schema).")
    if not isinstance(schema, Mapping):
        raise InvalidRequestError("`response_format.json_schema.schema` must be an object.")
    return {"type": "json_schema", "schema": schema}
