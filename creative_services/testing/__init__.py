"""For tests: providers without a network and on loopback, rows, fixtures. Nothing here is imported by the app itself.

What needs Django, pytest or factory-boy is imported only when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from creative_services.testing.provider import FakeProvider
from creative_services.testing.replies import Failure, HalfOpen, OnTheWire, RawReply, Reply
from creative_services.testing.requests import ReceivedRequest

if TYPE_CHECKING:
    from creative_services.testing.factories import LlmsFactory
    from creative_services.testing.loopback import LoopbackProvider
    from creative_services.testing.overrides import override_llms

__all__ = [
    "Failure",
    "FakeProvider",
    "HalfOpen",
    "LlmsFactory",
    "LoopbackProvider",
    "OnTheWire",
    "RawReply",
    "ReceivedRequest",
    "Reply",
    "override_llms",
]


def __getattr__(name: str) -> Any:
    modules = {"LlmsFactory": "factories", "LoopbackProvider": "loopback", "override_llms": "overrides"}
    if name not in modules:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{modules[name]}"), name)
