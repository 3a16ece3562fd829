"""Tasks as public JSON documents: what `/v1/tasks` answers and `faultbook task --json` prints."""

from collections.abc import Sequence

from faultbook.base.clock import iso, iso_or_none
from faultbook.model.run import RunRecord
from faultbook.model.task import QueuePlace, Task, TaskEvent
from faultbook.view.documents import Document, run_document


def task_document(task: Task, place: QueuePlace | None = None) -> Document:
    """Show a task as JSON; the id of its lease is its worker's alone and never in it.

    Args:
        task: the task.
        place: where it stands while it is queued; without it `before` is null.
    """
    return {
        "id": task.id,
        "text": task.text,
        "state": task.state.value,
        "route": task.route,
        "requester": task.requester.name,
        "requester_id": task.requester.id or None,
        "source": task.source.value,
        "priority": task.priority,
        "received_at": iso(task.received_at),
        "not_before": iso(task.not_before),
        "before": place.before if place else None,
        "attempts": task.attempts,
        "run_id": task.run_id,
        "verdict": task.verdict.value if task.verdict else None,
        "reason": task.reason or None,
        "detail": task.detail,
        "worker": task.worker or None,
        "taken_by": task.taken_by.name if task.taken_by else None,
        "cancelled_by": task.cancelled_by or None,
        "started_at": iso_or_none(task.started_at),
        "ended_at": iso_or_none(task.ended_at),
        "progress": task.progress,
        "progress_at": iso_or_none(task.progress_at),
        "links": [{"name": link.name, "url": link.url} for link in task.links],
    }


def whole_task_document(
    task: Task,
    events: Sequence[TaskEvent],
    run: RunRecord | None,
    place: QueuePlace | None = None,
) -> Document:
    """Show a task as JSON with its timeline, and with the run of its latest attempt.

    Args:
        task: the task.
        events: its timeline, the oldest first.
        run: the run of the latest attempt with its verdict and evidence; None before the first.
        place: where it stands while it is queued.
    """
    return task_document(task, place) | {
        "events": [_event(event) for event in events],
        "run": None if run is None else run_document(run),
    }


def _event(event: TaskEvent) -> Document:
    return {"kind": event.kind, "text": event.text, "by": event.by, "at": iso(event.at)}
