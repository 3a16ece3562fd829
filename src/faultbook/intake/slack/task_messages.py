"""Messages that are tasks: taken once, changed while they are queued, missed when they are gone."""

import structlog

from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    InvalidError,
    UnavailableError,
)
from faultbook.base.redaction import redact
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.heard import Deleted, Edited, Heard
from faultbook.intake.slack.words import whole_words
from faultbook.model.notice import NewNotice
from faultbook.model.person import Person
from faultbook.model.task import LONGEST_TEXT, NewTask, Task, TaskOrigin, TaskSource, TaskState
from faultbook.operations.questions import Owed, ReplyTo
from faultbook.operations.task_people import name_requester
from faultbook.operations.tasks import edit_task, find_by_message, offer_cancel, take_task
from faultbook.view.message import Message
from faultbook.view.slack_words import refusal_message

log = structlog.get_logger("slack")


def task_text(text: str, mention: str) -> str:
    """Give a message's text as that of a task: as its author typed it, without the mention."""
    return whole_words(text, mention)


async def take_request(desk: Desk, heard: Heard, to: ReplyTo) -> None:
    """Take a message as a task, once; what can't be taken is answered, and nothing is recorded.

    Raises:
        UnavailableError: nothing was recorded.
    """
    keys = heard.keys
    new = NewTask(
        text=task_text(heard.text, desk.me.mention),
        requester=desk.people.known(heard.user),
        source=TaskSource.DIRECT if heard.is_direct else TaskSource.MENTION,
        origin=TaskOrigin(heard.team, heard.channel, heard.ts, to.thread_ts or ""),
        links=heard.links,
    )
    try:
        task = await desk.store.write_async(take_task, keys, new, desk.routes)
    except InvalidError as error:
        await desk.accept(keys, owed_refusal(error, to))
        return
    if task is not None:
        learn_name(desk, task.requester)


def owed_refusal(error: InvalidError, to: ReplyTo) -> NewNotice:
    """Owe word of why something that was asked for could not be taken."""
    return to.notice(
        Owed.UNREADABLE,
        message=redact(error.message),
        code=error.code,
        next_step=redact(error.next_step),
    )


def learn_name(desk: Desk, person: Person) -> None:
    """Read a person's name where only their id was known; a receipt never waits for that."""
    if person.id and person.name == person.id:
        desk.tasks.start("name", lambda: _learn_name(desk, person))


async def _learn_name(desk: Desk, person: Person) -> None:
    named = await desk.people.person(person.id)
    if named.name != person.id:
        await desk.store.write_async(name_requester, named)


async def kept_as(desk: Desk, heard: Heard) -> str:
    """Name the task that a message became in spite of what went wrong after; empty if none."""
    try:
        task = await desk.store.read_async(find_by_message, heard.team, heard.channel, heard.ts)
    except UnavailableError:
        return ""
    return "" if task is None else task.id


async def take_edit(desk: Desk, edited: Edited) -> None:
    """Take a newer text of a message whose task is still queued.

    Raises:
        UnavailableError: nothing was recorded.
    """
    text = task_text(edited.text, desk.me.mention)
    place = (edited.team, edited.channel, edited.ts)
    changed = await desk.store.write_async(
        edit_task, edit_key(*place, edited.edited_ts), place, text, edited.edited_ts
    )
    if changed is None:
        task = await desk.store.read_async(find_by_message, *place)
        error = None if task is None else _why_unused(task, text)
        if error is not None:
            note = refusal_message(error)
            desk.tasks.start("unused edit", lambda: _tell(desk, edited, note))


def edit_key(team: str, channel: str, ts: str, edited_ts: str) -> str:
    """Identify an edit, however it is learned of."""
    return f"edit:{team}:{channel}:{ts}:{edited_ts}"


def _why_unused(task: Task, text: str) -> FaultbookError | None:
    """Tell why an edit changes nothing, where its author would be surprised."""
    if task.state.is_ended or task.text == redact(text):
        return None
    if len(text) > LONGEST_TEXT:
        return InvalidError(
            f"The changed message has {len(text):,} characters; {LONGEST_TEXT:,} are the most."
            f" {task.id} keeps the text it had.",
            code="task_too_long",
            next_step="Put the rest into a file and link it.",
        )
    if task.state not in {TaskState.RECEIVED, TaskState.QUEUED}:
        return ConflictError(
            f"{task.id} runs already, with the text it had. Your edit was not used.",
            code="task_running",
            next_step="Cancel it and give it anew if the difference matters.",
        )
    return None


async def _tell(desk: Desk, edited: Edited, note: Message) -> None:
    await desk.tell(edited.channel, edited.user, None, note)


async def miss_message(desk: Desk, deleted: Deleted) -> None:
    """Offer to cancel the task of a message that is gone.

    Raises:
        UnavailableError: nothing was recorded.
    """
    place = (deleted.team, deleted.channel, deleted.ts)
    await desk.store.write_async(offer_cancel, place)
