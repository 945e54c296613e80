"""Puts LLMs of a test in the place of the project's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.test.utils import TestContextDecorator

from creative_services.adapters.clients import stand_in
from creative_services.core.llm_registry import DictRegistry
from creative_services.testing.provider import FakeProvider

if TYPE_CHECKING:
    from creative_services.core.types import LLMEntry


class override_llms(TestContextDecorator):  # noqa: N801 - named like override_settings, which it is used like
    """Within it, `get_client()` and `get_sync_client()` have exactly these LLMs, and a FakeProvider answers.

    Given no entries, they have the rows of the test's database. `with` gives the provider; it also decorates test
    functions, plain and async, and TestCase classes. It holds for the whole process, so a live server's threads see
    it too. Clients made before are unaffected: ask for them inside.
    """

    def __init__(self, *entries: LLMEntry, provider: FakeProvider | None = None) -> None:
        super().__init__()
        self.registry = DictRegistry(entries) if entries else None
        self.provider = FakeProvider() if provider is None else provider

    # The stubs give the base's `with` the type of another of its children.
    def __enter__(self) -> FakeProvider:  # type: ignore[override]
        return self.enable()

    def enable(self) -> FakeProvider:
        self._undo = stand_in(self.provider, self.registry)
        return self.provider

    def disable(self) -> None:
        self._undo()
