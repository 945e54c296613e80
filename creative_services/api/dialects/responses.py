"""OpenAI's Responses API, `POST v1/responses`, without state: nothing is kept between calls.

https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects import openai_errors, reading
from creative_services.api.dialects import responses_conversation as translate
from creative_services.api.dialects.base import Asked
from creative_services.api.dialects.fields import flag, refusal, sort_out
from creative_services.api.dialects.responses_body import Frame, output
from creative_services.api.dialects.responses_events import ResponsesWriter

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from creative_services.api.dialects.base import Fault
    from creative_services.core.types import LLMEntry, LLMResponse

TAKEN = frozenset({
    "model", "input", "instructions", "max_output_tokens", "temperature", "text", "tools", "tool_choice", "stream",
    "metadata", "user", "include", "top_p", "parallel_tool_calls",
})  # fmt: skip
NEUTRAL: Mapping[str, Collection[Any]] = MappingProxyType(
    {
        "background": (False,),
        "store": (False,),
        "top_logprobs": (0,),
        "truncation": ("disabled",),
    }
)
# What these ask for changes nothing that an answer says, or is for the LLM's row to say: how much a model thinks.
IGNORED = frozenset({
    "max_tool_calls", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning",
    "safety_identifier", "service_tier", "stream_options",
})  # fmt: skip
_KEPT_NOTHING = "is not supported here: nothing is kept between calls. Send the whole conversation as `input`."
_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "previous_response_id": _KEPT_NOTHING,
        "conversation": _KEPT_NOTHING,
        "prompt": "is not supported here: no prompts are kept. Send the text as `instructions` and `input`.",
    }
)


class Responses:
    """The dialect; `options` of what is asked are fields that no LLM is told, and that the answer repeats."""

    def read(self, body: dict[str, Any]) -> Asked:
        for name, why in _HINTS.items():
            if body.get(name) is not None:
                raise refusal(name, why)
        fields = sort_out(body, TAKEN, NEUTRAL, IGNORED)
        stream = flag(fields, "stream")
        _check_include(fields.get("include", []))
        model = reading.a_string(fields, "model", "")
        return Asked(model, stream, _call(fields), _notes(fields))

    def whole(self, asked: Asked, response: LLMResponse) -> Mapping[str, Any]:
        frame = Frame.of(response.request_id, asked)
        return frame.ended(response, output(frame, response))

    def writer(self, asked: Asked, request_id: str, llm: LLMEntry) -> ResponsesWriter:
        return ResponsesWriter(Frame.of(request_id, asked), llm)

    def error_body(self, fault: Fault) -> Mapping[str, Any]:
        return openai_errors.error_body(fault)


def _call(fields: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `generate`."""
    if "input" not in fields:
        raise refusal("input", "is missing. Send a string or a list of items.")
    call: dict[str, Any] = {"messages": translate.messages(fields["input"])}
    if fields.get("instructions"):
        call["system"] = reading.a_string(fields, "instructions", "")
    if "max_output_tokens" in fields:
        call["max_tokens"] = reading.whole_number(fields["max_output_tokens"], "max_output_tokens")
    if "temperature" in fields:
        call["temperature"] = fields["temperature"]
    wishes = ("top_p", "parallel_tool_calls") if fields.get("tools") else ("top_p",)
    if options := {name: fields[name] for name in wishes if name in fields}:
        call["options"] = options
    if form := translate.response_format(fields.get("text", {})):
        call["response_format"] = form
    return call | _tools(fields)


def _tools(fields: dict[str, Any]) -> dict[str, Any]:
    """The tools and which of them to call; a choice without tools chooses nothing, and several APIs refuse it."""
    choice = translate.tool_choice(fields.get("tool_choice", "auto"))
    tools = translate.tools(fields.get("tools", []))
    if not tools:
        return {}
    return {"tools": tools} | ({"tool_choice": choice} if "tool_choice" in fields else {})


def _check_include(wanted: Any) -> None:
    """Refuse the probabilities of tokens, which nobody passes on; what else may be included belongs to other tools."""
    if not isinstance(wanted, list):
        raise refusal("include", "must be a list.")
    if "message.output_text.logprobs" in wanted:
        raise refusal("include", "cannot hold message.output_text.logprobs here. Leave it out.")


def _notes(fields: dict[str, Any]) -> dict[str, Any]:
    """The client's own notes on its request."""
    metadata = reading.an_object(fields.get("metadata", {}), "metadata")
    if not all(isinstance(value, str) for value in metadata.values()):
        raise refusal("metadata", "must hold strings.")
    return {"metadata": metadata, "user": reading.a_string(fields, "user", "") if "user" in fields else None}


RESPONSES = Responses()
