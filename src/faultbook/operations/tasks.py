"""Tasks, the people's side: taken once, edited, cancelled, retried, taken in hand."""

import difflib
import re
from collections.abc import Collection, Sequence
from typing import Any

from faultbook.base.clock import Instant, iso, seconds
from faultbook.base.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from faultbook.base.ids import new_id
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.judge import cancelled
from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.route import Route, Routes
from faultbook.model.run import RunEnd
from faultbook.model.task import (
    CANCELLED_WAITING,
    ENDED,
    LONGEST_TEXT,
    OPEN,
    UNDER_WAY,
    NewTask,
    QueuePlace,
    Task,
    TaskEvent,
    TaskState,
)
from faultbook.operations.attempts import attempt_values, end_attempt, open_attempt
from faultbook.operations.recording import call_off, close_run
from faultbook.operations.task_notices import TaskNotice, owe_paint, owe_word
from faultbook.store import new_tasks, seen, tasks
from faultbook.store.tasks import TaskFilter
from faultbook.store.transaction import Transaction

_ID = re.compile(r"(?i:t-)?([0-9]{1,12})")
_RETRIED = (TaskState.FAILED, TaskState.LOST, TaskState.CANCELLED)


def parse_task_id(text: str) -> int:
    """Read a task's id, `T-41` or 41.

    Raises:
        InvalidError: it is none.
    """
    match = _ID.fullmatch(text.strip())
    if match is None:
        raise InvalidError(
            f"`{cut(one_line(redact(text)), 40)}` is no task's id.",
            code="bad_task_id",
            next_step="It reads like T-41: the card and `faultbook task list` show it.",
            where="task",
        )
    return int(match[1])


def check_task(new: NewTask, routes: Routes) -> None:
    """Hold a task to what can be taken.

    Raises:
        InvalidError: it is empty or too long, or names a route that is not there.
    """
    if not new.text.strip():
        raise InvalidError(
            "The task says nothing.",
            code="task_empty",
            next_step="Say what is to be done.",
            where="text",
        )
    if len(new.text) > LONGEST_TEXT:
        raise InvalidError(
            f"The task has {len(new.text):,} characters; {LONGEST_TEXT:,} are the most.",
            code="task_too_long",
            next_step="Put the rest into a file and link it.",
            where="text",
        )
    if new.route is not None and routes.named(new.route) is None:
        near = difflib.get_close_matches(new.route, [r.name for r in routes], n=1, cutoff=0)
        raise InvalidError(
            f"There is no route `{cut(one_line(redact(new.route)), 60)}`.",
            code="unknown_route",
            next_step=f"Nearest: `{near[0]}`." if near else "Add it under [[routes]].",
            where="route",
        )


def take_task(tx: Transaction, keys: Sequence[str], new: NewTask, routes: Routes) -> Task | None:
    """Take a task once for each delivery and each message; None where it was taken before.

    Its text is redacted here, before it is stored.

    Raises:
        InvalidError: it can't be taken; says why.
    """
    check_task(new, routes)
    if not seen.take_all(tx, keys):
        return None
    route = routes.named(new.route) or routes.choose(new.text, new.origin.channel)
    rank = -(new.priority or (route.priority if route else 0))
    kept = _redacted(new)
    says_at = tx.now + seconds((route or routes.open_queue).unclaimed_seconds)
    task = new_tasks.add(tx, kept, route.name if route else "", rank, says_at)
    if task is None:
        return None
    tasks.append_event(tx, task.number, "received", by=kept.requester.name)
    owe_paint(tx, task)
    return task


def find_task(tx: Transaction, number: int, *, hold: bool = False) -> Task:
    """Read a task; with `hold`, nobody else changes it before the commit.

    Raises:
        NotFoundError: there is none of that number.
    """
    found = tasks.find(tx, number, hold=hold)
    if found is None:
        raise NotFoundError(
            f"There is no task T-{number}.",
            code="task_not_found",
            next_step="List them: `faultbook task list`, or `/faultbook tasks` in Slack.",
            where="task",
        )
    return found


def find_by_message(tx: Transaction, team: str, channel: str, ts: str) -> Task | None:
    """Read the task that a message became."""
    return tasks.find_by_key(tx, f"{team}:{channel}:{ts}")


def list_tasks(tx: Transaction, wanted: TaskFilter | None = None) -> list[Task]:
    """List tasks; without a filter, the open ones in the queue's order."""
    return tasks.list_some(tx, wanted or TaskFilter())


def read_events(tx: Transaction, number: int) -> Sequence[TaskEvent]:
    """Read a task's timeline, the oldest first."""
    return tasks.list_events(tx, number)


def queue_place(tx: Transaction, task: Task) -> QueuePlace:
    """Tell where a queued task stands."""
    return QueuePlace(tasks.count_before(tx, task), tasks.count_running(tx, task.route or ""))


def cancel_task(tx: Transaction, number: int, by: Person) -> Task:
    """Cancel an open task; one that runs may have had effects, and its card says so.

    Raises:
        NotFoundError: there is none of that number.
        ConflictError: it has ended.
    """
    return _cancel(tx, number, by, OPEN, "cancelled")


def not_a_task(tx: Transaction, number: int, by: Person) -> Task:
    """Take back a task that was none, while nobody works on it.

    Raises:
        NotFoundError: there is none of that number.
        ConflictError: it runs, or has ended.
    """
    return _cancel(tx, number, by, (TaskState.RECEIVED, TaskState.QUEUED), "not_a_task")


def _cancel(
    tx: Transaction, number: int, by: Person, states: Collection[TaskState], kind: str
) -> Task:
    before = find_task(tx, number, hold=True)
    values: dict[str, Any] = {
        "state": TaskState.CANCELLED.value,
        "cancelled_by": by.name,
        "ended_at": tx.now,
        "reason": CANCELLED_WAITING if before.state is TaskState.WAITING else kind,
    }
    task = tasks.change(tx, number, states, values)
    if task is None:
        raise _not_now(tx, number)
    if task.run_id is not None and before.state in UNDER_WAY:
        call_off(tx, task.run_id, cancelled(f"cancelled by {by.name}"))
    tasks.append_event(tx, number, kind, by=by.name)
    owe_paint(tx, task)
    return task


def retry_task(tx: Transaction, number: int, by: Person) -> Task:
    """Queue an ended task again that did not pass; one that was tried may be tried once more.

    Raises:
        NotFoundError: there is none of that number.
        ConflictError: it is done, or has not ended.
    """
    before = find_task(tx, number, hold=True)
    task = tasks.change(
        tx,
        number,
        _RETRIED,
        {
            "state": TaskState.QUEUED.value,
            "not_before": tx.now,
            "say_waits_at": tx.now + seconds(300),
            "waits_said": 0,
            "lapses": 0,
            "extra_attempts": _extra_attempts(tx, before),
            "ended_at": None,
            "cancelled_by": "",
            "progress": "",
            "progress_at": None,
            "taken_by_id": "",
            "taken_by_name": "",
        },
    )
    if task is None:
        raise _not_now(tx, number)
    tasks.append_event(tx, number, "retried", by=by.name)
    owe_paint(tx, task)
    return task


def _extra_attempts(tx: Transaction, ended: Task) -> int:
    """Allow one more attempt, and leave out for good those that a worker went quiet in."""
    one_more = 1 if ended.attempts else 0
    return tasks.extra_attempts(tx, ended.number) + ended.lapses + one_more


def edit_task(
    tx: Transaction, key: str, place: tuple[str, str, str], text: str, edited_ts: str
) -> Task | None:
    """Take a newer text of a message whose task is still queued, once for each edit.

    `place` is the message's team, channel and ts. None where there is no such task, nobody can
    change it any more, or the edit is older than the text.
    """
    task = find_by_message(tx, *place)
    told = redact(text)
    if task is None or not told.strip() or len(told) > LONGEST_TEXT or task.text == told:
        return None
    if not seen.take_all(tx, [key]) or edited_ts <= task.edited_ts:
        return None
    waiting = (TaskState.RECEIVED, TaskState.QUEUED)
    values = {"text": told, "edited_ts": edited_ts}
    changed = tasks.change(tx, task.number, waiting, values, tasks.edited_before(edited_ts))
    if changed is None:
        tasks.append_event(tx, task.number, "edited_too_late", by=task.requester.name)
        return None
    tasks.append_event(
        tx, task.number, "edited", f"was: {cut(task.text, 500)}", task.requester.name
    )
    owe_paint(tx, changed)
    return changed


def offer_cancel(tx: Transaction, place: tuple[str, str, str]) -> Task | None:
    """Offer, once, to cancel a task whose message was deleted."""
    task = find_by_message(tx, *place)
    if task is None or not tasks.mark_deletion_said(tx, task.number):
        return None
    tasks.append_event(tx, task.number, "message_deleted", by=task.requester.name)
    owe_word(tx, task, TaskNotice.DELETED)
    return task


def take_in_hand(tx: Transaction, number: int, by: Person, policy: Policy, routes: Routes) -> Task:
    """Let a person do a task that no route takes, or none any more; their attempt is a run too.

    Raises:
        NotFoundError: there is none of that number.
        ConflictError: somebody has it, or it has ended.
    """
    task = find_task(tx, number, hold=True)
    if routes.named(task.route) is not None:
        raise ConflictError(
            f"{task.id} is on its way to `{task.route}`; nothing changed.",
            code="task_routed",
            next_step="Cancel it if you would rather do it yourself.",
        )
    values = attempt_values(tx) | {
        "attempts": task.attempts + 1,
        "taken_by_id": by.id,
        "taken_by_name": by.name,
        "worker": by.name,
        "lease_id": new_id(),
        "lease_until": None,
        "agent": "",
    }
    taken = tasks.change(tx, number, [TaskState.QUEUED], values)
    if taken is None:
        raise _not_now(tx, number)
    open_attempt(tx, taken, routes.open_queue, policy, agent=None)
    tasks.append_event(tx, number, "taken", by=by.name)
    owe_paint(tx, taken)
    return taken


def finish_in_hand(
    tx: Transaction, number: int, by: Person, end: RunEnd, policy: Policy, digest: str
) -> Task:
    """Close the attempt of the person who has a task in hand; it is judged like any other.

    Raises:
        NotFoundError: there is none of that number.
        ForbiddenError: somebody else has it.
        ConflictError: nobody has it any more.
    """
    task = _in_hand(tx, number, by)
    run = close_run(tx, task.run_id or "", end, policy, digest).run
    return end_attempt(tx, task, run, Route("", "task"), retried=False)


def hand_back(tx: Transaction, number: int, by: Person) -> Task:
    """Put a task that a person had in hand back into the queue.

    Raises:
        NotFoundError: there is none of that number.
        ForbiddenError: somebody else has it.
        ConflictError: nobody has it any more.
    """
    task = _in_hand(tx, number, by)
    values = {
        "state": TaskState.QUEUED.value,
        "taken_by_id": "",
        "taken_by_name": "",
        "not_before": tx.now,
        "say_waits_at": tx.now + seconds(300),
    }
    back = tasks.change(tx, number, [TaskState.RUNNING], values)
    if back is None:
        raise _not_now(tx, number)
    call_off(tx, task.run_id or "", cancelled(f"handed back by {by.name}"))
    tasks.append_event(tx, number, "handed_back", by=by.name)
    owe_paint(tx, back)
    return back


def waits_for(tx: Transaction, number: int, approval: str) -> Task | None:
    """Let a running task wait for an approval; its worker keeps its lease meanwhile.

    One that waits already is painted again: its card names what it waits for.
    """
    states = [TaskState.RUNNING, TaskState.WAITING]
    task = tasks.change(tx, number, states, {"state": TaskState.WAITING.value})
    if task is not None:
        tasks.append_event(tx, number, "waits", approval, task.worker)
        owe_paint(tx, task)
    return task


def works_again(tx: Transaction, number: int) -> Task | None:
    """Let a task that waited go on."""
    task = tasks.change(tx, number, [TaskState.WAITING], {"state": TaskState.RUNNING.value})
    if task is not None:
        owe_paint(tx, task)
    return task


def when(at: Instant) -> str:
    """Give a moment as the refusals of this floor say it: the time of day, in UTC."""
    return f"{iso(at)[11:16]} UTC"


def _in_hand(tx: Transaction, number: int, by: Person) -> Task:
    task = find_task(tx, number, hold=True)
    if task.state is not TaskState.RUNNING or task.taken_by is None:
        raise _not_now(tx, number)
    if task.taken_by.id != by.id:
        raise ForbiddenError(
            f"{task.id} is in {task.taken_by.name}'s hands; nothing changed.",
            code="not_yours",
            next_step=f"Ask {task.taken_by.name}.",
        )
    return task


def _redacted(new: NewTask) -> NewTask:
    return NewTask(
        redact(new.text),
        Person(new.requester.id, redact(new.requester.name)),
        new.source,
        new.origin,
        tuple(type(link)(redact(link.name), redact(link.url)) for link in new.links),
        new.route,
        new.priority,
    )


def _not_now(tx: Transaction, number: int) -> ConflictError:
    task = find_task(tx, number)
    has = f", and {task.taken_by.name} has it" if task.taken_by else ""
    if task.state in ENDED:
        by = f" by {task.cancelled_by}" if task.cancelled_by else ""
        words, code = f"{task.id} is {task.state}{by} already; nothing changed.", "task_ended"
    elif task.state is TaskState.RUNNING:
        words, code = f"{task.id} runs already{has}; nothing changed.", "task_running"
    else:
        words, code = f"{task.id} is {task.state}; nothing changed.", "task_not_ended"
    return ConflictError(words, code=code, next_step=f"Look at it: status of {task.id}.")
