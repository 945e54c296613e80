"""The rows of this app."""

from creative_services.models.llms import Llms
from creative_services.models.token import RegistryToken, touch_registry

__all__ = ["Llms", "RegistryToken", "touch_registry"]
