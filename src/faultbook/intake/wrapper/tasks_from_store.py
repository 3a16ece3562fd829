"""Tasks claimed from the store itself, through the same documents as from a server."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from faultbook.base.errors import ConflictError
from faultbook.intake.wrapper.record import write_document
from faultbook.intake.wrapper.recorder import Receipt
from faultbook.intake.wrapper.to_store import HouseLike, store_target
from faultbook.intake.wrapper.watch import Found
from faultbook.intake.wrapper.work import LEASE_SECONDS, ClaimedTask, ClosedTask
from faultbook.model.document_runs import Reception, check_outcome_said, to_end
from faultbook.model.documents import read_close
from faultbook.model.route import Routes
from faultbook.model.task import Task
from faultbook.model.token import Token
from faultbook.operations import work
from faultbook.operations.recording import request_digest
from faultbook.operations.task_reporting import claimable_routes
from faultbook.operations.tasks import parse_task_id
from faultbook.store import tasks
from faultbook.store.tasks import TOPIC

_LOOK_SECONDS = 1.0
"""How often it is looked again: other processes' commits are not told."""


class WorkHouse(HouseLike, Protocol):
    """What is needed of an opened house."""

    @property
    def routes(self) -> Routes:
        """Who does which task."""
        ...


class StoreWork:
    """Claims the tasks of one agent from an open store; `on_close` is for whoever opened it.

    Args:
        house: the store with its routes.
        agent: whose routes it works for.
        worker: what people call this process.
        routes: only these; None for all of the agent's.
        on_close: called once it is not needed any longer.

    Raises:
        InvalidError: a route is not there, or the agent has none.
        ForbiddenError: a route is another agent's.
    """

    heartbeat_seconds = 2.0

    def __init__(
        self,
        house: WorkHouse,
        agent: str,
        worker: str,
        routes: Sequence[str] | None = None,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self._house = house
        self._store = house.store
        self._routes = claimable_routes(_whoever(agent), routes, house.routes)
        self._claimer = work.Claimer(agent, worker, self._routes)
        self._on_close = on_close
        self._bell = threading.Event()
        self._unwatch = self._store.watch(self._hear)

    @property
    def target(self) -> str:
        """The mark of this database."""
        return store_target(self._store.engine.url)

    def claim(self, wait: float) -> ClaimedTask | None:
        """Claim the next task; while it waits it looks whenever one became claimable."""
        until = time.monotonic() + wait
        while True:
            self._bell.clear()
            claimed = time.monotonic()
            task = self._try()
            if task is not None:
                return self._claimed(task, claimed)
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._bell.wait(min(left, _LOOK_SECONDS))

    def _try(self) -> Task | None:
        # Looked for without the one writer, so that those who wait cost it nothing.
        if not self._store.read(tasks.has_queued, self._routes):
            return None
        house = self._house
        return self._store.write(
            work.claim_task, self._claimer, LEASE_SECONDS, house.policy, house.routes
        )

    def renew(self, task: ClaimedTask) -> None:
        """Give a sign of life."""
        self._store.write(work.renew_lease, *self._held(task), LEASE_SECONDS)

    def progress(self, task: ClaimedTask, words: str) -> None:
        """Say how far it is."""
        self._store.write(work.report_progress, *self._held(task), words, LEASE_SECONDS)

    def finish(
        self, task: ClaimedTask, end: Mapping[str, Any], files: Mapping[str, Found]
    ) -> ClosedTask:
        """Close the attempt; `files` were read on this host already."""
        del files
        house, body = self._house, write_document(end)
        reception = Reception(house.policy, self._store.clock(), attested=True)
        told = to_end(read_close(body), reception)
        check_outcome_said(told.outcome)
        closed = self._store.write(
            work.close_attempt,
            *self._held(task),
            told,
            house.policy,
            house.routes,
            request_digest(body),
        )
        if closed.late:
            raise ConflictError(
                f"The attempt at {task.id} was past its time limit; this result was not used.",
                code="late_close",
                next_step="Give the route a longer timeout_seconds if it needs one.",
            )
        run = closed.run
        worst = run.findings[0] if run.findings else None
        receipt = Receipt(
            run.run_id,
            str(run.verdict),
            worst.reason.value if worst else None,
            worst.detail if worst else "",
        )
        return ClosedTask(closed.task.state, receipt)

    def release(self, task: ClaimedTask) -> None:
        """Give the task back to the queue."""
        self._store.write(work.release_task, *self._held(task), self._house.routes)

    def close(self) -> None:
        """Say that it is not needed any longer."""
        self._unwatch()
        self._on_close()

    def _hear(self, topics: frozenset[str]) -> None:
        if TOPIC in topics:
            self._bell.set()

    def _held(self, task: ClaimedTask) -> tuple[int, str, str]:
        return parse_task_id(task.id), task.lease, self._claimer.agent

    def _claimed(self, task: Task, claimed: float) -> ClaimedTask:
        return ClaimedTask(
            id=task.id,
            text=task.text,
            requester=task.requester.name,
            route=task.route or "",
            attempt=task.attempts,
            run_id=task.run_id or "",
            lease=task.lease.id if task.lease else "",
            timeout=self._house.routes.of(task.route).timeout_seconds,
            started_at=task.started_at or self._store.clock(),
            claimed=claimed,
            links=tuple((link.name, link.url) for link in task.links),
        )


def _whoever(agent: str) -> Token:
    """Stand for an agent whose workers open the store itself."""
    return Token("store", agent, agent, frozenset(), frozenset(), 0)
