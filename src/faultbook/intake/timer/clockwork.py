"""What is done because its time has come: overdue runs, reminders, old keys, the spool.

Each sweep is an operation that may run in several replicas at once without harm, so no slot has to
be claimed for it. Nothing that people are told depends on a sweep having run: whoever asks decides
silence and overdue from the stored deadlines.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from faultbook.base.clock import DAY
from faultbook.base.errors import FaultbookError
from faultbook.operations.drafts import remind_due
from faultbook.operations.questions import Owed
from faultbook.operations.recording import close_overdue
from faultbook.store import idempotency, notices, seen
from faultbook.store.engine import Store

log = structlog.get_logger()

_MISFIRE_SECONDS = 3600
_REMIND_SECONDS = 30
_KEPT = 14 * DAY


class Clockwork:
    """The timer door: one scheduler on the event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self.every("close-overdue", 60, lambda: store.write(close_overdue))
        self.every("remind-of-drafts", _REMIND_SECONDS, lambda: store.write(remind_due))
        self.every("forget-old-keys", 3600, self._forget)

    def every(
        self, name: str, seconds: float, function: Callable[[], Any], *, at_once: bool = False
    ) -> None:
        """Call a plain function at an interval, off the event loop, never twice at a time."""

        async def call() -> None:
            try:
                await self._store.in_thread(function)
            except FaultbookError as error:  # said, and tried again at the next interval
                log.warning("timer_failed", action=name, code=error.code, detail=error.message)

        # A job without a next run is a paused one, so the argument is given only when it is due.
        first = {"next_run_time": datetime.now(UTC)} if at_once else {}
        self._scheduler.add_job(
            call,
            "interval",
            id=name,
            seconds=seconds,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=_MISFIRE_SECONDS,
            **first,
        )

    def start(self) -> None:
        """Start ticking on the running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ticking; what runs is finished by the store's close."""
        self._scheduler.shutdown(wait=False)

    def _forget(self) -> None:
        self._store.write(seen.forget_old)
        self._store.write(notices.forget_settled, self._store.clock() - _KEPT, {Owed.ARRIVAL})
        self._store.write(idempotency.forget_old)
