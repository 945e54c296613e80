"""The models that a row's provider offers: a page of them, and the way from it back into the row's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from creative_services.adapters.connections import give_back_connections, outside_transactions
from creative_services.adapters.offers import lists_models, offered_models
from creative_services.adapters.snapshot import entry_of
from creative_services.core.errors import CreativeServicesError
from creative_services.models import Llms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django import forms
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    Base = admin.ModelAdmin[Llms]
else:
    Base = admin.ModelAdmin

MOST_MODELS = 1000
SECONDS = 15


class OfferedModelsAdmin(Base):
    """The part of the admin that suggests models from the provider's own list, by plain links."""

    def get_urls(self) -> list[URLPattern]:
        """One more page, which is outside ATOMIC_REQUESTS, since it calls a provider."""
        view = outside_transactions(require_GET(self.admin_site.admin_view(self.models_view)))
        name = f"{self.opts.app_label}_{self.opts.model_name}_models"
        return [path("<path:object_id>/models/", view, name=name), *super().get_urls()]

    def models_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The models that the row's provider offers, each a link into the row's form.

        A GET: it changes nothing and costs nothing, and the key goes only where each call of the row sends it.
        """
        row = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        models, error = models_of(row)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Models offered to %(name)s") % {"name": row},
            "row": row,
            "back": self._url(request, "change", row),
            "error": error,
            "models": [(model, self._url(request, "change", row, {"model": model})) for model in models[:MOST_MODELS]],
            "more": len(models[MOST_MODELS:]),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "creative_services/admin/offered.html", context)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Llms | None = None,
    ) -> HttpResponse:
        """The form, with the way to the provider's models, and with the one that was chosen there."""
        form = context["adminform"].form
        # Not after an error: the way there would lose what was typed.
        if request.method == "GET" and obj is not None and "model" in form.fields:
            if lists_models(entry_of(obj)):
                self._link_models(request, form)
            self._fill_in(request, form)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _link_models(self, request: HttpRequest, form: forms.ModelForm[Llms]) -> None:
        url, field = self._url(request, "models", form.instance), form.fields["model"]
        link = format_html('<a href="{}">{}</a>', url, _("Models that this provider offers"))
        field.help_text = format_html("{} {}", field.help_text, link)

    def _fill_in(self, request: HttpRequest, form: forms.ModelForm[Llms]) -> None:
        chosen, saved = request.GET.get("model", ""), form.instance.model
        if chosen not in {"", saved}:
            form.initial["model"] = chosen
            text = _("The model %(chosen)s is filled in, but not saved yet: until then it is %(saved)s.")
            self.message_user(request, text % {"chosen": chosen, "saved": saved}, messages.WARNING)

    def _url(self, request: HttpRequest, page: str, row: Llms, query: Mapping[str, str] | None = None) -> str:
        """A page of the row, from which the way back leads to the list as it was filtered."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"
        url = reverse(name, args=[quote(row.pk)], current_app=self.admin_site.name)
        filters: dict[str, Any] = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return add_preserved_filters(filters, f"{url}?{urlencode(query)}" if query else url)


def models_of(row: Llms) -> tuple[list[str], str | None]:
    """The models that the row's provider offers, by name, or why they are not known.

    No transaction may be open: writers of rows would wait for a provider.
    """
    entry = entry_of(row)
    give_back_connections()
    try:
        models = sorted(set(offered_models(entry, SECONDS)), key=str.casefold)
    except CreativeServicesError as error:
        return [], str(error)
    return models, None if models else _("The provider's list of models is empty.")
