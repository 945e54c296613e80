"""From OpenAI chat form to the turns that Gemini takes; what it cannot take is refused by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from creative_services.core.errors import InvalidRequestError
from creative_services.core.request import REPLAY_KEY
from creative_services.core.wire import json_text

if TYPE_CHECKING:
    from creative_services.core.request import LLMRequest, Message

Part = dict[str, Any]

# Stands for the signature of a call that another model made: https://ai.google.dev/gemini-api/docs/thought-signatures
UNSIGNED = "skip_thought_signature_validator"

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,", re.ASCII)
_MEDIA_TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "heic": "image/heic", "heif": "image/heif", "pdf": "application/pdf", "txt": "text/plain", "csv": "text/csv",
    "html": "text/html", "md": "text/markdown", "mp3": "audio/mpeg", "wav": "audio/wav", "mp4": "video/mp4",
    "webm": "video/webm", "mov": "video/quicktime",
}  # fmt: skip
# What a message may carry beside its content: known here, or without meaning for the model.
_KNOWN_FIELDS = frozenset({
    "role", "content", "tool_calls", "tool_call_id", "refusal", "cache_control", REPLAY_KEY,
    "annotations", "reasoning", "reasoning_content", "reasoning_details",
})  # fmt: skip


def refuse(where: str, instead: str) -> InvalidRequestError:
    """The error for something that this API has no way to say."""
    return InvalidRequestError(f"The Gemini API cannot express {where}. {instead}")


def system_instruction(request: LLMRequest) -> dict[str, Any] | None:
    """The system prompt: the `system` argument, then all system messages, in order; None where there is none."""
    parts: list[Part] = [{"text": request.system}] if request.system else []
    for index, message in enumerate(request.messages):
        if message["role"] in {"system", "developer"}:
            parts += _content(message["content"], f"messages[{index}].content", _SYSTEM_PARTS)
    return {"parts": parts} if parts else None


class Conversation:
    """The turns of one request. Calls are known by name here, so names are found from the ids of earlier calls."""

    def __init__(self, *, wants_signatures: bool) -> None:
        self._wants_signatures = wants_signatures
        self._names: dict[str, str] = {}

    def contents(self, request: LLMRequest) -> list[dict[str, Any]]:
        """User and model turns, in order; the results of one turn's calls go together, as the API demands."""
        turns: list[dict[str, Any]] = []
        previous = None
        for index, message in enumerate(request.messages):
            role = message["role"]
            if role in {"system", "developer"}:
                continue
            parts = self._parts(message, f"messages[{index}]")
            if role == previous == "tool":
                turns[-1]["parts"] += parts
            elif parts:
                turns.append({"role": "model" if role == "assistant" else "user", "parts": parts})
            previous = role
        if not turns:
            raise refuse("a conversation with no user message", "Add one.")
        return turns

    def _parts(self, message: Message, where: str) -> list[Part]:
        role = message["role"]
        unknown = [key for key, value in message.items() if value and key not in _KNOWN_FIELDS]
        if unknown and not (role == "tool" and unknown == ["name"]):
            raise refuse(f"`{where}.{unknown[0]}`", "Leave it out.")
        if role == "assistant":
            return self._model(message, where)
        if role == "tool":
            return [self._result(message, where)]
        if message.get("tool_calls"):
            raise refuse(f"`{where}.tool_calls` of a user", "Only the assistant calls tools.")
        parts = _content(message["content"], f"{where}.content", _USER_PARTS)
        if not parts:
            raise refuse(f"the empty message `{where}`", "Give it content.")
        return parts

    def _model(self, message: Message, where: str) -> list[Part]:
        parts = _content(message.get("content") or "", f"{where}.content", _ASSISTANT_PARTS)
        if not parts and isinstance(message.get("refusal"), str) and message["refusal"]:
            parts = [{"text": message["refusal"]}]
        calls = [_call(call, f"{where}.tool_calls[{n}]") for n, call in enumerate(message.get("tool_calls") or ())]
        self._names |= {call["id"]: call["name"] for call in calls}
        parts += [{"functionCall": call} for call in calls]
        replay = json_text.mapping(message.get(REPLAY_KEY))
        if replay.get("wire") == "gemini":
            kept = json_text.objects(replay.get("blocks"))
            if _says(kept) == _says(parts):
                return kept
        if calls and self._wants_signatures:
            first = next(part for part in parts if "functionCall" in part)
            first["thoughtSignature"] = UNSIGNED
        return parts

    def _result(self, message: Message, where: str) -> Part:
        call_id = message.get("tool_call_id")
        if not isinstance(call_id, str):
            raise InvalidRequestError(f"`{where}.tool_call_id` is missing.")
        name = self._names.get(call_id, message.get("name"))
        if not isinstance(name, str):
            raise InvalidRequestError(f"`{where}.tool_call_id` is the id of no tool call before it. Correct it.")
        parts = _content(message["content"], f"{where}.content", _RESULT_PARTS)
        response = _response("".join(part["text"] for part in parts))
        return {"functionResponse": {"id": call_id, "name": name, "response": response}}


def _says(parts: list[Part]) -> tuple[str, list[Any]]:
    """The visible part of a turn: its text and the ids of its calls. Kept parts stand only for what is unchanged."""
    words = "".join(json_text.text(part.get("text")) for part in parts if not part.get("thought"))
    return words, [json_text.mapping(part["functionCall"]).get("id") for part in parts if "functionCall" in part]


def _call(call: Any, where: str) -> dict[str, Any]:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(call.get("id"), str):
        raise InvalidRequestError(f"`{where}` must be an object with `id` and `function`.")
    arguments = function.get("arguments") or "{}"
    given = _object(arguments) if isinstance(arguments, str) else arguments
    if not isinstance(given, Mapping):
        raise InvalidRequestError(f"`{where}.function.arguments` must be the JSON text of an object.")
    if not isinstance(function.get("name"), str):
        raise InvalidRequestError(f"`{where}.function.name` is missing.")
    return {"id": call["id"], "name": function["name"], "args": given}


def _response(words: str) -> Mapping[str, Any]:
    """A tool's result as the object that the API wants; of `output`, where it stands, the API takes nothing else."""
    given = _object(words)
    if given is None or ("output" in given and len(given) > 1):
        return {"output": words if given is None else given}
    return given


def _object(words: str) -> dict[str, Any] | None:
    try:
        value = json_text.load(words)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _content(content: Any, where: str, kinds: Mapping[str, Any]) -> list[Part]:
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    made = []
    for index, part in enumerate(parts):
        make = kinds.get(part["type"])
        if make is None:
            raise refuse(f"a `{part['type'][:40]}` part in `{where}`", f"It takes: {', '.join(kinds)}.")
        made.append(make(part, f"{where}[{index}]"))
    return [part for part in made if part != {"text": ""}]


def _text_part(part: Mapping[str, Any], where: str) -> Part:
    if not isinstance(part.get("text"), str):
        raise InvalidRequestError(f"`{where}.text` must be a string.")
    return {"text": part["text"]}


def _refusal_part(part: Mapping[str, Any], where: str) -> Part:
    return _text_part({"text": part.get("refusal")}, where)


def _image_part(part: Mapping[str, Any], where: str) -> Part:
    image = part.get("image_url")
    holder = image if isinstance(image, Mapping) else {"url": image}
    return _media(holder.get("url"), holder, f"{where}.image_url")


def _file_part(part: Mapping[str, Any], where: str) -> Part:
    file = part.get("file")
    holder: Mapping[str, Any] = file if isinstance(file, Mapping) else {}
    return _media(holder.get("file_data") or holder.get("file_id"), holder, f"{where}.file")


def _audio_part(part: Mapping[str, Any], where: str) -> Part:
    audio = json_text.mapping(part.get("input_audio"))
    if not isinstance(audio.get("data"), str) or not isinstance(audio.get("format"), str):
        raise InvalidRequestError(f"`{where}.input_audio` must be an object with `data` and `format`.")
    return {"inlineData": {"mimeType": f"audio/{audio['format']}", "data": audio["data"]}}


def _media(url: Any, holder: Mapping[str, Any], where: str) -> Part:
    """Data, or the address of a file; its media type is the `mime_type` beside it, or what its ending says."""
    if not isinstance(url, str) or not url:
        raise InvalidRequestError(f"`{where}` must hold a URL.")
    if url.startswith(("https://", "http://", "gs://")):
        try:
            ending = urlsplit(url).path.rpartition(".")[2].lower()
        except ValueError:  # its words quote the URL, and that is of the prompt
            raise InvalidRequestError(f"`{where}` must hold a URL.") from None
        media_type = holder.get("mime_type") or _MEDIA_TYPES.get(ending)
        return {"fileData": {"fileUri": url} | ({"mimeType": media_type} if media_type else {})}
    head = _DATA_URL.match(url)
    if head is None:
        raise refuse(f"the address in `{where}`", "Give an https: or gs: URL, or a data: URL in base64.")
    return {"inlineData": {"mimeType": head[1], "data": url[head.end() :]}}


_SYSTEM_PARTS = {"text": _text_part}
_RESULT_PARTS = {"text": _text_part}
_ASSISTANT_PARTS = {"text": _text_part, "refusal": _refusal_part}
_USER_PARTS = {"text": _text_part, "image_url": _image_part, "file": _file_part, "input_audio": _audio_part}
