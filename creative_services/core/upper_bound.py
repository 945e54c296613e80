"""The most that a call may bill, whatever the model makes of it, and what stands in the way of saying so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from creative_services.core.pricing import output_cost, price
from creative_services.core.request import REPLAY_KEY, LLMRequest
from creative_services.core.wire.models import hidden_prompt, image_tokens, reasons_beyond_cap, uses_own_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from creative_services.core.request import EmbedRequest
    from creative_services.core.types import LLMEntry

# What providers put into the prompt themselves. Anthropic documents up to 804 tokens of instructions where there are
# tools, Llama's template holds about 400; Anthropic adds some for a schema. Templates may indent both anew.
TOOLS_PROMPT = 1_000
SCHEMA_PROMPT = 500

# Anthropic's prices of what a cache keeps, as multiples of the price of input, where a row does not know its own.
FIVE_MINUTES, ONE_HOUR = Decimal("1.25"), Decimal(2)

MOST = 1_000_000_000  # tokens or copies; more is no number of a parameter that is known
_CAPS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens")
_COPIES = ("n", "candidateCount")
_HARMLESS = frozenset(
    (
        "cache_control", "chat_template_kwargs", "dimensions", "enable_thinking", "encoding_format",
        "frequency_penalty", "include", "include_reasoning", "input_type", "keep_alive", "logit_bias", "logprobs",
        "metadata", "min_p", "parallel_tool_calls", "presence_penalty", "prompt_cache_key", "random_seed",
        "reasoning_effort", "reasoning_format", "repetition_penalty", "safetySettings", "safety_identifier", "seed",
        "stop", "stop_sequences", "store", "stream", "stream_options", "temperature", "think", "tool_choice", "top_k",
        "top_logprobs", "top_p", "usage", "user", "verbosity",
    )
)  # fmt: skip
"""Parameters that leave the bill within the bound. What is not here may change the price or bring more in."""
_HARMLESS_WITHIN: Mapping[str, frozenset[str]] = {
    "reasoning": frozenset(("effort", "enabled", "exclude", "generate_summary", "max_tokens", "summary")),
    "thinking": frozenset(("budget_tokens", "clear_thinking", "display", "type")),
    "output_config": frozenset(("effort",)),
    "text": frozenset(("verbosity",)),
    "generationConfig": frozenset(
        (
            "frequencyPenalty", "logprobs", "presencePenalty", "responseLogprobs", "responseMimeType", "seed",
            "stopSequences", "temperature", "thinkingConfig", "topK", "topP",
        )
    ),
}  # fmt: skip
_ORDINARY_SERVICE = ("default", "flex", "on_demand", "standard", "standard_only")
_CALLERS_TOOLS = frozenset(("function", "custom"))
_PLAIN_PARTS = frozenset(("text", "refusal"))
# A tuple, since what callers send as a type may be anything.
_PLAIN_BLOCKS = (
    "text", "thinking", "redacted_thinking", "tool_use", "message", "reasoning", "function_call", "custom_tool_call",
    None,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UpperBound:
    """At most so many tokens are billed, the output's `copies` included; `unbounded` names what may cost beyond that.

    `cached_price` is the multiple of the price of input that what the request has cached may cost. `has_cap` tells
    whether fewer output tokens asked for are fewer billed.
    """

    input_tokens: int
    output_tokens: int
    unbounded: str | None = None
    cached_price: Decimal = Decimal(1)
    copies: int = 1
    has_cap: bool = True

    def cost(self, entry: LLMEntry) -> Decimal | None:
        """US dollars at the dearest prices of `entry` that can apply; None where one is unknown."""
        dollars_in, dollars_out = self._input_cost(entry), output_cost(entry, self.output_tokens)
        return None if dollars_in is None or dollars_out is None else dollars_in + dollars_out

    def affordable_tokens(self, entry: LLMEntry, dollars: Decimal) -> int | None:
        """The most output tokens to ask for that so many US dollars pay for; None where nothing can be said."""
        least, per_1k = self._input_cost(entry), price(entry.cost_per_1k_output)
        if least is None or not per_1k or not self.has_cap:
            return None
        return int((dollars - least) * 1000 / (per_1k * self.copies))

    def _input_cost(self, entry: LLMEntry) -> Decimal | None:
        fresh, written = price(entry.cost_per_1k_input), price(entry.cost_per_1k_cache_write)
        if fresh is None:
            return None
        known = [fresh, written or fresh, price(entry.cost_per_1k_cache_read) or fresh]
        if written is None or self.cached_price == ONE_HOUR:
            known.append(fresh * self.cached_price)
        return max(known) * self.input_tokens / 1000


def upper_bound(entry: LLMEntry, request: LLMRequest | EmbedRequest, body: bytes, output_tokens: int) -> UpperBound:
    """The bound of a call that sends `body` for `request`, and asks for so many output tokens at most."""
    extras = [entry.extra_params, request.extra]
    options = [*extras, *(found for extra in extras if isinstance(found := extra.get("generationConfig"), Mapping))]
    copies = max([1, *(_whole(option.get(name)) for option in options for name in _COPIES)])
    caps = [_whole(option.get(name)) for option in options for name in _CAPS if name in option]
    goes_on = output_tokens > 0 and reasons_beyond_cap(entry.model)
    return UpperBound(
        input_tokens=_input_tokens(entry, request, body),
        output_tokens=copies * max([output_tokens, *caps, (entry.context_window or 0) if goes_on else 0]),
        unbounded=_unbounded(entry, request, extras, goes_on=goes_on),
        cached_price=_cached_price(body),
        copies=copies,
        has_cap=not goes_on and not caps,
    )


def _input_tokens(entry: LLMEntry, request: LLMRequest | EmbedRequest, body: bytes) -> int:
    """A token for each byte, since no tokenizer makes more, and what providers add.

    The marks of a template round each message are fewer tokens than the JSON round it has bytes. Pictures are billed by
    their size, not by their bytes.
    """
    tokens = len(body) + hidden_prompt(entry.model)
    if not isinstance(request, LLMRequest):
        return tokens
    if request.tools:
        tokens += TOOLS_PROMPT + len(repr(request.tools).encode())
    if request.wants_json_schema:
        tokens += SCHEMA_PROMPT + len(repr(request.response_format).encode())
    for url in filter(_is_inline, _pictures(request)):
        data = url[url.find(",") + 1 :].encode()
        tokens += image_tokens(entry.model) - (len(data) if data in body else 0)
    return tokens


def _unbounded(
    entry: LLMEntry, request: LLMRequest | EmbedRequest, extras: Sequence[Mapping[str, Any]], *, goes_on: bool
) -> str | None:
    """What in the call may cost beyond all that is counted; the first that is found."""
    if uses_own_tools(entry.model):
        return "a model that searches by itself"
    if goes_on and entry.context_window is None:
        return "a model that reasons beyond max_tokens, and whose context window is not known"
    unknown = [str(key) for extra in extras for key, value in extra.items() if not _is_harmless(key, value)]
    if unknown:
        return f"the parameter {unknown[0][:40]!r}"
    return _unbounded_content(request) if isinstance(request, LLMRequest) else None


def _unbounded_content(request: LLMRequest) -> str | None:
    if any(tool.get("type") not in _CALLERS_TOOLS for tool in request.tools):
        return "a tool that the provider runs"
    if any(not _is_inline(url) for url in _pictures(request)):
        return "an image that the request does not hold"
    if any(part["type"] not in {*_PLAIN_PARTS, "image_url"} for part in _parts(request)):
        return "a file, or content of another kind than text and images"
    return "a turn of a tool that the provider ran" if any(map(_is_server_turn, request.messages)) else None


def _is_harmless(key: str, value: Any) -> bool:
    if key in _CAPS or key in _COPIES:
        return _whole(value) > 0
    if key == "service_tier":
        return value in _ORDINARY_SERVICE
    within = _HARMLESS_WITHIN.get(key)
    if within is None:
        return key in _HARMLESS
    return isinstance(value, Mapping) and all(name in within or _is_number(name, value[name]) for name in value)


def _is_number(name: str, value: Any) -> bool:
    return name in {*_CAPS, *_COPIES} and _whole(value) > 0


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value <= MOST else 0


def _parts(request: LLMRequest) -> Iterator[Mapping[str, Any]]:
    for message in request.messages:
        content = message.get("content")
        if content is not None and not isinstance(content, str):
            yield from content


def _pictures(request: LLMRequest) -> Iterator[str]:
    """The URLs of all pictures; an empty one where there is none to be seen."""
    for part in _parts(request):
        if part["type"] == "image_url":
            image = part.get("image_url")
            url = image.get("url") if isinstance(image, Mapping) else image
            yield url if isinstance(url, str) else ""


def _is_inline(url: str) -> bool:
    return url[:11].lower() == "data:image/"


def _is_server_turn(message: Mapping[str, Any]) -> bool:
    replay = message.get(REPLAY_KEY)
    blocks = replay.get("blocks") if isinstance(replay, Mapping) else None
    return isinstance(blocks, list) and any(
        isinstance(block, Mapping) and block.get("type") not in _PLAIN_BLOCKS for block in blocks
    )


def _cached_price(body: bytes) -> Decimal:
    # In what a caller wrote the quotes would be escaped.
    if b'"cache_control":' not in body:
        return Decimal(1)
    return ONE_HOUR if b'"ttl":"1h"' in body else FIVE_MINUTES
