"""Embeddings are booked and fit budgets: they have no output, so that no price of output is asked for."""

import json
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync

from creative_services import BudgetExceededError
from creative_services.adapters import get_client, get_sync_client
from creative_services.models import Budget, BudgetPeriod, LlmCall
from creative_services.testing import LlmsFactory, RawReply, override_llms

pytestmark = pytest.mark.django_db

ANSWER = {
    "data": [{"index": 0, "embedding": [0.5]}],
    "model": "small",
    "usage": {"prompt_tokens": 8, "total_tokens": 8},
}


def embed(**arguments):
    return get_sync_client().embed("Hello", **arguments)


def embed_async(**arguments):
    return async_to_sync(get_client().embed)("Hello", **arguments)


@pytest.mark.parametrize("ask", [embed, embed_async])
@pytest.mark.parametrize("output_price", [None, 0, 5])
def test_an_embedding_is_booked_with_the_cost_of_its_input_and_counts_in_a_hard_budget(ask, output_price):
    row = LlmsFactory(cost_per_1k_input=0.02, cost_per_1k_output=output_price)
    Budget.objects.create(name="All", limit=Decimal("0.01"), period="total")
    with override_llms() as provider:
        provider.answer_with(RawReply([json.dumps(ANSWER).encode()]))
        ask(llm_id=row.pk)
        with pytest.raises(BudgetExceededError):
            ask(llm_id=row.pk, extra={"user": "x" * 1000})

    call = LlmCall.objects.get()
    assert (call.input_tokens, call.output_tokens) == (8, None)
    assert (call.cost, call.cost_source, call.is_estimated) == (Decimal("0.00016"), "prices", False)
    assert BudgetPeriod.objects.get().spent == call.cost
    assert call.reserved > call.cost
