"""Work to be claimed: what a worker knows of a task, and the places it comes from."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from faultbook.base.clock import Instant
from faultbook.intake.wrapper.recorder import Receipt
from faultbook.intake.wrapper.watch import Found
from faultbook.model.task import TaskState

LEASE_SECONDS = 30.0
"""After so long without a sign of life a task goes to another worker."""


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """An attempt at a task, and the lease it is held by.

    Attributes:
        id: `T-41`.
        attempt: counted from 1.
        lease: known to this worker alone.
        timeout: seconds the attempt may take.
        started_at: by the clock of whoever gave it.
        claimed: when it was given, by this host's monotonic clock, in seconds.
    """

    id: str
    text: str
    requester: str
    route: str
    attempt: int
    run_id: str
    lease: str
    timeout: float | None
    started_at: Instant
    claimed: float
    links: tuple[tuple[str, str], ...] = ()

    def document(self) -> bytes:
        """Write what the command reads on its stdin."""
        told = {
            "task": self.id,
            "text": self.text,
            "requester": self.requester,
            "route": self.route,
            "attempt": self.attempt,
            "run_id": self.run_id,
            "links": [{"name": name, "url": url} for name, url in self.links],
        }
        return json.dumps(told).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class ClosedTask:
    """What became of an attempt, and of its task by that."""

    state: TaskState
    receipt: Receipt


class WorkSource(Protocol):
    """Where tasks are claimed, and told how they went.

    Every call but `claim` raises ConflictError, ForbiddenError or NotFoundError once the task is
    no longer this worker's, and UnavailableError while the place can't be had.
    """

    @property
    def target(self) -> str:
        """The mark of what belongs there: two places may both have a T-41."""
        ...

    @property
    def heartbeat_seconds(self) -> float:
        """How often it is given a sign of life."""
        ...

    def claim(self, wait: float) -> ClaimedTask | None:
        """Claim the next task, waiting so many seconds for one; None if none came.

        Raises:
            UnavailableError: the place can't be had.
            FaultbookError: it refuses the worker.
        """
        ...

    def renew(self, task: ClaimedTask) -> None:
        """Give a sign of life."""
        ...

    def progress(self, task: ClaimedTask, words: str) -> None:
        """Say how far it is; a sign of life as well."""
        ...

    def finish(
        self, task: ClaimedTask, end: Mapping[str, Any], files: Mapping[str, Found]
    ) -> ClosedTask:
        """Close the attempt by its close document; the same one may be told again.

        `files` are artifacts whose bytes may be fetched from this host, by their names.

        Raises:
            InvalidError: the document is refused.
        """
        ...

    def release(self, task: ClaimedTask) -> None:
        """Give the task back to the queue: the worker stops."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


def worker_name(agent: str) -> str:
    """Name this process among an agent's workers."""
    return f"{agent}@{socket.gethostname()[:60]}-{os.getpid()}"
