"""System checks: what is wrong with the settings, and, with `--database`, with the rows."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, connections, router, transaction

from creative_services.adapters.snapshot import entry_of
from creative_services.conf import SETTINGS, AppSettings, app_settings
from creative_services.core.endpoints import literal_address, permits, split_endpoint
from creative_services.core.errors import ConfigurationError
from creative_services.core.providers import provider_for, retirement, wire_for
from creative_services.core.types import LLMEntry, LLMTier
from creative_services.databases import own_model
from creative_services.fields.vault import BadEncryptionKeyError, own_fernets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.apps import AppConfig

    from creative_services.models import Llms


def check_settings(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """E001: a setting that means nothing. E002: one of a wrong value. E003: an encryption key that is none."""
    try:
        unknown = app_settings.unknown_keys()
    except ConfigurationError as error:
        return [Error(str(error), id="creative_services.E002")]
    found: list[CheckMessage] = [
        Error(
            f"settings.CREATIVE_SERVICES has the unknown key {name!r}.",
            hint=f"Known keys: {', '.join(SETTINGS)}.",
            id="creative_services.E001",
        )
        for name in unknown
    ]
    for name in (name for name, value in vars(AppSettings).items() if isinstance(value, property)):
        try:
            getattr(app_settings, name)
        except ConfigurationError as error:
            found.append(Error(str(error), id="creative_services.E002"))
    return found + _check_keys()


def _check_keys() -> list[CheckMessage]:
    try:
        own_fernets()
    except BadEncryptionKeyError as error:
        hint = "`cryptography.fernet.Fernet.generate_key().decode()` makes one."
        return [Error(str(error), hint=hint, id="creative_services.E003")]
    except ConfigurationError:
        return []  # E002 says it
    return []


def check_deployment(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """W001: API keys are encrypted with a key derived from SECRET_KEY."""
    try:
        keys = app_settings.encryption_keys
    except ConfigurationError:
        return []  # E002 says it
    if keys:
        return []
    return [
        Warning(
            "API keys in the database are encrypted with a key derived from SECRET_KEY.",
            hint="Set CREATIVE_SERVICES['ENCRYPTION_KEYS'], then run `manage.py rotate_llm_keys`.",
            id="creative_services.W001",
        )
    ]


def check_cache(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """W006: every worker process finds out for itself which LLMs are failing."""
    backend = caches[DEFAULT_CACHE_ALIAS]
    if settings.DEBUG or not isinstance(backend, LocMemCache | DummyCache):
        return []
    what = "keeps nothing" if isinstance(backend, DummyCache) else "is a cache of each process's own"
    return [
        Warning(
            f"CACHES['default'] {what}: worker processes cannot tell each other which LLMs are failing.",
            hint="Use Redis, Memcached or the database. With a single worker process nothing is lost.",
            id="creative_services.W006",
        )
    ]


def check_ledger(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """W008: the ledger's rows are in the transactions of those who call."""
    try:
        is_kept, place = app_settings.ledger is not None, app_settings.ledger_database
    except ConfigurationError:
        return []  # E002 says it
    usual = router.db_for_write(own_model("LlmCall"))
    if not is_kept or place not in {None, usual} or connections[usual].vendor != "sqlite":
        return []
    return [
        Warning(
            "On SQLite a call that is made inside of atomic() is booked in that transaction: it is rolled back with "
            "it, and other writers wait until it ends.",
            hint="Set CREATIVE_SERVICES['LEDGER_DATABASE'] to a SQLite file of the ledger's own.",
            id="creative_services.W008",
        )
    ]


def check_rows(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """W002: a key or endpoint that cannot be used. W003: unknown provider or wire. W004: retired model.

    W005: a LOCAL row whose host is outside private networks. Warnings, so that `migrate` can still mend the rows.
    """
    model = own_model("Llms")
    using = router.db_for_write(model)
    if using not in (databases or ()):
        return []
    try:
        with transaction.atomic(using=using):
            rows = list(model._default_manager.using(using).order_by("pk"))
    except DatabaseError:
        return []  # not migrated yet
    try:
        return [message for row in rows for message in _check_row(row)]
    except ConfigurationError:
        return []  # E002 or E003 says which setting


def check_permissions(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """W007: a tier asks for a permission that does not exist, so that nobody but superusers may use it."""
    model = apps.get_model("auth", "Permission")
    using = router.db_for_read(model)
    try:
        needed = app_settings.tier_permissions if using in (databases or ()) else {}
    except ConfigurationError:
        return []  # E002 says it
    if not needed:
        return []
    try:
        with transaction.atomic(using=using):
            known = set(model._default_manager.using(using).values_list("content_type__app_label", "codename"))
    except DatabaseError:
        return []  # not migrated yet
    return [
        Warning(
            f"TIER_PERMISSIONS asks for {permission!r}, and there is no such permission: only superusers may use "
            f"the tier {tier.value!r}.",
            hint="Permissions are made by `migrate`, from the models' Meta.permissions for example.",
            id="creative_services.W007",
        )
        for tier, permission in needed.items()
        if tuple(permission.split(".", 1)) not in known
    ]


def _check_row(row: Llms) -> Iterator[CheckMessage]:
    entry = entry_of(row)
    if entry.unusable:
        yield _warning(row, entry.unusable, "creative_services.W002")
    try:
        provider = provider_for(entry.provider, entry.api_endpoint)
        wire_for(entry)
    except ConfigurationError as error:
        yield _warning(row, str(error), "creative_services.W003")
        return
    retired = retirement(provider.name, entry.model)
    if retired and entry.is_active and retired.has_come():
        text = f"{entry.model} was retired on {retired.date}. Its successor is {retired.successor}."
        yield _warning(row, text, "creative_services.W004")
    if entry.tier is LLMTier.LOCAL and not entry.unusable and _leads_outside(entry):
        text = "Its endpoint's host has a public address. Use a private one, or list the host in LOCAL_HOSTS."
        yield _warning(row, text, "creative_services.W005")


def _leads_outside(entry: LLMEntry) -> bool:
    """Whether the endpoint's name resolves to an address that the transport will refuse."""
    parts = split_endpoint((entry.api_endpoint or "").strip())
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    except OSError:
        return False  # not up yet, or known elsewhere only
    addresses = (literal_address(str(address[0])) for *_, address in found)
    return any(address is not None and not permits(address, entry.reach) for address in addresses)


def _warning(row: Llms, text: str, check_id: str) -> CheckMessage:
    return Warning(f"LLM #{row.pk} {row.name!r}: {text}", id=check_id)


def register_checks() -> None:
    """Make Django run these checks."""
    register(check_settings, Tags.security)
    register(check_deployment, Tags.security, deploy=True)
    register(check_cache, Tags.caches, deploy=True)
    register(check_ledger, Tags.compatibility, deploy=True)
    register(check_rows, Tags.database)
    register(check_permissions, Tags.database)
