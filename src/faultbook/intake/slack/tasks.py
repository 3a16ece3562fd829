"""Work that goes on after an acknowledgement: held, bounded, and waited for at the end.

The event loop keeps only weak references to tasks, and Bolt neither bounds nor drains its own.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

_AT_ONCE = 16

log = structlog.get_logger("slack")


class Tasks:
    """The tasks of one door."""

    def __init__(self, at_once: int = _AT_ONCE) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(at_once)

    def start(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Start work soon; it is logged if it fails, and nobody waits for it but `drain`."""
        task = asyncio.create_task(self._run(name, work), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def drain(self, seconds: float) -> None:
        """Wait for what is under way, at most so many seconds, then cancel the rest."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _run(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        async with self._gate:
            try:
                await work()
            except Exception:  # nobody else would hear of it
                log.exception("task_failed", task=name)
