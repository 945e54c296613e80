"""From OpenAI chat form to the Responses API's items; what it cannot take is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from creative_services.core.errors import InvalidRequestError
from creative_services.core.request import REPLAY_KEY, LLMRequest, Message
from creative_services.core.wire import json_text
from creative_services.core.wire.responses_answer import said

Item = dict[str, Any]

# What a message may carry beside its content: known here, or without meaning for the model.
_KNOWN_FIELDS = frozenset({
    "role", "content", "tool_calls", "tool_call_id", "refusal", REPLAY_KEY, "cache_control",
    "annotations", "reasoning", "reasoning_content", "reasoning_details",
})  # fmt: skip


def refuse(where: str, instead: str) -> InvalidRequestError:
    """The error for something that this API has no way to say."""
    return InvalidRequestError(f"The Responses API cannot express {where}. {instead}")


def input_items(request: LLMRequest, *, knows_developer: bool) -> list[Item]:
    """The conversation as items, in order; `developer` messages go as `system` to servers that do not know the role."""
    items: list[Item] = []
    for index, message in enumerate(request.messages):
        where = f"messages[{index}]"
        role = message["role"]
        unknown = [key for key, value in message.items() if value and key not in _KNOWN_FIELDS]
        if unknown and not (role == "tool" and unknown == ["name"]):
            raise refuse(f"`{where}.{unknown[0]}`", "Leave it out.")
        if role == "assistant":
            items += _assistant(message, where)
        elif role == "tool":
            items.append(_tool_result(message, where))
        else:
            items.append(_told(message, role if role != "developer" or knows_developer else "system", where))
    return items


def _told(message: Message, role: str, where: str) -> Item:
    if message.get("tool_calls"):
        raise refuse(f"`{where}.tool_calls` of a {role}", "Only the assistant calls tools.")
    kinds = _USER_PARTS if role == "user" else _SYSTEM_PARTS
    content = _content(message["content"], f"{where}.content", kinds)
    if not content:
        raise refuse(f"the empty message `{where}`", "Give it content.")
    return {"role": role, "content": content}


def _tool_result(message: Message, where: str) -> Item:
    call_id = message.get("tool_call_id")
    if not isinstance(call_id, str):
        raise InvalidRequestError(f"`{where}.tool_call_id` is missing.")
    output = _content(message["content"], f"{where}.content", _USER_PARTS)
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def _assistant(message: Message, where: str) -> list[Item]:
    content = _content(message.get("content") or "", f"{where}.content", _ASSISTANT_PARTS)
    if not content and isinstance(message.get("refusal"), str) and message["refusal"]:
        content = [{"type": "refusal", "refusal": message["refusal"]}]
    if isinstance(content, str):
        content = [{"type": "output_text", "text": content}] if content else []
    # The type is optional at OpenAI, but not at llama.cpp, which takes no plain string here either.
    items: list[Item] = [{"type": "message", "role": "assistant", "content": content}] if content else []
    items += [_call(call, f"{where}.tool_calls[{n}]") for n, call in enumerate(message.get("tool_calls") or ())]
    replay = json_text.mapping(message.get(REPLAY_KEY))
    if replay.get("wire") == "openai_responses":
        kept = json_text.objects(replay.get("blocks"))
        if _visible(kept) == _visible(items):
            return kept
    return items


def _visible(items: list[Item]) -> tuple[str, list[Any]]:
    """What callers see of a turn: its text and the ids of its calls. Kept items stand only for what is unchanged."""
    return said(items)[0], [item["call_id"] for item in items if item.get("call_id")]


def _call(call: Any, where: str) -> Item:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(call.get("id"), str):
        raise InvalidRequestError(f"`{where}` must be an object with `id` and `function`.")
    arguments = function.get("arguments") or "{}"
    if not isinstance(arguments, str):
        arguments = json_text.dump(arguments).decode()
    return {"type": "function_call", "call_id": call["id"], "name": function.get("name"), "arguments": arguments}


def _content(content: Any, where: str, kinds: Mapping[str, Any]) -> str | list[Item]:
    """A string as it is; parts in this API's words."""
    if isinstance(content, str):
        return content
    parts = []
    for index, part in enumerate(content):
        make = kinds.get(part["type"])
        if make is None:
            raise refuse(f"a `{part['type'][:40]}` part in `{where}`", f"It takes: {', '.join(kinds)}.")
        marked = {_CACHE_MARK: part[_CACHE_MARK]} if part.get(_CACHE_MARK) else {}
        parts.append(make(part, f"{where}[{index}]") | marked)
    return parts


_CACHE_MARK = "prompt_cache_breakpoint"


def _string(part: Mapping[str, Any], name: str, where: str) -> str:
    if not isinstance(part.get(name), str):
        raise InvalidRequestError(f"`{where}.{name}` must be a string.")
    return str(part[name])


def _input_text(part: Mapping[str, Any], where: str) -> Item:
    return {"type": "input_text", "text": _string(part, "text", where)}


def _output_text(part: Mapping[str, Any], where: str) -> Item:
    return {"type": "output_text", "text": _string(part, "text", where)}


def _refusal(part: Mapping[str, Any], where: str) -> Item:
    return {"type": "refusal", "refusal": _string(part, "refusal", where)}


def _input_image(part: Mapping[str, Any], where: str) -> Item:
    image = part.get("image_url")
    given = image if isinstance(image, Mapping) else {"url": image}
    made = {"type": "input_image", "image_url": _string(given, "url", f"{where}.image_url")}
    return made | ({"detail": given["detail"]} if given.get("detail") else {})


def _input_file(part: Mapping[str, Any], where: str) -> Item:
    file = json_text.mapping(part.get("file"))
    data = file.get("file_data")
    if isinstance(data, str) and data.startswith(("https://", "http://")):
        return {"type": "input_file", "file_url": data}
    made = {name: file[name] for name in ("file_id", "filename", "file_data") if file.get(name)}
    if not made.keys() & {"file_id", "file_data"}:
        raise InvalidRequestError(f"`{where}.file` must hold `file_data` or `file_id`.")
    return {"type": "input_file", **made}


_SYSTEM_PARTS = {"text": _input_text}
_ASSISTANT_PARTS = {"text": _output_text, "refusal": _refusal}
_USER_PARTS = {"text": _input_text, "image_url": _input_image, "file": _input_file}


def tools(given: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Tool definitions, functions flattened; the API's own tools go as they are."""
    return [_tool(tool, f"tools[{index}]") for index, tool in enumerate(given)]


def _tool(tool: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    if tool["type"] == "custom":
        raise refuse(f"`{where}` of type custom", "Define it as a function.")
    if tool["type"] != "function":
        return tool
    function = tool.get("function")
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise InvalidRequestError(f"`{where}.function` must be an object with a `name`.")
    described = {"description": function["description"]} if function.get("description") else {}
    return {
        "type": "function",
        "name": function["name"],
        **described,
        "parameters": function.get("parameters") or {"type": "object", "properties": {}},
        "strict": bool(function.get("strict")),  # left out it would mean true here, and false in chat form
    }


def tool_choice(given: str | Mapping[str, Any]) -> str | Mapping[str, Any]:
    """The same choice in this API's words."""
    if isinstance(given, str):
        if given not in _CHOICES:
            raise refuse("this `tool_choice`", "Give auto, none, required, or a function's name.")
        return _CHOICES[given]
    kind = given.get("type")
    nested = given.get(kind) if isinstance(kind, str) else None
    if not isinstance(nested, Mapping):
        return given  # one of the API's own tools
    flat = {"type": kind, **nested}
    if isinstance(among := nested.get("tools"), Sequence):
        flat["tools"] = [tool_choice(tool) if isinstance(tool, Mapping) else tool for tool in among]
    return flat


_CHOICES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}


def text_format(given: Mapping[str, Any]) -> Item | None:
    """The format of the text; None for plain text."""
    kind = given.get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": kind}
    named = given.get("json_schema")
    if kind != "json_schema":
        raise refuse(f"`response_format` {str(kind)[:40]}", "Give json_object, or a JSON schema (type json_schema).")
    if not isinstance(named, Mapping) or not isinstance(named.get("schema"), Mapping):
        raise InvalidRequestError("`response_format.json_schema.schema` must be an object.")
    return {"type": kind, "name": "answer", **{key: value for key, value in named.items() if value is not None}}
