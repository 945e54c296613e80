from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.forms import modelform_factory
from django.test import TestCase
from django.utils import timezone

from creative_services.adapters import DjangoLLMRegistry
from creative_services.adapters.budgets import Budgets, UncoveredError, correct, release, reserved_for
from creative_services.core.types import LLMEntry, LLMTier
from creative_services.models import Budget, BudgetPeriod
from creative_services.testing import LlmsFactory
from tests.ledger.plans import amounts, budget, planned

pytestmark = pytest.mark.django_db
transactional = pytest.mark.django_db(transaction=True)


def names(budgets, plan):
    return {claim.budget.name for claim in budgets.matching(connection, plan)}


def reserve(budgets, plan):
    claims = budgets.matching(connection, plan)
    with transaction.atomic():
        over = budgets.reserve(connection, claims, plan)
    return claims, over


def test_a_budget_without_scope_counts_every_call():
    budget()

    assert names(Budgets(), planned()) == {"Team"}


@pytest.mark.parametrize(
    ("scope", "fits", "others"),
    [
        ({"user_id": 3}, {"user_id": 3}, [{}, {"user_id": 4}]),
        ({"machine_key_id": 5}, {"machine_key_id": 5}, [{}, {"machine_key_id": 6}]),
        ({"tier": "standard", "user_id": 3}, {"user_id": "3"}, [{}]),
        ({"llm_id": 7}, {}, []),
    ],
)
def test_a_budget_counts_the_calls_that_fit_all_parts_of_its_scope(scope, fits, others):
    budget(**scope)
    budgets = Budgets()

    assert names(budgets, planned(**fits)) == {"Team"}
    for other in others:
        assert names(budgets, planned(**other)) == set()


def test_a_budget_of_another_tier_or_llm_does_not_count_the_call():
    budget(name="premium", tier="premium")
    budget(name="another", llm_id=8)

    assert names(Budgets(), planned()) == set()


@transactional
def test_a_groups_budget_counts_its_users_calls_as_soon_as_they_join(django_assert_num_queries):
    group = Group.objects.create(name="writers")
    user = get_user_model().objects.create_user("ann")
    user.groups.add(Group.objects.create(name="others"))
    budget(group=group)
    budgets = Budgets()

    assert names(budgets, planned(user_id=user.pk)) == set()
    assert names(budgets, planned()) == set()
    user.groups.add(group)
    assert names(budgets, planned(user_id=user.pk)) == {"Team"}
    with django_assert_num_queries(2):  # the token, since this plan comes from no registry, and the groups
        names(budgets, planned(user_id=user.pk))


@transactional
def test_what_the_registry_has_just_read_needs_no_further_statement(django_assert_num_queries):
    LlmsFactory()
    budget()
    registry, budgets = DjangoLLMRegistry(), Budgets()
    names(budgets, planned(entry=registry.get_by_tier("standard")))

    entry = registry.get_by_tier("standard")
    with django_assert_num_queries(0):
        assert names(budgets, planned(entry=entry)) == {"Team"}


@transactional
def test_a_changed_limit_and_an_inactive_budget_hold_for_the_next_call():
    LlmsFactory()
    row = budget("10")
    registry, budgets = DjangoLLMRegistry(), Budgets()

    def limits():
        claims = budgets.matching(connection, planned(entry=registry.get_by_tier("standard")))
        return [claim.budget.limit for claim in claims]

    assert limits() == [Decimal(10)]
    Budget.objects.update(limit=Decimal(20))
    assert limits() == [Decimal(20)]
    row.is_active = False
    row.save()
    assert limits() == []
    row.delete()
    assert limits() == []


def test_a_reservation_is_taken_from_every_budget_or_from_none():
    budget("10", name="wide")
    budget("1.5", name="narrow")
    budgets = Budgets()

    reserve(budgets, planned("1"))
    with pytest.raises(UncoveredError):
        reserve(budgets, planned("1"))

    assert amounts("wide") == amounts("narrow") == (0, 1)


def test_a_budget_is_spent_to_its_last_unit_and_no_further():
    budget("1")
    budgets = Budgets()
    reserve(budgets, planned("0.999999999999"))

    with pytest.raises(UncoveredError):
        reserve(budgets, planned("0.0000000000011"))
    reserve(budgets, planned("0.0000000000009"))

    assert amounts() == (0, 1)


def test_what_is_reserved_is_rounded_up_and_bounded():
    assert reserved_for(planned("0.0000000000001")) == Decimal("0.000000000001")
    assert reserved_for(planned("1e12")) == 1_000_000
    assert reserved_for(planned(None)) is None


def test_the_refusal_names_the_tightest_budget_and_what_it_has_left():
    budget("100", name="wide")
    budget("10", name="tight", period="total")
    budget("20", name="other", period="day")
    budgets = Budgets()
    claims, _ = reserve(budgets, planned("9.5"))

    error = budgets.refusal(connection, claims, planned("0.75"))

    assert str(error) == (
        "The budget 'tight' of $10 in all has $0.500000 left, and this call may cost $0.750000 with 'GPT'. It does not "
        "reset. Raise its limit in the admin, or ask for fewer max_tokens."
    )
    assert (error.budget, error.resets_at, error.available) == ("tight", None, Decimal("0.5"))
    assert budgets.refusal(connection, claims, planned("0.5")) is None


def test_the_refusal_says_when_the_budget_resets():
    budget("10", period="day")
    budgets = Budgets()
    claims = budgets.matching(connection, planned())

    error = budgets.refusal(connection, claims, planned("11"))

    assert error.resets_at == claims[0].resets_at > timezone.now()
    assert f"It resets at {error.resets_at:%Y-%m-%d} 00:00 UTC." in str(error)
    with pytest.raises(UncoveredError):
        reserve(budgets, planned("11"))


def test_an_overdrawn_budget_has_nothing_left_and_lets_free_calls_pass():
    budget("1")
    budgets = Budgets()
    claims, _ = reserve(budgets, planned("1"))
    budgets.settle(connection, claims, Decimal(1), Decimal(3))

    assert budgets.refusal(connection, claims, planned("0.1")).available == 0
    assert budgets.refusal(connection, claims, planned("0")) is None
    assert reserve(budgets, planned("0"))[1] == []


@pytest.mark.parametrize(
    ("plan", "cause"),
    [
        ({"worst_case": None}, "the prices of 'GPT' are not known. Enter them in the admin"),
        ({"unbounded": "a file by URL"}, "a file by URL may be billed without bound. Leave it out"),
    ],
)
def test_a_hard_budget_covers_no_call_of_unknown_cost_unless_it_allows_them(plan, cause):
    row = budget()
    budgets = Budgets()

    with pytest.raises(UncoveredError):
        reserve(budgets, planned(**plan))
    error = budgets.refusal(connection, budgets.matching(connection, planned()), planned(**plan))
    row.allows_unpriced = True
    row.save()

    assert cause in str(error)
    assert (error.budget, error.available) == ("Team", None)
    claims, over = reserve(budgets, planned(**plan))
    assert (over, budgets.refusal(connection, claims, planned(**plan))) == ([], None)


@pytest.mark.parametrize(("tier", "is_covered"), [("local", True), ("standard", False)])
def test_only_a_free_llm_of_ones_own_is_covered_whatever_it_is_asked_for(tier, is_covered):
    budget()
    plan = planned("0", entry=LLMEntry(7, "GPT", "acme", "m", tier), unbounded="the parameter 'mirostat'")
    budgets = Budgets()

    refused = budgets.refusal(connection, budgets.matching(connection, plan), plan)

    assert (refused is None) is is_covered


def test_a_soft_budget_lets_calls_pass_counts_them_and_says_which_exceed_it():
    budget("1", is_hard=False)
    budgets = Budgets()

    claims, within = reserve(budgets, planned("0.75"))
    _, over = reserve(budgets, planned("0.75"))

    assert (within, [claim.budget.name for claim in over]) == ([], ["Team"])
    assert amounts() == (0, Decimal("1.5"))
    assert budgets.refusal(connection, claims, planned("5")) is None
    assert reserve(budgets, planned(None))[1] == []


def test_settling_turns_what_was_reserved_into_what_it_did_cost():
    budget("10")
    budgets = Budgets()
    claims, _ = reserve(budgets, planned("1"))

    assert budgets.settle(connection, claims, Decimal(1), Decimal("0.25")) == []

    assert amounts() == (Decimal("0.25"), 0)


@transactional
def test_settling_what_has_no_cost_takes_no_statement(django_assert_num_queries):
    budget("10")
    budgets = Budgets()
    claims = budgets.matching(connection, planned())

    with django_assert_num_queries(0):
        assert budgets.settle(connection, claims, None, None) == []
        assert budgets.settle(connection, [], Decimal(1), Decimal(1)) == []


@transactional
def test_a_budget_warns_once_in_a_period(django_assert_num_queries):
    budget("10", warn_at_percent=50)
    budgets = Budgets()
    claims, _ = reserve(budgets, planned("9"))

    def spend(cost):
        return [claim.budget.name for claim in budgets.settle(connection, claims, Decimal(0), Decimal(cost))]

    with django_assert_num_queries(1):
        assert spend("4.99") == []
    assert spend("0.01") == ["Team"]
    assert BudgetPeriod.objects.get().warned_at is not None
    with django_assert_num_queries(1):
        assert spend("1") == []
    assert amounts() == (6, 9)


def test_two_that_pass_the_mark_at_once_warn_once_between_them():
    budget("10", warn_at_percent=50)
    budgets = Budgets()
    claims = budgets.matching(connection, planned())

    def other_process_warns_in_between(execute, sql, *rest):
        result = execute(sql, *rest)
        if "warned_at IS NOT NULL" in sql:
            BudgetPeriod.objects.update(warned_at=timezone.now())
        return result

    with connection.execute_wrapper(other_process_warns_in_between):
        assert budgets.settle(connection, claims, None, Decimal(6)) == []

    assert amounts() == (6, 0)


def test_a_lost_call_is_charged_and_corrected_when_it_comes_back():
    budget("10")
    budgets = Budgets()
    claims, _ = reserve(budgets, planned("1"))
    ids = [claim.period_id for claim in claims]

    release(connection, ids, Decimal(1))
    assert amounts() == (1, 0)
    correct(connection, ids, Decimal(1), Decimal("0.25"))
    assert amounts() == (Decimal("0.25"), 0)
    correct(connection, ids, Decimal("0.25"), None)
    assert amounts() == (0, 0)


@transactional
def test_rows_that_were_deleted_by_hand_are_made_again():
    budget("10")
    budgets = Budgets()
    claims = budgets.matching(connection, planned())
    BudgetPeriod.objects.all().delete()

    with pytest.raises(UncoveredError):
        reserve(budgets, planned())
    assert budgets.refusal(connection, claims, planned()) is None
    reserve(budgets, planned())

    assert amounts() == (0, 1)


def test_a_new_period_begins_with_nothing_spent():
    budget("1", period="month", time_zone="Europe/Berlin")
    moments = [datetime(2026, 11, 30, 22, 59, tzinfo=UTC), datetime(2026, 11, 30, 23, tzinfo=UTC)]
    budgets = Budgets(now=iter(moments).__next__)

    rows = [reserve(budgets, planned("1"))[0][0].period_id for _ in moments]

    november, december = (BudgetPeriod.objects.get(pk=pk) for pk in rows)
    assert november.starts_at == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert november.ends_at == december.starts_at == moments[1]


class InsideATestCase(TestCase):
    def test_a_periods_row_that_may_be_rolled_back_is_not_remembered(self):
        budget()
        budgets = Budgets()
        with transaction.atomic():
            reserve(budgets, planned())
            transaction.set_rollback(True)

        reserve(budgets, planned())

        assert amounts() == (0, 1)


@pytest.mark.parametrize("zone", ["Nowhere/Atlantis", "Europe", "../etc/passwd"])
def test_an_unknown_time_zone_is_refused_in_forms_and_counted_in_utc_otherwise(zone, caplog):
    row = budget(period="day")
    row.time_zone = zone
    with pytest.raises(ValidationError, match="Europe/Berlin"):
        row.full_clean()
    Budget.objects.update(time_zone=zone)

    (claim,) = Budgets().matching(connection, planned())

    assert claim.resets_at.hour == 0
    assert zone in caplog.text


@pytest.mark.parametrize("limit", ["0", "-1", "1000001"])
def test_a_limit_that_cannot_be_meant_is_refused_in_forms(limit):
    with pytest.raises(ValidationError, match="above 0"):
        Budget(name="x", limit=Decimal(limit)).full_clean()
    Budget(name="x", limit=Decimal("0.01")).full_clean()


@transactional
def test_budgets_of_a_deleted_llm_go_with_it():
    row = LlmsFactory()
    budget(llm=row)
    budgets, registry = Budgets(), DjangoLLMRegistry()
    entry = registry.get_by_id(row.pk)
    assert names(budgets, planned(entry=entry)) == {"Team"}

    row.delete()

    assert not Budget.objects.exists()
    assert names(budgets, planned(entry=LLMEntry(row.pk, "GPT", "openai", "m", LLMTier.STANDARD))) == set()


@pytest.mark.parametrize(("limit", "is_valid"), [("1000000", True), ("0.000000000001", True), ("1000000.01", False)])
def test_the_form_takes_every_limit_that_can_be_meant(limit, is_valid):
    form = modelform_factory(Budget, fields=["limit"])({"limit": limit})
    assert form.is_valid() is is_valid
