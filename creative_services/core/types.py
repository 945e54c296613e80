"""The values that registries, clients and callers exchange. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from math import isfinite
from types import MappingProxyType
from typing import Any, Literal

from creative_services.core.errors import ConfigurationError, CreativeServicesError
from creative_services.core.params import Params
from creative_services.core.secret import Secret

FinishReason = Literal["stop", "length", "content_filter", "tool_call", "error"]
Outcome = Literal["ok", "error", "cancelled"]

NO_PARAMS: Mapping[str, Any] = MappingProxyType({})
PRICE_FIELDS = ("cost_per_1k_input", "cost_per_1k_output", "cost_per_1k_cache_read", "cost_per_1k_cache_write")


class LLMTier(str, Enum):
    """What quality and price of model is asked for."""

    ECONOMY = "economy"
    STANDARD = "standard"
    PREMIUM = "premium"
    LOCAL = "local"


class Reach(str, Enum):
    """Which addresses an entry's endpoint may resolve to. Database rows get a rule, entries written in code none."""

    ANY = "any"
    ROUTABLE = "routable"  # all but link-local and metadata addresses
    PUBLIC = "public"
    PRIVATE = "private"  # loopback and private networks only: promise of the LOCAL tier


@dataclass(frozen=True)
class LLMEntry:
    """One configured LLM.

    Costs are US dollars per 1,000 tokens; None is unknown, which is not 0, and for input read from or written to the
    provider's cache the price of input. `temperature=None` is not sent.
    `api_endpoint` is a base URL as the provider's docs print it; None is the provider's own. `api_key` reads as the
    plain string, shows masked, and is left out of pickles. `context_window` is in tokens; what the LLM `supports`, and
    how much it takes in, may be tried where it is None. `unusable` says why the entry cannot be called as it is
    (selection passes it by and reports the reason); None is the normal case. `as_of` is the registry's mark of the
    state of its rows from which this was made; None where it has none.

    Raises ConfigurationError for a value that cannot be one of these.
    """

    id: int
    name: str
    provider: str
    model: str
    tier: LLMTier
    api_key: str | None = None
    api_endpoint: str | None = None
    max_tokens: int = 4096
    temperature: float | None = 0.7
    cost_per_1k_input: float | None = None
    cost_per_1k_output: float | None = None
    is_active: bool = True
    wire: str | None = None
    extra_params: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)
    reach: Reach = Reach.ANY
    unusable: str | None = None
    context_window: int | None = None
    supports_images: bool | None = None
    supports_tools: bool | None = None
    supports_json_schema: bool | None = None
    cost_per_1k_cache_read: float | None = None
    cost_per_1k_cache_write: float | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    calls_at_once: int | None = None
    as_of: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Take the plain forms that forms, rows and environments hold, and refuse what cannot be meant."""
        set_field = object.__setattr__  # the dataclass is frozen; this is its own constructor
        self._check()
        set_field(self, "tier", tier_of(self.tier))
        set_field(self, "extra_params", Params(self.extra_params))
        set_field(self, "api_key", _key(self.api_key, self.name))
        for name in PRICE_FIELDS:
            set_field(self, name, _cost(getattr(self, name), name))

    def _check(self) -> None:
        given: dict[str, Any] = vars(self)
        most, warmth = given["max_tokens"], given["temperature"]
        is_warmth = warmth is None or (isinstance(warmth, int | float) and 0 <= warmth <= 2)
        wanted = {name: (isinstance(given[name], str), "a string") for name in ("name", "provider", "model")} | {
            "max_tokens": (isinstance(most, int) and most > 0, "an int above 0"),
            "temperature": (is_warmth, "a number from 0 to 2, or None"),
            "extra_params": (isinstance(given["extra_params"], Mapping), "a mapping"),
        }
        for name, (is_meant, kind) in wanted.items():
            if not is_meant:
                raise ConfigurationError(f"{name} of the LLM {self.name!r} must be {kind}, not {given[name]!r}.")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"api_key": None}

    def __copy__(self) -> LLMEntry:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> LLMEntry:
        return self

    def without_key(self) -> LLMEntry:
        """The same entry with no key in it, to hand to callers."""
        if self.api_key is None:
            return self
        twin = object.__new__(LLMEntry)
        twin.__dict__.update(self.__dict__, api_key=None)
        return twin


def tier_of(value: LLMTier | str) -> LLMTier:
    """The tier that `value` names. Raises ConfigurationError."""
    try:
        return LLMTier(value)
    except ValueError:
        known = ", ".join(tier.value for tier in LLMTier)
        msg = f"Unknown tier {value!r}. Use one of: {known}."
        raise ConfigurationError(msg) from None


def _key(value: str | None, name: str) -> Secret | None:
    if not value:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(f"The API key of {name!r} must be a string, not {type(value).__name__}.")
    # A key with a line break would show up in HTTP libraries' logs as a malformed header.
    if not value.isascii() or not value.isprintable():
        msg = f"The API key of {name!r} has characters that no HTTP header can carry. Enter it again."
        raise ConfigurationError(msg)
    return Secret(value)


def _cost(value: Any, name: str) -> float | None:
    if value is None:
        return None
    try:
        cost = float(value)
    except (TypeError, ValueError):
        cost = -1.0
    if not isfinite(cost) or cost < 0:
        msg = f"{name} must be US dollars per 1,000 tokens, 0 or more, or None for unknown, not {value!r}."
        raise ConfigurationError(msg)
    return cost


@dataclass(slots=True)
class Usage:
    """Tokens one attempt used. `input_tokens` includes cached ones, `output_tokens` reasoning.

    A count that the provider did not report is None, never 0. `cost` is what it cost in US dollars by the provider's
    own word, where it says so, and goes before what prices and counts come to. `cache_write_1h_tokens` are those of
    `cache_write_tokens` that are kept for an hour and not for minutes, which Anthropic bills dearer.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: Decimal | None = None
    cache_write_1h_tokens: int | None = None


ToolCall = dict[str, str]
"""`{"id", "name", "arguments"}`, with `arguments` the JSON text as the model sent it."""


# Chunks and their tool-call lists are made once a token: not frozen, because freezing doubles that cost.
@dataclass(slots=True)
class LLMChunk:
    """One piece of a streamed answer. A tool call comes once, whole. `restart` voids all chunks before it."""

    text: str = ""
    reasoning: str = ""
    tool_calls: Sequence[ToolCall] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one LLM. `waited_seconds` is the back-off before it.

    `first_token_seconds` is how long a stream's first words took. `text` is there for a ledger that keeps it only.
    Where the request `was_sent` is false, it did not get out whole, and nobody can bill it.
    """

    llm_id: int
    llm_name: str
    outcome: Outcome
    error: CreativeServicesError | None = None
    status_code: int | None = None
    usage: Usage | None = None
    cost: Decimal | None = None
    latency_seconds: float = 0.0
    waited_seconds: float = 0.0
    finish_reason: FinishReason | None = None
    first_token_seconds: float | None = None
    text: str | None = field(default=None, repr=False)
    was_sent: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a candidate was not asked."""

    llm_id: int
    llm_name: str
    reason: str


@dataclass(slots=True)
class LLMResponse:
    """A whole answer; its `str()` is the text.

    `llm` is the entry that answered, without its key. `usage` and `cost` (US dollars) are the answering attempt's,
    `latency_seconds` the whole call's. `message` is the assistant turn to append to `messages` for the next call.
    `request_id` is ours, `provider_request_id` the provider's.
    """

    text: str
    reasoning: str
    llm: LLMEntry
    finish_reason: FinishReason | None
    usage: Usage
    cost: Decimal | None
    tool_calls: list[ToolCall]
    message: dict[str, Any]
    response_id: str | None
    response_model: str | None
    request_id: str
    latency_seconds: float
    attempts: tuple[Attempt, ...]
    provider_request_id: str | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class EmbeddingResponse:
    """Vectors, one for each text in its order, and what they cost; the other fields are as in LLMResponse."""

    vectors: list[list[float]]
    llm: LLMEntry
    usage: Usage
    cost: Decimal | None
    response_model: str | None
    request_id: str
    latency_seconds: float
    attempts: tuple[Attempt, ...]
    provider_request_id: str | None = None
