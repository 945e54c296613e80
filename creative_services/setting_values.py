"""How single values of `settings.CREATIVE_SERVICES` are read. What cannot be meant raises ConfigurationError."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.conf import settings

from creative_services.core.endpoints import check_endpoint, split_endpoint
from creative_services.core.errors import ConfigurationError
from creative_services.core.limits import Limits, Retry
from creative_services.core.types import LLMTier, Reach

PERMISSION = re.compile(r"[^.\s]+\.\S+")
LIMITED_CALLERS = ("user", "machine_key", "caller")
RATES = ("requests_per_minute", "tokens_per_minute", "calls_at_once")

Value = TypeVar("Value", Limits, Retry)


def whole() -> Mapping[str, Any]:
    """The dict."""
    value = getattr(settings, "CREATIVE_SERVICES", {})
    if not isinstance(value, Mapping):
        msg = f"settings.CREATIVE_SERVICES must be a dict, not {type(value).__name__}."
        raise ConfigurationError(msg)
    return value


def get(name: str, default: Any) -> Any:
    """The value of this key, unchecked; the default where there is none or None."""
    value = whole().get(name)
    return default if value is None else value


def wrong(name: str, wanted: str) -> ConfigurationError:
    """The error of a value that is not what is wanted."""
    return ConfigurationError(f"settings.CREATIVE_SERVICES: {name} must be {wanted}.")


def tier(name: str, value: Any) -> LLMTier:
    """The tier that a value names."""
    try:
        return LLMTier(value)
    except ValueError:
        known = ", ".join(one.value for one in LLMTier)
        raise wrong(name, f"of the tiers {known}; {value!r} is none") from None


def tier_permissions(name: str) -> Mapping[LLMTier, str]:
    """Permissions by tier."""
    value = get(name, {})
    if not isinstance(value, Mapping):
        raise wrong(name, "a dict of tier to permission")
    for permission in value.values():
        if not isinstance(permission, str) or not PERMISSION.fullmatch(permission):
            raise wrong(name, f"of permissions such as 'app.codename'; {permission!r} is none")
    return {tier(name, key): permission for key, permission in value.items()}


def hosts(name: str, value: Any) -> frozenset[str]:
    """Host names, in lower case."""
    if isinstance(value, str) or not isinstance(value, Sequence | set | frozenset):
        raise wrong(name, "a list of host names")
    for host in value:
        if not isinstance(host, str) or not _is_host(host):
            raise wrong(name, f"a list of host names without scheme, port or path; {host!r} is none")
    return frozenset(host.lower().rstrip(".") for host in value)


def _is_host(text: str) -> bool:
    url = f"https://[{text}]" if text.count(":") > 1 else f"https://{text}"
    try:
        check_endpoint(url, Reach.ANY)
    except ConfigurationError:
        return False
    return split_endpoint(url).hostname == text.lower()


def build(name: str, kind: type[Value]) -> Value:
    """The value as an instance of this class, whose fields are the keys that may be given."""
    value = get(name, {})
    if isinstance(value, kind):
        return value
    fields = ", ".join(kind.__dataclass_fields__)
    if not isinstance(value, Mapping) or not set(value) <= set(kind.__dataclass_fields__):
        raise wrong(name, f"a dict with some of: {fields}")
    return kind(**value)


def one_of(name: str, known: Sequence[str]) -> str:
    """The value of a setting whose default is the first of `known`."""
    value = get(name, known[0])
    if value not in known:
        raise wrong(name, f"one of: {', '.join(known)}; {value!r} is none")
    return str(value)


def positive(name: str, default: int) -> int:
    """An int above 0."""
    value = get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise wrong(name, f"an int above 0, not {value!r}")
    return value


def rates(name: str) -> Mapping[str, Mapping[str, int]]:
    """Rates by kind of caller."""
    value = get(name, {})
    if not isinstance(value, Mapping) or not all(_are_rates(kind, each) for kind, each in value.items()):
        raise wrong(name, f"a dict of {', '.join(LIMITED_CALLERS)} to a dict of {', '.join(RATES)} to an int above 0")
    return value


def _are_rates(kind: Any, rates: Any) -> bool:
    return (
        kind in LIMITED_CALLERS
        and isinstance(rates, Mapping)
        and all(name in RATES and isinstance(most, int) and most > 0 for name, most in rates.items())
    )


def is_number(value: Any) -> bool:
    """Whether the value is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def text(name: str) -> str | None:
    """A string; None for none or the empty one."""
    value = get(name, None)
    if value is not None and not isinstance(value, str):
        raise wrong(name, "a string")
    return value or None
