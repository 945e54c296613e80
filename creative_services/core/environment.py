"""The documented LLMs, as the environment's variables ask for them. Given a mapping; reads no environment itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from creative_services.core.endpoints import check_endpoint, complete_base, literal_address, split_endpoint
from creative_services.core.errors import ConfigurationError
from creative_services.core.known_models import ABILITIES, Abilities, Price
from creative_services.core.providers import PROVIDERS, Provider, price, retirement
from creative_services.core.secret import Secret
from creative_services.core.types import LLMEntry, LLMTier, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from creative_services.core.known_models import DefaultModel

_FREE = Price(0.0, 0.0)


def entries_from(environ: Mapping[str, str], *, successors: bool) -> Iterator[LLMEntry]:
    """The entries of `DictRegistry.from_env`, whose docstring says which variables bring them."""
    for provider in PROVIDERS.values():
        if not provider.models:
            continue
        key = _key(environ, provider) if provider.needs_key else None
        endpoint = _endpoint(environ, provider)
        if key is None and (provider.needs_key or endpoint is None):
            continue
        for tier, default in provider.models.items():
            yield _entry(environ, provider, (tier, default), (key, endpoint), successors=successors)


def _entry(
    environ: Mapping[str, str],
    provider: Provider,
    cell: tuple[LLMTier, DefaultModel],
    access: tuple[str | None, str | None],
    *,
    successors: bool,
) -> LLMEntry:
    tier, default = cell
    name, model, temperature = default.name, default.model, LLMEntry.temperature
    ending = retirement(provider.name, model)
    chosen = _chosen_model(environ, provider, tier)
    if chosen is not None:
        name = name if chosen == model or not provider.needs_key else chosen
        model = chosen
    elif successors and ending is not None and default.successor_name is not None:
        # The successor's own temperature: newer models refuse to be given one.
        name, model, temperature = default.successor_name, ending.successor, None
    # A server of one's own that takes no key sends no bill.
    cost = price(provider.name, model) if provider.needs_key else _FREE
    able = ABILITIES.get((provider.name, model), Abilities())
    return LLMEntry(
        id=default.id,
        name=name,
        provider=provider.name,
        model=model,
        tier=tier,
        api_key=access[0],
        api_endpoint=access[1],
        temperature=temperature,
        cost_per_1k_input=cost.input,
        cost_per_1k_output=cost.output,
        cost_per_1k_cache_read=cost.cache_read,
        cost_per_1k_cache_write=cost.cache_write,
        context_window=able.context_window,
        supports_images=able.images,
        supports_tools=able.tools,
        supports_json_schema=able.json_schema,
    )


def _chosen_model(environ: Mapping[str, str], provider: Provider, tier: LLMTier) -> str | None:
    prefix = provider.name.upper()
    chosen = _value(environ, f"{prefix}_{tier.value.upper()}_MODEL")
    if chosen is None and not provider.needs_key:
        chosen = _value(environ, f"{prefix}_MODEL")
    return chosen


def _value(environ: Mapping[str, str], variable: str) -> str | None:
    """The variable's value without surrounding white space; a blank one is an absent one."""
    return environ.get(variable, "").strip() or None


def _key(environ: Mapping[str, str], provider: Provider) -> str | None:
    for variable in provider.key_variables:
        key = Secret(_value(environ, variable) or "")
        if key:
            if not key.isascii() or not key.isprintable():
                msg = (
                    f"{variable} holds characters that no HTTP header can carry. Set it to the key alone, on one line."
                )
                raise ConfigurationError(msg)
            return key
    return None


def _endpoint(environ: Mapping[str, str], provider: Provider) -> str | None:
    """The endpoint that the variables name, checked; `<PROVIDER>_HOST` is for servers of one's own."""
    prefix = provider.name.upper()
    variable = f"{prefix}_BASE_URL"
    endpoint = _value(environ, variable)
    try:
        if endpoint is None and not provider.needs_key:
            variable = f"{prefix}_HOST"
            host = _value(environ, variable)
            endpoint = None if host is None else host_url(host, provider)
        if endpoint is not None:
            check_endpoint(endpoint, Reach.ANY)
    except ConfigurationError as error:
        raise ConfigurationError(f"{variable}: {error}") from None
    return endpoint


def host_url(host: str, provider: Provider) -> str:
    """The base URL that a server's own host variable means: `host`, `host:port` or a URL.

    A missing port is the provider's, except with https, where a proxy stands in front; an address to listen on
    everywhere (0.0.0.0) is this machine.
    """
    parts = split_endpoint(_as_url(host.strip("\"'")))
    name = parts.hostname or ""
    address = literal_address(name)
    if address is not None and address.is_unspecified:
        name = "127.0.0.1" if address.version == 4 else "::1"
    port = parts.port
    if port is None and parts.scheme == "http":
        port = urlsplit(provider.base_url).port
    shown = f"[{name}]" if ":" in name else name
    base = f"{parts.scheme}://{shown}" if port is None else f"{parts.scheme}://{shown}:{port}"
    return complete_base(base + parts.path, provider.base_path, always=True)


def _as_url(host: str) -> str:
    if "://" in host:
        return host
    if host.startswith(":") and not host.startswith("::"):
        return f"http://127.0.0.1{host}"
    # An IPv6 address may stand without the brackets that a URL needs.
    is_bare = host.count(":") > 1 and not host.startswith("[")
    return f"http://[{host}]" if is_bare else f"http://{host}"
