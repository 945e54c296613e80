"""The core's seams over Django: the registry of rows, and the clients that a project's settings wire.

Importing this package needs settings but no ready app registry; the model is resolved on first use.
"""

from creative_services.adapters.clients import get_client, get_sync_client
from creative_services.adapters.registry import DjangoLLMRegistry

__all__ = ["DjangoLLMRegistry", "get_client", "get_sync_client"]
