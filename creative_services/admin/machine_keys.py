"""The admin's pages of machine keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.auth import get_user_model
from django.db import router, transaction
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from creative_services.adapters.machine_keys import give_secret
from creative_services.models import MachineKey

if TYPE_CHECKING:
    from django import forms
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    Base = admin.ModelAdmin[MachineKey]
else:
    Base = admin.ModelAdmin


@admin.register(MachineKey)
class MachineKeyAdmin(Base):
    """Keys are made, shown once, and revoked here. Digests are nowhere shown, and no key moves to another user."""

    list_display = ("name", "hint", "user", "state", "expires_at", "last_used_at")
    list_select_related = ("user",)
    ordering = ("-created_at",)
    actions = ("revoke",)
    shown_later = ("hint", "user", "state", "created_at", "last_used_at", "revoked_at")

    def get_fields(self, request: HttpRequest, obj: MachineKey | None = None) -> tuple[str, ...]:
        """What there is to say of a new key, or of one that exists."""
        return ("name", "user", "expires_at") if obj is None else ("name", "expires_at", *self.shown_later)

    def get_readonly_fields(self, request: HttpRequest, obj: MachineKey | None = None) -> tuple[str, ...]:
        return () if obj is None else self.shown_later

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("name", "prefix", f"user__{get_user_model().USERNAME_FIELD}")

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """The user is searched for where this site's page of users can, and else chosen from a list."""
        try:
            users = self.admin_site.get_model_admin(get_user_model())
        except NotRegistered:
            return ()
        return ("user",) if users.get_search_fields(request) else ()

    @admin.display(description=_("key"), ordering="prefix")
    def hint(self, row: MachineKey) -> str:
        """How the key begins."""
        return row.hint

    @admin.display(description=_("state"))
    def state(self, row: MachineKey) -> str:
        """Whether the key is good; a key of a user who is not active is not."""
        return str(row.state.label if row.user.is_active else _("User is not active"))

    def save_model(
        self, request: HttpRequest, obj: MachineKey, form: forms.ModelForm[MachineKey], change: bool
    ) -> None:
        """Make the key of a new row; of another write what was changed and no more: it may have been revoked since."""
        if not change:
            give_secret(obj)
        obj.save(update_fields=form.changed_data if change else None)

    def response_add(self, request: HttpRequest, obj: MachineKey, post_url_continue: str | None = None) -> HttpResponse:
        """The page that shows the key, instead of a redirect: a message would lie in a cookie or session until then."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("A new machine key"),
            "key": obj,
        }
        return TemplateResponse(request, "creative_services/admin/machine_key.html", context)

    @admin.action(description=_("Revoke"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[MachineKey]) -> None:
        """Let nobody use these again; from the next request on, in every process."""
        valid = queryset.filter(revoked_at=None)
        with transaction.atomic(using=router.db_for_write(MachineKey)):
            rows = list(valid)
            valid.order_by().update(revoked_at=timezone.now())
            for row in rows:
                self.log_change(request, row, [{"changed": {"fields": ["Revoked"]}}])
        text = ngettext("%(count)d machine key revoked.", "%(count)d machine keys revoked.", len(rows))
        self.message_user(request, text % {"count": len(rows)}, messages.SUCCESS)
