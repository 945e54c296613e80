"""What `CREATIVE_SERVICES["LEDGER"]` and `["LEDGER_DATABASE"]` mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from creative_services.core.errors import ConfigurationError

LEDGER = "settings.CREATIVE_SERVICES: LEDGER"


@dataclass(frozen=True, slots=True)
class LedgerOptions:
    """How the ledger is kept: whether with prompts and answers, for how many days, and what is done to them before."""

    store_text: bool = False
    text_days: int = 30
    redact: Callable[[str], str] | None = None


def ledger_options(value: Any) -> LedgerOptions | None:
    """The options that a setting means; None where no ledger is kept. Raises ConfigurationError."""
    if value is False:
        return None
    given = {} if value is True else value
    known = {"STORE_TEXT", "TEXT_DAYS", "REDACT"}
    if not isinstance(given, Mapping) or not set(given) <= known:
        raise ConfigurationError(f"{LEDGER} must be False, or a dict with some of: {', '.join(sorted(known))}.")
    store, days = given.get("STORE_TEXT", False), given.get("TEXT_DAYS", 30)
    if not isinstance(store, bool):
        raise ConfigurationError(f"{LEDGER}['STORE_TEXT'] must be True or False.")
    if isinstance(days, bool) or not isinstance(days, int) or days < 1:
        raise ConfigurationError(f"{LEDGER}['TEXT_DAYS'] must be an int above 0, not {days!r}.")
    return LedgerOptions(store, days, _redaction(given.get("REDACT")))


def _redaction(value: Any) -> Callable[[str], str] | None:
    if isinstance(value, str):
        try:
            value = import_string(value)
        except ImportError as error:
            raise ConfigurationError(f"{LEDGER}['REDACT'] cannot be imported: {error}") from None
    if value is None or callable(value):
        return value  # type: ignore[no-any-return]  # what it takes and returns shows when it is called
    raise ConfigurationError(f"{LEDGER}['REDACT'] must be the dotted path of a function of a text.")


def ledger_place(value: Any) -> str | Path:
    """The alias in DATABASES, or the SQLite file, that a setting means. Raises ConfigurationError."""
    if value in settings.DATABASES:
        return str(value)
    if isinstance(value, Path) or (isinstance(value, str) and ("/" in value or value.endswith(".sqlite3"))):
        return Path(value)
    raise ConfigurationError(
        "settings.CREATIVE_SERVICES: LEDGER_DATABASE must be a key of DATABASES, or the path of a SQLite file."
    )
