"""What a provider wants back untouched in the next turn, in one opaque string that clients hand back unread.

Some models sign their thoughts, and refuse a tool's result whose call comes back without them. Each provider has its
own form for that; clients know one field of their own API which they must return as it came. Ours travels in it.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from creative_services.api.dialects.sse import to_json
from creative_services.core.request import REPLAY_KEY

if TYPE_CHECKING:
    from creative_services.core.types import LLMResponse

PREFIX = "creative_services-1-"


def seal(response: LLMResponse) -> str | None:
    """The string to hand out; None where there is nothing that the next turn would fail without."""
    kept = response.message.get(REPLAY_KEY)
    if not kept or not response.tool_calls:
        return None
    return PREFIX + urlsafe_b64encode(to_json(kept)).decode()


def is_sealed(value: Any) -> bool:
    """Whether this string was handed out here, and not by a provider."""
    return isinstance(value, str) and value.startswith(PREFIX)


def unseal(value: str) -> dict[str, Any] | None:
    """What `seal` was given; None for a string that was changed on its way."""
    try:
        kept = json.loads(urlsafe_b64decode(value.removeprefix(PREFIX)))
    except (ValueError, RecursionError):
        return None
    return kept if isinstance(kept, dict) else None
