"""The project's settings: one dict, `settings.CREATIVE_SERVICES`, read on access, typed, every key optional."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings

from creative_services.core.base_client import STRATEGIES, UPSTREAMS
from creative_services.core.endpoints import check_endpoint, split_endpoint
from creative_services.core.errors import ConfigurationError
from creative_services.core.limits import Limits, Retry
from creative_services.core.types import LLMTier, Reach
from creative_services.ledger_options import LedgerOptions, ledger_options, ledger_place

SETTINGS = (
    "ENCRYPTION_KEYS",
    "DEFAULT_TIER",
    "ENDPOINTS_ALLOW_PRIVATE",
    "LOCAL_HOSTS",
    "KEY_VARIABLES",
    "LIMITS",
    "RETRY",
    "FALLBACK_TIERS",
    "TIER_PERMISSIONS",
    "RATE_LIMITS",
    "LEDGER",
    "LEDGER_DATABASE",
    "STRATEGY",
    "GENERATE_UPSTREAM",
    "HEDGE_AFTER",
    "HEDGE_SHARE",
    "MAX_PROMPT_CHARS",
    "MAX_BODY_BYTES",
    "MAX_TOKENS",
    "PROXY",
    "CA_BUNDLE",
)

PERMISSION = re.compile(r"[^.\s]+\.\S+")
LIMITED_CALLERS = ("user", "machine_key", "caller")
RATES = ("requests_per_minute", "tokens_per_minute", "calls_at_once")

Value = TypeVar("Value", Limits, Retry)


# One property per setting.
class AppSettings:  # noqa: PLR0904
    """`settings.CREATIVE_SERVICES` as typed attributes.

    A value that cannot be meant raises ConfigurationError, which names the setting and never its value where that
    may be a secret.
    """

    @property
    def default_tier(self) -> LLMTier:
        """The tier of a call that names none."""
        return _tier("DEFAULT_TIER", _get("DEFAULT_TIER", LLMTier.STANDARD))

    @property
    def endpoints_allow_private(self) -> bool:
        """Whether rows of every tier may point to loopback and private addresses."""
        value = _get("ENDPOINTS_ALLOW_PRIVATE", False)
        if not isinstance(value, bool):
            raise _wrong("ENDPOINTS_ALLOW_PRIVATE", "True or False")
        return value

    @property
    def local_hosts(self) -> frozenset[str]:
        """Host names that LOCAL rows may name although their addresses are public; lower case."""
        return _hosts("LOCAL_HOSTS", _get("LOCAL_HOSTS", ()))

    @property
    def key_variables(self) -> Mapping[str, frozenset[str]]:
        """Environment variables that `env:` references may use beyond the providers' own, each with its hosts."""
        value = _get("KEY_VARIABLES", {})
        if not isinstance(value, Mapping) or not all(isinstance(name, str) and name for name in value):
            raise _wrong("KEY_VARIABLES", "a dict of environment variable to list of host names")
        return {name: _hosts(f"KEY_VARIABLES[{name!r}]", hosts) for name, hosts in value.items()}

    @property
    def limits(self) -> Limits:
        """Time a call may take."""
        return _build("LIMITS", Limits)

    @property
    def retry(self) -> Retry:
        """How often the same LLM is asked again."""
        return _build("RETRY", Retry)

    @property
    def fallback_tiers(self) -> tuple[LLMTier, ...]:
        """Tiers that take over when the asked one has no answer, in this order."""
        value = _get("FALLBACK_TIERS", ())
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise _wrong("FALLBACK_TIERS", "a list of tiers")
        return tuple(_tier("FALLBACK_TIERS", tier) for tier in value)

    @property
    def tier_permissions(self) -> Mapping[LLMTier, str]:
        """What users of the REST API need for these tiers beside `creative_services.generate`, as `app.codename`."""
        value = _get("TIER_PERMISSIONS", {})
        if not isinstance(value, Mapping):
            raise _wrong("TIER_PERMISSIONS", "a dict of tier to permission")
        for permission in value.values():
            if not isinstance(permission, str) or not PERMISSION.fullmatch(permission):
                raise _wrong("TIER_PERMISSIONS", f"of permissions such as 'app.codename'; {permission!r} is none")
        return {_tier("TIER_PERMISSIONS", tier): permission for tier, permission in value.items()}

    @property
    def ledger(self) -> LedgerOptions | None:
        """How the ledger is kept; None for not at all."""
        return ledger_options(_get("LEDGER", True))

    @property
    def ledger_database(self) -> str | Path | None:
        """The alias of the ledger's database, or its SQLite file; None: the one of the other rows."""
        value = _get("LEDGER_DATABASE", None)
        return None if value is None else ledger_place(value)

    @property
    def strategy(self) -> str:
        """In which order a tier's LLMs are asked: "cheapest", or "cheapest_for_call"."""
        return _one_of("STRATEGY", STRATEGIES)

    @property
    def generate_upstream(self) -> str:
        """What providers are asked for where whole answers are wanted: "whole", or "stream"."""
        return _one_of("GENERATE_UPSTREAM", UPSTREAMS)

    @property
    def hedge_after(self) -> float | None:
        """Seconds after which a second LLM is asked as well, if the first has not begun to answer; None for never."""
        value = _get("HEDGE_AFTER", None)
        if value is not None and not (_is_number(value) and value > 0):
            raise _wrong("HEDGE_AFTER", "a number of seconds above 0, or None")
        return None if value is None else float(value)

    @property
    def hedge_share(self) -> float:
        """The share of calls that may ask a second LLM so, from 0 to 1."""
        value = _get("HEDGE_SHARE", 0.05)
        if not (_is_number(value) and 0 <= value <= 1):
            raise _wrong("HEDGE_SHARE", "a number from 0 to 1")
        return float(value)

    @property
    def rate_limits(self) -> Mapping[str, Mapping[str, int]]:
        """What each user, machine key and named caller may have, per minute and at once."""
        value = _get("RATE_LIMITS", {})
        if not isinstance(value, Mapping) or not all(_are_rates(kind, rates) for kind, rates in value.items()):
            wanted = f"a dict of {', '.join(LIMITED_CALLERS)} to a dict of {', '.join(RATES)} to an int above 0"
            raise _wrong("RATE_LIMITS", wanted)
        return value

    @property
    def max_prompt_chars(self) -> int:
        """The longest text a call may send, in characters."""
        return _positive("MAX_PROMPT_CHARS", 2_000_000)

    @property
    def max_body_bytes(self) -> int:
        """The longest request body the REST API reads, in bytes."""
        return _positive("MAX_BODY_BYTES", 32_000_000)

    @property
    def max_tokens(self) -> int:
        """The most output tokens a call may ask for."""
        return _positive("MAX_TOKENS", 2_000_000)

    @property
    def encryption_keys(self) -> tuple[str, ...]:
        """Fernet keys for API keys at rest: the first encrypts, all decrypt. Empty means derived from SECRET_KEY."""
        value = _get("ENCRYPTION_KEYS", ())
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(key, str) for key in value):
            raise _wrong("ENCRYPTION_KEYS", "a list of Fernet keys (`Fernet.generate_key().decode()`)")
        return tuple(value)

    @property
    def proxy(self) -> str | None:
        """URL of the proxy that calls leave through."""
        url = _text("PROXY")
        if url:
            from creative_services.core.transport.tls import Proxy  # noqa: PLC0415 - sockets, which few settings need

            Proxy.parse(url)
        return url

    @property
    def ca_bundle(self) -> str | None:
        """Path of the certificate authorities to trust instead of the usual ones."""
        path = _get("CA_BUNDLE", None)
        if not path:
            return None
        if not isinstance(path, str | PathLike) or not Path(path).is_file():
            raise _wrong("CA_BUNDLE", "the path of a file of certificates")
        return str(path)

    def unknown_keys(self) -> list[str]:
        """Keys of the dict that mean nothing, sorted."""
        return sorted(str(name) for name in _all() if name not in SETTINGS)


def _all() -> Mapping[str, Any]:
    value = getattr(settings, "CREATIVE_SERVICES", {})
    if not isinstance(value, Mapping):
        msg = f"settings.CREATIVE_SERVICES must be a dict, not {type(value).__name__}."
        raise ConfigurationError(msg)
    return value


def _get(name: str, default: Any) -> Any:
    value = _all().get(name)
    return default if value is None else value


def _wrong(name: str, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"settings.CREATIVE_SERVICES: {name} must be {wanted}.")


def _tier(name: str, value: Any) -> LLMTier:
    try:
        return LLMTier(value)
    except ValueError:
        known = ", ".join(tier.value for tier in LLMTier)
        raise _wrong(name, f"of the tiers {known}; {value!r} is none") from None


def _hosts(name: str, value: Any) -> frozenset[str]:
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        raise _wrong(name, "a list of host names")
    for host in value:
        if not isinstance(host, str) or not _is_host(host):
            raise _wrong(name, f"a list of host names without scheme, port or path; {host!r} is none")
    return frozenset(host.lower().rstrip(".") for host in value)


def _is_host(text: str) -> bool:
    url = f"https://[{text}]" if text.count(":") > 1 else f"https://{text}"
    try:
        check_endpoint(url, Reach.ANY)
    except ConfigurationError:
        return False
    return split_endpoint(url).hostname == text.lower()


def _build(name: str, kind: type[Value]) -> Value:
    value = _get(name, {})
    if isinstance(value, kind):
        return value
    fields = ", ".join(kind.__dataclass_fields__)
    if not isinstance(value, Mapping) or not set(value) <= set(kind.__dataclass_fields__):
        raise _wrong(name, f"a dict with some of: {fields}")
    return kind(**value)


def _one_of(name: str, known: Sequence[str]) -> str:
    """The value of a setting whose default is the first of `known`."""
    value = _get(name, known[0])
    if value not in known:
        raise _wrong(name, f"one of: {', '.join(known)}; {value!r} is none")
    return str(value)


def _positive(name: str, default: int) -> int:
    value = _get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _wrong(name, f"an int above 0, not {value!r}")
    return value


def _are_rates(kind: Any, rates: Any) -> bool:
    return (
        kind in LIMITED_CALLERS
        and isinstance(rates, Mapping)
        and all(name in RATES and isinstance(most, int) and most > 0 for name, most in rates.items())
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(name: str) -> str | None:
    value = _get(name, None)
    if value is not None and not isinstance(value, str):
        raise _wrong(name, "a string")
    return value or None


app_settings = AppSettings()
