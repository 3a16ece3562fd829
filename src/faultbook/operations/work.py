"""Tasks, the workers' side: claimed under a lease, reported on, closed with evidence, swept."""

import secrets
from dataclasses import dataclass
from typing import Any

from faultbook.base.clock import Instant, seconds
from faultbook.base.errors import ConflictError, ForbiddenError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.judge import abandoned, stopped
from faultbook.model.policy import Policy
from faultbook.model.route import Routes
from faultbook.model.run import RunEnd, RunRecord, RunState
from faultbook.model.task import UNDER_WAY, Task, TaskState
from faultbook.model.verdict import Reason
from faultbook.operations.attempts import attempt_values, end_attempt, moved, open_attempt
from faultbook.operations.recording import (
    CloseOutcome,
    call_off,
    close_run,
    read_run,
    request_digest,
)
from faultbook.operations.task_notices import TaskNotice, owe_paint, owe_word
from faultbook.operations.tasks import find_task, when
from faultbook.store import runs, tasks
from faultbook.store.task_claims import claim_next
from faultbook.store.transaction import Transaction

_PROGRESS_LENGTH = 500
_FURTHEST_REMINDER: Instant = seconds(86_400)


@dataclass(frozen=True, slots=True)
class Claimer:
    """Who asks for work.

    Attributes:
        agent: whose routes it works for.
        worker: which of the agent's processes it is.
        routes: names of the routes it wants work from; None for all of its agent's.
    """

    agent: str
    worker: str
    routes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class ClosedAttempt:
    """What came of a close.

    Attributes:
        repeated: the same close was there already; the stored result stands.
        late: it came past the attempt's deadline; the run had ended without it.
    """

    task: Task
    run: RunRecord
    repeated: bool = False
    late: bool = False


def claim_task(
    tx: Transaction, claimer: Claimer, lease_seconds: float, policy: Policy, routes: Routes
) -> Task | None:
    """Claim the next task of an agent's routes, and open its attempt; None if there is none.

    By priority, then age; a route that runs as many as it may is passed over.
    """
    values = attempt_values(tx) | {
        "lease_id": secrets.token_hex(16),
        "agent": claimer.agent,
        "worker": claimer.worker,
        "lease_until": tx.now + seconds(lease_seconds),
        "taken_by_id": "",
        "taken_by_name": "",
    }
    claimed = claim_next(tx, _open_routes(tx, claimer, routes), values)
    if claimed is None:
        return None
    open_attempt(tx, claimed, routes.of(claimed.route), policy, agent=claimer.agent)
    tasks.append_event(tx, claimed.number, "claimed", f"attempt {claimed.attempts}", claimer.worker)
    owe_paint(tx, claimed)
    return claimed


def renew_lease(
    tx: Transaction, number: int, lease_id: str, agent: str, lease_seconds: float
) -> Task:
    """Give a sign of life.

    Raises:
        NotFoundError: there is no such task.
        ForbiddenError: it is another agent's.
        ConflictError: the lease is no longer held; says who has the task.
    """
    task = _held(tx, number, lease_id, agent)
    tasks.touch_lease(tx, number, lease_id, tx.now + seconds(lease_seconds))
    return find_task(tx, task.number)


def report_progress(
    tx: Transaction, number: int, lease_id: str, agent: str, text: str, lease_seconds: float
) -> Task:
    """Say how far an attempt is; a sign of life as well.

    Raises:
        NotFoundError: there is no such task.
        ForbiddenError: it is another agent's.
        ConflictError: the lease is no longer held; says who has the task.
    """
    task = _held(tx, number, lease_id, agent)
    told = cut(one_line(redact(text)), _PROGRESS_LENGTH)
    values = {
        "progress": told,
        "progress_at": tx.now,
        "heard_at": tx.now,
        "lease_until": tx.now + seconds(lease_seconds),
    }
    return moved(tx, task, values, "progress", told)


def close_attempt(
    tx: Transaction,
    number: int,
    lease_id: str,
    agent: str,
    end: RunEnd,
    policy: Policy,
    routes: Routes,
    digest: str,
) -> ClosedAttempt:
    """Close an attempt: its run is judged, and the task is done only if it passed.

    The same close again is answered with the stored result, whoever has the task by then.

    Raises:
        NotFoundError: there is no such task.
        ForbiddenError: it is another agent's.
        ConflictError: the lease is no longer held; the result is not used.
    """
    by = request_digest(f"{lease_id}:{digest}".encode())  # another worker may say the very same
    task = find_task(tx, number)
    if task.lease is None or task.lease.id != lease_id:
        run = _closed_before(tx, task, agent, by)
        if run is not None:
            return ClosedAttempt(task, run, repeated=True)
    task = _held(tx, number, lease_id, agent)
    closed = close_run(tx, task.run_id or "", end, policy, by)
    ended = end_attempt(tx, task, closed.run, routes.of(task.route))
    repeated = closed.outcome is CloseOutcome.REPEATED
    return ClosedAttempt(ended, closed.run, repeated, closed.outcome is CloseOutcome.LATE)


def _closed_before(tx: Transaction, task: Task, agent: str, digest: str) -> RunRecord | None:
    """Find the attempt at a task that a close has ended already."""
    if task.run_id is None:
        return None
    run_id = runs.find_attempt(tx, task.id, digest, task.run_id, task.received_at)
    run = None if run_id is None else read_run(tx, run_id)
    return run if run is not None and run.start.agent_name == agent else None


def release_task(tx: Transaction, number: int, lease_id: str, agent: str, routes: Routes) -> Task:
    """Put a task back into the queue whose worker is told to stop; nobody's attempts are used up.

    Raises:
        NotFoundError: there is no such task.
        ForbiddenError: it is another agent's.
        ConflictError: the lease is no longer held.
    """
    task = _held(tx, number, lease_id, agent)
    route = routes.of(task.route)
    run = read_run(tx, task.run_id or "")
    if run.state is RunState.CLOSED:  # by itself, before its worker was told
        return end_attempt(tx, task, run, route)
    words = f"{task.worker} was stopped"
    call_off(tx, run.run_id, stopped(words))
    values = {
        "state": TaskState.QUEUED.value,
        "not_before": tx.now,
        "say_waits_at": tx.now + seconds(route.unclaimed_seconds),
        "extra_attempts": tasks.extra_attempts(tx, number) + 1,
    }
    return moved(tx, task, values, "released", words)


def sweep_tasks(tx: Transaction, policy: Policy, routes: Routes) -> int:
    """Take back the tasks of workers that went quiet, and end attempts past their time limit.

    A task whose workers went quiet as often as its route allows is lost.
    """
    swept = 0
    for number in tasks.list_lapsed(tx):
        task = tasks.find(tx, number, hold=True)
        if task is None or task.lease is None or task.lease.until >= tx.now:
            continue
        swept += 1
        run = read_run(tx, task.run_id or "")
        if run.state is RunState.CLOSED:  # closed by itself, before its worker went quiet
            end_attempt(tx, task, run, routes.of(task.route))
        else:
            _lapse(tx, task, routes)
    for number, run_id in tasks.list_overdue(tx):
        task = tasks.find(tx, number, hold=True)
        if task is None or task.state not in UNDER_WAY or task.run_id != run_id:
            continue
        swept += 1
        run = call_off(tx, run_id, abandoned("no close by its time limit"))
        end_attempt(tx, task, run, routes.of(task.route))
    del policy
    return swept


def _lapse(tx: Transaction, task: Task, routes: Routes) -> None:
    route = routes.of(task.route)
    lapses = task.lapses + 1
    run = call_off(tx, task.run_id or "", abandoned(f"{task.worker} went quiet"))
    lost = lapses >= route.retry.lapses
    values: dict[str, Any] = {
        "lapses": lapses,
        "verdict": run.verdict.value if run.verdict else None,
        "reason": Reason.RUN_ABANDONED.value,
        "detail": f"its worker went quiet {lapses} times"
        if lapses > 1
        else "its worker went quiet",
    }
    if lost:
        values |= {"state": TaskState.LOST.value, "ended_at": tx.now}
    else:
        values |= {
            "state": TaskState.QUEUED.value,
            "not_before": tx.now,
            "say_waits_at": tx.now + seconds(route.unclaimed_seconds),
        }
    moved(tx, task, values, "lost" if lost else "lapsed", f"{task.worker} went quiet")


def remind_unclaimed(tx: Transaction, routes: Routes) -> int:
    """Say of tasks that nobody claims that they still wait: once, then ever more rarely."""
    said = 0
    for task in tasks.list_to_say_waits(tx):
        times = tasks.count_waits(tx, task.number) + 1
        every = seconds(routes.of(task.route).unclaimed_seconds)
        wait = min(every * 2**times, max(every, _FURTHEST_REMINDER))
        if tasks.put_waits(tx, task.number, times, tx.now + wait):
            said += 1
            owe_word(tx, task, TaskNotice.WAITS)
    return said


def _open_routes(tx: Transaction, claimer: Claimer, routes: Routes) -> list[str]:
    found = []
    for route in routes:
        wanted = claimer.routes is None or route.name in claimer.routes
        if route.agent != claimer.agent or not wanted:
            continue
        if route.limit is not None:
            tasks.hold_route(tx, route.name)
            if tasks.count_running(tx, route.name) >= route.limit:
                continue
        found.append(route.name)
    return found


def _held(tx: Transaction, number: int, lease_id: str, agent: str) -> Task:
    """Hold a task that this worker has.

    Raises:
        NotFoundError: there is no such task.
        ForbiddenError: it is another agent's.
        ConflictError: the worker has it no longer.
    """
    task = find_task(tx, number, hold=True)
    if task.lease is not None and task.lease.agent != agent:
        raise ForbiddenError(
            f"{task.id} is not one of {agent}.",
            code="agent_mismatch",
            next_step="Use the token of the agent that claimed it.",
            where="task",
        )
    if task.lease is not None and task.lease.id == lease_id:
        return task
    raise _gone(task)


def _gone(task: Task) -> ConflictError:
    stop = "Drop this work; claim another task."
    if task.state is TaskState.CANCELLED:
        words = f"{task.id} was cancelled by {task.cancelled_by} at {when(task.ended_at or 0)}"
        code = "task_cancelled"
    elif task.state in UNDER_WAY:
        words = f"{task.id} went to another worker at {when(task.started_at or 0)}"
        code = "lease_lost"
    elif task.state.is_ended:
        words, code = f"{task.id} was {task.state} at {when(task.ended_at or 0)}", "task_ended"
    else:
        words, code = f"{task.id} went back to the queue", "lease_lost"
    return ConflictError(
        f"{words}; this result was not used.", code=code, next_step=stop, where="lease"
    )
