"""The key that a row's calls may carry, or the reason why there is none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from creative_services.conf import app_settings
from creative_services.core.errors import ConfigurationError
from creative_services.core.providers import PROVIDERS, default_hosts
from creative_services.core.secret import Secret
from creative_services.fields.endpoint import origin_of

if TYPE_CHECKING:
    from creative_services.fields import ApiKey


def key_for(key: ApiKey | None, origin: str) -> Secret | None:
    """The plain key for calls to `origin` (`scheme://host:port`).

    Raises ConfigurationError where the key cannot be decrypted, was entered for another host, or is a reference that
    may not be used there.
    """
    if key is None:
        return None
    if key.reference:
        return _from_environment(key.reference, origin)
    plain = key.reveal()
    if key.origin != origin:
        raise ConfigurationError("Its API key was entered for another host: enter it again.")
    return plain


def reference_fault(name: str, origin: str) -> str | None:
    """Why `env:name` may not be sent to `origin`; None if it may.

    Whoever may edit rows could otherwise have any variable of the process sent to a host of their own.
    """
    listed = app_settings.key_variables.get(name, frozenset())
    owners = [provider for provider in PROVIDERS.values() if name in provider.key_variables]
    if not listed and not owners:
        return f"env:{name} is neither a provider's key variable nor listed in KEY_VARIABLES."
    parts = urlsplit(origin)
    if parts.hostname in listed or any(_belongs(origin, provider.name) for provider in owners):
        return None
    return f"env:{name} may not be sent to {origin}: list the host in KEY_VARIABLES, or enter the key itself."


def _belongs(origin: str, provider: str) -> bool:
    # A provider's own key leaves this machine encrypted or not at all.
    parts = urlsplit(origin)
    return origin == origin_of(provider, None) or (
        parts.scheme == "https" and parts.hostname in default_hosts(provider)
    )


def _from_environment(name: str, origin: str) -> Secret:
    fault = reference_fault(name, origin)
    if fault:
        raise ConfigurationError(fault)
    # The one place where a row's reference is read; see reference_fault for what may be named.
    value = os.environ.get(name, "").strip()
    if not value:
        raise ConfigurationError(f"The environment variable {name} is not set.")
    if not value.isascii() or not value.isprintable():
        raise ConfigurationError(f"The environment variable {name} holds what no HTTP header can carry.")
    return Secret(value)
