"""Caches whose time and whose health are a test's to decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.cache.backends.locmem import LocMemCache


class ObservedCache(LocMemCache):
    """In memory; OPTIONS name a `clock`, and `on_call`, which hears each method's name and may raise."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(name, params)
        self.clock: Callable[[], float] = params["OPTIONS"]["clock"]
        self.on_call: Callable[[str], object] = params["OPTIONS"].get("on_call", str)

    def get_backend_timeout(self, timeout: Any = None) -> float:
        return self.clock() + timeout

    def _has_expired(self, key: str) -> bool:
        return self._expire_info.get(key, 0.0) <= self.clock()

    def get(self, *args: Any, **kwargs: Any) -> Any:
        self.on_call("get")
        return super().get(*args, **kwargs)

    def get_many(self, keys: Any, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        self.on_call("get_many")
        found = ((key, super(ObservedCache, self).get(key, *args, **kwargs)) for key in keys)
        return {key: value for key, value in found if value is not None}

    def set(self, *args: Any, **kwargs: Any) -> Any:
        self.on_call("set")
        return super().set(*args, **kwargs)

    def add(self, *args: Any, **kwargs: Any) -> Any:
        self.on_call("add")
        return super().add(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        self.on_call("delete")
        return super().delete(*args, **kwargs)

    def delete_many(self, *args: Any, **kwargs: Any) -> Any:
        self.on_call("delete_many")
        return super().delete_many(*args, **kwargs)


def observed(clock: Callable[[], float], on_call: Callable[[str], object] = str) -> dict[str, Any]:
    """CACHES with such a cache."""
    options = {"clock": clock, "on_call": on_call}
    return {"default": {"BACKEND": "tests.contracts.caches.ObservedCache", "LOCATION": "observed", "OPTIONS": options}}
