"""A browser of sorts: the admin as a superuser, and as people with fewer permissions, sees it."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.forms import NullBooleanField
from django.test import Client
from django.urls import reverse

from creative_services.testing import LlmsFactory

LIST = "/admin/creative_services/llms/"


class Pages:
    """The admin's pages of LLMs, seen by one user."""

    def __init__(self, user):
        self.client = Client()
        self.client.force_login(user)

    def list(self, **query):
        return self.client.get(LIST, query)

    def form(self, row):
        return self.client.get(reverse("admin:creative_services_llms_change", args=[row.pk]))

    def save(self, row, **changes):
        """Post the form of `row` (None: the empty one) as a browser would, with these fields changed."""
        where = "add" if row is None else "change"
        url = reverse(f"admin:creative_services_llms_{where}", args=[] if row is None else [row.pk])
        form = self.client.get(url).context["adminform"].form
        shown = {name: form[name].value() for name in form.fields if name != "api_key"}
        selects = [name for name, field in form.fields.items() if isinstance(field, NullBooleanField)]
        shown |= {name: form.fields[name].widget.format_value(shown[name]) for name in selects}
        shown |= {form[name].html_initial_name: shown[name] for name in shown if form[name].field.show_hidden_initial}
        data = {name: value for name, value in shown.items() if value not in {None, False}} | {"api_key": ""}
        return self.client.post(url, {k: v for k, v in (data | changes).items() if v is not None})

    def act(self, action, *rows):
        return self.client.post(LIST, {"action": action, "_selected_action": [row.pk for row in rows]})

    def said(self, response):
        return [(message.level_tag, str(message)) for message in get_messages(response.wsgi_request)]


@pytest.fixture
def pages(admin_user):
    return Pages(admin_user)


@pytest.fixture
def pages_of(db, django_user_model):
    """The pages as somebody with just these permissions on LLMs."""

    def make(*permissions):
        user = django_user_model.objects.create_user("-".join(permissions), is_staff=True)
        names = [f"{permission}_llms" for permission in permissions]
        user.user_permissions.set(Permission.objects.filter(codename__in=names))
        return Pages(user)

    return make


@pytest.fixture
def row(db):
    return LlmsFactory(name="Mini", model="mini", api_key="sk-the-secret-of-mini-4321")
