"""From the Responses API's items to OpenAI chat form."""

from __future__ import annotations

from typing import Any

from creative_services.api.dialects import reading
from creative_services.api.dialects.fields import refusal
from creative_services.api.dialects.reading import Part, a_string, kind_of
from creative_services.api.dialects.sealing import is_sealed, unseal
from creative_services.core.request import REPLAY_KEY
from creative_services.core.wire.responses_answer import replay

Item = dict[str, Any]
Message = dict[str, Any]


def messages(given: Any) -> list[Message]:
    """`input` as messages; all that the model did between two messages of others is one turn of the assistant's."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    conversation = _Conversation()
    for item, where in reading.objects(given, "input"):
        conversation.add(item, where)
    conversation.end_turn()
    if not conversation.messages:
        raise refusal("input", "is empty. Send a string, or at least one message.")
    return conversation.messages


class _Conversation:
    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._turn: list[tuple[Item, str]] = []

    def add(self, item: Item, where: str) -> None:
        kind = kind_of({"type": "message"} | item)
        if kind in {"function_call", "reasoning"} or (kind == "message" and item.get("role") == "assistant"):
            self._turn.append((item, where))
        elif kind == "message":
            self.end_turn()
            self.messages.append(_told(item, where))
        elif kind == "function_call_output":
            self.end_turn()
            self.messages.append(_result(item, where))
        else:
            raise reading.unsupported(item["type"], where, _ITEMS)

    def end_turn(self) -> None:
        """Close the assistant's turn, if one is open."""
        if message := _assistant(self._turn):
            self.messages.append(message)
        self._turn = []


_ITEMS = dict.fromkeys(("message", "function_call", "function_call_output", "reasoning"))


def _told(item: Item, where: str) -> Message:
    role = item.get("role")
    if role not in ("user", "system", "developer"):
        raise refusal(f"{where}.role", "must be user, assistant, system or developer.")
    kinds = _USER_PARTS if role == "user" else _SYSTEM_PARTS
    return {"role": role, "content": reading.plain(reading.parts(item.get("content"), f"{where}.content", kinds))}


def _result(item: Item, where: str) -> Message:
    output = reading.parts(item.get("output"), f"{where}.output", _USER_PARTS)
    return {"role": "tool", "tool_call_id": a_string(item, "call_id", where), "content": reading.plain(output)}


def _assistant(turn: list[tuple[Item, str]]) -> Message | None:
    """What the model did, as one message; None where it said nothing and called nothing."""
    said: list[Part] = []
    calls = []
    for item, where in turn:
        if kind_of(item) == "function_call":
            calls.append(_call(item, where))
        elif kind_of(item) != "reasoning":
            said += reading.parts(item.get("content"), f"{where}.content", _ASSISTANT_PARTS)
    if not said and not calls:
        return None
    message: Message = {"role": "assistant", "content": reading.plain(said) or (None if calls else "")}
    if calls:
        message["tool_calls"] = calls
    if kept := _kept([item for item, _ in turn]):
        message[REPLAY_KEY] = kept
    return message


def _kept(turn: list[Item]) -> dict[str, Any] | None:
    """What the provider that did this wants to see again: what we sealed, or the items of this very API."""
    sealed = [item["encrypted_content"] for item in turn if is_sealed(item.get("encrypted_content"))]
    if sealed:
        return unseal(sealed[-1])
    items = [{"type": "message"} | {name: value for name, value in item.items() if value is not None} for item in turn]
    blocks = replay(items)
    return {"wire": "openai_responses", "blocks": blocks} if blocks else None


def _call(item: Item, where: str) -> dict[str, Any]:
    arguments = {**item, "arguments": item.get("arguments") or "{}"}
    function = {"name": a_string(item, "name", where), "arguments": a_string(arguments, "arguments", where)}
    return {"id": a_string(item, "call_id", where), "type": "function", "function": function}


def _text(part: Part, where: str) -> Part:
    return {"type": "text", "text": a_string(part, "text", where)}


def _refusal(part: Part, where: str) -> Part:
    return {"type": "refusal", "refusal": a_string(part, "refusal", where)}


def _image(part: Part, where: str) -> Part:
    if part.get("file_id"):
        raise refusal(f"{where}.file_id", "is not supported here: no files are kept. Send the image as a data: URL.")
    image = {"url": a_string(part, "image_url", where)}
    detail = part.get("detail") or "auto"
    return {"type": "image_url", "image_url": image if detail == "auto" else image | {"detail": detail}}


def _file(part: Part, where: str) -> Part:
    if part.get("file_id"):
        raise refusal(f"{where}.file_id", "is not supported here: no files are kept. Send `file_data`.")
    data = part.get("file_url") or a_string(part, "file_data", where)
    file = {"filename": part.get("filename"), "file_data": data}
    return {"type": "file", "file": {name: value for name, value in file.items() if value is not None}}


_SYSTEM_PARTS = {"input_text": _text, "text": _text}
_ASSISTANT_PARTS = {"output_text": _text, "input_text": _text, "text": _text, "refusal": _refusal}
_USER_PARTS = {"input_text": _text, "text": _text, "input_image": _image, "input_file": _file}


def tools(given: Any) -> list[dict[str, Any]]:
    """Function tools, nested as chat form has them; the API's own tools are refused by name."""
    return [_tool(tool, where) for tool, where in reading.objects(given, "tools")]


def _tool(tool: dict[str, Any], where: str) -> dict[str, Any]:
    if tool.get("type") != "function":
        raise reading.unsupported(tool.get("type"), where, {"function": None})
    function = {name: tool.get(name) for name in ("name", "description", "parameters", "strict")}
    a_string(function, "name", where)
    return reading.function_tool(function)


def tool_choice(given: Any) -> str | dict[str, Any]:
    """The same choice in chat form."""
    if isinstance(given, str) and given in {"auto", "none", "required"}:
        return given
    choice = given if isinstance(given, dict) else {}
    if choice.get("type") != "function":
        raise refusal("tool_choice", "must be auto, none, required, or a function's name.")
    return reading.function_choice(a_string(choice, "name", "tool_choice"))


def response_format(text: Any) -> dict[str, Any] | None:
    """`text.format` in chat form; None for plain text."""
    form = reading.an_object(reading.an_object(text, "text").get("format") or {"type": "text"}, "text.format")
    kind = form.get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": kind}
    if kind != "json_schema":
        raise reading.unsupported(kind, "text.format", dict.fromkeys(("text", "json_object", "json_schema")))
    schema = {name: form[name] for name in ("name", "description", "strict") if form.get(name) is not None}
    schema["schema"] = reading.an_object(form.get("schema"), "text.format.schema")
    return {"type": kind, "json_schema": {"name": "answer"} | schema}
