"""The last step of building a request, which all wires share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from creative_services.core.errors import ConfigurationError
from creative_services.core.http import HttpRequest
from creative_services.core.wire import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.request import LLMRequest
    from creative_services.core.types import LLMEntry


def post(
    entry: LLMEntry, url: str, headers: Mapping[str, str], body: Mapping[str, Any], request: LLMRequest
) -> HttpRequest:
    """A POST of `body`, with the entry's extra parameters laid over it and the call's own last.

    Raises ConfigurationError if the entry's extra parameters are not JSON.
    """
    whole = dict(body)
    if entry.extra_params:
        whole = json_text.merged(whole, entry.extra_params)
    if request.extra:
        whole = json_text.merged(whole, request.extra)
    accept = "text/event-stream" if whole.get("stream") else "application/json"
    try:
        data = json_text.dump(whole)
    except (TypeError, ValueError, RecursionError):
        raise ConfigurationError(
            f"The extra parameters of LLM {entry.id} ({entry.name}) cannot be written as JSON. Correct them."
        ) from None
    fixed = {"content-type": "application/json", "accept": accept, "accept-encoding": "identity"}
    return HttpRequest("POST", url, {**fixed, **headers}, data, reach=entry.reach)
