"""How Django knows this app."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CreativeServicesConfig(AppConfig):
    """The app. Names its own primary keys, so that a project's DEFAULT_AUTO_FIELD asks for no migration here."""

    name = "creative_services"
    verbose_name = _("LLM services")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Only registers."""
        from creative_services.checks import register_checks  # noqa: PLC0415 - checks need settings
        from creative_services.databases import migrate_file  # noqa: PLC0415 - as above

        post_migrate.connect(migrate_file, sender=self)
        register_checks()
