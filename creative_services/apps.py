"""How Django knows this app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CreativeServicesConfig(AppConfig):
    """The app. Names its own primary keys, so that a project's DEFAULT_AUTO_FIELD asks for no migration here."""

    name = "creative_services"
    verbose_name = _("LLM services")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Only registers."""
        from creative_services.checks import register_checks  # noqa: PLC0415 - checks need settings

        register_checks()
