"""What people are shown of a task: itself, where it stands, and its latest attempt."""

from collections.abc import Sequence
from dataclasses import dataclass

from faultbook.model.approval import Approval
from faultbook.model.run import RunRecord
from faultbook.model.task import Task


@dataclass(frozen=True, slots=True)
class TaskSight:
    """A task with what is shown beside it, read in one snapshot.

    Attributes:
        before: how many are taken before it; None unless it waits in its queue.
        run: its latest attempt.
        queue: who its route's tasks go to, for people; empty where no route took it.
        attempts: how many attempts it may have in all.
        approvals: what it waits for, the soonest to expire first.
    """

    task: Task
    before: int | None = None
    run: RunRecord | None = None
    queue: str = ""
    attempts: int = 1
    approvals: Sequence[Approval] = ()
