"""Where the ledger's rows live."""

from pathlib import Path

import pytest

from creative_services.databases import ledger_alias
from creative_services.models import LlmCall
from creative_services.signals import llm_call_finished
from creative_services.testing import LlmsFactory, override_llms
from tests.ledger.asking import booked, generating

both = pytest.mark.django_db(databases=["default", "elsewhere"])


@pytest.fixture
def provider():
    LlmsFactory()
    with override_llms() as provider:
        yield provider


@pytest.mark.django_db
def test_in_the_database_of_the_other_rows():
    assert ledger_alias() == LlmCall.objects.all().db == "default"


@both
@generating
def test_in_another_that_the_settings_name(generate, provider, settings):
    settings.CREATIVE_SERVICES = {"LEDGER_DATABASE": "elsewhere"}

    [row] = booked(generate)

    assert row._state.db == "elsewhere"
    assert LlmCall.objects.all().db == ledger_alias() == "elsewhere"
    assert not LlmCall.objects.using("default").exists()


@pytest.mark.django_db
@generating
@pytest.mark.parametrize("place", ["elsewhere", "/somewhere/ledger.sqlite3"])
def test_but_not_in_tests_that_do_not_open_it(generate, provider, settings, place):
    settings.CREATIVE_SERVICES = {"LEDGER_DATABASE": place}

    [row] = booked(generate)

    assert row._state.db == "default"
    assert not Path("/somewhere").exists()


@both
@generating
def test_receivers_get_a_row_of_that_database(generate, provider, settings):
    settings.CREATIVE_SERVICES = {"LEDGER_DATABASE": "elsewhere"}
    got = []

    def receive(call, **_):
        got.append(call._state.db)

    llm_call_finished.connect(receive)
    try:
        booked(generate)
    finally:
        llm_call_finished.disconnect(receive)

    assert got == ["elsewhere"]
