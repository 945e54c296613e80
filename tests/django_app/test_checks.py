import socket
from datetime import date

import pytest
from cryptography.fernet import Fernet
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from creative_services.core.providers import retirement
from creative_services.models import Llms
from tests.django_app.rows import local, make


def found(databases=(), **options):
    # Named, because Django 6.1 checks all databases where 5.2 checks none.
    messages = checks.run_checks(databases=list(databases), **options)
    return {message.id: message for message in messages if message.id.startswith("creative_services")}


def in_rows():
    return found(databases=["default"])


def test_a_project_without_settings_has_nothing_to_mend():
    assert found() == {}


@pytest.mark.django_db(databases=["default", "elsewhere"])
def test_an_unknown_setting_is_an_error(settings):
    settings.CREATIVE_SERVICES = {"TEIR": 1}

    assert "TEIR" in found()["creative_services.E001"].msg
    with pytest.raises(SystemCheckError, match="TEIR"):
        call_command("check")


@pytest.mark.parametrize(
    "value",
    [
        {"DEFAULT_TIER": "luxury"},
        {"LIMITS": {"total": -1}},
        {"STRATEGY": "dearest"},
        {"GENERATE_UPSTREAM": "up"},
        "nonsense",
    ],
)
def test_a_setting_that_cannot_be_meant_is_an_error(settings, value):
    settings.CREATIVE_SERVICES = value

    assert list(found()) == ["creative_services.E002"]


def test_an_encryption_key_that_is_none_is_an_error_that_does_not_show_it(settings):
    settings.CREATIVE_SERVICES = {"ENCRYPTION_KEYS": ["too-short"]}

    assert "too-short" not in str(found()["creative_services.E003"])


def test_encryption_keys_of_a_wrong_type_are_reported_once(settings):
    settings.CREATIVE_SERVICES = {"ENCRYPTION_KEYS": "one"}

    messages = found(include_deployment_checks=True)
    assert [message_id for message_id in messages if ".E" in message_id] == ["creative_services.E002"]
    assert "creative_services.W001" not in messages


def test_deployments_are_warned_of_the_derived_key(settings):
    assert "rotate_llm_keys" in found(include_deployment_checks=True)["creative_services.W001"].hint

    settings.CREATIVE_SERVICES = {"ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    assert "creative_services.W001" not in found(include_deployment_checks=True)


def cache_of(backend):
    return {"default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": "somewhere"}}


@pytest.mark.parametrize(
    ("backend", "words"), [("locmem.LocMemCache", "of each process's own"), ("dummy.DummyCache", "keeps nothing")]
)
def test_deployments_are_warned_of_a_cache_that_processes_do_not_share(settings, backend, words):
    settings.CACHES = cache_of(backend)

    assert words in found(include_deployment_checks=True)["creative_services.W006"].msg
    assert "creative_services.W006" not in found()


@pytest.mark.parametrize("backend", ["db.DatabaseCache", "redis.RedisCache"])
def test_deployments_are_not_warned_of_a_cache_that_they_share(settings, backend):
    settings.CACHES = cache_of(backend)

    assert "creative_services.W006" not in found(include_deployment_checks=True)


def test_somebody_who_develops_is_not_warned_of_the_cache(settings):
    settings.DEBUG = True

    assert "creative_services.W006" not in found(include_deployment_checks=True)


@pytest.mark.django_db
class TestRows:
    def test_good_rows_have_nothing_to_mend(self):
        make(model="gpt-6-test")
        local()

        assert in_rows() == {}

    def test_rows_are_only_read_when_their_database_is_asked_for(self, django_assert_num_queries):
        make(provider="acme")

        with django_assert_num_queries(0):
            assert found() == {}

    def test_an_undecryptable_key_is_named_by_its_row(self, settings):
        row = make(name="Lost")
        settings.SECRET_KEY = "changed"

        message = in_rows()["creative_services.W002"]
        assert f"#{row.pk} 'Lost'" in message.msg
        assert message.level == checks.WARNING

    def test_a_reference_that_may_not_be_used_is_found(self):
        make(api_key="env:DJANGO_SECRET_KEY")

        assert "KEY_VARIABLES" in in_rows()["creative_services.W002"].msg

    def test_an_unknown_provider_is_found(self):
        make(provider="acme", api_key=None)

        assert "acme" in in_rows()["creative_services.W003"].msg

    def test_an_unknown_wire_is_found(self):
        make(wire="smoke-signals")

        assert "smoke-signals" in in_rows()["creative_services.W003"].msg

    def test_a_retired_model_is_found_with_its_successor(self):
        retired = retirement("anthropic", "claude-3-opus-20240229")
        assert retired.date < date.today()  # noqa: DTZ011 - a date is compared, not a time
        make(provider="anthropic", model="claude-3-opus-20240229")

        message = in_rows()["creative_services.W004"].msg
        assert retired.successor in message
        assert str(retired.date) in message

    def test_a_retired_model_of_an_inactive_row_is_nobodys_trouble(self):
        make(provider="anthropic", model="claude-3-opus-20240229", is_active=False)

        assert in_rows() == {}

    def test_a_local_row_at_a_public_address_is_found(self):
        local()
        Llms.objects.update(api_endpoint="https://8.8.8.8/v1")

        assert "LOCAL" in in_rows()["creative_services.W002"].msg

    @pytest.mark.parametrize(
        ("address", "expected"), [("8.8.8.8", ["creative_services.W005"]), ("10.0.0.7", []), (None, [])]
    )
    def test_a_local_row_whose_name_leads_to_a_public_address_is_found(self, monkeypatch, address, expected):
        def look_up(host, port, **options):
            if address is None:
                raise socket.gaierror
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        local(api_endpoint="https://llm.example.com/v1")

        assert list(in_rows()) == expected

    def test_a_wrong_setting_does_not_hide_behind_the_rows(self, settings):
        make()
        settings.CREATIVE_SERVICES = {"ENDPOINTS_ALLOW_PRIVATE": "yes"}

        assert list(in_rows()) == ["creative_services.E002"]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_not_migrated_yet_is_no_trouble():
    with connection.schema_editor() as editor:
        editor.delete_model(Llms)
    try:
        assert in_rows() == {}
    finally:
        with connection.schema_editor() as editor:
            editor.create_model(Llms)
