"""What notices of tasks look like, made from the store at the moment of sending."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from faultbook.base.clock import Instant
from faultbook.model.route import Routes
from faultbook.model.task import Task
from faultbook.model.task_sight import TaskSight
from faultbook.operations.questions import Owed
from faultbook.operations.task_notices import TaskNotice
from faultbook.operations.task_sight import read_sight
from faultbook.operations.tasks import list_tasks
from faultbook.store.engine import Store
from faultbook.store.tasks import TaskFilter, count_open
from faultbook.view.message import Message
from faultbook.view.slack_task import (
    card_message,
    deleted_reply,
    ended_reply,
    status_message,
    tasks_message,
    waits_reply,
)

Payload: TypeAlias = dict[str, Any]

_MOST_LISTED = 50
_OF_ONE_TASK: dict[str, Callable[[TaskSight, Instant], Message]] = {
    TaskNotice.CARD.value: card_message,
    TaskNotice.REPLY.value: ended_reply,
    TaskNotice.WAITS.value: waits_reply,
    TaskNotice.DELETED.value: deleted_reply,
    Owed.TASK_STATUS.value: status_message,
}


@dataclass(frozen=True, slots=True)
class TaskRenderer:
    """Makes messages about tasks."""

    store: Store
    routes: Routes

    def message(self, kind: str, payload: Payload) -> Message | None:
        """Make the message that is owed; None for a kind that is not about tasks.

        Raises:
            NotFoundError: there is no such task; the answer says so.
        """
        if kind == Owed.TASK_LIST:
            return self._list(payload)
        make = _OF_ONE_TASK.get(kind)
        return None if make is None else make(self._sight(payload), self.store.clock())

    def card(self, number: int) -> tuple[Message, Task]:
        """Make a task's card, with the task exactly as the card shows it.

        Raises:
            NotFoundError: there is no such task.
        """
        sight = self.store.read(read_sight, number, self.routes)
        return card_message(sight, self.store.clock()), sight.task

    def _sight(self, payload: Payload) -> TaskSight:
        return self.store.read(read_sight, int(payload["task"]), self.routes)

    def _list(self, payload: Payload) -> Message:
        mine = bool(payload.get("mine"))
        wanted = TaskFilter(requester_id=str(payload["user"]) if mine else None, limit=_MOST_LISTED)
        found = self.store.read(list_tasks, wanted)
        count = self.store.read(count_open, wanted.requester_id)
        return tasks_message(found, self.store.clock(), mine=mine, count=count)
