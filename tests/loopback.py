"""The provider on loopback, under the name by which many tests know it."""

from creative_services.testing.loopback import LoopbackProvider
from creative_services.testing.replies import OnTheWire

__all__ = ["LoopbackProvider", "OnTheWire"]
