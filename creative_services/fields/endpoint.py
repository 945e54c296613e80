"""Where a row's calls go, and which of those places may be saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from creative_services.conf import app_settings
from creative_services.core.endpoints import check_endpoint
from creative_services.core.errors import ConfigurationError
from creative_services.core.providers import provider_for
from creative_services.core.types import LLMTier, Reach

if TYPE_CHECKING:
    from django.db.models import Model

PORTS = {"http": 80, "https": 443}


def origin_of(provider: str, endpoint: str | None) -> str:
    """The `scheme://host:port` that a row's calls go to; its key goes there and nowhere else."""
    if not endpoint:
        try:
            endpoint = provider_for(provider, None).base_url
        except ConfigurationError:
            return f"unknown:{provider}"
    parts = urlsplit(endpoint.strip())
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").rstrip(".")
    return f"{scheme}://{host}:{parts.port or PORTS.get(scheme, '')}"


def reach_of(tier: str, endpoint: str | None) -> Reach:
    """Which addresses a row may resolve to, by its tier and the settings."""
    if tier == LLMTier.LOCAL.value:
        host = (urlsplit(endpoint).hostname or "").rstrip(".") if endpoint else ""
        return Reach.ROUTABLE if host in app_settings.local_hosts else Reach.PRIVATE
    return Reach.ROUTABLE if app_settings.endpoints_allow_private else Reach.PUBLIC


def endpoint_fault(tier: str, endpoint: str | None) -> str | None:
    """Why a row of this tier may not have this endpoint; None if it may, as far as can be said without resolving."""
    if not endpoint:
        if tier == LLMTier.LOCAL.value:
            return _("A local LLM must name its endpoint, such as http://localhost:11434/v1.")
        return None
    try:
        check_endpoint(endpoint, reach_of(tier, endpoint))
    except ConfigurationError as error:
        return str(error)
    except ValueError:
        return _("This is not a URL.")
    return None


# Django's fields are generic for type checkers only.
class EndpointField(models.CharField):  # type: ignore[type-arg]
    """A base URL that is checked against the row's tier whenever the field is written, not only in forms.

    Raises ValidationError from `save()`, `bulk_create()` and `loaddata` too. `QuerySet.update()` knows no row; what
    it writes is refused when it is called.
    """

    def pre_save(self, model_instance: Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        fault = endpoint_fault(getattr(model_instance, "tier", ""), value)
        if fault:
            raise ValidationError({self.attname: fault})
        return value
