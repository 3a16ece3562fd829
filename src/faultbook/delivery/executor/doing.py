"""One execution under a grant: the executor is told, and what came of it is reported."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import structlog

from faultbook.base.clock import MINUTE
from faultbook.base.errors import InvalidError, UnavailableError
from faultbook.delivery.executor.command import Commands, StillRunningError
from faultbook.delivery.executor.order import Order, make_order
from faultbook.delivery.executor.outcome import Ended, Outcome
from faultbook.delivery.executor.posting import post
from faultbook.model.approval_policy import ExecutorPlan
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.execution import Grant, give_up, report_execution
from faultbook.operations.tokens import OURSELVES
from faultbook.store.engine import Store

T = TypeVar("T")

_ATTEMPTS = 3
_BASE_SECONDS, _MOST_SECONDS = 0.5, 20.0
_REPORT_AGAIN_SECONDS = 0.5

log = structlog.get_logger("executor")


class Doing:
    """Runs executors in their threads, and reports."""

    def __init__(
        self,
        store: Store,
        commands: Commands,
        threads: ThreadPoolExecutor,
        environ: Mapping[str, str],
    ) -> None:
        self._store = store
        self._commands = commands
        self._threads = threads
        self._environ = environ

    async def run(self, grant: Grant, plan: ExecutorPlan, doubt: str = "") -> None:
        """Run what a grant is for, and report what came of it.

        `doubt` says why it may have happened before; then nothing but a success is proof.
        """
        earlier = Outcome(Ended.UNKNOWN, doubt) if doubt else None
        try:
            outcome = await self._try(make_order(grant.approval, plan, self._environ), earlier)
        except InvalidError as error:
            outcome = _after(earlier, Outcome(Ended.FAILED, error.message))
        except StillRunningError:
            words = "An earlier attempt was still at work; nobody knows whether it happened."
            outcome = Outcome(Ended.UNKNOWN, words)
        await self.report(grant, outcome)

    async def ask(self, grant: Grant, plan: ExecutorPlan) -> bool | None:
        """Ask the executor's probe whether it has happened; None where nobody can tell."""
        try:
            order = make_order(grant.approval, plan, self._environ)
        except InvalidError:
            return None
        return await self.in_thread(lambda: self._commands.probe(order, plan.timeout_seconds))

    async def check_ended(self, number: int, *, end: bool) -> None:
        """Make sure that no command of an earlier process is still at work; with `end`, kill it.

        Raises:
            StillRunningError: one is.
        """
        await self.in_thread(lambda: self._commands.check_ended(number, end=end))

    async def report(self, grant: Grant, outcome: Outcome) -> None:
        """Record an outcome, for as long as the store can't be had again and again."""
        number = grant.approval.number
        log.info("executed", approval=grant.approval.id, ended=outcome.ended.name.lower())
        while True:
            try:
                told = await self._record(grant, outcome)
            except UnavailableError as error:
                if self._store.clock() > grant.until + MINUTE:
                    raise
                log.warning("report_waits", approval=grant.approval.id, why=error.message)
                await asyncio.sleep(_REPORT_AGAIN_SECONDS)
            else:
                if not told:
                    log.error("report_refused", approval=f"A-{number}", words=outcome.words)
                return

    async def in_thread(self, function: Callable[[], T]) -> T:
        """Call something slow in the executors' threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    async def _record(self, grant: Grant, outcome: Outcome) -> bool:
        number, words = grant.approval.number, outcome.words
        if outcome.ended is Ended.UNKNOWN:
            return await self._store.write_async(give_up, number, OURSELVES, words, grant.id)
        worked = outcome.ended is Ended.EXECUTED
        told = await self._store.write_async(
            report_execution, number, grant.id, OURSELVES, worked=worked, words=words
        )
        return not isinstance(told, Refusal)

    async def _try(self, order: Order, doubtful: Outcome | None) -> Outcome:
        """Run an order; again where nothing was sent, or where it may be sent twice."""
        deadline = time.monotonic() + order.plan.timeout_seconds
        for attempt in range(_ATTEMPTS):
            last = await self._once(order, max(0.1, deadline - time.monotonic()))
            outcome = _after(doubtful, last)
            if last.ended is Ended.UNKNOWN:
                doubtful = doubtful or last
            may_again = last.ended is Ended.NOT_SENT or (
                last.ended is Ended.UNKNOWN and order.plan.idempotent and order.plan.url
            )
            pause = random.uniform(0, min(_MOST_SECONDS, _BASE_SECONDS * 2**attempt))  # noqa: S311 - no secret, a spread
            if not may_again or time.monotonic() + pause >= deadline:
                break
            await asyncio.sleep(pause)
        return outcome

    async def _once(self, order: Order, seconds: float) -> Outcome:
        if order.plan.url is not None:
            return await post(order, seconds)
        return await self.in_thread(lambda: self._commands.run(order, seconds))


def _after(doubtful: Outcome | None, last: Outcome) -> Outcome:
    """Say what all tries came to: after one that may have happened only a success is proof."""
    if last.ended is Ended.EXECUTED:
        return last
    if doubtful is not None:
        words = f"{doubtful.words.rstrip('.')}; tried again: {last.words}"
        return Outcome(Ended.UNKNOWN, words)
    return replace(last, ended=Ended.FAILED) if last.ended is Ended.NOT_SENT else last
