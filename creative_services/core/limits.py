"""How long a call may take, and how often it may ask again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from creative_services.core.errors import ConfigurationError

if TYPE_CHECKING:
    from creative_services.core.errors import CreativeServicesError

FIRST_BACKOFF = 0.5  # seconds, doubled with each retry, with full jitter


@dataclass(frozen=True)
class Limits:
    """Time a call may take, in seconds: in all, to connect, to a stream's first token, between tokens, per attempt."""

    total: float = 120
    connect: float = 5
    first_token: float = 30
    stall: float = 20
    attempt: float = 60

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
                msg = f"Limits.{name} must be a number of seconds above 0, not {value!r}."
                raise ConfigurationError(msg)


@dataclass(frozen=True)
class Retry:
    """How often the same LLM is asked again, and the longest wait for it in seconds; a longer one hands over."""

    max_retries: int = 2
    patience: float = 3

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
                msg = f"Retry.{name} must be a number, 0 or more, not {value!r}."
                raise ConfigurationError(msg)
        if not isinstance(self.max_retries, int):
            raise ConfigurationError(f"Retry.max_retries must be a whole number, not {self.max_retries!r}.")

    def wait(self, error: CreativeServicesError, number: int, jitter: float) -> float | None:
        """Seconds until the same LLM is asked again, after so many retries; None when it is not, or not so soon."""
        if not error.is_retryable or number >= self.max_retries:
            return None
        asked: float | None = getattr(error, "retry_after", None)
        seconds = FIRST_BACKOFF * 2**number * jitter if asked is None else asked
        return None if seconds > self.patience else seconds
