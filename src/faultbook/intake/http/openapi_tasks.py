"""What `/openapi.json` says of tasks."""

from typing import Any

from faultbook.intake.http.openapi_parts import (
    KEY,
    OBJECTS,
    SCHEMAS,
    TEXT,
    TEXT_OR_NULL,
    TIME,
    VERDICT,
    an_object,
    gives,
    path_part,
    query,
    takes,
)
from faultbook.intake.http.problems import PROBLEM
from faultbook.model.task import TaskState

_TASK_ID = path_part("task_id", "The task's id, `T-41` or 41.")
_GONE = gives(
    "409",
    "Problem",
    "`lease_lost`, `task_cancelled` or `task_ended`: the task is not this worker's any more, and"
    " nothing changed.",
    PROBLEM,
)

TASK_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/tasks"): {
        **takes("NewTaskDocument"),
        "parameters": [KEY],
        "responses": gives("201", "Task", "The task is taken; it waits in its route's queue."),
    },
    ("GET", "/v1/tasks"): {
        "parameters": [
            query("state", "`open` where left out; a state, or `all`."),
            query("route", "Only the tasks of this route."),
            query("limit", "How many at most: 1 to 500, 50 where left out."),
        ],
        "responses": gives("200", "Tasks", "Open tasks in the queue's order, others newest first."),
    },
    ("POST", "/v1/tasks:claim"): {
        **takes("ClaimDocument"),
        "parameters": [KEY],
        "responses": {
            **gives("200", "Claim", "A task, leased to this worker; its attempt's run is open."),
            "204": {"description": "There was nothing to do for as long as it was waited for."},
        },
    },
    ("GET", "/v1/tasks/{task_id}"): {
        "parameters": [_TASK_ID],
        "responses": gives("200", "Task", "The task, its timeline, and its latest run."),
    },
    ("POST", "/v1/tasks/{task_id}/cancel"): {
        **takes("NothingDocument"),
        "parameters": [_TASK_ID, KEY],
        "responses": {
            **gives("200", "Task", "The task is cancelled."),
            **gives("409", "Problem", "`task_ended`: it had ended.", PROBLEM),
        },
    },
    ("POST", "/v1/tasks/{task_id}/retry"): {
        **takes("NothingDocument"),
        "parameters": [_TASK_ID, KEY],
        "responses": {
            **gives("200", "Task", "The task is queued again, with one more attempt."),
            **gives("409", "Problem", "It is done, or has not ended.", PROBLEM),
        },
    },
    ("POST", "/v1/tasks/{task_id}/heartbeat"): {
        **takes("HeartbeatDocument"),
        "parameters": [_TASK_ID],
        "responses": {**gives("200", "Held", "The lease holds until then."), **_GONE},
    },
    ("POST", "/v1/tasks/{task_id}/progress"): {
        **takes("ProgressDocument"),
        "parameters": [_TASK_ID, KEY],
        "responses": {**gives("200", "Held", "It is told; the lease holds until then."), **_GONE},
    },
    ("POST", "/v1/tasks/{task_id}/release"): {
        **takes("ReleaseDocument"),
        "parameters": [_TASK_ID, KEY],
        "responses": {**gives("200", "Task", "The task is queued again."), **_GONE},
    },
    ("POST", "/v1/tasks/{task_id}/close"): {
        **takes("CloseTaskDocument"),
        "parameters": [_TASK_ID, KEY],
        "responses": {
            **gives("200", "ClosedTask", "The attempt is judged; `outcome`: closed or repeated."),
            **_GONE,
        },
    },
}

_LEASE = an_object(("id", "until"), id=TEXT, until=TIME)
_TIME_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
_COUNT = {"type": "integer"}

TASK_ANSWERS: dict[str, dict[str, Any]] = {
    "Task": an_object(
        ("id", "text", "state", "route", "requester", "attempts", "run_id", "verdict", "links"),
        id=TEXT,
        text=TEXT,
        state={"type": "string", "enum": [state.value for state in TaskState]},
        route=TEXT_OR_NULL,
        requester=TEXT,
        requester_id=TEXT_OR_NULL,
        source=TEXT,
        priority=_COUNT,
        received_at=TIME,
        not_before=TIME,
        before={"type": ["integer", "null"]},
        attempts=_COUNT,
        run_id=TEXT_OR_NULL,
        verdict=VERDICT,
        reason=TEXT_OR_NULL,
        detail=TEXT,
        worker=TEXT_OR_NULL,
        taken_by=TEXT_OR_NULL,
        cancelled_by=TEXT_OR_NULL,
        started_at=_TIME_OR_NULL,
        ended_at=_TIME_OR_NULL,
        progress=TEXT,
        progress_at=_TIME_OR_NULL,
        links=OBJECTS,
        events=OBJECTS,
        run={"anyOf": [{"$ref": SCHEMAS + "Run"}, {"type": "null"}]},
    ),
    "Tasks": an_object(("tasks",), tasks={"type": "array", "items": {"$ref": SCHEMAS + "Task"}}),
    "Claim": an_object(
        ("task", "lease", "run_id", "attempt", "timeout_seconds"),
        task={"$ref": SCHEMAS + "Task"},
        lease=_LEASE,
        run_id=TEXT,
        attempt=_COUNT,
        timeout_seconds={"type": "number"},
    ),
    "Held": an_object(("lease",), lease=_LEASE),
    "ClosedTask": an_object(
        ("task", "run", "outcome"),
        task={"$ref": SCHEMAS + "Task"},
        run=an_object(
            ("run_id", "verdict", "reason", "failure_reason"),
            run_id=TEXT,
            verdict=VERDICT,
            reason=TEXT_OR_NULL,
            failure_reason=TEXT,
        ),
        outcome=TEXT,
    ),
}
