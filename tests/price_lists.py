"""Lists of prices as genai-prices holds them, of our own making."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot
from genai_prices.types import (
    ClauseEquals,
    ClauseStartsWith,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)

PATTERNS = {"openai": r"https://api\.openai\.com", "anthropic": r"https://api\.anthropic\.com"}


def priced(**per_million):
    return ModelPrice(**{f"{name}_mtok": _price(price) for name, price in per_million.items()})


def _price(price):
    if isinstance(price, tuple):
        base, start, dear = price
        return TieredPrices(base=Decimal(base), tiers=[Tier(start=start, price=Decimal(dear))])
    return Decimal(price)


def at_night(prices):
    """Holds for the first half of each day."""
    return ConditionalPrice(TimeOfDateConstraint(time(0, tzinfo=UTC), time(12, tzinfo=UTC)), prices=prices)


def from_tomorrow(prices):
    return ConditionalPrice(StartDateConstraint(datetime.now(UTC).date() + timedelta(days=1)), prices=prices)


def since_ever(prices):
    return ConditionalPrice(StartDateConstraint(date(2020, 1, 1)), prices=prices)


@contextmanager
def listing(provider="openai", **models):
    """These models are what the list has of the provider: prices by name, or all that the list knows of one."""
    infos = [
        given if isinstance(given, ModelInfo) else ModelInfo(id=name, match=ClauseEquals(equals=name), prices=given)
        for name, given in models.items()
    ]
    known = Provider(
        id=provider,
        name=provider,
        api_pattern=PATTERNS[provider],
        model_match=ClauseStartsWith(starts_with="mini"),
        models=infos,
    )
    set_custom_snapshot(DataSnapshot(providers=[known], from_auto_update=False))
    try:
        yield
    finally:
        set_custom_snapshot(None)
