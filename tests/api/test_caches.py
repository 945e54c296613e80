"""What one caller is told is kept for no other, whatever caches a site has."""

import pytest
from django.test import override_settings

from creative_services.adapters.machine_keys import issue
from tests.api.asking import Asker

SITE_CACHE = ("django.middleware.cache.UpdateCacheMiddleware", "django.middleware.cache.FetchFromCacheMiddleware")


@pytest.mark.usefixtures("locmem", "provider")
@pytest.mark.parametrize("header", ["x-api-key", "Authorization"])
@pytest.mark.parametrize("path", ["usage/", "usage/?format=csv", "llms/", "v1/models", "v1/models/standard"])
def test_a_cache_of_the_whole_site_tells_no_stranger_what_a_key_was_told(caller, settings, path, header):
    key = str(issue(caller, "Night job").text)
    first, last = SITE_CACHE
    asker = Asker("wsgi")

    with override_settings(MIDDLEWARE=[first, *settings.MIDDLEWARE, last]):
        told = asker.get(f"/api/llm/{path}", **{header: key if header == "x-api-key" else f"Bearer {key}"})
        stranger = asker.get(f"/api/llm/{path}")

    assert (told.status, stranger.status) == (200, 401)
    assert told.headers["Cache-Control"] == "private"
