"""docs/wires.md counts what the suites look at, and nothing recorded is left out without its reason there."""

from __future__ import annotations

from pathlib import Path

import pytest

from creative_services.core.providers import PROVIDERS, WIRE_NAMES

from . import census
from .traffic import TRAFFIC, needs_traffic

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "wires.md").read_text()


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.name)
def test_the_page_says_which_wire_a_provider_speaks(provider):
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{provider.wire}`"))
    assert f"`{provider.name}`" in line


# The page is about the recordings it was written for; with others in their place it has nothing to say.
IS_OTHER_SET = TRAFFIC.is_dir() and census.this_set() != census.COUNTED_SET


@needs_traffic
def test_the_page_counts_as_the_suites_do():
    assert IS_OTHER_SET or census.table() in PAGE


@needs_traffic
@pytest.mark.parametrize("wire", WIRE_NAMES)
def test_only_answers_that_somebody_made_up_are_left_out(wire):
    assert set(census.left_out(wire).values()) <= {"constructed", "reconstructed"}


@needs_traffic
@pytest.mark.parametrize("wire", WIRE_NAMES)
def test_every_answer_that_is_left_out_is_named(wire):
    assert IS_OTHER_SET or all(f"`{name}`" in PAGE for name in census.left_out(wire))


@needs_traffic
@pytest.mark.parametrize("wire", WIRE_NAMES)
def test_every_real_request_that_cannot_be_built_is_named_with_its_reason(wire):
    assert IS_OTHER_SET or all(f"`{name}`" in PAGE for name, why in census.unbuilt(wire).items() if why != "made up")
