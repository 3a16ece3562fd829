"""Small steps that people take with tasks: clicks that count once, names, second thoughts."""

from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from faultbook.base.clock import DAY, Instant
from faultbook.base.errors import ConflictError, ForbiddenError
from faultbook.base.redaction import redact
from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.run import RunEnd
from faultbook.model.task import Task, TaskState
from faultbook.operations.task_notices import owe_paint
from faultbook.operations.tasks import find_task, finish_in_hand
from faultbook.store import seen, tasks
from faultbook.store.tasks import TaskFilter
from faultbook.store.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")

REREAD_AFTER: Instant = 2_000_000
"""A message is not read again before it is so old: whoever sent it has hardly changed it yet."""
REREAD_UNTIL: Instant = DAY


def once(
    tx: Transaction,
    keys: Sequence[str],
    operation: Callable[Concatenate[Transaction, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T | None:
    """Do something for a delivery once; None where the delivery came before.

    What the operation refuses by raising leaves no trace, so that the delivery is refused again.
    Without keys it is done every time.
    """
    if keys and not seen.take_all(tx, keys):
        return None
    return operation(tx, *args, **kwargs)


def name_requester(tx: Transaction, person: Person) -> int:
    """Put a name to the tasks of a person who was known by id only; tells how many there were."""
    found = tasks.put_requester_name(tx, person.id, redact(person.name))
    for task in found:
        if not task.state.is_ended:
            owe_paint(tx, task)
    return len(found)


def keep_task(tx: Transaction, number: int, by: Person) -> Task:
    """Note that a task stays although its message is gone.

    Raises:
        NotFoundError: there is none of that number.
        ConflictError: it has ended.
    """
    task = find_task(tx, number)
    if task.state.is_ended:
        raise ConflictError(
            f"{task.id} is {task.state} already; nothing changed.",
            code="task_ended",
            next_step=f"Look at it: status of {task.id}.",
        )
    tasks.append_event(tx, number, "kept", by=by.name)
    return task


def find_in_hand(tx: Transaction, number: int, by: Person) -> Task:
    """Read a task that a person has in hand.

    Raises:
        NotFoundError: there is none of that number.
        ForbiddenError: somebody else has it.
        ConflictError: nobody has it.
    """
    task = find_task(tx, number)
    if task.state is not TaskState.RUNNING or task.taken_by is None:
        raise ConflictError(
            f"{task.id} is in nobody's hands: it is {task.state}. Nothing changed.",
            code="task_not_in_hand",
            next_step=f"Look at it: status of {task.id}.",
        )
    if task.taken_by.id != by.id:
        raise ForbiddenError(
            f"{task.id} is in {task.taken_by.name}'s hands; nothing changed.",
            code="not_yours",
            next_step=f"Ask {task.taken_by.name}.",
        )
    return task


def finish_with(
    tx: Transaction, number: int, by: Person, end: RunEnd, link: str, policy: Policy, digest: str
) -> Task:
    """Finish a task in hand, and note the link that its person gave beside their files.

    Raises:
        NotFoundError: there is none of that number.
        ForbiddenError: somebody else has it.
        ConflictError: nobody has it any more.
    """
    task = finish_in_hand(tx, number, by, end, policy, digest)
    if link:
        tasks.append_event(tx, number, "linked", redact(link), by.name)
    return task


def read_open(tx: Transaction, user: str, limit: int) -> tuple[list[Task], int, int]:
    """Read a person's open tasks, and count theirs and everyone's."""
    mine = tasks.list_some(tx, TaskFilter(requester_id=user, limit=limit))
    return mine, tasks.count_open(tx, user), tasks.count_open(tx)


def list_to_reread(tx: Transaction, limit: int) -> list[Task]:
    """List queued tasks whose messages may have changed without a word to us, the next first."""
    return tasks.list_queued_messages(tx, tx.now - REREAD_UNTIL, tx.now - REREAD_AFTER, limit)
