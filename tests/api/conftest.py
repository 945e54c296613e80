"""Two LLMs, a provider that answers for them, and a user who may ask, under WSGI and under ASGI."""

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import override_settings

from creative_services.testing import LlmsFactory, override_llms
from tests.api.asking import Asker


@pytest.fixture
def cheap(db):
    return LlmsFactory(
        name="Cheap",
        model="cheap-1",
        api_key="sk-cheap",
        cost_per_1k_input=0.00015,
        cost_per_1k_output=0.0006,
    )


@pytest.fixture
def dear(cheap):
    return LlmsFactory(name="Dear", model="dear-1", api_key="sk-dear", cost_per_1k_input=1, cost_per_1k_output=1)


@pytest.fixture
def provider(cheap, dear):
    with override_llms() as provider:
        yield provider


@pytest.fixture
def caller(db, django_user_model):
    user = django_user_model.objects.create_user("ann")
    user.user_permissions.add(Permission.objects.get(codename="generate", content_type__app_label="creative_services"))
    return user


@pytest.fixture(params=["wsgi", "asgi"])
def asker(request, caller, provider):
    return Asker(request.param, caller)


@pytest.fixture
def locmem():
    with override_settings(CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}):
        cache.clear()
        yield
        cache.clear()
