"""A provider's list of models, for scripts of FakeProvider, which speaks no lists of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from creative_services.testing import RawReply

if TYPE_CHECKING:
    from creative_services.testing import FakeProvider
    from creative_services.testing.provider import Step
    from creative_services.testing.requests import ReceivedRequest


class Offering:
    """A step that answers every request for the list with these models, and all others with `otherwise`."""

    def __init__(self, *models: str, otherwise: Step = "OK", delay: float = 0.0) -> None:
        self.listed = RawReply([json.dumps({"data": [{"id": model} for model in models]}).encode()], delay=delay)
        self.otherwise = otherwise

    def __call__(self, request: ReceivedRequest) -> Step:
        return self.listed if request.method == "GET" else self.otherwise


def asked_models(provider: FakeProvider) -> list[str]:
    """The models that were asked for text, sorted."""
    return sorted(request.model for request in provider.requests if request.method == "POST")


def lists_asked(provider: FakeProvider) -> list[str]:
    """Where lists of models were asked for, sorted."""
    return sorted(request.url for request in provider.requests if request.method == "GET")
