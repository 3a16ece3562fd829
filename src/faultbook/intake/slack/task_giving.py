"""The other ways to give a task: a command, a shortcut, an unclear message's button, Home's."""

import asyncio

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from faultbook.base.errors import InvalidError, NotFoundError
from faultbook.base.slack_refusal import read_refusal
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.payloads import Click, Command, Json, Shortcut, read_links
from faultbook.intake.slack.places import direct_of, is_inside
from faultbook.intake.slack.rereading import read_message
from faultbook.intake.slack.task_messages import learn_name, task_text
from faultbook.model.task import NewTask, TaskOrigin, TaskSource
from faultbook.operations.tasks import find_by_message, take_task
from faultbook.view.message import Message
from faultbook.view.slack_task_form import already_message, new_task_form, taken_message
from faultbook.view.slack_words import repeated_message

_READ_SECONDS = 2.0
"""Slack waits for 3 s; what was not read by then was not recorded either."""

log = structlog.get_logger("slack")


async def take_by_command(desk: Desk, command: Command, text: str) -> Message:
    """Take what follows `/faultbook task`; its card is a message of its own.

    Raises:
        InvalidError: it can't be taken; says why.
        UnavailableError: nothing was recorded.
    """
    here, requester = await asyncio.gather(
        is_inside(desk, command.channel), desk.people.person(command.user, command.user_name)
    )
    channel = command.channel if here else await direct_of(desk, command.user)
    new = NewTask(
        text=task_text(text, desk.me.mention),
        requester=requester,
        source=TaskSource.COMMAND,
        origin=TaskOrigin(command.team or desk.me.team_id, channel),
    )
    key = command.as_click().key
    task = await desk.store.write_async(take_task, [key], new, desk.routes)
    return repeated_message() if task is None else taken_message(task, here=here)


async def take_by_shortcut(desk: Desk, shortcut: Shortcut) -> None:
    """Make a message a task of the person who used the shortcut on it.

    Raises:
        InvalidError: it can't be taken; says why.
        UnavailableError: nothing was recorded.
    """
    click = shortcut.click
    origin = _origin(click, click.message_ts, click.thread_ts or "")
    here, requester = await asyncio.gather(
        is_inside(desk, click.channel), desk.people.person(click.user, click.user_name)
    )
    new = NewTask(
        text=task_text(shortcut.message_text, desk.me.mention),
        requester=requester,
        source=TaskSource.SHORTCUT,
        # Its message can carry no sign of ours where we are not.
        origin=origin if here else TaskOrigin(click.team, await direct_of(desk, click.user)),
        links=shortcut.links,
    )
    keys = [click.key] if here else [click.key, f"shortcut:{origin.key}"]
    await _take_message(desk, click, new, keys)


async def make_task(desk: Desk, click: Click) -> None:
    """Make the message a task that was asked about; its text is read again, as none was kept.

    Raises:
        NotFoundError: the message is gone.
        InvalidError: it can't be taken; says why.
        UnavailableError: nothing was recorded.
    """
    ts = click.value
    if not ts or not click.channel:
        raise InvalidError("This button names no message.", code="unknown_button")
    message = await _read_again(desk, click, ts)
    author = str(message.get("user") or "") or click.user
    new = NewTask(
        text=task_text(str(message.get("text") or ""), desk.me.mention),
        requester=desk.people.known(author, click.user_name if author == click.user else ""),
        source=TaskSource.BUTTON,
        origin=_origin(click, ts, click.thread_ts or ""),
        links=read_links(message),
    )
    await _take_message(desk, click, new, [click.key])
    learn_name(desk, new.requester)


async def _read_again(desk: Desk, click: Click, ts: str) -> Json:
    try:
        async with asyncio.timeout(_READ_SECONDS):
            message = await read_message(desk.client, click.channel, ts, click.thread_ts)
    except SlackApiError as error:
        words = read_refusal(error.response).words
        raise NotFoundError(
            "Slack does not show me that message, so nothing was recorded.",
            code=words,
            next_step="Invite me to its channel, or send it to me again.",
        ) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("message_not_read", why=type(error).__name__)
        raise InvalidError(
            "Slack did not show me that message in time, so nothing was recorded.",
            code="message_not_read",
            next_step="Press it again.",
        ) from error
    if message is None:
        raise NotFoundError(
            "That message is gone, so nothing was recorded.",
            code="message_gone",
            next_step="Send it again.",
        )
    return message


async def _take_message(desk: Desk, click: Click, new: NewTask, keys: list[str]) -> None:
    task = await desk.store.write_async(take_task, keys, new, desk.routes)
    origin = new.origin
    if task is not None:
        if not origin.ts:
            desk.whisper(click.response_url, taken_message(task, here=False), click.thread_ts)
        return  # elsewhere its reaction and its card say so
    place = (origin.team, origin.channel, origin.ts)
    known = await desk.store.read_async(find_by_message, *place) if origin.ts else None
    said = repeated_message() if known is None else already_message(known)
    desk.whisper(click.response_url, said, click.thread_ts)


def _origin(click: Click, ts: str, thread_ts: str) -> TaskOrigin:
    # A card in the person's own conversation with the bot stands by itself, as answers do there.
    direct = click.channel.startswith("D") and thread_ts == ts
    return TaskOrigin(click.team, click.channel, ts, "" if direct else thread_ts)


async def open_new_task(desk: Desk, click: Click) -> None:
    """Open the modal that asks for a task."""
    direct = click.metadata if click.view_type == "home" else ""
    if await desk.accept([click.key], None):
        desk.tasks.start("new task", lambda: desk.show(click, new_task_form(direct)))
