import pytest

from creative_services.adapters import DjangoLLMRegistry
from creative_services.core.types import LLMTier
from creative_services.testing import LlmsFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("tier", list(LLMTier))
def test_rows_of_every_tier_are_valid_and_usable(tier: LLMTier) -> None:
    row = LlmsFactory.create(tier=tier.value)

    row.full_clean()
    entry = DjangoLLMRegistry().get_by_tier(tier)
    assert entry is not None
    assert (entry.id, entry.unusable) == (row.pk, None)


def test_the_first_made_is_the_first_asked() -> None:
    rows = LlmsFactory.create_batch(3)

    entries = list(DjangoLLMRegistry().candidates(LLMTier.STANDARD))

    assert [entry.name for entry in entries] == [row.name for row in rows]


def test_every_field_can_be_given() -> None:
    row = LlmsFactory.create(
        name="Ours",
        provider="anthropic",
        model="claude",
        api_key=None,
        cost_per_1k_input=None,
        context_window=9000,
        supports_tools=False,
    )

    assert (row.name, row.provider, row.model, row.api_key, row.cost_per_1k_input) == (
        "Ours",
        "anthropic",
        "claude",
        None,
        None,
    )
    assert (row.context_window, row.supports_tools, row.supports_images) == (9000, False, None)
