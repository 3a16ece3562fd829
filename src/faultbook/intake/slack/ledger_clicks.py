"""Buttons of the ledger's messages: close, choose, answer a suggestion, edit a rule."""

import hashlib
import json
from dataclasses import dataclass

from faultbook.base.errors import InvalidError, NotFoundError
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.origins import origin_of
from faultbook.intake.slack.payloads import Click
from faultbook.model.draft import Origin
from faultbook.model.known_failure import KnownBy
from faultbook.operations.incidents import Closing, choose_once, read_closing
from faultbook.operations.lessons import answer_no, answer_yes, with_records
from faultbook.operations.questions import ReplyTo
from faultbook.view.actions import LEDGER_APPLY, LESSON_NEW
from faultbook.view.series_values import read_suggestion
from faultbook.view.slack_incident import close_incident_form
from faultbook.view.slack_ledger import dropped_message
from faultbook.view.slack_lesson import edit_rule_form, noted_message


async def close_incident(desk: Desk, click: Click) -> None:
    """Ask what verifies that an incident is over."""
    desk.need_ledger()
    closing = await desk.store.in_thread(read_closing, desk.store, click.value)
    if await desk.accept([click.key], None):
        desk.tasks.start("close", lambda: _ask_to_close(desk, click, closing))


async def _ask_to_close(desk: Desk, click: Click, closing: Closing) -> None:
    told = closing.operation.payload
    view = close_incident_form(
        str(told.get("title") or closing.path),
        str(told.get("prevention_rule") or ""),
        closing.passed,
        desk.store.clock(),
    )
    metadata = _dump([closing.operation.id, *_place(origin_of(click))])
    await desk.show(click, view | {"private_metadata": metadata})


def read_closing_place(metadata: str) -> tuple[str, list[str]]:
    """Take the incident's operation and the place of the click back from the modal.

    Raises:
        InvalidError: the modal is none of ours.
    """
    operation_id, *place = _load(metadata, 3)
    return operation_id, place


async def choose(desk: Desk, click: Click) -> None:
    """Take a person's choice between their text and the one that is there."""
    ledger = desk.need_ledger()
    mine = click.action_id == LEDGER_APPLY
    person = await desk.people.person(click.user, click.user_name)
    chosen = await desk.store.write_async(
        choose_once,
        [click.key],
        click.value,
        "apply_mine" if mine else "drop_mine",
        person,
    )
    if chosen and mine:
        ledger.wake()
    elif chosen:
        desk.whisper(click.response_url, dropped_message(), click.thread_ts)


async def say_yes(desk: Desk, click: Click) -> None:
    """Count a failure as a repeat of a lesson, and say so loudly in the thread."""
    value = read_suggestion(click.value)
    if value.lesson is None:
        raise InvalidError("This button names no lesson.", code="unknown_button")
    person = await desk.people.person(click.user, click.user_name)
    counted = await desk.store.write_async(
        answer_yes,
        [click.key],
        value.fingerprint,
        value.lesson,
        value.run_id,
        value.series,
        person.name,
        _reply_to(click),
    )
    if counted:
        desk.wake(click.channel)


async def say_no(desk: Desk, click: Click) -> None:
    """Note that a failure is none of the suggested lessons, or that it is new."""
    value = read_suggestion(click.value)
    person = await desk.people.person(click.user, click.user_name)
    answer = KnownBy.NEW if click.action_id == LESSON_NEW else KnownBy.NO
    noted = await desk.store.write_async(
        answer_no, [click.key], value.fingerprint, answer, person.name
    )
    if noted:
        is_new = answer is KnownBy.NEW
        note = noted_message(value.series, is_new=is_new)
        desk.whisper(click.response_url, note, click.thread_ts)


@dataclass(frozen=True, slots=True)
class EditedRule:
    """What the modal "Edit rule" was opened for.

    Attributes:
        shown: the digest of the rule that it showed.
        place: channel and thread of the click.
    """

    number: int
    shown: str
    place: list[str]


async def edit_rule(desk: Desk, click: Click) -> None:
    """Open the modal with a lesson's rule as it is now."""
    snapshot = desk.need_ledger().snapshot()
    lesson = snapshot.lesson(int(click.value)) if click.value.isdecimal() else None
    if lesson is None:
        raise NotFoundError(
            "The ledger has no such lesson any more.",
            code="lesson_unknown",
            next_step="Search for it: `/faultbook lesson WORDS`.",
        )
    found = await desk.store.in_thread(with_records, desk.store, snapshot, [lesson])
    number, place = str(lesson.number), _place(origin_of(click))
    view = edit_rule_form(found[0], _dump([number, digest_of(lesson.rule), *place]))
    if await desk.accept([click.key], None):
        desk.tasks.start("edit rule", lambda: desk.show(click, view))


def read_edited_rule(metadata: str) -> EditedRule:
    """Take back what the modal "Edit rule" was opened for.

    Raises:
        InvalidError: the modal is none of ours.
    """
    number, shown, *place = _load(metadata, 4)
    return EditedRule(int(number), shown, place)


def digest_of(text: str) -> str:
    """Digest a rule, since a whole one may not fit into a modal's metadata."""
    return hashlib.sha256(text.encode()).hexdigest()


def _place(origin: Origin) -> list[str]:
    return [origin.channel, origin.thread_ts]


def _reply_to(click: Click) -> ReplyTo:
    return ReplyTo(click.channel, click.user, click.action_ts, click.thread_ts)


def _dump(parts: list[str]) -> str:
    return json.dumps(parts, separators=(",", ":"))


def _load(metadata: str, count: int) -> list[str]:
    try:
        parts = json.loads(metadata)
    except ValueError:
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != [str] * count:
        raise InvalidError(
            "This window is from another version, so nothing happened.",
            code="unknown_window",
            next_step="Close it, and use the button of the message again.",
        )
    return parts
