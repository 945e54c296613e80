"""Fixtures for pytest. Enabled by `pytest_plugins = ["creative_services.testing.plugin"]` in the top conftest.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from creative_services.testing.provider import FakeProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from creative_services.testing.factories import LlmsFactory


@pytest.fixture
def fake_provider() -> FakeProvider:
    """A provider without a network, to be scripted with `answer_with`."""
    return FakeProvider()


@pytest.fixture
def llms(db: None, fake_provider: FakeProvider) -> Iterator[type[LlmsFactory]]:
    """LlmsFactory; the project's clients have the rows made with it, and `fake_provider` answers for them."""
    from creative_services.testing.factories import LlmsFactory  # noqa: PLC0415 - needs the app registry
    from creative_services.testing.overrides import override_llms  # noqa: PLC0415 - needs settings

    with override_llms(provider=fake_provider):
        yield LlmsFactory
