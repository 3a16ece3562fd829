"""Reading a task as its card, its status and its details show it."""

from collections.abc import Sequence

from faultbook.model.approval import Approval
from faultbook.model.route import COMMAND_AGENT, Routes
from faultbook.model.task import Task, TaskState
from faultbook.model.task_sight import TaskSight
from faultbook.operations.recording import read_run
from faultbook.operations.tasks import find_task
from faultbook.store import approvals, tasks
from faultbook.store.approvals import ApprovalFilter
from faultbook.store.transaction import Transaction

_WAITS_IN_QUEUE = frozenset({TaskState.RECEIVED, TaskState.QUEUED})


def read_sight(tx: Transaction, number: int, routes: Routes) -> TaskSight:
    """Read a task with what people are shown beside it.

    Raises:
        NotFoundError: there is none of that number.
    """
    task = find_task(tx, number)
    return TaskSight(
        task,
        tasks.count_before(tx, task) if task.state in _WAITS_IN_QUEUE else None,
        read_run(tx, task.run_id) if task.run_id else None,
        queue_name(task, routes),
        _allowed(tx, task, routes),
        _waited_for(tx, task),
    )


def _allowed(tx: Transaction, task: Task, routes: Routes) -> int:
    """Tell how many attempts a task may have: those a worker went quiet in do not count."""
    if not task.attempts:
        return routes.of(task.route).retry.attempts
    extra = tasks.extra_attempts(tx, task.number)
    return extra + task.lapses + routes.of(task.route).retry.attempts


def _waited_for(tx: Transaction, task: Task) -> Sequence[Approval]:
    if task.state is not TaskState.WAITING:
        return ()
    return approvals.list_some(tx, ApprovalFilter(task=task.number))


def queue_name(task: Task, routes: Routes) -> str:
    """Name who a task waits for: the agent, or the route of a command; empty where nobody is set.

    A route that is no longer in the settings goes by its own name.
    """
    if task.route is None:
        return ""
    route = routes.named(task.route)
    if route is None or route.agent is None or route.agent == COMMAND_AGENT:
        return task.route
    return route.agent
