"""What models cost by the list of the package genai-prices, which is looked at only when somebody asks for prices."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from creative_services.core.errors import ConfigurationError
from creative_services.core.providers import default_hosts
from creative_services.fields.endpoint import origin_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from creative_services.models import Llms

KEYS = {
    "cost_per_1k_input": "input_mtok",
    "cost_per_1k_output": "output_mtok",
    "cost_per_1k_cache_read": "cache_read_mtok",
    "cost_per_1k_cache_write": "cache_write_mtok",
}
"""Our columns and the list's names for them; its prices are per million tokens."""


@dataclass(frozen=True, slots=True)
class ListedPrices:
    """The prices of one model, by the names of our columns, in US dollars per 1,000 tokens; None is not listed.

    `source` is the list with its version, and what the prices leave out.
    """

    prices: Mapping[str, float | None]
    source: str


class PriceList:
    """The list as it is installed. Raises ConfigurationError if it is not."""

    def __init__(self) -> None:
        try:
            self._list: Any = import_module("genai_prices")
        except ImportError:
            raise ConfigurationError(
                "Prices come from the package genai-prices, which is not installed. "
                "Install it with: pip install 'creative-services[prices]'."
            ) from None
        self._now = datetime.datetime.now(datetime.UTC)

    def find(self, row: Llms) -> ListedPrices | None:
        """The list prices of the row's model at the host that its calls go to; None for what is not listed."""
        origin, url = origin_of(row.provider, row.api_endpoint), row.api_endpoint.strip()
        is_providers_own = urlsplit(origin).hostname in default_hosts(row.provider)
        # Whoever runs another host sets its own prices, whatever the row calls the provider and the model.
        where = {"provider_id": row.provider.strip().lower()} if is_providers_own else {"provider_api_url": url}
        try:
            found = self._list.calc_price(self._list.Usage(), row.model, **where)
        except LookupError:
            return None
        return self._listed(found.model)

    def _listed(self, model: Any) -> ListedPrices | None:
        # Some prices depend on the time of day: the dearest of them is never too little.
        times = [self._now.replace(hour=hour, minute=0) for hour in range(24)]
        options = [model.get_prices(time) for time in (times if isinstance(model.prices, list) else [self._now])]
        prices = {column: _dearest([getattr(option, key) for option in options]) for column, key in KEYS.items()}
        if prices["cost_per_1k_input"] is None and prices["cost_per_1k_output"] is None:
            return None
        if prices["cost_per_1k_output"] is None and not any("output" in key for key in vars(options[0])):
            prices["cost_per_1k_output"] = 0.0  # embeddings have no output to bill
        return ListedPrices(prices, f"genai-prices {self._list.__version__}{_note(options)}")


def _dearest(prices: list[Any]) -> float | None:
    known: list[Decimal] = [getattr(price, "base", price) for price in prices if price is not None]
    return float(max(known) / 1000) if known else None


def _note(options: list[Any]) -> str:
    listed = [price for option in options for price in vars(option).values()]
    starts = [tier.start for price in listed for tier in getattr(price, "tiers", ())]
    text = f"; dearer above {min(starts):,} tokens" if starts else ""
    return text + ("; and fees per request" if any(vars(option).get("requests_kcount") for option in options) else "")
