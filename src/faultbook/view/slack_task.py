"""A task in Slack: its card, the few replies in its thread, its status, and lists of tasks."""

from collections.abc import Callable, Sequence

from faultbook.base.clock import Instant
from faultbook.model.task import Task, TaskSource, TaskState
from faultbook.model.task_sight import TaskSight
from faultbook.view.actions import (
    INCIDENT_OPEN,
    TASK_CANCEL,
    TASK_DETAILS,
    TASK_DONE,
    TASK_HAND_BACK,
    TASK_KEEP,
    TASK_NOT_A_TASK,
    TASK_RETRY,
    TASK_TAKE,
)
from faultbook.view.lines import Bold, Code, Line, Mention, Moment, Span, join, name
from faultbook.view.message import Block, Message
from faultbook.view.series_values import write_series
from faultbook.view.slack_approval import open_button
from faultbook.view.slack_blocks import (
    actions,
    button,
    context,
    fits,
    packed,
    plain_text,
    section,
)
from faultbook.view.spoken import spoken_text
from faultbook.view.task_lines import (
    CHECK_FIRST,
    asked,
    facts,
    is_unproven,
    lasted,
    listed,
    times,
    what_was_verified,
    where_it_stands,
)

_LISTED = 24
_A_SECTION = 3
_READ_FROM_WORDS = frozenset({TaskSource.MENTION, TaskSource.DIRECT})
_BEFORE_WORK = frozenset({TaskState.RECEIVED, TaskState.QUEUED})


def card_message(sight: TaskSight, now: Instant) -> Message:
    """Paint a task's card as it stands."""
    return _message([where_it_stands(sight)], facts(sight), card_buttons(sight), now)


def status_message(sight: TaskSight, now: Instant) -> Message:
    """Answer where a task is: its card's words at this moment, with what was asked."""
    small = [asked(sight.task), *(line for line in facts(sight) if line != asked(sight.task))]
    small.append(["As of ", Moment(now), "."])
    return _message([where_it_stands(sight)], small, [details_button(sight.task)], now)


def ended_reply(sight: TaskSight, now: Instant) -> Message:
    """Tell whoever gave a task how it ended: repaints notify nobody."""
    task = sight.task
    who = Mention(task.requester.id, name(task.requester.name))
    tell = _ENDINGS.get(task.state)
    if tell is None or task.ended_at is None:  # somebody retried it meanwhile
        line: Line = [who, f" {task.id} had ended and was retried: it is {task.state} now."]
    else:
        line = [who, f" {task.id} ", *tell(sight, f"after {lasted(task, task.ended_at)}")]
    return _message([line], [], [], now)


def _done(sight: TaskSight, after: str) -> Line:
    shown = what_was_verified(sight)
    return [f"is done {after}", *([": ", *shown] if shown else []), "."]


def _failed(sight: TaskSight, after: str) -> Line:
    task = sight.task
    unproven = ", not proven" if is_unproven(task) else ""
    reason: Line = [": ", Code(task.reason)] if task.reason else []
    return [f"failed {after}{unproven}", *reason, "."]


def _lost(sight: TaskSight, after: str) -> Line:
    quiet = times(max(1, sight.task.lapses))
    return [f"is lost {after}: its worker went quiet {quiet}. {CHECK_FIRST}"]


_ENDINGS: dict[TaskState, Callable[[TaskSight, str], Line]] = {
    TaskState.DONE: _done,
    TaskState.FAILED: _failed,
    TaskState.LOST: _lost,
    TaskState.CANCELLED: lambda sight, after: [
        f"was cancelled {after} by {name(sight.task.cancelled_by)}."
    ],
}


def waits_reply(sight: TaskSight, now: Instant) -> Message:
    """Say that a task still waits, so that nobody sends it again."""
    task = sight.task
    if task.state not in _BEFORE_WORK or sight.before is None:
        return _message([[f"{task.id} waits no more: it is {task.state}."]], [], [], now)
    before = f"{sight.before} before it." if sight.before else "It is next."
    waited = lasted(task, now)
    line: Line = [f"{task.id} still waits: nobody has taken it for {waited}. {before}"]
    return _message([line], [], [details_button(task)], now)


def deleted_reply(sight: TaskSight, now: Instant) -> Message:
    """Ask whether a task is to be cancelled whose message was deleted."""
    task = sight.task
    gone = f"The message of {task.id} was deleted."
    if task.state.is_ended:
        return _message([[f"{gone} It is {task.state}, so nothing changes."]], [], [], now)
    line: Line = [f"{gone} It is still {task.state}: cancel it, or keep it?"]
    return _message([line], [], [_button("Cancel", TASK_CANCEL, task), _keep(task)], now)


def tasks_message(
    tasks: Sequence[Task], now: Instant, *, mine: bool = False, count: int | None = None
) -> Message:
    """List open tasks, those that run first; `count` is how many there are in all."""
    in_order = sorted(tasks, key=lambda task: task.state is not TaskState.RUNNING)
    of = len(tasks) if count is None or not tasks else max(count, len(tasks))
    opening = [_tasks_headline(in_order, of, mine=mine)]
    lines: list[Line] = []
    for length in (80, 40, 20):
        lines = [listed(task, length) for task in in_order[:_LISTED]]
        thirds = (lines[at : at + _A_SECTION] for at in range(0, len(lines), _A_SECTION))
        if all(fits(group) for group in thirds):
            break
    found = packed(lines, of, sections=_LISTED // _A_SECTION + 2).sections
    tail: Line = ["As of ", Moment(now), "."]
    blocks = [section(opening), *(section(each) for each in found), context([tail])]
    told = [line for each in found for line in each]
    return Message(spoken_text(opening, told, [tail], now), blocks)


def _tasks_headline(tasks: Sequence[Task], count: int, *, mine: bool) -> Line:
    if not count:
        none = "You have no open task." if mine else "No task is open."
        return [Bold(none), " Give one: mention me and say what is to be done."]
    whose = "of yours " if mine else ""
    running = sum(task.state is TaskState.RUNNING for task in tasks)
    are = "is" if count == 1 else "are"
    head: list[Span] = [Bold(f"{count} task{'s' if count != 1 else ''} {whose}{are} open")]
    return join((head, [f"{running} running" if running else "none runs now"]))


def may_be_no_task(task: Task) -> bool:
    """Tell whether a task was read from somebody's words, so that it may be none at all."""
    is_new = task.state in _BEFORE_WORK and task.attempts == 0
    return is_new and task.source in _READ_FROM_WORDS


def card_buttons(sight: TaskSight) -> list[Block]:
    """Offer what can be done with a task as it stands, three at most."""
    task = sight.task
    details = details_button(task)
    if task.state is TaskState.CANCELLED:
        return []
    if task.state in {TaskState.FAILED, TaskState.LOST}:
        return [retry_button(task), _open_incident(sight), details]
    if task.state is TaskState.DONE:
        return [details]
    if task.state is TaskState.RUNNING and task.taken_by is not None:
        done, back = ("Done", TASK_DONE), ("Hand back", TASK_HAND_BACK)
        return [_button(*done, task), _button(*back, task), details]
    cancel = _button("Cancel", TASK_CANCEL, task)
    if task.state in _BEFORE_WORK and task.route is None:
        return [_button("I'll take it", TASK_TAKE, task), cancel, details]
    opened = [open_button(one) for one in sight.approvals[:1]]
    taken_back = [not_a_task_button(task)] if may_be_no_task(task) else []
    return [*opened, cancel, details, *taken_back]


def details_button(task: Task) -> Block:
    """Offer all there is to read about a task."""
    return _button("Details", TASK_DETAILS, task)


def not_a_task_button(task: Task) -> Block:
    """Offer to take back what was read as a task and is none."""
    return _button("Not a task", TASK_NOT_A_TASK, task)


def retry_button(task: Task) -> Block:
    """Offer another attempt; one that may do something twice is asked about first."""
    block = _button("Retry", TASK_RETRY, task)
    if task.state is TaskState.LOST:
        said = "It may have had effects that a retry would repeat. Check before retrying."
        block["confirm"] = {
            "title": plain_text(f"Retry {task.id}?", 100),
            "text": plain_text(said, 300),
            "confirm": plain_text("Retry", 30),
            "deny": plain_text("Go back", 30),
        }
    return block


def _open_incident(sight: TaskSight) -> Block:
    about = f"about {sight.task.id}"
    value = write_series(sight.run.start.series) if sight.run is not None else ""
    return button("Open incident", INCIDENT_OPEN, value, about=about)


def _keep(task: Task) -> Block:
    return _button("Keep", TASK_KEEP, task)


def _button(label: str, action_id: str, task: Task) -> Block:
    return button(label, action_id, str(task.number), about=task.id)


def _message(
    lines: Sequence[Line], small: Sequence[Line], buttons: Sequence[Block], now: Instant
) -> Message:
    blocks = [section(lines), *([context(small)] if small else []), *actions(buttons)]
    return Message(spoken_text(lines, small, (), now), blocks)
