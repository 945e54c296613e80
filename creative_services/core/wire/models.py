"""What single models refuse, and what they bill. Sources: the providers' SDKs and documentation, November 2026."""

from __future__ import annotations

import re

# OpenAI's reasoning models know only `max_completion_tokens`, and no temperature but their default. Their chat variants
# and the two that were seen to take one are left out. Bare ids only: routers with prefixed ids translate themselves.
_OPENAI_REASONING = re.compile(r"(?:ft:)?(?:o[1-9]|gpt-(?:[5-9]|1\d))(?!\w)", re.ASCII)
_OPENAI_TAKES_TEMPERATURE = re.compile(r"gpt-5(?:\.\d+)?-chat|gpt-5\.4-nano|gpt-5\.6-sol", re.ASCII)

# Claude from Opus 4.7 and the fifth generation on answers 400 to sampling parameters.
_CLAUDE_WITHOUT_TEMPERATURE = re.compile(
    r"claude-(?:opus-4-(?:[7-9]|[1-9]\d(?!\d))|(?:opus|sonnet|haiku)-(?:[5-9]|[1-9]\d)(?!\d)|(?:fable|mythos)-)",
    re.ASCII,
)

# Models that send their reasoning encrypted on request, under the names that routers and clouds give them, too. Those
# that do not reason answer 400 to the request.
_ENCRYPTS_REASONING = re.compile(
    r"(?:^|[/.:])(?:(?:o[1-9]|gpt-(?:[5-9]|1\d))(?!\w)(?!.*-chat)|grok-(?:[4-9]|1\d)(?!\d)(?!.*non-reasoning))",
    re.ASCII,
)

# Gemini from the third generation on answers 400 to a tool call in the history without the signature of its thought.
_GEMINI_SIGNED = re.compile(r"(?:models/)?gemini-(?:[3-9]|[1-9]\d)(?!\w)", re.ASCII)

# Grok's prompt begins with words of xAI's own, up to about 700 tokens; and some Groks were seen to bill reasoning far
# beyond the tokens that were allowed.
_GROK = re.compile(r"(?:^|[/.:])grok-", re.ASCII)
_GROK_REASONING = re.compile(r"(?:^|[/.:])grok-(?:3-mini|code|[4-9]|1\d)(?!.*non-reasoning)", re.ASCII)

# Models that search or run code of their own accord, which brings tokens and fees that nobody asked for.
_USES_OWN_TOOLS = re.compile(
    r"(?:^|/)(?:compound(?:-|$)|sonar(?:-|$))|-search-(?:preview|api)|deep-research|:online$", re.ASCII
)

# What one picture can come to: 16 tiles of 258 tokens at Gemini, 4,784 at Anthropic, 10,000 patches at OpenAI and up to
# 1.72 tokens for each; GPT-4o mini has 8 tiles of 5,667 tokens and 2,833 more.
_BILLS_PICTURES_LOW = re.compile(r"claude|gemini", re.ASCII)
_BILLS_PICTURES_BY_PATCH = re.compile(r"(?:^|/)(?:gpt-(?!4o-mini)|o\d)", re.ASCII)


def needs_max_completion_tokens(model: str) -> bool:
    """Whether OpenAI chat takes this model's output cap as `max_completion_tokens` only."""
    return _OPENAI_REASONING.match(model) is not None


def refuses_temperature(model: str) -> bool:
    """Whether this model answers 400 to a temperature."""
    if _OPENAI_REASONING.match(model):
        return _OPENAI_TAKES_TEMPERATURE.match(model) is None
    return _CLAUDE_WITHOUT_TEMPERATURE.search(model) is not None


def encrypts_reasoning(model: str) -> bool:
    """Whether the Responses API gives this model's reasoning out encrypted, to be sent back in the next turn."""
    return _ENCRYPTS_REASONING.search(model) is not None


def wants_thought_signatures(model: str) -> bool:
    """Whether Gemini's API takes this model's earlier tool calls only with a thought signature."""
    return _GEMINI_SIGNED.match(model) is not None


def hidden_prompt(model: str) -> int:
    """The most tokens that the provider is known to put before the prompt of this model."""
    return 1_000 if _GROK.search(model) else 0


def reasons_beyond_cap(model: str) -> bool:
    """Whether this model may bill more output than `max_tokens` allows."""
    return _GROK_REASONING.search(model) is not None


def uses_own_tools(model: str) -> bool:
    """Whether this model runs tools that no request has asked for, and its provider bills them."""
    return _USES_OWN_TOOLS.search(model) is not None


def image_tokens(model: str) -> int:
    """The most tokens that one picture of any size can come to."""
    if _BILLS_PICTURES_LOW.search(model):
        return 5_000
    return 20_000 if _BILLS_PICTURES_BY_PATCH.search(model) else 50_000
