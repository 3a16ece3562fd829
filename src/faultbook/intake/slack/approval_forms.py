"""Submitted modals of approvals: a vote with its reason, an outcome, a review.

What a form can mend is said in it, and takes no key: Slack sends the next try under the same one.
"""

from collections.abc import Callable
from functools import partial

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from faultbook.base.errors import InvalidError
from faultbook.intake.slack.approval_clicks import look_up, read_metadata, said_of
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.forms import FormError, read_field
from faultbook.intake.slack.payloads import Json, Submission
from faultbook.model.approval import Approval, Decision
from faultbook.model.approval_policy import Membership
from faultbook.model.ballot import Ballot
from faultbook.model.person import Person
from faultbook.operations.approval_rules import why_not_recorded
from faultbook.operations.approval_sight import read_approval_sight
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.approvals import review_bypass
from faultbook.operations.execution import record_outcome
from faultbook.operations.task_people import once
from faultbook.operations.voting import Counted, vote
from faultbook.store.transaction import Transaction
from faultbook.view.lines import Line
from faultbook.view.slack_approval_details import approval_details
from faultbook.view.slack_approval_forms import HAPPENED, counted_note
from faultbook.view.slack_words import note_message

_Record = Callable[[Transaction, int, Person, str, Membership], Approval | Refusal]

_CLEAR: Json = {"response_action": "clear"}
_REASON_REQUIRED = "reason_required"

log = structlog.get_logger("slack")


async def submit_vote(desk: Desk, submission: Submission) -> Json | None:
    """Count a vote that came with its reason, once.

    Raises:
        FormError: a reason is missing.
        UnavailableError: nothing was recorded.
    """
    told = read_metadata(submission.metadata)
    number, shown = _number(told), str(told.get("shown") or "")
    if not shown:
        raise InvalidError("This form is from another version, so nothing happened.")
    sight, by, member = await look_up(desk, number, submission.user, submission.user_name)
    decision = Decision(str(told["decision"]))
    reason = read_field(submission.values, "reason")
    ballot = Ballot(number, by, decision, member, shown, reason)
    policy = sight.policy if sight is not None else None
    needed = policy is not None and policy.needs_reason(decision)
    keys = () if needed and not reason else submission.keys
    result = await desk.store.write_async(once, keys, vote, ballot, desk.policies)
    if isinstance(result, Refusal):
        if result.error.code == _REASON_REQUIRED:
            raise FormError({"reason": result.error.message})
        return await _shown(desk, number, said_of(result.error))
    if isinstance(result, Counted):
        return await _after(desk, submission, told, result)
    return _CLEAR


async def submit_outcome(desk: Desk, submission: Submission) -> Json | None:
    """Record what became of an execution that nobody knew of, once.

    Raises:
        FormError: the words are missing, or the person may not record it.
        UnavailableError: nothing was recorded.
    """
    happened = read_field(submission.values, "outcome") == HAPPENED
    return await _record(desk, submission, "words", partial(record_outcome, happened=happened))


async def submit_review(desk: Desk, submission: Submission) -> Json | None:
    """Record that somebody else looked at a bypass, once.

    Raises:
        FormError: the note is missing, or the person may not record it.
        UnavailableError: nothing was recorded.
    """
    return await _record(desk, submission, "note", review_bypass)


async def _record(desk: Desk, submission: Submission, field: str, record: _Record) -> Json | None:
    """Record what a person found, once; without their words, or leave, it is said at the field."""
    number = _number(read_metadata(submission.metadata))
    _, by, member = await look_up(desk, number, submission.user, submission.user_name)
    words = read_field(submission.values, field)
    is_refused = not words or why_not_recorded(by, member) is not None
    keys = () if is_refused else submission.keys
    result = await desk.store.write_async(once, keys, record, number, by, words, member)
    if isinstance(result, Refusal):
        if result.error.code in {_REASON_REQUIRED, member.why_code}:
            raise FormError({field: result.error.message})
        return await _shown(desk, number, said_of(result.error))
    return _CLEAR


async def _after(
    desk: Desk, submission: Submission, told: dict[str, object], counted: Counted
) -> Json:
    """Close the form; a vote that did not decide yet is told where it was cast."""
    note = counted_note(counted.votes, counted.needed, counted.approval)
    channel, thread_ts = _origin(told)
    if not channel:  # from Home, where nothing can be whispered
        return await _shown(desk, counted.approval.number, note)
    if not counted.approval.state.is_decided:
        desk.tasks.start("counted", lambda: _tell(desk, channel, submission.user, thread_ts, note))
    return _CLEAR


async def _tell(desk: Desk, channel: str, user: str, thread_ts: str, note: Line) -> None:
    try:
        await desk.tell(channel, user, thread_ts or None, note_message(note))
    except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("note_lost", why=type(error).__name__)


async def _shown(desk: Desk, number: int, note: Line) -> Json:
    """Show the approval as it is now in the form's place, with what came of it on top."""
    sight = await desk.store.read_async(read_approval_sight, number, desk.policies)
    return {"response_action": "update", "view": approval_details(sight, note=note)}


def _number(told: dict[str, object]) -> int:
    number = told["approval"]
    assert isinstance(number, int)  # noqa: S101 - read_metadata held it to that
    return number


def _origin(told: dict[str, object]) -> tuple[str, str]:
    origin = told.get("origin")
    channel, thread_ts = origin if isinstance(origin, list) else ("", "")
    return str(channel), str(thread_ts)
