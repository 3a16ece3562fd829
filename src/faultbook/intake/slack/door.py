"""The door: each kind of payload to its handler, and one boundary for what goes wrong there."""

import secrets
from collections.abc import Awaitable, Callable

import structlog

from faultbook.base.errors import FaultbookError, InvalidError, UnavailableError
from faultbook.base.redaction import redact
from faultbook.intake.slack.bolt import Dispatcher, Handlers
from faultbook.intake.slack.clicks import take_click
from faultbook.intake.slack.commands import ephemeral, take_command
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.events import NOT_RECORDED, take_event
from faultbook.intake.slack.incidents import open_by_shortcut
from faultbook.intake.slack.payloads import Json, read_click, read_shortcut
from faultbook.intake.slack.submissions import take_submission
from faultbook.intake.slack.task_giving import take_by_shortcut
from faultbook.view.message import Message
from faultbook.view.slack_words import own_error_message, refusal_message, refused_modal

OPEN_INCIDENT = "open_incident"
MAKE_TASK = "make_task"
"""The callbacks of the message shortcuts, as the manifest names them."""

log = structlog.get_logger("slack")


def open_door(desk: Desk) -> Dispatcher:
    """Put Bolt in front of the handlers; what it gives takes payloads of either mode."""

    async def on_event(body: Json, redelivery: int) -> None:
        await take_event(desk, body, redelivery)

    async def on_command(body: Json) -> Json | None:
        return await _told(lambda: take_command(desk, body), ephemeral)

    async def on_click(body: Json) -> Json | None:
        return await _told(lambda: take_click(desk, body), lambda why: _refuse(desk, body, why))

    async def on_shortcut(body: Json) -> Json | None:
        return await _told(lambda: _take_shortcut(desk, body), lambda why: _refuse(desk, body, why))

    async def on_submission(body: Json) -> Json | None:
        return await _told(lambda: take_submission(desk, body), lambda why: _kept_open(body, why))

    return Dispatcher(
        desk.client,
        desk.me,
        Handlers(
            event=on_event,
            command=on_command,
            click=on_click,
            submission=on_submission,
            closing=_nothing,
            shortcut=on_shortcut,
            options=_no_options,
        ),
    )


async def _told(
    take: Callable[[], Awaitable[Json | None]], tell: Callable[[Message], Json | None]
) -> Json | None:
    """Acknowledge in any case: Slack sends none of these again, and the person is told."""
    try:
        return await take()
    except Exception as error:  # noqa: BLE001 - the boundary: the person is told
        return tell(_explain(error))


def _refuse(desk: Desk, body: Json, message: Message) -> None:
    click = read_click(body, desk.me)
    if click.response_url:
        desk.whisper(click.response_url, message, click.thread_ts)
    else:  # in Home and in modals there is nobody's ear to whisper to
        desk.tasks.start("refusal", lambda: desk.show(click, refused_modal(message)))


def _explain(error: Exception) -> Message:
    if isinstance(error, UnavailableError):
        log.warning("nothing_recorded", why=redact(error.message))
        return refusal_message(NOT_RECORDED)
    if isinstance(error, FaultbookError):
        return refusal_message(error)
    number = f"E-{secrets.token_hex(2)}"
    log.error("handler_failed", number=number, exc_info=error)
    return own_error_message(number)


async def _take_shortcut(desk: Desk, body: Json) -> Json | None:
    shortcut = read_shortcut(body, desk.me)
    if shortcut.callback_id == OPEN_INCIDENT:
        await open_by_shortcut(desk, shortcut)
        return None
    if shortcut.callback_id == MAKE_TASK:
        await take_by_shortcut(desk, shortcut)
        return None
    raise InvalidError(
        "I have no such shortcut any more, so nothing happened.",
        code="unknown_shortcut",
        next_step="Mention me, or use /failing.",
    )


def _kept_open(body: Json, message: Message) -> Json | None:
    """Keep a modal open with what was written in it, and say under its first input what happened.

    Slack takes errors for inputs only.
    """
    blocks = (body.get("view") or {}).get("blocks") or []
    first = next((str(one.get("block_id")) for one in blocks if one.get("type") == "input"), None)
    if first is None:
        return None
    return {"response_action": "errors", "errors": {first: message.text}}


async def _nothing(body: Json) -> Json | None:
    """Acknowledge what none of our windows sends."""
    del body
    return None


async def _no_options(body: Json) -> Json | None:
    del body
    return {"options": []}
