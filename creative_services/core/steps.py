"""What a flow can ask of its driver.

A flow yields one of these, or an `LLMChunk` for the caller, and is sent the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from creative_services.core.types import LLMChunk

if TYPE_CHECKING:
    from creative_services.core.http import HttpRequest


@dataclass(slots=True)
class Ask:
    """Call a collaborator's method, or its async twin; the result is what it returns.

    On an event loop it is given up at `until`, a reading of the clock; a blocking call cannot be.
    """

    owner: Any
    method: str
    args: tuple[Any, ...]
    until: float = float("inf")


@dataclass(slots=True)
class Open:
    """Send a request; the result is its exchange."""

    request: HttpRequest


@dataclass(slots=True)
class Begin:
    """Wait for an exchange's headers until this reading of the clock."""

    exchange: Any
    until: float


@dataclass(slots=True)
class Read:
    """Wait for the next piece of an exchange's body until this reading of the clock; the result is bytes."""

    exchange: Any
    until: float


@dataclass(slots=True)
class Close:
    """Let go of an exchange."""

    exchange: Any


@dataclass(slots=True)
class Sleep:
    """Wait so many seconds."""

    seconds: float


class AbandonedError(BaseException):
    """Thrown into a flow whose stream its caller has left.

    It stands for GeneratorExit, which Python lets no generator answer with further steps.
    """


Step = Ask | Open | Begin | Read | Close | Sleep | LLMChunk
