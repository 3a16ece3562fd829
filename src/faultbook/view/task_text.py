"""Tasks as text for a terminal or a pipe, from their public documents, local or a server's."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faultbook.base.clock import SECOND, Instant, to_datetime
from faultbook.base.ids import short_id
from faultbook.base.text import cut, duration, one_line, visible
from faultbook.view.lines import name, utc
from faultbook.view.read_back import instant, readable
from faultbook.view.task_lines import what_ran
from faultbook.view.terminal import Look, Row, finished, laid_out

_NAME, _TEXT = 40, 500
_ENDED = ("done", "failed", "lost", "cancelled")

Document = Mapping[str, Any]


def added_text(task: Document) -> str:
    """Say of a task that was given where it waits."""
    if task["route"] is None:
        return f"{task['id']} waits for a taker. No route matches.\n"
    place = f"{task['before']} before it" if task["before"] else "It is next"
    return f"{task['id']} queued for {name(task['route'], _NAME)}. {place}.\n"


def changed_text(task: Document) -> str:
    """Say of a task that was cancelled or retried where it is now."""
    if task["state"] != "cancelled":
        return added_text(task)
    return f"{task['id']} cancelled. {what_ran(task['attempts'], task['reason'] or '')}\n"


def tasks_text(tasks: Sequence[Document], now: Instant, look: Look) -> str:
    """List tasks, in the order they are given.

    Raises:
        UnavailableError: a document is none that this version can read.
    """
    with readable():
        counts = Counter(str(task["state"]) for task in tasks)
        opening = " · ".join(f"{count} {state}" for state, count in counts.items())
        rows = [_row(task, now) for task in tasks]
        return finished([opening], ["", *laid_out(rows, look)], look)


def task_text(task: Document, now: Instant, look: Look) -> str:
    """Show one task with its timeline, and what its latest attempt came to.

    Raises:
        UnavailableError: the document is none that this version can read.
    """
    with readable():
        heading = f"{task['id']} · {_route(task)} · {task['state']} · {name(task['requester'])}"
        asked = [f"    {visible(line)}" for line in str(task["text"]).splitlines()]
        lines = [*asked, "", *_timeline(task, now), *_outcome(task, now)]
        return finished([heading], lines, look)


def _row(task: Document, now: Instant) -> Row:
    state = "queued" if task["state"] == "received" else str(task["state"])
    told = [cut(one_line(task["text"]), _TEXT), _facts(task, now)]
    return Row(state, state, task["id"], _route(task), [line for line in told if line])


def _route(task: Document) -> str:
    return name(task["route"], _NAME) if task["route"] else "no route"


def _facts(task: Document, now: Instant) -> str:
    state, asked = task["state"], name(task["requester"], _NAME)
    if state in _ENDED:
        return ", ".join(_of_end(task))
    if state != "running":
        return f"{asked}, {_waits(task, now)}"
    where = f"on {name(task['worker'] or '', _NAME)}"
    if task["taken_by"]:
        where = f"in {name(task['taken_by'], _NAME)}'s hands"
    since = f" since {utc(instant(task['started_at']), now)}" if task["started_at"] else ""
    told = f"{asked}, {where}{since}, attempt {task['attempts']}"
    if task["progress"]:
        told += f"; {utc(instant(task['progress_at']), now)} {one_line(task['progress'])}"
    return told


def _waits(task: Document, now: Instant) -> str:
    if task["route"] is None:
        return "waits for a taker"
    if instant(task["not_before"]) > now:
        return f"tried again from {utc(instant(task['not_before']), now)}"
    return f"{task['before']} before it" if task["before"] else "next"


def _of_end(task: Document) -> Iterator[str]:
    yield name(task["requester"], _NAME)
    if task["state"] == "cancelled":
        yield f"cancelled by {name(task['cancelled_by'] or '', _NAME)}"
    elif task["verdict"]:
        reason = f": {task['reason']}" if task["reason"] else ""
        proven = ", not proven" if task["verdict"] == "inconclusive" else ""
        detail = f" ({one_line(task['detail'])})" if task["detail"] else ""
        yield f"{task['verdict']}{proven}{reason}{detail}"
    if task["ended_at"]:
        took = (instant(task["ended_at"]) - instant(task["received_at"])) / SECOND
        yield f"after {duration(took)}"


def _timeline(task: Document, now: Instant) -> Iterator[str]:
    events = task["events"]
    kinds = max((len(name(event["kind"], 20)) for event in events), default=0)
    for event in events:
        at = instant(event["at"])
        kind = f"{name(event['kind'], 20):<{kinds}}"
        told = ": ".join(one_line(part) for part in (event["by"], event["text"]) if part)
        yield f"{utc(at, now)}:{to_datetime(at):%S}  {kind}  {told}"


def _outcome(task: Document, now: Instant) -> Iterator[str]:
    yield ""
    yield _facts(task, now)
    run = task["run"]
    if run is None:
        return
    for artifact in run["artifacts"]:
        detail = f": {one_line(artifact['detail'])}" if artifact.get("detail") else ""
        yield f"{artifact['check']}  {name(artifact['name'])}{detail}"
    yield "UTC"
    yield f"Next: faultbook timeline {short_id(str(run['run_id']))}"
