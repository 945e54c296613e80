"""What a wire format is: pure translation between our values and one API's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from creative_services.core.types import FinishReason, LLMEntry, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from creative_services.core.errors import ProviderError
    from creative_services.core.http import HttpRequest
    from creative_services.core.request import EmbedRequest, LLMRequest

# Quirks: names that a provider's row may give its route, and a wire understands.
MAX_COMPLETION_TOKENS = "max_completion_tokens"  # the output cap has OpenAI's newer name, whatever the model is called
NO_STREAM_USAGE = "no_stream_usage"  # `stream_options` is refused; usage comes in streams anyway
DEVELOPER_ROLE = "developer_role"  # knows the role `developer`; elsewhere it is sent as `system`
NO_TEMPERATURE = "no_temperature"  # a temperature is refused, whatever the model is called
RANDOM_SEED = "random_seed"  # what others call `seed` has this name
CHAT_OPTIONS = "chat_options"  # knows JSON formats only as `response_format`, and ignores other APIs' words for them
CACHE_MARKS = "cache_marks"  # knows Anthropic's `cache_control` in chat form, or may; elsewhere it would be refused
API_KEY_HEADER = "api_key_header"  # the key goes in `api-key` instead of `Authorization`

QUIRK_OF_REFUSED_PARAMETER: Mapping[str, str] = MappingProxyType(
    {"temperature": NO_TEMPERATURE, "max_tokens": MAX_COMPLETION_TOKENS, "stream_options": NO_STREAM_USAGE}
)
"""What to do about a parameter that a model refuses: only what a request can be without, or say otherwise."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where an entry's calls go: its base URL without a trailing slash, its key, and its provider's quirks.

    `quirks` are names from the provider's row that the wire understands; see `providers`.
    """

    base_url: str
    api_key: str | None = None
    quirks: frozenset[str] = frozenset()


@dataclass(slots=True)
class ToolCallPart:
    """A piece of a tool call; pieces of one `key` belong together, their arguments are concatenated."""

    key: int | str
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(slots=True)
class Delta:
    """What one event of a stream, or a whole answer, adds. A whole answer is one big delta.

    `usage` replaces what was known before, field by field where a field is not None. `replay` is what the provider
    wants back untouched in the next turn (blocks, in order); it rides in `LLMResponse.message`. `ended` is the wire's
    own end mark (`[DONE]`, `message_stop`). `working` says that the model writes something that comes later, whole.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: Sequence[ToolCallPart] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    response_id: str | None = None
    response_model: str | None = None
    replay: Sequence[Any] = ()
    ended: bool = False
    working: bool = False


class Reader(Protocol):
    """Reads one answer's events; made anew for each answer, since some APIs spread a fact over several events."""

    def read(self, event: str, data: bytes) -> Delta | None:
        """What this SSE event adds; None for pings and unknown events.

        Raises the ProviderError that an in-stream error stands for, MalformedResponseError for what is not JSON.
        """


class Wire(Protocol):
    """One API's spelling. Stateless: one instance serves all threads."""

    name: str

    def build(self, entry: LLMEntry, route: Route, request: LLMRequest, *, stream: bool) -> HttpRequest:
        """The HTTP request of this call. Raises InvalidRequestError naming what this API cannot express."""

    def parse(self, entry: LLMEntry, body: bytes) -> Delta:
        """A whole answer as one delta. Raises MalformedResponseError, or the error a 200 body carries."""

    def reader(self, entry: LLMEntry) -> Reader:
        """A reader for one streamed answer."""

    def parse_error(self, entry: LLMEntry, status: int, headers: Mapping[str, str], body: bytes) -> ProviderError:
        """The error that a response with this status means; classified by status, then by what the body says."""

    def build_listing(self, entry: LLMEntry, route: Route) -> HttpRequest:
        """The HTTP request for the list of models that the provider offers."""

    def parse_listing(self, entry: LLMEntry, body: bytes) -> list[str]:
        """The models' ids, as `LLMEntry.model` takes them. Raises MalformedResponseError."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """What an embeddings response holds: one vector for each text, in the texts' order."""

    vectors: list[list[float]]
    usage: Usage | None = None
    response_model: str | None = None


class EmbeddingWire(Protocol):
    """A wire whose API makes embeddings; others lack these methods."""

    def build_embeddings(self, entry: LLMEntry, route: Route, request: EmbedRequest) -> HttpRequest:
        """The HTTP request for these texts."""

    def parse_embeddings(self, entry: LLMEntry, body: bytes) -> Vectors:
        """The vectors of a response. Raises MalformedResponseError."""
