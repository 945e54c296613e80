"""What is asked: the arguments of `generate` and `stream`, checked once and before any provider is called."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from creative_services.core.bounds import Bounds
from creative_services.core.content import check_content
from creative_services.core.errors import InvalidRequestError
from creative_services.core.options import NO_OPTIONS, check_options
from creative_services.core.types import NO_PARAMS, LLMTier

Message = Mapping[str, Any]
REPLAY_KEY = "replay"
"""Key of an assistant message under which its provider's own blocks ride, `{"wire": name, "blocks": [...]}`, for the
next turn with the same wire; other wires ignore it."""
CONTENT = ("prompt", "messages", "system", "stop", "tools", "tool_choice", "response_format", "extra")
ROLES = ("system", "developer", "user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class LLMRequest:
    """One call's content, in OpenAI chat form; each wire translates it.

    `messages` holds the conversation without the `system` argument. `max_tokens` and `temperature` of None mean the
    entry's own. `extra` is merged into the JSON body last. `size` is the length of all text in it, in characters,
    without the pictures.
    `options` are those of `core.options` that change anything.
    """

    messages: Sequence[Message] = field(repr=False)
    system: str | None = field(default=None, repr=False)
    max_tokens: int | None = None
    temperature: float | None = None
    stop: Sequence[str] = ()
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: str | Mapping[str, Any] | None = None
    response_format: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=lambda: NO_PARAMS, repr=False)
    size: int = 0
    options: Mapping[str, Any] = field(default_factory=lambda: NO_OPTIONS)

    @property
    def wants_images(self) -> bool:
        """Whether a message holds a picture."""
        return any(
            part.get("type") == "image_url"
            for message in self.messages
            if isinstance(parts := message.get("content"), Sequence) and not isinstance(parts, str)
            for part in parts
        )

    @property
    def wants_json_schema(self) -> bool:
        """Whether the answer must follow a schema."""
        return self.response_format is not None and self.response_format.get("type") == "json_schema"


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Texts to make vectors of, with as many dimensions as asked for, or the model's own number."""

    texts: Sequence[str] = field(repr=False)
    dimensions: int | None = None
    extra: Mapping[str, Any] = field(default_factory=lambda: NO_PARAMS, repr=False)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """Who is asked: exactly this LLM, or a tier; and nobody outside `tiers`, if they are given."""

    tier: LLMTier | None = None
    llm_id: int | None = None
    tiers: Collection[LLMTier] | None = None

    def allows(self, tier: LLMTier) -> bool:
        """Whether the caller may use this tier."""
        return self.tiers is None or tier in self.tiers


def target(tier: Any, llm_id: Any, default: LLMTier, tiers: Any) -> Target:
    """The target that `tier` or `llm_id` name, or the default tier for neither, within `tiers` or anywhere for None."""
    within = None if tiers is None else frozenset(_tier(one) for one in tiers)
    if tier is not None and llm_id is not None:
        raise InvalidRequestError("Give `tier` or `llm_id`, not both.")
    if llm_id is not None:
        if isinstance(llm_id, bool) or not isinstance(llm_id, int):
            raise InvalidRequestError(f"`llm_id` must be an int, not {type(llm_id).__name__}.")
        return Target(llm_id=llm_id, tiers=within)
    return Target(tier=default if tier is None else _tier(tier), tiers=within)


def _tier(value: Any) -> LLMTier:
    try:
        return LLMTier(value)
    except ValueError:
        known = ", ".join(member.value for member in LLMTier)
        raise InvalidRequestError(f"Unknown tier {str(value)[:40]!r}. Use one of: {known}.") from None


def conversation(prompt: Any, messages: Any) -> Sequence[Message]:
    """The messages that `prompt` or `messages` mean; exactly one of the two must be given."""
    if (prompt is None) == (messages is None):
        raise InvalidRequestError("Give `prompt` or `messages`: one of them, and not both.")
    if prompt is not None:
        if not isinstance(prompt, str):
            raise InvalidRequestError(f"`prompt` must be a str, not {type(prompt).__name__}.")
        if not prompt.strip():
            raise InvalidRequestError("`prompt` is empty.")
        return ({"role": "user", "content": prompt},)
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes) or not messages:
        raise InvalidRequestError("`messages` must be a list of at least one message.")
    for index, message in enumerate(messages):
        _check_message(index, message)
    return messages


def _check_message(index: int, message: Any) -> None:
    where = f"messages[{index}]"
    if not isinstance(message, Mapping):
        raise InvalidRequestError(f"`{where}` must be an object with `role` and `content`.")
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        raise InvalidRequestError(f"`{where}.role` must be one of: {', '.join(ROLES)}.")
    if content is None and not (role == "assistant" and message.get("tool_calls")):
        raise InvalidRequestError(f"`{where}.content` is missing.")
    if content is not None and not isinstance(content, str | Sequence):
        raise InvalidRequestError(f"`{where}.content` must be a string or a list of parts.")
    if isinstance(content, Sequence) and not isinstance(content, str):
        for part in content:
            if not isinstance(part, Mapping) or not isinstance(part.get("type"), str):
                raise InvalidRequestError(f"`{where}.content` must hold objects with a `type`.")
    _check_tool_calls(f"{where}.tool_calls", message.get("tool_calls"))


def _check_tool_calls(where: str, calls: Any) -> None:
    is_list = isinstance(calls, Sequence) and not isinstance(calls, str)
    if calls is not None and not (is_list and all(isinstance(call, Mapping) for call in calls)):
        raise InvalidRequestError(f"`{where}` must be a list of objects.")


def check_max_tokens(value: Any, most: int) -> int | None:
    """`max_tokens` as given, if it is an int of 1 to `most`, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise InvalidRequestError(f"`max_tokens` must be an int from 1 to {most}.")
    return value


def check_temperature(value: Any) -> float | None:
    """`temperature` as given, if it is a number from 0 to 2, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise InvalidRequestError("`temperature` must be a number from 0 to 2.")
    return value


def check_stop(value: Any) -> tuple[str, ...]:
    """`stop` as a tuple: a string or a list of non-empty strings."""
    if value is None:
        return ()
    stops = (value,) if isinstance(value, str) else value
    if not isinstance(stops, Sequence) or not all(isinstance(stop, str) and stop for stop in stops):
        raise InvalidRequestError("`stop` must be a string or a list of strings, none of them empty.")
    return tuple(stops)


def check_tools(value: Any) -> Sequence[Mapping[str, Any]]:
    """`tools` as given: a list of objects with `type`, or nothing."""
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise InvalidRequestError("`tools` must be a list.")
    for index, tool in enumerate(value):
        if not isinstance(tool, Mapping) or not isinstance(tool.get("type"), str):
            raise InvalidRequestError(f"`tools[{index}]` must be an object with a `type`.")
    return value


def check_object(value: Any, where: str) -> Mapping[str, Any] | None:
    """`value` as given, if it is a mapping or None."""
    if value is not None and not isinstance(value, Mapping):
        raise InvalidRequestError(f"`{where}` must be an object.")
    return value


def check_seconds(value: Any, where: str) -> float | None:
    """Seconds above 0, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= sys.float_info.max:
        raise InvalidRequestError(f"`{where}` must be a number of seconds above 0.")
    return value


def embed_request(texts: Any, dimensions: Any, extra: Any, bounds: Bounds) -> EmbedRequest:
    """The checked request for embeddings. Raises InvalidRequestError."""
    given = (texts,) if isinstance(texts, str) else texts
    if not isinstance(given, Sequence) or not given or not all(isinstance(text, str) and text for text in given):
        raise InvalidRequestError("`texts` must be a string or a list of strings, none of them empty.")
    if dimensions is not None and (isinstance(dimensions, bool) or not isinstance(dimensions, int) or dimensions < 1):
        raise InvalidRequestError("`dimensions` must be an int from 1.")
    more = check_object(extra, "extra") or NO_PARAMS
    left = check_content(more, "extra", check_content(given, "texts", bounds.prompt_chars))
    bounds.check_tokens((given, more))
    return EmbedRequest(tuple(given), dimensions, more, size=bounds.prompt_chars - left)


@dataclass(frozen=True, slots=True)
class Arguments:
    """The content arguments of `generate` and `stream`, as the caller gave them."""

    prompt: Any
    messages: Any
    system: Any
    max_tokens: Any
    temperature: Any
    stop: Any
    tools: Any
    tool_choice: Any
    response_format: Any
    extra: Any
    options: Any = None

    def __repr__(self) -> str:
        return "<Arguments>"  # prompts stay out of tracebacks

    def checked(self, bounds: Bounds) -> LLMRequest:
        """The request they make up.

        Raises InvalidRequestError, which names the argument, the fault and the next step, and never quotes a prompt.
        """
        if self.system is not None and not isinstance(self.system, str):
            raise InvalidRequestError(f"`system` must be a str, not {type(self.system).__name__}.")
        if self.tool_choice is not None and not isinstance(self.tool_choice, str | Mapping):
            raise InvalidRequestError("`tool_choice` must be a string or an object.")
        messages = conversation(self.prompt, self.messages)
        return LLMRequest(
            messages=messages,
            system=self.system or None,
            max_tokens=check_max_tokens(self.max_tokens, bounds.max_tokens),
            temperature=check_temperature(self.temperature),
            stop=check_stop(self.stop),
            tools=check_tools(self.tools),
            tool_choice=self.tool_choice,
            response_format=check_object(self.response_format, "response_format"),
            extra=check_object(self.extra, "extra") or NO_PARAMS,
            size=self._size(bounds, bounds.check_messages(messages)),
            options=check_options(self.options),
        )

    def _size(self, bounds: Bounds, pictures: int) -> int:
        most = left = bounds.prompt_chars + pictures
        content = {where: value for where in CONTENT if (value := getattr(self, where)) is not None}
        for where, value in content.items():
            left = check_content(value, where, left)
        bounds.check_tokens(list(content.values()), pictures)
        return most - left - pictures
