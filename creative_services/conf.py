"""The project's settings: one dict, `settings.CREATIVE_SERVICES`, read on access, typed, every key optional."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

from creative_services import setting_values as values
from creative_services.core.base_client import STRATEGIES, UPSTREAMS
from creative_services.core.limits import Limits, Retry
from creative_services.core.types import LLMTier
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
    "MAX_PROMPT_TOKENS",
    "MAX_MESSAGES",
    "MAX_IMAGE_BYTES",
    "MAX_BODY_BYTES",
    "MAX_TOKENS",
    "PROXY",
    "CA_BUNDLE",
)


# One property per setting.
class AppSettings:  # noqa: PLR0904
    """`settings.CREATIVE_SERVICES` as typed attributes.

    A value that cannot be meant raises ConfigurationError, which names the setting and never its value where that
    may be a secret.
    """

    @property
    def default_tier(self) -> LLMTier:
        """The tier of a call that names none."""
        return values.tier("DEFAULT_TIER", values.get("DEFAULT_TIER", LLMTier.STANDARD))

    @property
    def endpoints_allow_private(self) -> bool:
        """Whether rows of every tier may point to loopback and private addresses."""
        value = values.get("ENDPOINTS_ALLOW_PRIVATE", False)
        if not isinstance(value, bool):
            raise values.wrong("ENDPOINTS_ALLOW_PRIVATE", "True or False")
        return value

    @property
    def local_hosts(self) -> frozenset[str]:
        """Host names that LOCAL rows may name although their addresses are public; lower case."""
        return values.hosts("LOCAL_HOSTS", values.get("LOCAL_HOSTS", ()))

    @property
    def key_variables(self) -> Mapping[str, frozenset[str]]:
        """Environment variables that `env:` references may use beyond the providers' own, each with its hosts."""
        value = values.get("KEY_VARIABLES", {})
        if not isinstance(value, Mapping) or not all(isinstance(name, str) and name for name in value):
            raise values.wrong("KEY_VARIABLES", "a dict of environment variable to list of host names")
        return {name: values.hosts(f"KEY_VARIABLES[{name!r}]", hosts) for name, hosts in value.items()}

    @property
    def limits(self) -> Limits:
        """Time a call may take."""
        return values.build("LIMITS", Limits)

    @property
    def retry(self) -> Retry:
        """How often the same LLM is asked again."""
        return values.build("RETRY", Retry)

    @property
    def fallback_tiers(self) -> tuple[LLMTier, ...]:
        """Tiers that take over when the asked one has no answer, in this order."""
        value = values.get("FALLBACK_TIERS", ())
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise values.wrong("FALLBACK_TIERS", "a list of tiers")
        return tuple(values.tier("FALLBACK_TIERS", tier) for tier in value)

    @property
    def tier_permissions(self) -> Mapping[LLMTier, str]:
        """What users of the REST API need for these tiers beside `creative_services.generate`, as `app.codename`."""
        return values.tier_permissions("TIER_PERMISSIONS")

    @property
    def ledger(self) -> LedgerOptions | None:
        """How the ledger is kept; None for not at all."""
        return ledger_options(values.get("LEDGER", True))

    @property
    def ledger_database(self) -> str | Path | None:
        """The alias of the ledger's database, or its SQLite file; None: the one of the other rows."""
        value = values.get("LEDGER_DATABASE", None)
        return None if value is None else ledger_place(value)

    @property
    def strategy(self) -> str:
        """In which order a tier's LLMs are asked: "cheapest", or "cheapest_for_call"."""
        return values.one_of("STRATEGY", STRATEGIES)

    @property
    def generate_upstream(self) -> str:
        """What providers are asked for where whole answers are wanted: "whole", or "stream"."""
        return values.one_of("GENERATE_UPSTREAM", UPSTREAMS)

    @property
    def hedge_after(self) -> float | None:
        """Seconds after which a second LLM is asked as well, if the first has not begun to answer; None for never."""
        value = values.get("HEDGE_AFTER", None)
        if value is not None and not (values.is_number(value) and value > 0):
            raise values.wrong("HEDGE_AFTER", "a number of seconds above 0, or None")
        return None if value is None else float(value)

    @property
    def hedge_share(self) -> float:
        """The share of calls that may ask a second LLM so, from 0 to 1."""
        value = values.get("HEDGE_SHARE", 0.05)
        if not (values.is_number(value) and 0 <= value <= 1):
            raise values.wrong("HEDGE_SHARE", "a number from 0 to 1")
        return float(value)

    @property
    def rate_limits(self) -> Mapping[str, Mapping[str, int]]:
        """What each user, machine key and named caller may have, per minute and at once."""
        return values.rates("RATE_LIMITS")

    @property
    def max_prompt_chars(self) -> int:
        """The longest text a call may send, in characters."""
        return values.positive("MAX_PROMPT_CHARS", 2_000_000)

    @property
    def max_prompt_tokens(self) -> int | None:
        """The longest text a call may send, in tokens of four bytes; None for as long as its characters may be."""
        return None if values.get("MAX_PROMPT_TOKENS", None) is None else values.positive("MAX_PROMPT_TOKENS", 1)

    @property
    def max_messages(self) -> int:
        """The most messages a call may send."""
        return values.positive("MAX_MESSAGES", 10_000)

    @property
    def max_image_bytes(self) -> int:
        """The largest image a call may send along, in bytes."""
        return values.positive("MAX_IMAGE_BYTES", 20_000_000)

    @property
    def max_body_bytes(self) -> int:
        """The longest request body the REST API reads, in bytes."""
        return values.positive("MAX_BODY_BYTES", 32_000_000)

    @property
    def max_tokens(self) -> int:
        """The most output tokens a call may ask for."""
        return values.positive("MAX_TOKENS", 2_000_000)

    @property
    def encryption_keys(self) -> tuple[str, ...]:
        """Fernet keys for API keys at rest: the first encrypts, all decrypt. Empty means derived from SECRET_KEY."""
        value = values.get("ENCRYPTION_KEYS", ())
        if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(key, str) for key in value):
            raise values.wrong("ENCRYPTION_KEYS", "a list of Fernet keys (`Fernet.generate_key().decode()`)")
        return tuple(value)

    @property
    def proxy(self) -> str | None:
        """URL of the proxy that calls leave through."""
        url = values.text("PROXY")
        if url:
            from creative_services.core.transport.tls import Proxy  # noqa: PLC0415 - sockets, which few settings need

            Proxy.parse(url)
        return url

    @property
    def ca_bundle(self) -> str | None:
        """Path of the certificate authorities to trust instead of the usual ones."""
        path = values.get("CA_BUNDLE", None)
        if not path:
            return None
        if not isinstance(path, str | PathLike) or not Path(path).is_file():
            raise values.wrong("CA_BUNDLE", "the path of a file of certificates")
        return str(path)

    def unknown_keys(self) -> list[str]:
        """Keys of the dict that mean nothing, sorted."""
        return sorted(str(name) for name in values.whole() if name not in SETTINGS)


app_settings = AppSettings()
