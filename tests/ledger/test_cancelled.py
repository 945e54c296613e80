"""Calls that are cancelled while they are being booked: no reservation is left that nobody settles."""

import asyncio
import gc
import threading

import pytest
from asgiref.sync import async_to_sync

from creative_services.adapters import get_client
from creative_services.adapters.finishing import to_the_end
from creative_services.models import LlmCall
from creative_services.signals import budget_exceeded, llm_call_finished
from creative_services.testing import FakeProvider, LlmsFactory, Reply, override_llms
from tests.ledger.plans import amounts, budget
from tests.ledger.wrapping import wrapping

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def provider():
    LlmsFactory(cost_per_1k_input=1, cost_per_1k_output=1)
    budget("100000")
    with override_llms() as provider:
        yield provider


def cancelled_during(kind):
    """Ask, and cancel the call twice while the ledger's thread is at its first statement that begins so."""
    has_begun, may_go_on = threading.Event(), threading.Event()

    def hold(execute, sql, params, many, context):
        if sql.startswith(kind) and "llmcall" in sql:
            has_begun.set()
            may_go_on.wait(5)
        return execute(sql, params, many, context)

    async def ask():
        task = asyncio.create_task(get_client().generate("Hi"))
        await asyncio.to_thread(has_begun.wait, 5)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.01)
        assert not task.done()
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    with wrapping(hold):
        async_to_sync(ask)()


def test_one_that_is_cancelled_while_it_is_being_booked_is_taken_back(provider):
    cancelled_during("INSERT")

    row = LlmCall.objects.get()
    assert (row.outcome, row.cost, row.is_estimated) == ("cancelled", 0, False)
    assert amounts() == (0, 0)
    assert provider.requests == []


def test_one_that_is_cancelled_while_it_is_being_settled_is_settled(provider):
    cancelled_during("UPDATE")

    row = LlmCall.objects.get()
    assert (row.outcome, row.is_estimated) == ("ok", False)
    assert amounts() == (row.cost, 0)


def test_one_that_is_cancelled_while_receivers_are_told_tells_them_all(provider):
    told = []

    async def ask():
        task = asyncio.create_task(get_client().generate("Hi"))
        loop = asyncio.get_running_loop()

        def receive(call, **_):
            loop.call_soon_threadsafe(task.cancel)
            threading.Event().wait(0.05)
            told.append(call.outcome)

        llm_call_finished.connect(receive)
        try:
            with pytest.raises(asyncio.CancelledError):
                await task
        finally:
            llm_call_finished.disconnect(receive)

    async_to_sync(ask)()

    assert told == ["ok"]


@pytest.mark.parametrize("turns", range(6))
def test_one_that_is_cancelled_with_all_tasks_of_a_loop_that_ends_is_settled(turns):
    LlmsFactory(cost_per_1k_input=1, cost_per_1k_output=1)
    budget("100000")

    async def leave_the_loop():
        task = asyncio.create_task(get_client().generate("Hi"))
        while not provider.open_exchanges:
            await asyncio.sleep(0.01)
        task.cancel()
        for _ in range(turns):  # so far it has come when a server ends, and all is cancelled again
            await asyncio.sleep(0)

    with override_llms(provider=FakeProvider(Reply("late", delay=5))) as provider:
        async_to_sync(leave_the_loop)()

    row = LlmCall.objects.get()
    assert row.outcome == "cancelled"
    assert amounts() == (row.cost, 0)


def test_what_no_thread_takes_says_why():
    async def refused(function):
        raise RuntimeError("no thread is left")

    with pytest.raises(RuntimeError, match="no thread is left"):
        asyncio.run(to_the_end(budget, way=refused))


def test_nothing_is_left_behind_on_the_way_back():
    came_back = []

    async def with_a_long_way_back(function):
        await asyncio.to_thread(function)
        for _ in range(10):
            await asyncio.sleep(0)
        came_back.append(True)

    assert asyncio.run(to_the_end(len, "abc", way=with_a_long_way_back)) == (3, False)
    assert came_back == [True]


def test_what_has_begun_gives_its_result_whatever_becomes_of_its_way():
    async def breaks(function):
        function()
        raise RuntimeError("the way back is broken")

    assert asyncio.run(to_the_end(len, "abc", way=breaks)) == (3, False)


def test_what_comes_to_a_thread_twice_is_called_once():
    calls = []

    async def again(function):
        function()
        function()

    assert asyncio.run(to_the_end(calls.append, 1, way=again)) == (None, False)
    assert calls == [1]


class EndedError(BaseException):
    """What no receiver may raise."""


def test_one_whose_budgets_notice_fails_is_taken_back(provider):
    budget("0.000001", name="Soft", is_hard=False)

    def end(**_):
        raise EndedError

    budget_exceeded.connect(end)
    try:
        with pytest.raises(EndedError):
            async_to_sync(get_client().generate)("Hi")
    finally:
        budget_exceeded.disconnect(end)

    assert LlmCall.objects.get().outcome == "cancelled"
    assert amounts("Soft") == amounts() == (0, 0)
    assert provider.requests == []


@pytest.mark.parametrize("error", [ValueError("broken"), StopIteration("broken")])
def test_what_fails_once_all_tasks_of_a_loop_are_cancelled_is_called_once_and_told_once(error):
    has_begun, may_go_on, calls, unheard = threading.Event(), threading.Event(), [], []

    def fail():
        calls.append(1)
        has_begun.set()
        may_go_on.wait(5)
        raise error

    async def cancel_all():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, told: unheard.append(told["message"]))
        task = asyncio.create_task(to_the_end(fail))
        await asyncio.to_thread(has_begun.wait, 5)
        for one in asyncio.all_tasks() - {asyncio.current_task()}:
            one.cancel()
        await asyncio.sleep(0.01)
        may_go_on.set()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done == {task}
        with pytest.raises(asyncio.CancelledError) as raised:
            await task
        return raised.value.__cause__

    cause = asyncio.run(cancel_all())
    gc.collect()

    assert cause is error
    assert (calls, unheard) == ([1], [])
