"""For tests: a provider without a network, rows, clients and fixtures. Nothing here is imported by the app itself.

What needs Django, pytest or factory-boy is imported only when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from creative_services.testing.provider import FakeProvider
from creative_services.testing.replies import Failure, RawReply, Reply
from creative_services.testing.requests import ReceivedRequest

if TYPE_CHECKING:
    from creative_services.testing.factories import LlmsFactory
    from creative_services.testing.overrides import override_llms

__all__ = ["Failure", "FakeProvider", "LlmsFactory", "RawReply", "ReceivedRequest", "Reply", "override_llms"]


def __getattr__(name: str) -> Any:
    modules = {"LlmsFactory": "factories", "override_llms": "overrides"}
    if name not in modules:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{modules[name]}"), name)
