"""A try at the list of models that a provider offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.attempt import AttemptFlow
from creative_services.core.providers import route, wire_for
from creative_services.core.types import Usage

if TYPE_CHECKING:
    from collections.abc import Generator

    from creative_services.core.attempt import Clock
    from creative_services.core.limits import Limits
    from creative_services.core.steps import Step
    from creative_services.core.types import LLMEntry


class ListAttempt(AttemptFlow):
    """Takes the models' ids in."""

    def begin(self) -> None:
        self.usage = Usage()
        self.models: list[str] = []

    def take(self, exchange: Any) -> Generator[Step, Any, None]:
        self.models = self.wire.parse_listing(self.entry, (yield from self.body(exchange)))

    def response(self, call_id: str, latency: float) -> list[str]:
        return self.models


def list_models(entry: LLMEntry, clock: Clock, limits: Limits) -> Generator[Step, Any, list[str]]:
    """The models that the entry's provider offers, asked once. Raises what a call by id would raise."""
    wire = wire_for(entry)
    attempt = ListAttempt(entry, wire, wire.build_listing(entry, route(entry)), limits)
    yield from attempt.run(clock, clock() + limits.total, _nobody_else)
    return attempt.response("", 0.0)


def _nobody_else() -> Generator[Step, Any, None]:
    yield from ()
