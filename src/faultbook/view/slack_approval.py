"""An approval in Slack: its card, the loud word of a bypass, its status, and lists."""

from collections.abc import Sequence

from faultbook.base.clock import Instant
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.approval_sight import ApprovalSight
from faultbook.view.actions import (
    APPROVAL_APPROVE,
    APPROVAL_DENY,
    APPROVAL_DETAILS,
    APPROVAL_OPEN,
    APPROVAL_RECORD,
    APPROVAL_REVIEW,
)
from faultbook.view.approval_lines import (
    action_in_short,
    asked_for,
    confirmation,
    evidence,
    facts,
    listed,
    reviewed,
    stands,
    warnings,
    why,
)
from faultbook.view.approval_values import parameters_of
from faultbook.view.lines import Bold, GroupMention, Line, Moment, Rich, Sign, name, words
from faultbook.view.message import Block, Message
from faultbook.view.slack_blocks import (
    CHARACTERS_A_SECTION,
    actions,
    button,
    context,
    plain_text,
    section,
    text_of,
)
from faultbook.view.spoken import spoken_text

_WORDS = 220
_PARAMETERS_ROOM = 1200
"""Characters of parameters on a card; with all its other words it stays below 3000."""
_LISTED = 8
_CONFIRM_TITLE, _CONFIRM_TEXT = 100, 300
ASKED_BY_YOU: Line = [Bold("Asked by you, or for your tasks:")]
"""Stands above what a person does not decide themselves."""


def approval_card(sight: ApprovalSight, now: Instant, *, is_first: bool = False) -> Message:
    """Paint an approval's card as it stands; the first time with the group that may decide."""
    asked = sight.approval
    head = list(stands(sight))
    if is_first and sight.policy is not None and asked.state is ApprovalState.PENDING:
        head.append(GroupMention(sight.policy.mention))
    shown, left = _parameters(asked)
    if asked.state.is_decided:
        shown = [asked_for(asked), *shown]
    if left:
        shown.append(_left_out(sight, left))
    told = _told(asked)
    small = facts(sight)
    buttons = actions(card_buttons(sight, is_whole=not left))
    opening = [head, *warnings(sight)]
    blocks = [section(opening), *_sections(shown)]
    blocks += [section(told)] if told else []
    text = spoken_text(opening, shown, [*told, small], now)
    return Message(text, [*blocks, context([small]), *buttons])


def bypass_message(sight: ApprovalSight, now: Instant, *, is_due: bool = False) -> Message:
    """Say aloud that voters were skipped; or, later, that nobody has looked at it since."""
    asked = sight.approval
    by = name(asked.decided_by)
    due = asked.review_due_at
    if is_due:
        strong = f"Nobody has reviewed {asked.id}."
        if due is None:
            strong = f"{asked.id} was reviewed."
        head: Line = [Sign("rotating_light"), Bold(strong), f" {by} broke its glass."]
    else:
        strong = f"{by} broke the glass of {asked.id}:"
        said = f" it may run without its approvers. Reason: {words(asked.reason)}."
        head = [Sign("rotating_light"), Bold(strong), said]
    about: Line = [*action_in_short(asked), f", asked by {name(asked.agent)}."]
    review: Line = reviewed(sight, _WORDS)
    if due is not None:
        review = ["Somebody else reviews it by ", Moment(due), "."]
    lines = [head, about, review]
    blocks = [*(section([line]) for line in lines), context([facts(sight)])]
    buttons = [*_review(asked), details_button(asked)]
    return Message(spoken_text(lines, (), [facts(sight)], now), [*blocks, *actions(buttons)])


def approval_status(sight: ApprovalSight, now: Instant) -> Message:
    """Answer how an approval stands, and what it is about, at this moment."""
    asked = sight.approval
    head = [stands(sight), action_in_short(asked), *warnings(sight)]
    small: list[Line] = [facts(sight), ["As of ", Moment(now), "."]]
    blocks = [section(head), context(small), *actions([details_button(asked)])]
    return Message(spoken_text(head, (), small, now), blocks)


def approvals_message(
    for_me: Sequence[ApprovalSight],
    by_me: Sequence[ApprovalSight],
    now: Instant,
    *,
    is_known: bool = True,
) -> Message:
    """List what waits for a person, and what they asked; `is_known` unless Slack said nothing."""
    head: Line = [Bold(_count(len(for_me), is_known=is_known))]
    blocks = [section([head])]
    for_lines = [listed(one) for one in for_me[:_LISTED]]
    blocks += [
        section([line], details_button(one.approval))
        for line, one in zip(for_lines, for_me, strict=False)
    ]
    more = len(for_me) - _LISTED
    tail: list[Line] = [[f"and {more} more"]] if more > 0 else []
    by_lines = [listed(one) for one in by_me[:_LISTED]]
    if by_lines:
        blocks.append(section([ASKED_BY_YOU]))
        blocks += [
            section([line], details_button(one.approval))
            for line, one in zip(by_lines, by_me, strict=False)
        ]
        by_lines = [ASKED_BY_YOU, *by_lines]
        more = len(by_me) - _LISTED
        tail += [[f"and {more} more of yours"]] if more > 0 else []
    tail.append(["As of ", Moment(now), "."])
    text = spoken_text([head], [*for_lines, *by_lines], tail, now)
    return Message(text, [*blocks, context(tail)])


def card_buttons(sight: ApprovalSight, *, is_whole: bool) -> list[Block]:
    """Offer what can be done; `is_whole` where everything that will run stands above."""
    asked = sight.approval
    details = details_button(asked)
    if sight.is_open:
        return [*([approve_button(sight)] if is_whole else []), deny_button(asked), details]
    if asked.state is ApprovalState.EXECUTION_UNKNOWN:
        return [_button("Record outcome", APPROVAL_RECORD, asked), *_review(asked), details]
    if asked.superseded_by is not None:
        newer = f"A-{asked.superseded_by}"
        opened = button(f"Open {newer}", APPROVAL_OPEN, str(asked.superseded_by), about="")
        return [opened, details]
    return [*_review(asked), details]


def approve_button(sight: ApprovalSight) -> Block:
    """Offer to approve; what is of high risk is asked about once more."""
    asked = sight.approval
    block = button("Approve", APPROVAL_APPROVE, shown_value(asked), about=asked.id)
    block["style"] = "primary"
    if sight.policy is not None and sight.policy.is_high_risk:
        title, said = confirmation(sight)
        block["confirm"] = {
            "title": plain_text(title, _CONFIRM_TITLE),
            "text": plain_text(said, _CONFIRM_TEXT),
            "confirm": plain_text("Approve", 30),
            "deny": plain_text("Go back", 30),
        }
    return block


def deny_button(asked: Approval) -> Block:
    """Offer to deny."""
    block = button("Deny", APPROVAL_DENY, shown_value(asked), about=asked.id)
    return block | {"style": "danger"}


def details_button(asked: Approval) -> Block:
    """Offer all there is to read about an approval."""
    return _button("Details", APPROVAL_DETAILS, asked)


def open_button(asked: Approval) -> Block:
    """Offer an approval from what is about something else."""
    return button(f"Open {asked.id}", APPROVAL_OPEN, str(asked.number))


def shown_value(asked: Approval) -> str:
    """Name what a person was shown: the approval, the digits of its digest, and its policy.

    The policy only tells whom to ask about the person who clicks, before anything is read; who may
    decide is settled by what is stored.
    """
    return f"{asked.number}:{asked.short_digest}:{asked.policy}"


def fits_card(asked: Approval) -> bool:
    """Tell whether a card shows everything that will run."""
    return not _parameters(asked)[1]


def _review(asked: Approval) -> list[Block]:
    if not asked.is_bypass or asked.review_due_at is None:
        return []
    return [_button("Record review", APPROVAL_REVIEW, asked)]


def _button(label: str, action_id: str, asked: Approval) -> Block:
    return button(label, action_id, str(asked.number), about=asked.id)


def _parameters(asked: Approval) -> tuple[list[Line], int]:
    """Give the lines that fit on a card, and how many do not."""
    lines = [one.line() for one in parameters_of(asked.action)]
    room = _PARAMETERS_ROOM
    for at, line in enumerate(lines):
        length = len(text_of([line]))
        room -= length + 1
        if room < 0 or length > CHARACTERS_A_SECTION:
            return lines[:at], len(lines) - at
    return lines, 0


def _left_out(sight: ApprovalSight, left: int) -> Line:
    more = (
        f"and {left} more, which Details shows" if left > 1 else "and 1 more, which Details shows"
    )
    if sight.is_open:
        return [Rich("_"), f"{more}, with Approve beneath them all.", Rich("_")]
    return [Rich("_"), f"{more}.", Rich("_")]


def _sections(lines: Sequence[Line]) -> list[Block]:
    groups: list[list[Line]] = []
    for line in lines:
        if groups and len(text_of([*groups[-1], line])) <= CHARACTERS_A_SECTION:
            groups[-1].append(line)
        else:
            groups.append([line])
    return [section(group) for group in groups]


def _told(asked: Approval) -> list[Line]:
    said = why(asked, _WORDS)
    for linked in (True, False):
        pointed = evidence(asked, linked=linked)
        told = [*said, pointed] if pointed else said
        if len(text_of(told)) <= CHARACTERS_A_SECTION:
            return told
    return said


def _count(count: int, *, is_known: bool) -> str:
    if not is_known:
        return f"Slack didn't say what you may decide. {count or 'Nothing'} waits in all."
    if not count:
        return "Nothing waits for you."
    return f"{count} wait{'s' if count == 1 else ''} for you"
