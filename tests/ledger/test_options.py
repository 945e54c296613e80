"""The settings of the ledger, and what checks say of them."""

from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.db import connection

from creative_services.checks import check_ledger
from creative_services.conf import app_settings
from creative_services.core.errors import ConfigurationError
from creative_services.ledger_options import LedgerOptions


@pytest.fixture
def use(settings):
    def use(**values):
        settings.CREATIVE_SERVICES = values
        return app_settings

    return use


@pytest.mark.parametrize("value", [None, True, {}])
def test_it_is_kept_and_without_texts_unless_the_settings_say_otherwise(use, value):
    assert use(LEDGER=value).ledger == LedgerOptions(store_text=False, text_days=30, redact=None)


def test_it_can_be_done_without(use):
    assert use(LEDGER=False).ledger is None


def test_options_are_taken(use):
    given = {"STORE_TEXT": True, "TEXT_DAYS": 7, "REDACT": "textwrap.dedent"}

    options = use(LEDGER=given).ledger

    assert (options.store_text, options.text_days, options.redact("  a")) == (True, 7, "a")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("yes", "False, or a dict"),
        ({"STORE": True}, "REDACT, STORE_TEXT, TEXT_DAYS"),
        ({"STORE_TEXT": 1}, "True or False"),
        ({"TEXT_DAYS": 0}, "above 0"),
        ({"TEXT_DAYS": True}, "above 0"),
        ({"TEXT_DAYS": "7"}, "above 0"),
        ({"REDACT": "nowhere.at_all"}, "cannot be imported"),
        ({"REDACT": 7}, "dotted path"),
    ],
)
def test_what_cannot_be_meant_is_named(use, value, words):
    with pytest.raises(ConfigurationError, match=words):
        _ = use(LEDGER=value).ledger


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (None, None),
        ("elsewhere", "elsewhere"),
        ("ledger.sqlite3", Path("ledger.sqlite3")),
        ("/var/lib/ledger", Path("/var/lib/ledger")),
        (Path("ledger"), Path("ledger")),
    ],
)
def test_its_database_is_an_alias_or_a_file(use, value, place):
    assert use(LEDGER_DATABASE=value).ledger_database == place


@pytest.mark.django_db(databases="__all__")  # Django 6.1's own checks of models ask them what they can
@pytest.mark.parametrize("value", ["nowhere", 7])
def test_another_database_is_none(use, value):
    with pytest.raises(ConfigurationError, match="LEDGER_DATABASE must be a key of DATABASES"):
        _ = use(LEDGER_DATABASE=value).ledger_database

    assert "creative_services.E002" in {message.id for message in run_checks()}
    assert check_ledger(None) == []


def test_on_sqlite_the_deployment_is_warned_that_rollbacks_take_rows_along(use):
    use()
    warned = ["creative_services.W008"] if connection.vendor == "sqlite" else []

    assert [message.id for message in check_ledger(None)] == warned
    use(LEDGER_DATABASE="default")
    assert [message.id for message in check_ledger(None)] == warned


@pytest.mark.parametrize("values", [{"LEDGER_DATABASE": "elsewhere"}, {"LEDGER": False}])
def test_a_ledger_of_its_own_and_no_ledger_warn_nobody(use, values):
    use(**values)

    assert check_ledger(None) == []
