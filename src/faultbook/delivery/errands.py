"""The errands of one claimer of notices: what is on its way, and what has to be let go."""

import asyncio
import contextlib
from collections.abc import Coroutine

import structlog

from faultbook.base.errors import UnavailableError
from faultbook.delivery.claimer import claimers_that_are_gone, name_claimer
from faultbook.store import notices
from faultbook.store.engine import Store

log = structlog.get_logger("errands")


class Errands:
    """Keeps the tasks that carry notices; the end of each is a reason to look for more.

    Args:
        store: where notices are claimed.
        woken: set whenever a task has ended.
    """

    def __init__(self, store: Store, woken: asyncio.Event) -> None:
        self.name = name_claimer()
        self._store = store
        self._woken = woken
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Tell how many are on their way."""
        return len(self._tasks)

    async def take_over(self) -> None:
        """Let go what crashed processes of this machine had claimed.

        Raises:
            UnavailableError: the store can't be had.
        """
        if self._store.is_postgresql:
            return  # its claimers may live on machines of the same name; their leases end soon
        held = await self._store.read_async(notices.list_claimers)
        gone = claimers_that_are_gone(held)
        if gone:
            freed = await self._store.write_async(notices.release, gone)
            log.info("claims_taken_over", notices=freed)

    def begin(self, errand: Coroutine[None, None, None], name: str) -> None:
        """Begin one; a failure of its own is logged, and its claim runs out."""
        task = asyncio.create_task(errand, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its claim runs out, and it is tried again.
            log.error("settling_failed", task=task.get_name(), exc_info=error)
        self._woken.set()

    async def finish(self, patience: float) -> None:
        """Wait so many seconds for what is under way, end the rest, and let all claims go."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(UnavailableError):
            await self._store.write_async(notices.release, [self.name])
