"""Attempts at tasks: each is a run, opened with the claim and judged at its close."""

from typing import Any

from faultbook.base.clock import seconds
from faultbook.base.ids import new_id
from faultbook.model.policy import Policy
from faultbook.model.route import Route
from faultbook.model.run import Contract, RunRecord, RunStart, SeriesKey
from faultbook.model.task import UNDER_WAY, Task, TaskState
from faultbook.model.verdict import Verdict
from faultbook.operations.recording import open_run
from faultbook.operations.task_notices import owe_end, owe_paint
from faultbook.store import tasks
from faultbook.store.transaction import Transaction

_LATE_CLOSE_SECONDS = 120.0
"""Between an attempt's time limit and the moment it counts as abandoned: evidence is uploaded."""


def attempt_values(tx: Transaction) -> dict[str, Any]:
    """Give the columns of a task whose next attempt begins, but for their count."""
    return {
        "state": TaskState.RUNNING.value,
        "run_id": new_id(),
        "started_at": tx.now,
        "heard_at": tx.now,
        "verdict": None,
        "reason": "",
        "detail": "",
        "progress": "",
        "progress_at": None,
    }


def open_attempt(
    tx: Transaction, task: Task, route: Route, policy: Policy, *, agent: str | None
) -> None:
    """Open the run of a task's present attempt, by the id that the task has for it."""
    start = RunStart(
        series=SeriesKey(
            route.workflow, route.environment or policy.default_environment, policy.main_branch
        ),
        started_at=tx.now,
        received_at=tx.now,
        agent_name=agent,
        task_id=task.id,
        attempt=task.attempts,
        promised=route.promised(task.id),
        contract=Contract(timeout_seconds=route.timeout_seconds, grace_seconds=_LATE_CLOSE_SECONDS),
    )
    open_run(tx, start, policy, task.run_id or "")


def end_attempt(
    tx: Transaction, task: Task, run: RunRecord, route: Route, *, retried: bool = True
) -> Task:
    """Move a running task on by what its attempt's run came to.

    Only `passed` makes it done. Another attempt follows where the route allows one for this class
    of failure.
    """
    worst = run.findings[0] if run.findings else None
    values: dict[str, Any] = {
        "verdict": run.verdict.value if run.verdict else None,
        "reason": worst.reason.value if worst else "",
        "detail": worst.detail if worst else "",
        "ended_at": tx.now,
    }
    failure = worst.failure_class if worst else None
    # A worker that went quiet is counted by `lapses`, and uses up no attempt.
    tried = task.attempts - task.lapses - tasks.extra_attempts(tx, task.number)
    if run.verdict is Verdict.PASSED:
        values["state"] = TaskState.DONE.value
    elif retried and route.retry.allows(failure, tried):
        not_before = tx.now + route.retry.wait(tried)
        values |= {
            "state": TaskState.QUEUED.value,
            "ended_at": None,
            "not_before": not_before,
            "say_waits_at": not_before + seconds(route.unclaimed_seconds),
        }
    else:
        values["state"] = TaskState.FAILED.value
    return moved(tx, task, values, "closed", f"{run.verdict}: {values['reason']}".rstrip(": "))


def moved(
    tx: Transaction, task: Task, values: dict[str, Any], kind: str, words: str, by: str = ""
) -> Task:
    """Take the step of a task under way, tell its timeline, and owe what people are told."""
    changed = tasks.change(tx, task.number, UNDER_WAY, values)
    if changed is None:  # it was held since it was read: nobody else can have moved it
        return task
    tasks.append_event(tx, task.number, kind, words, by or task.worker)
    owe_paint(tx, changed)
    if changed.state.is_ended:
        owe_end(tx, changed)
    return changed
