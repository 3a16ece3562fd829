"""Events: what people say to the bot, Home, and being brought into a channel."""

import secrets
from collections.abc import Callable
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from faultbook.base.clock import Instant
from faultbook.base.errors import UnavailableError
from faultbook.base.redaction import redact
from faultbook.intake.slack.approval_asking import owed_waiting
from faultbook.intake.slack.asks import (
    ApprovalOf,
    Ask,
    ChitChat,
    DiffRequest,
    Failing,
    Help,
    Lessons,
    OpenIncident,
    Review,
    StatusOf,
    TaskRequest,
    Unreadable,
    WaitsForMe,
    WhatDoing,
)
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.grammar import parse
from faultbook.intake.slack.heard import (
    Arrived,
    Deleted,
    Edited,
    Heard,
    HomeOpened,
    read_event,
)
from faultbook.intake.slack.home import publish_home
from faultbook.intake.slack.payloads import Json
from faultbook.intake.slack.task_messages import (
    kept_as,
    miss_message,
    owed_refusal,
    take_edit,
    take_request,
)
from faultbook.model.answer import FailingQuery
from faultbook.model.notice import NewNotice
from faultbook.operations.lessons import suggest_lessons
from faultbook.operations.questions import (
    Owed,
    ReplyTo,
    accept_arrival,
    owed_answer,
    owed_diff,
)
from faultbook.view.message import Message
from faultbook.view.slack_words import own_error_message, refusal_message

_LAST_REDELIVERY = 3
NOT_RECORDED = UnavailableError(
    "My store does not answer, so nothing was recorded.",
    code="store_unavailable",
    next_step="Send it again in a minute.",
)

log = structlog.get_logger("slack")


async def take_event(desk: Desk, body: Json, redelivery: int) -> None:
    """Take one event; returns when it may be acknowledged.

    Raises:
        Exception: nothing was recorded, and Slack shall send it again.
    """
    event = read_event(body, desk.me)
    if isinstance(event, Heard):
        await _hear(desk, event, redelivery)
    elif isinstance(event, Edited):
        await take_edit(desk, event)
    elif isinstance(event, Deleted):
        await miss_message(desk, event)
    elif isinstance(event, HomeOpened):
        desk.tasks.start("home", lambda: publish_home(desk, event.user, event.channel))
    elif isinstance(event, Arrived):
        await _arrive(desk, event)


def owed_for(ask: Ask, to: ReplyTo) -> NewNotice | None:
    """Tell what is owed for something that was asked; None where no answer is."""
    if isinstance(ask, Failing):
        return owed_answer(to, ask.query)
    if isinstance(ask, DiffRequest):
        return owed_diff(to, ask.before, ask.after)
    if isinstance(ask, ChitChat):
        return None
    for kind, make in _OWED_FOR.items():
        if isinstance(ask, kind):
            return make(ask, to)
    return to.notice(Owed.UNCLEAR)


_OWED_FOR: dict[type, Callable[[Any, ReplyTo], NewNotice]] = {
    Unreadable: lambda ask, to: owed_refusal(ask.error, to),
    Lessons: lambda ask, to: to.notice(Owed.LESSONS, words=redact(ask.words)),
    Review: lambda ask, to: to.notice(Owed.REVIEW, area=redact(ask.area)),
    OpenIncident: lambda _, to: to.notice(Owed.OFFER_INCIDENT),
    StatusOf: lambda ask, to: to.notice(Owed.TASK_STATUS, task=ask.task),
    ApprovalOf: lambda ask, to: to.notice(Owed.APPROVAL_STATUS, approval=ask.approval),
    WhatDoing: lambda ask, to: to.notice(Owed.TASK_LIST, user=to.user, mine=ask.mine),
    Help: lambda _, to: to.notice(Owed.HELP),
}


async def _hear(desk: Desk, heard: Heard, redelivery: int) -> None:
    try:
        await _take(desk, heard, desk.store.clock())
    except UnavailableError as error:
        log.warning("event_not_recorded", why=error.message, redelivery=redelivery)
        if redelivery < _LAST_REDELIVERY:
            raise  # unacknowledged, it comes again
        await _say(desk, heard, refusal_message(NOT_RECORDED))
    except Exception:
        # A bug does not go away by redelivery: the person is told, and Slack is not asked again.
        number = f"E-{secrets.token_hex(2)}"
        log.exception("event_failed", number=number)
        kept = await kept_as(desk, heard)
        if not await _say(desk, heard, own_error_message(number, kept)):
            raise


async def _take(desk: Desk, heard: Heard, now: Instant) -> None:
    ask = parse(heard.text, desk.me.mention, now)
    to = ReplyTo(
        channel=heard.channel,
        user=heard.user,
        after=heard.ts,
        thread_ts=heard.thread_ts or (None if heard.is_direct else heard.ts),
    )
    if isinstance(ask, TaskRequest):
        await take_request(desk, heard, to)
        return
    owed = await owed_waiting(desk, to) if isinstance(ask, WaitsForMe) else owed_for(ask, to)
    if owed is not None:
        is_new = await desk.accept(heard.keys, owed)
        if is_new and isinstance(ask, Failing) and to.thread_ts and desk.ledger is not None:
            # After the answer, in its thread; lost with a crash, it comes with the next answer.
            desk.tasks.start("suggestion", lambda: _suggest(desk, ask.query, to))


async def _suggest(desk: Desk, query: FailingQuery, to: ReplyTo) -> None:
    answer = await desk.ask(query)
    snapshot = desk.need_ledger().snapshot()
    woken = await desk.store.in_thread(suggest_lessons, desk.store, snapshot, answer, to)
    if woken is not None:
        desk.wake(woken)


async def _say(desk: Desk, heard: Heard, note: Message) -> bool:
    try:
        await desk.tell(heard.channel, heard.user, heard.thread_ts, note)
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("note_lost", why=type(error).__name__)
        return False
    return True


async def _arrive(desk: Desk, arrived: Arrived) -> None:
    to = ReplyTo(channel=arrived.channel, user=arrived.user, after=arrived.ts)
    key = f"event:{arrived.team}:{arrived.event_id}"
    if await desk.store.write_async(accept_arrival, key, to.notice(Owed.ARRIVAL)):
        desk.wake(arrived.channel)
