"""Which task a request for approval belongs to: who gave that is behind the request."""

import re

from faultbook.base.errors import FaultbookError, ForbiddenError, InvalidError
from faultbook.model.approval import NewApproval
from faultbook.model.route import COMMAND_AGENT
from faultbook.model.run import RunRecord
from faultbook.model.task import Task
from faultbook.model.token import COMMAND_LINE
from faultbook.operations.approval_rules import foreign
from faultbook.operations.tasks import find_task
from faultbook.store import runs, tasks
from faultbook.store.transaction import Transaction

_OF_A_TASK = re.compile(r"T-([1-9][0-9]{0,11})")


def task_of(tx: Transaction, new: NewApproval) -> Task | FaultbookError | None:
    """Give the task that a request belongs to, or why it may not be asked; None for no task.

    It is the one that the request names, else that of the run it names, else the only one that its
    agent holds: what an agent leaves out hides nobody who is behind it. A run that is not known is
    a label.

    Raises:
        NotFoundError: it names a task that is not there.
    """
    run = runs.find_run(tx, new.run_id) if new.run_id is not None else None
    task = find_task(tx, new.task) if new.task is not None else _of_run(tx, run)
    if task is not None and not _may_name(new.agent, task):
        where = "task" if new.task is not None else "run_id"
        return foreign(task.id, new.agent, where)
    if run is not None and not _may_name_run(new.agent, run):
        return _foreign_run(run, new.agent)
    return task or _only_held(tx, new.agent)


def _of_run(tx: Transaction, run: RunRecord | None) -> Task | None:
    named = _OF_A_TASK.fullmatch((run.start.task_id or "") if run is not None else "")
    # Whoever reports a run may write what they like there.
    return tasks.find(tx, int(named[1])) if named is not None else None


def _may_name(agent: str, task: Task) -> bool:
    """Tell whether a task is an agent's: while it holds its lease."""
    if task.lease is not None:
        # A command that Faultbook runs asks by its own token's name.
        return task.lease.agent in {agent, COMMAND_AGENT}
    return agent == COMMAND_LINE and not task.state.is_ended


def _may_name_run(agent: str, run: RunRecord) -> bool:
    """Tell whether a run is an agent's; of one that was begun on the server's host nobody knows."""
    return agent == COMMAND_LINE or run.start.agent_name in {agent, COMMAND_AGENT, None}


def _foreign_run(run: RunRecord, agent: str) -> ForbiddenError:
    return foreign(f"Run {run.run_id}", agent, "run_id")


def _only_held(tx: Transaction, agent: str) -> Task | InvalidError | None:
    """Give the task that an agent holds where it holds but one."""
    held = tasks.list_held(tx, agent, limit=2)
    if len(held) < 2:  # noqa: PLR2004 - one, or none
        return find_task(tx, held[0]) if held else None
    return InvalidError(
        f"{agent} holds several tasks, and the request says of none that it belongs to it.",
        code="task_required",
        next_step=f'Name the task it belongs to: {{"task": "T-{held[0]}"}}.',
        where="task",
    )
