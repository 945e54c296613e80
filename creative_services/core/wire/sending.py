"""What all wires share in building a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.errors import ConfigurationError, InvalidRequestError
from creative_services.core.http import HttpRequest
from creative_services.core.wire import json_text
from creative_services.core.wire.base import NO_TEMPERATURE
from creative_services.core.wire.models import refuses_temperature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.errors import CreativeServicesError
    from creative_services.core.request import EmbedRequest, LLMRequest
    from creative_services.core.types import LLMEntry
    from creative_services.core.wire.base import Route

_UNWRITABLE = (TypeError, ValueError, RecursionError)


def temperature(entry: LLMEntry, route: Route, request: LLMRequest) -> float | None:
    """The temperature to send: the call's, else the entry's; None where the model is known to refuse any."""
    if NO_TEMPERATURE in route.quirks or refuses_temperature(entry.model):
        return None
    return entry.temperature if request.temperature is None else request.temperature


def post(
    entry: LLMEntry, url: str, headers: Mapping[str, str], body: Mapping[str, Any], request: LLMRequest | EmbedRequest
) -> HttpRequest:
    """A POST of `body`, with the entry's extra parameters laid over it and the call's own last.

    Raises ConfigurationError if the entry's extra parameters are not JSON, InvalidRequestError if the rest is not.
    """
    whole = dict(body)
    if entry.extra_params:
        whole = json_text.merged(whole, entry.extra_params)
    if request.extra:
        whole = json_text.merged(whole, request.extra)
    accept = "text/event-stream" if whole.get("stream") else "application/json"
    try:
        data = json_text.dump(whole)
    except _UNWRITABLE:
        raise _unwritable(entry, body) from None
    fixed = {"content-type": "application/json", "accept": accept, "accept-encoding": "identity"}
    return HttpRequest("POST", url, {**fixed, **headers}, data, reach=entry.reach)


def _unwritable(entry: LLMEntry, body: Mapping[str, Any]) -> CreativeServicesError:
    """What to say of a body that is not JSON: whose part of it is at fault."""
    try:
        json_text.dump(body)
    except _UNWRITABLE:
        # The client has looked at all that callers write; what a provider sent is handed back unread.
        return InvalidRequestError("A turn of `messages` holds an answer that JSON has no form for. Leave it out.")
    return ConfigurationError(
        f"The extra parameters of LLM {entry.id} ({entry.name}) cannot be written as JSON. Correct them."
    )


def get(entry: LLMEntry, url: str, headers: Mapping[str, str]) -> HttpRequest:
    """A GET that asks for JSON."""
    return HttpRequest(
        "GET", url, {"accept": "application/json", "accept-encoding": "identity", **headers}, reach=entry.reach
    )
