"""One wire format each: pure translation between our values and an API's JSON."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from creative_services.core.wire.anthropic_messages import AnthropicMessages
from creative_services.core.wire.openai_chat import OpenAIChat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from creative_services.core.wire.base import Wire

WIRES: Mapping[str, Wire] = MappingProxyType({wire.name: wire for wire in (OpenAIChat(), AnthropicMessages())})
"""All wires by name; `LLMEntry.wire` and the providers' rows use these names."""
