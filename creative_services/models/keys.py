"""Keys with which machines ask in a user's name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from creative_services.core.secret import Secret

MARK = "csk_"
"""What every machine key begins with, so that secret scanners, and we, tell it from other tokens."""


class MachineKey(models.Model):
    """A key of a user's; only its digest is kept, so that it can be shown once and never again."""

    class State(models.TextChoices):
        """What a key is good for. A key of a user who is not active is refused too, whatever it says."""

        ACTIVE = "active", _("Active")
        EXPIRED = "expired", _("Expired")
        REVOKED = "revoked", _("Revoked")

    name = models.CharField(_("name"), max_length=100, help_text=_("What it is for."))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("user"), related_name="+")
    prefix = models.CharField(_("prefix"), max_length=20, unique=True, editable=False)
    digest = models.CharField(_("digest"), max_length=64, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True, help_text=_("Empty for never."))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    text: Secret | None = None
    """The key itself, on the row that it was just made for; no column keeps it."""
    registry_token: str | None = None
    """The registry's token, where it was read together with the row; at `read_at` by the monotonic clock."""
    read_at = 0.0

    class Meta:
        verbose_name = _("machine key")
        verbose_name_plural = _("machine keys")

    def __str__(self) -> str:
        return self.name

    @property
    def hint(self) -> str:
        """How the key begins, by which people know it again."""
        return f"{MARK}{self.prefix}_…"

    @property
    def state(self) -> State:
        """What the key is good for now."""
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return self.State.EXPIRED
        return self.State.ACTIVE
