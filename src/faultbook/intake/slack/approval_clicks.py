"""Buttons of approvals: who clicked is looked up first, the vote counted once, the answer told."""

import json
import re
from collections.abc import Awaitable, Callable, Collection

from faultbook.base.errors import FaultbookError, InvalidError, NotFoundError
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.origins import carrying_place, seen_from
from faultbook.intake.slack.payloads import Click
from faultbook.model.approval import SHOWN_DIGITS, Approval, Decision
from faultbook.model.approval_policy import ApprovalPolicy, Membership
from faultbook.model.approval_sight import ApprovalSight
from faultbook.model.ballot import Ballot
from faultbook.model.person import Person
from faultbook.model.task import Card
from faultbook.operations.approval_reporting import parse_approval_id
from faultbook.operations.approval_sight import read_approval_sight
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.approvals import may_review
from faultbook.operations.execution import may_record_outcome
from faultbook.operations.task_people import once
from faultbook.operations.voting import Counted, may_vote, vote
from faultbook.store.transaction import Transaction
from faultbook.view.actions import (
    APPROVAL_APPROVE,
    APPROVAL_DENY,
    APPROVAL_DETAILS,
    APPROVAL_OPEN,
    APPROVAL_PAGE,
    APPROVAL_RECORD,
    APPROVAL_REVIEW,
)
from faultbook.view.lines import Line
from faultbook.view.message import Block, Message
from faultbook.view.slack_approval_details import approval_details
from faultbook.view.slack_approval_forms import (
    as_clicked,
    counted_note,
    record_form,
    refused_vote,
    review_form,
    vote_form,
)
from faultbook.view.slack_words import coded, note_message, refusal_message, refused_modal

# The policy's name was not there in cards of earlier versions.
_SHOWN = re.compile(rf"([0-9]{{1,15}}):([0-9a-f]{{{SHOWN_DIGITS}}})(?::([A-Za-z0-9._-]{{1,60}}))?")
_PAGE = re.compile(r"([0-9]{1,15}):([0-9]{1,4})")
_FormOf = Callable[[ApprovalSight, dict[str, object]], Block]
_Check = Callable[[Transaction, int, Person], Approval | Refusal]


async def look_up(
    desk: Desk, number: int, user: str, user_name: str
) -> tuple[ApprovalSight | None, Person, Membership]:
    """Read what a person acts on, and ask Slack who they are, before anything is written."""
    sight = await _found(desk, number)  # without one, the vote itself refuses and audits it
    policy = sight.policy if sight is not None else None
    by, member = await who(desk, user, [policy] if policy is not None else [], user_name)
    return sight, by, member


async def who(
    desk: Desk, user: str, policies: Collection[ApprovalPolicy], user_name: str = ""
) -> tuple[Person, Membership]:
    """Ask Slack who somebody is, as far as these policies need it; the name comes along."""
    member = await desk.member(user, policies)
    return desk.people.known(user, member.name or user_name), member


async def refusal_about(desk: Desk, number: int, error: FaultbookError) -> Message:
    """Say why something was refused, with the way to the approval it was about."""
    sight = await _found(desk, number)
    return refused_vote(error, sight.approval if sight is not None else None)


async def _found(desk: Desk, number: int) -> ApprovalSight | None:
    try:
        return await desk.store.read_async(read_approval_sight, number, desk.policies)
    except NotFoundError:
        return None


def said_of(error: FaultbookError) -> Line:
    """Say an error in a line of a window."""
    return coded(f"{as_clicked(error).message} {error.next_step}".strip())


async def _approve(desk: Desk, click: Click) -> None:
    number, shown, name = _read_shown(click)
    policy = desk.policies.named(name)
    sight = None
    if policy is None or policy.needs_reason(Decision.APPROVE):
        sight, by, member = await look_up(desk, number, click.user, click.user_name)
    else:  # nothing needs to be read before the vote
        by, member = await who(desk, click.user, [policy], click.user_name)
    ballot = Ballot(number, by, Decision.APPROVE, member, shown, clicked=_card(click))
    policy = sight.policy if sight is not None else None
    if policy is not None and policy.needs_reason(Decision.APPROVE):
        await _ask_reason(desk, click, ballot, sight)
        return
    told = await desk.store.write_async(once, [click.key], vote, ballot, desk.policies)
    if isinstance(told, Refusal):
        _refuse(desk, click, number, told.error)
    elif isinstance(told, Counted):
        _tell_counted(desk, click, told)


async def _deny(desk: Desk, click: Click) -> None:
    number, shown, _ = _read_shown(click)
    sight, by, member = await look_up(desk, number, click.user, click.user_name)
    ballot = Ballot(number, by, Decision.DENY, member, shown, clicked=_card(click))
    await _ask_reason(desk, click, ballot, sight)


async def _ask_reason(
    desk: Desk, click: Click, ballot: Ballot, sight: ApprovalSight | None
) -> None:
    """Open the form that asks for a vote's reason, unless the vote would not count anyway."""
    number, decision = ballot.number, ballot.decision
    told = await desk.store.write_async(once, [click.key], may_vote, ballot, desk.policies)
    if isinstance(told, Refusal):
        _refuse(desk, click, number, told.error)
    elif isinstance(told, Approval) and sight is not None and sight.policy is not None:
        more = {"decision": decision.value, "shown": ballot.shown}
        view = vote_form(sight, decision, sight.policy, _metadata(click, number, **more))
        desk.tasks.start("vote form", lambda: desk.show(click, view))


def _tell_counted(desk: Desk, click: Click, told: Counted) -> None:
    """Say that a vote counted; where it decided, the card says so."""
    note = counted_note(told.votes, told.needed, told.approval)
    if click.view_id:
        desk.tasks.start("counted", lambda: _show(desk, click, told.approval.number, note))
    elif not told.approval.state.is_decided:
        desk.whisper(click.response_url, note_message(note), click.thread_ts)


def _refuse(desk: Desk, click: Click, number: int, error: FaultbookError) -> None:
    if click.view_id:
        desk.tasks.start("refusal", lambda: _show(desk, click, number, said_of(error)))
    else:
        desk.tasks.start("refusal", lambda: _whisper_refusal(desk, click, number, error))


async def _whisper_refusal(desk: Desk, click: Click, number: int, error: FaultbookError) -> None:
    message = await refusal_about(desk, number, error)
    desk.whisper(click.response_url, message, click.thread_ts)


async def _show(
    desk: Desk, click: Click, number: int, note: Line = (), page: int | None = None
) -> None:
    """Show an approval as it is now; a note and a turned page stand in the click's own window."""
    try:
        sight = await desk.store.read_async(read_approval_sight, number, desk.policies)
        view = carrying_place(approval_details(sight, page or 0, note), seen_from(click))
    except NotFoundError as error:
        view = refused_modal(refusal_message(error))
    await desk.show(click, view, instead=bool(note) or page is not None)


async def _details(desk: Desk, click: Click) -> None:
    number = parse_approval_id(click.value)
    if await desk.accept([click.key], None):
        desk.tasks.start("details", lambda: _show(desk, click, number))


async def _page(desk: Desk, click: Click) -> None:
    match = _matched(_PAGE, click)
    number, page = int(match[1]), int(match[2])
    if await desk.accept([click.key], None):
        desk.tasks.start("page", lambda: _show(desk, click, number, page=page))


def _opening(form: _FormOf, check: _Check) -> Callable[[Desk, Click], Awaitable[None]]:
    """Make a handler that opens a form about an approval, unless it would be refused anyway."""

    async def handle(desk: Desk, click: Click) -> None:
        number = parse_approval_id(click.value)
        sight = await _found(desk, number)
        by = desk.people.known(click.user, click.user_name)
        told = await desk.store.write_async(once, [click.key], check, number, by)
        if isinstance(told, Refusal):
            _refuse(desk, click, number, told.error)
        elif told is not None and sight is not None:
            view = form(sight, _metadata(click, number))
            desk.tasks.start("form", lambda: desk.show(click, view))

    return handle


def _metadata(click: Click, number: int, **more: object) -> dict[str, object]:
    place = seen_from(click)
    return {"approval": number, "origin": [place.channel, place.thread_ts], **more}


def read_metadata(metadata: str) -> dict[str, object]:
    """Take back what a form carries.

    Raises:
        InvalidError: it is none of ours.
    """
    try:
        found = json.loads(metadata)
    except ValueError as error:
        raise _unknown() from error
    if not isinstance(found, dict) or not isinstance(found.get("approval"), int):
        raise _unknown()
    return found


def _card(click: Click) -> Card | None:
    return None if click.view_id else Card(click.channel, click.message_ts)


def _read_shown(click: Click) -> tuple[int, str, str]:
    match = _matched(_SHOWN, click)
    return int(match[1]), match[2], match[3] or ""


def _matched(form: re.Pattern[str], click: Click) -> re.Match[str]:
    match = form.fullmatch(click.value)
    if match is None:
        raise _unknown()
    return match


def _unknown() -> InvalidError:
    return InvalidError(
        "This button is from another version, so nothing happened.",
        code="unknown_button",
        next_step="Look at what waits: /faultbook approvals.",
    )


APPROVAL_HANDLERS: dict[str, Callable[[Desk, Click], Awaitable[None]]] = {
    APPROVAL_APPROVE: _approve,
    APPROVAL_DENY: _deny,
    APPROVAL_DETAILS: _details,
    APPROVAL_OPEN: _details,
    APPROVAL_PAGE: _page,
    APPROVAL_RECORD: _opening(record_form, may_record_outcome),
    APPROVAL_REVIEW: _opening(review_form, may_review),
}
