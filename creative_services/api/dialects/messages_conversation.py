"""From the Messages API's blocks to OpenAI chat form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.api.dialects import reading
from creative_services.api.dialects.fields import refusal
from creative_services.api.dialects.reading import Part, a_string, kind_of
from creative_services.api.dialects.sealing import is_sealed, unseal
from creative_services.api.dialects.sse import to_json
from creative_services.core.request import REPLAY_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Block = dict[str, Any]
Message = dict[str, Any]

_MARK = "cache_control"  # where the provider may keep what it has read; Anthropic's own LLMs are told, others not


def system(given: Any) -> dict[str, Any]:
    """`system` as arguments of a call, or as a message where its blocks say what may be kept."""
    parts = reading.parts(given, "system", _SYSTEM_PARTS)
    if any(_MARK in part for part in parts):
        return {"messages": [{"role": "system", "content": parts}]}
    return {"system": "\n\n".join(part["text"] for part in parts)}


def messages(given: Any) -> list[Message]:
    """`messages` in chat form, where tools answer in messages of their own."""
    made = [message for turn, where in reading.objects(given, "messages") for message in _turn(turn, where)]
    if not made:
        raise refusal("messages", "is empty. Send at least one message.")
    return made


def _turn(turn: Message, where: str) -> Iterable[Message]:
    role, content, place = turn.get("role"), turn.get("content"), f"{where}.content"
    if role == "assistant":
        return [_assistant(content, place)]
    if role == "user":
        return _user(content, place)
    if role == "system":
        return [{"role": role, "content": reading.plain(reading.parts(content, place, _SYSTEM_PARTS))}]
    raise refusal(f"{where}.role", "must be user or assistant.")


def _user(content: Any, where: str) -> Iterator[Message]:
    """The results of tools first: they must follow their calls, as the Messages API demands as well."""
    if isinstance(content, str):
        yield {"role": "user", "content": content}
        return
    blocks = reading.objects(content, where)
    yield from (_result(block, place) for block, place in blocks if kind_of(block) == "tool_result")
    said = [block for block, _ in blocks if kind_of(block) != "tool_result"]
    if said or not blocks:
        yield {"role": "user", "content": reading.plain(reading.parts(said, where, _USER_PARTS))}


def _result(block: Block, where: str) -> Message:
    content = reading.parts(block.get("content") or "", f"{where}.content", _USER_PARTS)
    if block.get("is_error"):
        content = [{"type": "text", "text": "Error:"}, *content]  # no other API has a word for it
    content = _marked(block, content)
    return {"role": "tool", "tool_call_id": a_string(block, "tool_use_id", where), "content": reading.plain(content)}


def mark_last(conversation: list[Message], mark: Any) -> None:
    """Put the mark of a whole request where Anthropic would: on what the conversation ends with."""
    last = conversation[-1]
    if content := last["content"]:
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        last["content"] = _marked({_MARK: mark}, parts)


def _marked(block: Block, content: list[Part]) -> list[Part]:
    if not block.get(_MARK) or not content:
        return content
    return [*content[:-1], content[-1] | {_MARK: block[_MARK]}]


def _assistant(content: Any, where: str) -> Message:
    blocks = reading.objects([{"type": "text", "text": content}] if isinstance(content, str) else content, where)
    calls = [_call(block, place) for block, place in blocks if kind_of(block) == "tool_use"]
    said = [block for block, _ in blocks if kind_of(block) not in _SILENT]
    words = reading.plain(reading.parts(said, where, _ASSISTANT_PARTS))
    message: Message = {"role": "assistant", "content": words or (None if calls else "")}
    if calls:
        message["tool_calls"] = calls
    if kept := _kept([block for block, _ in blocks]):
        message[REPLAY_KEY] = kept
    return message


_SILENT = {"tool_use", "thinking", "redacted_thinking"}


def _kept(blocks: list[Block]) -> dict[str, Any] | None:
    """What the provider that said this wants to see again: what we sealed, or signed thoughts of Anthropic's."""
    sealed = [block["data"] for block in blocks if is_sealed(block.get("data"))]
    if sealed:
        return unseal(sealed[-1])
    thoughts = {"thinking": "signature", "redacted_thinking": "data"}
    # Thoughts without a signature are those of other models, or of a stream of ours.
    kept = [block for block in blocks if (proof := thoughts.get(kind_of(block))) is None or block.get(proof)]
    if not any(kind_of(block) in thoughts for block in kept):
        return None
    clean = [{name: value for name, value in block.items() if value is not None} for block in kept]
    return {"wire": "anthropic_messages", "blocks": clean}


def _call(block: Block, where: str) -> dict[str, Any]:
    given = reading.an_object(block.get("input"), f"{where}.input")
    function = {"name": a_string(block, "name", where), "arguments": to_json(given).decode()}
    return {"id": a_string(block, "id", where), "type": "function", "function": function}


def _text(part: Part, where: str) -> Part:
    return _with_mark(part, {"type": "text", "text": a_string(part, "text", where)})


def _with_mark(part: Part, made: Part) -> Part:
    return made | ({_MARK: part[_MARK]} if part.get(_MARK) else {})


def _image(part: Part, where: str) -> Part:
    return _with_mark(part, {"type": "image_url", "image_url": {"url": _address(part, where)}})


def _document(part: Part, where: str) -> Part:
    for name in ("citations", "context"):
        if part.get(name) and part[name] != {"enabled": False}:
            raise refusal(f"{where}.{name}", "is not supported here. Leave it out.")
    file = {"filename": part.get("title") or "document.pdf", "file_data": _address(part, where)}
    return _with_mark(part, {"type": "file", "file": file})


def _address(part: Part, where: str) -> str:
    """The data as a data: URL, or the address."""
    place = f"{where}.source"
    source = reading.an_object(part.get("source"), place)
    if source.get("type") == "url":
        return a_string(source, "url", place)
    if source.get("type") == "base64":
        return f"data:{a_string(source, 'media_type', place)};base64,{a_string(source, 'data', place)}"
    raise reading.unsupported(source.get("type"), place, dict.fromkeys(("base64", "url")))


_SYSTEM_PARTS = {"text": _text}
_ASSISTANT_PARTS = {"text": _text}
_USER_PARTS = {"text": _text, "image": _image, "document": _document}


def tools(given: Any) -> list[dict[str, Any]]:
    """The client's own tools in chat form; those that run at Anthropic are refused by name."""
    return [_tool(tool, where) for tool, where in reading.objects(given, "tools")]


def _tool(tool: dict[str, Any], where: str) -> dict[str, Any]:
    if tool.get("type") not in (None, "custom"):
        raise reading.unsupported(tool["type"], where, {"custom": None})
    function = {
        "name": a_string(tool, "name", where),
        "description": tool.get("description"),
        "parameters": reading.an_object(tool.get("input_schema"), f"{where}.input_schema"),
        "strict": tool.get("strict"),
    }
    return _with_mark(tool, reading.function_tool(function))


def tool_choice(given: Any) -> str | dict[str, Any]:
    """The same choice in chat form."""
    choice = reading.an_object(given, "tool_choice")
    kind = kind_of(choice)
    if kind == "tool":
        return reading.function_choice(a_string(choice, "name", "tool_choice"))
    if kind not in _CHOICES:
        raise reading.unsupported(kind, "tool_choice", _CHOICES)
    return _CHOICES[kind]


_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def wants_single_calls(choice: Any) -> bool:
    """Whether the model may call one tool at a time only."""
    wish = choice.get("disable_parallel_tool_use") if isinstance(choice, dict) else None
    if not isinstance(wish, bool | None):
        raise refusal("tool_choice.disable_parallel_tool_use", "must be true or false.")
    return bool(wish)


def response_format(given: Any, where: str) -> dict[str, Any]:
    """A format of the output, which can only be a JSON schema, in chat form."""
    form = reading.an_object(given, where)
    if form.get("type") != "json_schema":
        raise reading.unsupported(form.get("type"), where, {"json_schema": None})
    schema = reading.an_object(form.get("schema"), f"{where}.schema")
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
