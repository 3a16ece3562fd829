"""The worker that runs what was approved: begun once by one process, reported, or said unknown.

What a process that is gone had begun is run again only where the executor says that it may be: it
is idempotent, or its probe says that nothing happened.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from faultbook.base.errors import FaultbookError, UnavailableError
from faultbook.delivery.claimer import claimers_that_are_gone, name_claimer
from faultbook.delivery.executor.command import Commands
from faultbook.delivery.executor.doing import Doing
from faultbook.delivery.executor.recovery import Recovery, can_resume
from faultbook.model.approval import Approval
from faultbook.model.approval_policy import ApprovalPolicies, Membership, Memberships
from faultbook.operations.approval_steps import Refusal, find_approval
from faultbook.operations.execution import begin_execution
from faultbook.operations.execution_rules import deciding_votes
from faultbook.operations.tokens import OURSELVES
from faultbook.store import approvals, executions
from faultbook.store.engine import Store
from faultbook.store.executions import HeldGrant
from faultbook.store.transaction import Transaction

_POLL_SECONDS = 1.0
_AFTER_A_BUG_SECONDS = 5.0
_ASK_AGAIN_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0)

log = structlog.get_logger("executor")


@dataclass(frozen=True, slots=True)
class ExecutorOptions:
    """Where and how the worker runs what was approved.

    Attributes:
        folder: where commands run.
        locks: a folder of this machine, for the locks of commands.
        environ: what commands inherit, and where secrets are found.
        at_once: how many run side by side.
    """

    folder: Path
    locks: Path
    environ: Mapping[str, str]
    at_once: int = 4


@dataclass(frozen=True, slots=True)
class _Waiting:
    approved: list[int]
    held: list[HeldGrant]


class ExecutionWorker:
    """Runs approved actions of the policies that have an executor; one a process.

    Args:
        store: where approvals are.
        policies: the team's, as every process has them.
        memberships: asked, before each execution, about those who voted or broke the glass.
        options: where and how.
    """

    def __init__(
        self,
        store: Store,
        policies: ApprovalPolicies,
        memberships: Memberships,
        options: ExecutorOptions,
    ) -> None:
        self._store = store
        self._policies = policies
        self._names = [one.name for one in policies.all if one.executor is not None]
        self._memberships = memberships
        self._at_once = options.at_once
        self.name = name_claimer()
        self._threads = ThreadPoolExecutor(options.at_once, thread_name_prefix="executor")
        self._commands = Commands(options.folder, options.locks, options.environ)
        self._doing = Doing(store, self._commands, self._threads, options.environ)
        self._recovery = Recovery(store, policies, self._doing, self.name)
        self._woken = asyncio.Event()
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._asked: dict[int, tuple[int, float]] = {}
        self._refused: set[int] = set()
        self._loop: asyncio.Task[None] | None = None
        self._unwatch: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Begin; what a dead process of this machine had begun is looked at first."""
        tell = asyncio.get_running_loop().call_soon_threadsafe

        def hear(topics: frozenset[str]) -> None:
            if approvals.TOPIC in topics:
                with contextlib.suppress(RuntimeError):  # the loop was closed
                    tell(self._woken.set)

        self._unwatch = self._store.watch(hear)
        self._loop = asyncio.create_task(self._run(), name="executor")

    async def stop(self, patience: float = 10.0) -> None:
        """Begin nothing more; what runs has so many seconds to end, and is ended then."""
        self._unwatch()
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        tasks = set(self._under_way.values())
        if tasks:
            await asyncio.wait(tasks, timeout=patience)
            self._commands.interrupt()  # what is ended so is reported as unknown
            await asyncio.wait(tasks, timeout=patience)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._threads.shutdown)

    @property
    def is_working(self) -> bool:
        """Tell whether anything is under way."""
        return bool(self._under_way)

    async def _run(self) -> None:
        while True:
            pause = 0.0
            try:
                await self._look()
            except FaultbookError as error:
                log.warning("executor_waits", why=error.message)
            except Exception:  # the last boundary: a bug must not end the worker
                log.exception("executor_failed")
                pause = _AFTER_A_BUG_SECONDS
            await asyncio.sleep(pause)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._woken.wait()
            self._woken.clear()

    async def _look(self) -> None:
        room = self._at_once - len(self._under_way)
        if room <= 0:
            return  # the end of one is a reason to look again
        now = time.monotonic()
        later = {number for number, (_, at) in self._asked.items() if at > now}
        without = {*self._refused, *self._under_way, *later}
        waiting = await self._store.read_async(_find_waiting, self._names, without)
        for held in self._left_behind(waiting.held):
            if held.number not in without and len(self._under_way) < self._at_once:
                self._keep(held.number, self._take_over(held))
        for number in waiting.approved[: max(0, self._at_once - len(self._under_way))]:
            self._keep(number, self._execute(number))

    def _left_behind(self, held: Collection[HeldGrant]) -> list[HeldGrant]:
        """Pick what nobody looks after: its process is gone, or its time is over."""
        now = self._store.clock()
        gone: set[str] = set()
        if not self._store.is_postgresql:  # there the names of machines may be shared
            gone = set(claimers_that_are_gone({one.holder for one in held} - {self.name}))
        return [one for one in held if one.holder in gone or one.until <= now]

    def _keep(self, number: int, work: Awaitable[None]) -> None:
        async def keep() -> None:
            try:
                await work
            except FaultbookError as error:  # what was begun is looked after when its time is over
                log.warning("execution_waits", approval=f"A-{number}", why=error.message)
                self._put_off(number)
            except Exception:  # the last boundary: a bug in one must not hold up the others
                log.exception("execution_broke", approval=f"A-{number}")
                self._put_off(number)
            finally:
                del self._under_way[number]
                self._woken.set()

        self._under_way[number] = asyncio.create_task(keep(), name=f"A-{number}")

    def _put_off(self, number: int) -> None:
        tries = self._asked.get(number, (0, 0.0))[0]
        wait = _ASK_AGAIN_SECONDS[min(tries, len(_ASK_AGAIN_SECONDS) - 1)]
        at = time.monotonic() + wait * random.uniform(0.8, 1.2)  # noqa: S311 - no secret, a spread
        self._asked[number] = (tries + 1, at)

    async def _take_over(self, held: HeldGrant) -> None:
        if not await self._recovery.take_over(held):
            self._put_off(held.number)

    async def _execute(self, number: int) -> None:
        asked = await self._store.read_async(find_approval, number)
        known = await self._who_voted(asked)
        begun = await self._store.write_async(
            begin_execution, number, asked.digest, OURSELVES, known, self._policies, self.name
        )
        if isinstance(begun, Refusal):
            # Once is enough: each refusal is audited, and another process may just have been first.
            self._refused.add(number)
            log.info("execution_refused", approval=asked.id, why=begun.error.message)
            return
        self._asked.pop(number, None)
        policy = self._policies.of(asked)
        assert policy is not None  # noqa: S101 - it was asked for by the policies' names
        assert policy.executor is not None  # noqa: S101 - the same
        await self._doing.run(begun, policy.executor)

    async def _who_voted(self, asked: Approval) -> Mapping[str, Membership]:
        policy = self._policies.of(asked)
        voters = [vote.voter for vote in deciding_votes(asked)]
        try:
            return await self._memberships(voters, [] if policy is None else [policy])
        except UnavailableError as error:
            raise UnavailableError(
                f"Who approved {asked.id} can't be checked now: {error.message}",
                code=error.code,
                next_step="It is tried again.",
            ) from error


def looked_after(policies: ApprovalPolicies) -> frozenset[str]:
    """Name the policies whose executions the worker takes up again, so that no sweep ends them."""
    return frozenset(
        one.name for one in policies.all if one.executor is not None and can_resume(one.executor)
    )


def _find_waiting(tx: Transaction, names: Collection[str], without: Collection[int]) -> _Waiting:
    return _Waiting(executions.list_approved(tx, names, without), executions.list_held(tx))
