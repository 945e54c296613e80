"""Where a row's calls go, and which of those places may be saved."""

from __future__ import annotations

from django.utils.translation import gettext as _

from creative_services.conf import app_settings
from creative_services.core.endpoints import check_endpoint, split_endpoint
from creative_services.core.errors import ConfigurationError
from creative_services.core.providers import provider_for
from creative_services.core.types import LLMTier, Reach

PORTS = {"http": 80, "https": 443}


def origin_of(provider: str, endpoint: str | None) -> str:
    """The `scheme://host:port` that a row's calls go to; its key goes there and nowhere else."""
    try:
        parts = split_endpoint((endpoint or provider_for(provider).base_url).strip())
    except ConfigurationError:
        return f"nowhere:{provider} {endpoint or ''}".strip()
    return f"{parts.scheme}://{_name(parts.hostname)}:{parts.port or PORTS[parts.scheme]}"


def reach_of(tier: str, endpoint: str | None) -> Reach:
    """Which addresses a row may resolve to, by its tier and the settings."""
    if tier == LLMTier.LOCAL.value:
        return Reach.ROUTABLE if _host(endpoint) in app_settings.local_hosts else Reach.PRIVATE
    return Reach.ROUTABLE if app_settings.endpoints_allow_private else Reach.PUBLIC


def endpoint_fault(tier: str, endpoint: str | None) -> str | None:
    """Why a row of this tier may not have this endpoint; None if it may, as far as can be said without resolving."""
    if not endpoint:
        if tier == LLMTier.LOCAL.value:
            return _("A local LLM must name its endpoint, such as http://localhost:11434/v1.")
        return None
    try:
        check_endpoint(endpoint.strip(), reach_of(tier, endpoint))
    except ConfigurationError as error:
        return str(error)
    return None


def _host(endpoint: str | None) -> str:
    try:
        return _name(split_endpoint((endpoint or "").strip()).hostname)
    except ConfigurationError:
        return ""


def _name(host: str | None) -> str:
    return (host or "").rstrip(".")
