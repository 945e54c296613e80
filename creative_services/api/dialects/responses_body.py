"""A response object of the Responses API, and the items in it."""

from __future__ import annotations

from dataclasses import dataclass
from time import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.sealing import seal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.api.dialects.base import Asked
    from creative_services.core.types import FinishReason, LLMResponse, ToolCall, Usage

Item = dict[str, Any]

_INCOMPLETE: Mapping[FinishReason | None, str] = MappingProxyType(
    {"length": "max_output_tokens", "content_filter": "content_filter"}
)
BROKEN: Mapping[str, str] = MappingProxyType(
    {"code": "server_error", "message": "The model ended its answer with an error."}
)
NOTHING_MORE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Frame:
    """What stays the same in all snapshots of one response: its id, its time, and what was asked for."""

    number: str
    created_at: int
    echo: Mapping[str, Any]

    @classmethod
    def of(cls, request_id: str, asked: Asked) -> Frame:
        return cls(request_id.replace("-", ""), int(time()), _echo(asked))

    def snapshot(
        self, status: str, model: str, output: list[Item], more: Mapping[str, Any] = NOTHING_MORE
    ) -> dict[str, Any]:
        """The response object with this much in it."""
        return {
            "id": f"resp_{self.number}",
            "object": "response",
            "created_at": self.created_at,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": model,
            "output": output,
            "previous_response_id": None,
            "store": False,
            "truncation": "disabled",
            "usage": None,
            **self.echo,
            **more,
        }

    def ended(self, response: LLMResponse, output: list[Item]) -> dict[str, Any]:
        """The response object of a whole answer."""
        status, reason = status_of(response.finish_reason), _INCOMPLETE.get(response.finish_reason)
        return self.snapshot(
            status,
            response.llm.model,
            output,
            {
                "incomplete_details": {"reason": reason} if reason else None,
                "error": dict(BROKEN) if status == "failed" else None,
                "usage": usage_body(response.usage),
            },
        )

    def item_id(self, kind: str, index: int) -> str:
        """The id of the item at this place."""
        return f"{kind}_{self.number}{index:02}"

    def reasoning(self, index: int, summary: str, sealed: str | None = None) -> Item:
        """An item of thoughts, or of what the provider wants back."""
        parts = [{"type": "summary_text", "text": summary}] if summary else []
        item = {"type": "reasoning", "id": self.item_id("rs", index), "summary": parts, "status": "completed"}
        return item | ({"encrypted_content": sealed} if sealed else {})

    def message(self, index: int, text: str | None, status: str) -> Item:
        """An item of text; a text of None has not begun."""
        content = [] if text is None else [text_part(text)]
        return {
            "type": "message",
            "id": self.item_id("msg", index),
            "status": status,
            "role": "assistant",
            "content": content,
        }

    def call(self, index: int, call: ToolCall, status: str = "completed") -> Item:
        """An item of a tool call."""
        return {
            "type": "function_call",
            "id": self.item_id("fc", index),
            "status": status,
            "call_id": call["id"],
            "name": call["name"],
            "arguments": call["arguments"],
        }


def _echo(asked: Asked) -> dict[str, Any]:
    """What an answer repeats of its request, as it was understood; null where the LLM's own setting holds."""
    call = asked.call
    options = call.get("options", {})
    return {
        "instructions": call.get("system"),
        "max_output_tokens": call.get("max_tokens"),
        "parallel_tool_calls": options.get("parallel_tool_calls", True),
        "reasoning": {"effort": None, "summary": None},
        "temperature": call.get("temperature"),
        "text": {"format": _format(call.get("response_format", {"type": "text"}))},
        "tool_choice": _choice(call.get("tool_choice", "auto")),
        "tools": [
            {"type": "function", "parameters": None, "strict": None} | tool["function"]
            for tool in call.get("tools", [])
        ],
        "top_p": options.get("top_p"),
        **asked.options,
    }


def _format(form: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": form["type"], **form.get("json_schema", {})}


def _choice(choice: str | Mapping[str, Any]) -> str | dict[str, Any]:
    return choice if isinstance(choice, str) else {"type": "function", "name": choice["function"]["name"]}


def status_of(reason: FinishReason | None) -> str:
    """How an answer that ended so is called."""
    if reason in _INCOMPLETE:
        return "incomplete"
    return "failed" if reason == "error" else "completed"


def text_part(text: str) -> dict[str, Any]:
    """Text as part of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def output(frame: Frame, response: LLMResponse) -> list[Item]:
    """A whole answer's items, in the order in which a stream brings them; never none at all."""
    items: list[Item] = []
    if response.reasoning:
        items.append(frame.reasoning(0, response.reasoning))
    if response.text or not response.tool_calls:
        items.append(frame.message(len(items), response.text, said_status(response.finish_reason)))
    items += [frame.call(index, call) for index, call in enumerate(response.tool_calls, start=len(items))]
    if sealed := seal(response):
        items.append(frame.reasoning(len(items), "", sealed))
    return items


def said_status(reason: FinishReason | None) -> str:
    """Whether the last message was said to its end."""
    return "completed" if status_of(reason) == "completed" else "incomplete"


def usage_body(usage: Usage) -> dict[str, Any] | None:
    """The counts of tokens; None where neither side is known.

    The format has no null for a single count, so that an unknown one beside known ones is 0 here.
    """
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    given, told = usage.input_tokens or 0, usage.output_tokens or 0
    return {
        "input_tokens": given,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": told,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": given + told,
    }
