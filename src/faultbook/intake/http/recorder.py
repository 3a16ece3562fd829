"""Whole runs that arrive at the same time are written together.

While one write is on its way to the disk, the runs that come meanwhile wait and go with the next:
a lone reporter waits for nobody, and many share one statement and one commit. Nobody is answered
before the commit.
"""

import asyncio
from collections.abc import Sequence

from faultbook.base.errors import UnavailableError
from faultbook.model.run import WholeRun
from faultbook.operations.recording import record_runs
from faultbook.store.engine import Store

_Waiting = tuple[WholeRun, "asyncio.Future[str]"]

_LARGEST_GROUP = 500


class Recorder:
    """Groups the runs of one event loop into few writes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def record(self, run: WholeRun) -> str:
        """Record a run, and give its id once it is durable."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((run, future))
        if self._task is None:
            self._task = asyncio.create_task(self._write_waiting())
        return await future

    async def _write_waiting(self) -> None:
        while self._waiting:
            group = self._waiting[:_LARGEST_GROUP]
            del self._waiting[:_LARGEST_GROUP]
            await self._write(group)
        self._task = None

    async def _write(self, group: Sequence[_Waiting]) -> None:
        try:
            run_ids = await self._store.write_async(record_runs, [run for run, _ in group])
        except UnavailableError as error:
            # None of them is the cause, and on PostgreSQL a lost answer to the commit may hide that
            # they are recorded: only who reports can tell whether to send it again.
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        except Exception as error:  # noqa: BLE001 - it is handed on to who asked
            if len(group) > 1:  # one of them may be the cause; the others must not suffer for it
                for member in group:
                    await self._write([member])
            elif not group[0][1].done():
                group[0][1].set_exception(error)
            return
        for (_, future), run_id in zip(group, run_ids, strict=True):
            if not future.done():
                future.set_result(run_id)
