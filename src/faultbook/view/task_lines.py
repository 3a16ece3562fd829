"""What every face says of a task: one line of where it stands, and its facts in small print."""

from collections.abc import Callable

from faultbook.base.clock import SECOND, Instant
from faultbook.base.text import duration
from faultbook.model.evidence import Artifact, Check
from faultbook.model.task import CANCELLED_WAITING, Task, TaskState
from faultbook.model.task_sight import TaskSight
from faultbook.model.verdict import Reason, Verdict
from faultbook.view.approval_values import to_whom
from faultbook.view.lines import DOT, Bold, Code, Line, Moment, Span, join, name, strong, words

CHECK_FIRST = "It may have had effects: check before retrying."
_FILES_NAMED = _APPROVALS_NAMED = 3
_MINUTE, _HOUR = 60, 3600
_TIMES = {1: "once", 2: "twice"}
_SAID_NOTHING = frozenset({Reason.RUN_ABANDONED.value, Reason.TIMED_OUT.value})


def where_it_stands(sight: TaskSight) -> Line:
    """Say in one line where a task stands: the words of its card."""
    return _STANDS[sight.task.state](sight)


def facts(sight: TaskSight) -> list[Line]:
    """Give the small print below: the words it was given in, its attempt, its progress."""
    task = sight.task
    lines = [_FACTS[task.state](sight)]
    if not task.origin.ts and task.state not in _TELL_THEIR_TEXT:
        lines.insert(0, asked(task))  # no message stands above the card
    return [line for line in lines if line]


def asked(task: Task) -> Line:
    """Say what was asked, and who asked."""
    return join(([f"“{words(task.text)}”"], [name(task.requester.name)]))


def lasted(task: Task, until: Instant) -> str:
    """Say how long a task took from the moment it was given: `45 s`, `2 min 10 s`, `1 h 5 min`."""
    whole = max(0, (until - task.received_at) // SECOND)
    if _MINUTE <= whole < _HOUR and whole % _MINUTE:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return duration(whole)


def verified_files(sight: TaskSight) -> list[Artifact]:
    """List the files of the latest attempt whose bytes were read and held."""
    found = sight.run.artifacts if sight.run is not None else ()
    return [artifact for artifact in found if artifact.check is Check.VERIFIED]


def what_was_verified(sight: TaskSight) -> Line:
    """Name what shows that a task was done."""
    files = verified_files(sight)
    if files:
        named = ", ".join(name(artifact.name) for artifact in files[:_FILES_NAMED])
        more = len(files) - _FILES_NAMED
        of = "1 file" if len(files) == 1 else f"{len(files)} files"
        return [f"{of} verified: {named}{f' and {more} more' if more > 0 else ''}"]
    tests = sight.run.tests if sight.run is not None else None
    if tests is not None:
        return [f"{tests.executed} test{'s' if tests.executed != 1 else ''} passed"]
    if sight.task.reason == Reason.HEARTBEAT_ACCEPTED:
        return ["By heartbeat only: nothing was verified"]
    return []


def times(count: int) -> str:
    """Say how often: `once`, `twice`, `3 times`."""
    return _TIMES.get(count, f"{count} times")


def is_unproven(task: Task) -> bool:
    """Tell whether an attempt ended without anything that shows how it came out."""
    return task.state is TaskState.FAILED and task.verdict is Verdict.INCONCLUSIVE


def _queued(sight: TaskSight) -> Line:
    task = sight.task
    if task.route is None:
        return [*strong(f"{task.id} waits for a taker."), " No route matches."]
    first = f"Got it: {task.id}" if task.attempts == 0 else f"{task.id} is queued again"
    end = "," if task.attempts == 0 else ""
    queue = [" queued"] if task.attempts == 0 else []
    return [
        *strong(first),
        end,
        *queue,
        " for ",
        Code(name(sight.queue)),
        f". {_before(sight)}",
    ]


def _before(sight: TaskSight) -> str:
    return f"{sight.before} before you." if sight.before else "You are next."


def _running(sight: TaskSight) -> Line:
    task = sight.task
    if task.taken_by is not None:
        return [*strong(task.id), f" is in {name(task.taken_by.name)}'s hands."]
    return [*strong(f"{task.id} running"), *([f" on {name(task.worker)}"] if task.worker else [])]


def _waiting(sight: TaskSight) -> Line:
    names = ", ".join(one.id for one in sight.approvals[:_APPROVALS_NAMED])
    more = len(sight.approvals) - _APPROVALS_NAMED
    which = f" {names}{f' and {more} more' if more > 0 else ''}" if names else ""
    return strong(f"{sight.task.id} waits for approval{which}")


def _waits_for(sight: TaskSight) -> Line:
    """Say what is to be decided, and until when an answer counts."""
    if not sight.approvals:
        return asked(sight.task)
    first = sight.approvals[0]
    what = f"{name(first.action.kind)} {to_whom(first.action)}"
    return [f"{what}, until ", Moment(first.expires_at)]


def _done(sight: TaskSight) -> Line:
    shown = what_was_verified(sight)
    return [*strong(f"{sight.task.id} done: passed."), *([" ", *shown] if shown else [])]


def _failed(sight: TaskSight) -> Line:
    task = sight.task
    if is_unproven(task):
        said = "The worker said done; nothing could be verified."
        if task.reason in _SAID_NOTHING:
            said = "It did not report by its time limit, and may have had effects."
        return [*strong(f"{task.id} failed: not proven."), f" {said}"]
    verdict = task.verdict
    how = "." if verdict in {None, Verdict.FAILED} else f": {verdict}."
    return [*strong(f"{task.id} failed{how}"), *why(task)]


def why(task: Task) -> Line:
    """Name the reason with its words, after a blank; nothing where there is none."""
    if not task.reason:
        return []
    detail = words(task.detail)
    return [" ", Code(task.reason), *([f": {detail}"] if detail else [])]


def _lost(sight: TaskSight) -> Line:
    task = sight.task
    return [
        *strong(f"{task.id} lost."),
        f" Its worker went quiet {times(max(1, task.lapses))}. {CHECK_FIRST}",
    ]


def _cancelled(sight: TaskSight) -> Line:
    task = sight.task
    by = name(task.cancelled_by)
    if task.reason == "not_a_task":
        return [*strong(f"{task.id} was no task:"), f" {by} said so. Nothing ran."]
    ran = what_ran(task.attempts, task.reason)
    return [*strong(f"{task.id} cancelled"), f" by {by}. {ran}"]


def what_ran(attempts: int, reason: str) -> str:
    """Say of a cancelled task what may have come of it."""
    if not attempts:
        return "Nothing ran."
    if reason == CANCELLED_WAITING:
        return "It waited; what it had done before may have had effects."
    return "It was running and may have had effects."


_STANDS: dict[TaskState, Callable[[TaskSight], Line]] = {
    TaskState.RECEIVED: _queued,
    TaskState.QUEUED: _queued,
    TaskState.RUNNING: _running,
    TaskState.WAITING: _waiting,
    TaskState.DONE: _done,
    TaskState.FAILED: _failed,
    TaskState.LOST: _lost,
    TaskState.CANCELLED: _cancelled,
}


def _asked_and_tried(sight: TaskSight) -> Line:
    task = sight.task
    if task.attempts == 0:
        return asked(task)
    tried: list[Span] = [f"attempt {task.attempts}"]
    if task.reason:
        tried += [": ", Code(task.reason)]
    if task.not_before > task.received_at and task.route is not None:
        tried += [", tried again from ", Moment(task.not_before)]
    return join((asked(task), tried))


def _attempt(sight: TaskSight) -> Line:
    task = sight.task
    line: list[Span] = [f"attempt {task.attempts}"]
    if task.started_at is not None:
        line += [", since ", Moment(task.started_at)]
    if task.progress and task.progress_at is not None:
        line += ["; ", Moment(task.progress_at), f" {words(task.progress)}"]
    return line


def _took(sight: TaskSight) -> Line:
    task = sight.task
    took = [] if task.ended_at is None else [f"after {lasted(task, task.ended_at)}"]
    return join((took, [f"{task.attempts} attempts"] if task.attempts > 1 else []))


def _tried(sight: TaskSight) -> Line:
    task = sight.task
    of = f" of {sight.attempts}" if sight.attempts >= task.attempts else ""
    reason: Line = [Code(task.reason)] if is_unproven(task) and task.reason else []
    return join((reason, [f"attempt {task.attempts}{of}"]))


def _last_heard(sight: TaskSight) -> Line:
    heard = sight.task.heard_at
    return [] if heard is None else ["last heard ", Moment(heard)]


_FACTS: dict[TaskState, Callable[[TaskSight], Line]] = {
    TaskState.RECEIVED: _asked_and_tried,
    TaskState.QUEUED: _asked_and_tried,
    TaskState.RUNNING: _attempt,
    TaskState.WAITING: _waits_for,
    TaskState.DONE: _took,
    TaskState.FAILED: _tried,
    TaskState.LOST: _last_heard,
    TaskState.CANCELLED: lambda _: [],
}
_TELL_THEIR_TEXT = frozenset({TaskState.RECEIVED, TaskState.QUEUED, TaskState.WAITING})

SHORT: dict[TaskState, str] = {
    TaskState.RECEIVED: "queued",
    TaskState.QUEUED: "queued",
    TaskState.RUNNING: "running",
    TaskState.WAITING: "waits for approval",
}
"""An open task's state in a list."""


def listed(task: Task, length: int) -> Line:
    """Tell an open task in one line of a list."""
    state: list[Span] = [SHORT.get(task.state, task.state.value)]
    if task.taken_by is not None:
        state = [f"in {name(task.taken_by.name, 30)}'s hands"]
    elif task.state is TaskState.RUNNING and task.worker:
        state.append(f" on {name(task.worker, 30)}")
    elif task.state is TaskState.QUEUED:
        state += [" for ", Code(name(task.route, 30))] if task.route else [", waits for a taker"]
    if task.state is TaskState.RUNNING and task.started_at is not None:
        state += [" since ", Moment(task.started_at)]
    elif task.state is TaskState.QUEUED:
        state += [" since ", Moment(task.received_at)]
    said = f" “{words(task.text, length)}”"
    return join(([Bold(task.id), said], [name(task.requester.name, 30)], state), DOT)
