"""Slash commands: `/failing …` and `/faultbook verb …`, answered in the acknowledgement itself."""

import asyncio
import difflib
from collections.abc import Callable

from faultbook.base.clock import Instant
from faultbook.intake.slack.approval_asking import break_by_command, owed_waiting, where_one_decides
from faultbook.intake.slack.asks import (
    Ask,
    ChitChat,
    Help,
    Lessons,
    Review,
    StatusOf,
    TaskRequest,
    Unclear,
    WaitsForMe,
    WhatDoing,
)
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.events import owed_for
from faultbook.intake.slack.grammar import parse, parse_diff, parse_filters, visible_words
from faultbook.intake.slack.incidents import open_by_command
from faultbook.intake.slack.payloads import Command, Json, read_command
from faultbook.intake.slack.task_giving import take_by_command
from faultbook.operations.questions import ReplyTo
from faultbook.view.message import Message
from faultbook.view.slack_words import help_message, unknown_verb_message

_ANSWER_SECONDS = 2.0
"""Slack waits for 3 s; an answer that takes longer follows by the response URL."""

_VERBS: dict[str, Callable[[str, Instant], Ask]] = {
    "failing": parse_filters,
    "diff": parse_diff,
    "lesson": lambda text, _now: Lessons(visible_words(text)),
    "review": lambda text, _now: Review(visible_words(text)),
    "tasks": lambda _text, _now: WhatDoing(),
    "approvals": lambda _text, _now: WaitsForMe(),
    "help": lambda _text, _now: Help(),
}
_WHOLE_COMMANDS = {"/failing": "failing", "/incident": "incident"}
_OPENS = "incident"
"""The verb that opens a window instead of an answer."""
_GIVES = "task"
"""The verb that gives a task."""
_BREAKS = "break-glass"
"""The verb that approves without voters."""
_DECIDES = frozenset({"approve", "deny", "reject"})
"""Verbs that we don't have: what is decided is to be seen first."""
_NAMES = (*_VERBS, _OPENS, _GIVES, _BREAKS)


async def take_command(desk: Desk, body: Json) -> Json | None:
    """Answer a slash command to who gave it; nothing is recorded but a task, and broken glass.

    Raises:
        InvalidError: the task can't be taken.
        UnavailableError: the store does not answer.
    """
    command = read_command(body)
    verb, text = _split(command)
    if verb == _OPENS:
        await open_by_command(desk, command, text)
        return None
    if verb == _GIVES and not isinstance(parse(text, "<@>", desk.store.clock()), StatusOf):
        return ephemeral(await take_by_command(desk, command, text))
    if verb == _BREAKS:
        return ephemeral(await break_by_command(desk, command, text))
    answering = asyncio.ensure_future(_answer(desk, command))
    done, _ = await asyncio.wait({answering}, timeout=_ANSWER_SECONDS)
    if not done:
        desk.tasks.start("late answer", lambda: _follow(desk, command, answering))
        return None
    return ephemeral(answering.result())


def ephemeral(message: Message) -> Json:
    """Make an acknowledgement that only who acted will see."""
    return {"response_type": "ephemeral", "text": message.text, "blocks": message.blocks}


async def _follow(desk: Desk, command: Command, answering: "asyncio.Future[Message]") -> None:
    desk.whisper(command.response_url, await answering)


async def _answer(desk: Desk, command: Command) -> Message:
    verb, text = _split(command)
    ask = _understand(verb, text, desk.store.clock())
    if ask is None and verb in _DECIDES:
        return where_one_decides(text)
    if ask is None:
        return unknown_verb_message(verb, _nearest(verb))
    to = ReplyTo(channel=command.channel, user=command.user, after="0")
    owed = await owed_waiting(desk, to) if isinstance(ask, WaitsForMe) else owed_for(ask, to)
    return help_message() if owed is None else await desk.made(owed, private=True)


def _split(command: Command) -> tuple[str, str]:
    whole = _WHOLE_COMMANDS.get(command.name)
    if whole is not None:
        return whole, command.text
    verb, _, text = command.text.partition(" ")
    return verb.lower(), text.strip()


def _understand(verb: str, text: str, now: Instant) -> Ask | None:
    """Read a verb and what follows; None where neither verb nor sentence is known."""
    if not verb:
        return Help()
    read = _VERBS.get(verb)
    if read is not None:
        return read(text, now)
    whole = parse(f"{verb} {text}", "<@>", now)
    if isinstance(whole, ChitChat):
        return Help()
    # A task is given by its verb: a mistyped one must not become work.
    return None if isinstance(whole, Unclear | TaskRequest) else whole


def _nearest(verb: str) -> str | None:
    near = difflib.get_close_matches(verb, _NAMES, n=1, cutoff=0.5)
    return near[0] if near else None
