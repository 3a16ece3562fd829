"""What waits for whom, and the glass that may be broken: asked in chat, by command, in Home."""

import re

from faultbook.base.errors import InvalidError
from faultbook.intake.slack.approval_clicks import look_up, refusal_about, who
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.payloads import Command
from faultbook.model.approval import SHOWN_DIGITS
from faultbook.model.approval_policy import LOOKUP_FAILED
from faultbook.model.notice import NewNotice
from faultbook.operations.approval_reporting import parse_approval_id
from faultbook.operations.approval_sight import read_waiting
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.approvals import break_glass
from faultbook.operations.questions import Owed, ReplyTo
from faultbook.operations.task_people import once
from faultbook.view.message import Message
from faultbook.view.slack_approval_forms import bypassed_note, decided_elsewhere
from faultbook.view.slack_home import ApprovalsPart
from faultbook.view.slack_words import note_message, repeated_message

_DIGITS = re.compile(rf"[0-9a-f]{{{SHOWN_DIGITS},64}}")


async def owed_waiting(desk: Desk, to: ReplyTo) -> NewNotice:
    """Owe the list of what waits for a person; who they are is asked now, of Slack."""
    person, member = await who(desk, to.user, desk.policies.all)
    told = None
    if member.why_code != LOOKUP_FAILED:
        told = {
            "groups": sorted(member.groups),
            "channels": sorted(member.channels),
            "aliases": sorted(member.aliases),
            "active": member.is_active,
        }
    return to.notice(Owed.APPROVAL_LIST, user=person.id, name=person.name, member=told)


async def read_home_part(desk: Desk, user: str) -> ApprovalsPart | None:
    """Read what Home shows of approvals; None where no policy is set."""
    if not desk.policies.all:
        return None
    person, member = await who(desk, user, desk.policies.all)
    is_known = member.why_code != LOOKUP_FAILED
    known = member if is_known else None
    found = await desk.store.read_async(read_waiting, person, known, desk.policies)
    return ApprovalsPart(*found, is_known=is_known)


async def break_by_command(desk: Desk, command: Command, text: str) -> Message:
    """Approve without voters, as `/faultbook break-glass A-7 DIGITS REASON` asks.

    Raises:
        InvalidError: it names no approval, or not the digits of what was shown.
    """
    name, shown, reason = _read_bypass(text)
    number = parse_approval_id(name)
    _, by, member = await look_up(desk, number, command.user, command.user_name)
    keys = [command.as_click().key]
    told = await desk.store.write_async(
        once, keys, break_glass, number, by, reason, member, desk.policies, shown
    )
    if isinstance(told, Refusal):
        return await refusal_about(desk, number, told.error)
    if told is None:
        return repeated_message()
    return note_message(bypassed_note(told))


def where_one_decides(text: str) -> Message:
    """Answer `/faultbook deny A-7`, whatever follows."""
    try:
        return decided_elsewhere(parse_approval_id(text.partition(" ")[0]))
    except InvalidError:
        return decided_elsewhere(None)


def _read_bypass(text: str) -> tuple[str, str, str]:
    """Take apart which approval, the digits of its digest, and why.

    The digits stand on its card: one mistyped number must not run what nobody looked at.
    """
    name, _, more = text.strip().partition(" ")
    if not name:
        raise InvalidError(
            "Say which approval, the digits of its digest, and why.",
            code="approval_missing",
            next_step="/faultbook break-glass A-7 3fa1c09be2d4 the bank closes at noon.",
            where="approval",
        )
    digits, _, reason = more.strip().partition(" ")
    if _DIGITS.fullmatch(digits) is None:
        raise InvalidError(
            f"Say the {SHOWN_DIGITS} digits of the digest too: they name exactly what will run.",
            code="digest_missing",
            next_step=f"They stand on the card: /faultbook break-glass {name} DIGITS REASON.",
            where="digest",
        )
    return name, digits, reason
