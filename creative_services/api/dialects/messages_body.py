"""A message of the Messages API, and the blocks in it."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.sealing import seal
from creative_services.core.request import REPLAY_KEY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.types import FinishReason, LLMResponse, ToolCall, Usage

Block = dict[str, Any]

# Nobody passes on which stop sequence was met. For an answer that its provider broke off there is no word.
STOP_REASONS: Mapping[FinishReason | None, str | None] = MappingProxyType(
    {
        None: "end_turn",
        "stop": "end_turn",
        "length": "max_tokens",
        "tool_call": "tool_use",
        "content_filter": "refusal",
        "error": None,
    }
)
_NATIVE = ("thinking", "redacted_thinking", "text", "tool_use")


def frame(request_id: str, model: str) -> dict[str, Any]:
    """A message with nothing in it yet."""
    return {
        "id": f"msg_{request_id.replace('-', '')}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage_body(None),
    }


def message(response: LLMResponse) -> dict[str, Any]:
    """A whole answer."""
    return frame(response.request_id, response.llm.model) | {
        "content": _native(response) or blocks(response),
        "stop_reason": STOP_REASONS[response.finish_reason],
        "usage": usage_body(response.usage),
    }


def _native(response: LLMResponse) -> list[Block]:
    """The blocks that Anthropic itself wrote, if it answered and wrote none but the usual ones."""
    kept = response.message.get(REPLAY_KEY) or {}
    written: list[Block] = kept.get("blocks", []) if kept.get("wire") == "anthropic_messages" else []
    return written if all(block.get("type") in _NATIVE for block in written) else []


def blocks(response: LLMResponse) -> list[Block]:
    """What an answer says, in the order in which a stream brings it; the text is first where nothing was thought."""
    made: list[Block] = []
    if response.reasoning:
        made.append({"type": "thinking", "thinking": response.reasoning, "signature": ""})
    if response.text:
        made.append({"type": "text", "text": response.text})
    made += [tool_use(call) | {"input": arguments(call)} for call in response.tool_calls]
    if sealed := seal(response):
        made.append({"type": "redacted_thinking", "data": sealed})
    return made


def tool_use(call: ToolCall) -> Block:
    """A call without what it is given."""
    return {"type": "tool_use", "id": call["id"], "name": call["name"], "input": {}}


def arguments(call: ToolCall) -> dict[str, Any]:
    """What a call is given; an empty object where the model wrote no JSON object, for the API knows nothing else."""
    try:
        value = json.loads(call["arguments"])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def usage_body(usage: Usage | None) -> dict[str, int]:
    """The counts of tokens; input is counted without what was read from, or written to, the provider's cache.

    The format has no null for the two that it demands: `input_tokens` and `output_tokens` are 0 where they are unknown,
    as they are when a stream begins. Those of the cache are left out.
    """
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    cached = {
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
    }
    known = {name: count for name, count in cached.items() if count is not None}
    fresh = max(0, (usage.input_tokens or 0) - sum(known.values()))
    return {"input_tokens": fresh, **known, "output_tokens": usage.output_tokens or 0}
