"""Carrying out a flow's steps: the lines that wait, once blocking and once awaiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any

from creative_services.core.errors import DeadlineExceededError
from creative_services.core.steps import AbandonedError, Ask, Begin, Open, Read, Sleep
from creative_services.core.types import LLMChunk

FOREVER = float("inf")

if TYPE_CHECKING:
    from creative_services.core.flow import Flow
    from creative_services.core.http import Transport
    from creative_services.core.steps import Step
    from creative_services.core.streams import Outcome


class Run:
    """A flow under way. `value` or `caught` is what its last step came to.

    An object, so that tracebacks show no body of a response as a local variable.
    """

    __slots__ = ("_failure", "_flow", "_next", "caught", "value")

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._next: Step | None = None
        self._failure: BaseException | None = None
        self.value: Any = None
        self.caught: BaseException | None = None

    def advance(self) -> Step:
        """The next step. Raises StopIteration with the response, or what the flow raises."""
        if self._failure is not None:
            raise self._failure
        if self._next is not None:
            step, self._next = self._next, None
            return step
        caught, self.caught = self.caught, None
        if caught is None:
            return self._flow.send(self.value)
        try:
            return self._flow.throw(caught)
        finally:
            caught = None  # its traceback holds this frame: no cycle, so that nothing waits for the collector

    def prepare(self) -> None:
        """Carry out the steps that ask collaborators, blocking, up to the first that does not, which is left."""
        try:
            while type(step := self.advance()) is Ask:
                try:
                    self.value = _ask_here(step)
                except BaseException as exc:  # as in the drivers
                    self.caught = exc
        except BaseException as exc:
            self._failure = exc
            raise
        self._next = step

    @property
    def is_prepared(self) -> bool:
        """Whether it was prepared, and nobody has driven it since."""
        return self._next is not None

    def give_up(self) -> None:
        """Let the driver that comes end it at once."""
        self._next, self.caught = None, AbandonedError()


def drive(run: Run, transport: Transport, outcome: Outcome) -> Generator[LLMChunk, None, None]:
    """Run a flow to its end, blocking; yields its chunks and leaves its response in `outcome`."""
    try:
        while True:
            step = run.advance()
            try:
                if type(step) is LLMChunk:
                    yield step
                    run.value = None
                else:
                    run.value = _carry_out(step, transport)
            except GeneratorExit:
                run.caught = AbandonedError()
            except BaseException as exc:  # an interrupt too is for the flow to answer
                run.caught = exc
    except StopIteration as stop:
        outcome.set(stop.value)
    except AbandonedError:
        return


def _carry_out(step: Step, transport: Transport) -> Any:
    if type(step) is Read:
        return step.exchange.read(step.until)
    if type(step) is Ask:
        return _ask_here(step)
    if type(step) is Begin:
        return step.exchange.begin(step.until)
    if type(step) is Open:
        return transport.open(step.request)
    if type(step) is Sleep:
        return time.sleep(step.seconds)
    return step.exchange.close()  # type: ignore[union-attr]  # chunks do not come here


def _ask_here(step: Ask) -> Any:
    return getattr(step.owner, step.method)(*step.args)


async def adrive(run: Run, transport: Transport, outcome: Outcome) -> AsyncGenerator[LLMChunk, None]:
    """Run a flow to its end on the running loop; yields its chunks and leaves its response in `outcome`."""
    try:
        while True:
            step = run.advance()
            try:
                if type(step) is LLMChunk:
                    yield step
                    run.value = None
                elif type(step) is Read:  # here and not in a coroutine of its own: this is once a token
                    run.value = await step.exchange.read(step.until)
                else:
                    run.value = await _acarry_out(step, transport)
            except GeneratorExit:
                run.caught = AbandonedError()
            except BaseException as exc:  # cancelling too is for the flow to answer
                run.caught = exc
    except StopIteration as stop:
        outcome.set(stop.value)
    except AbandonedError:
        return


async def _acarry_out(step: Step, transport: Transport) -> Any:
    match step:
        case Begin():
            return await step.exchange.begin(step.until)
        case Open():
            return await transport.aopen(step.request)
        case Ask():
            return await _ask(step)
        case Sleep():
            return await asyncio.sleep(step.seconds)
        case _:
            return await step.exchange.aclose()  # type: ignore[union-attr]  # chunks do not come here


async def _ask(step: Ask) -> Any:
    twin = getattr(step.owner, f"a{step.method}", None)
    asked = asyncio.to_thread(getattr(step.owner, step.method), *step.args) if twin is None else twin(*step.args)
    if step.until == FOREVER:
        return await asked
    try:
        async with asyncio.timeout(step.until - time.monotonic()):
            return await asked
    except TimeoutError:
        pass
    raise DeadlineExceededError(f"{type(step.owner).__name__}.{step.method} took longer than the call's own time.")
