"""The modals that ask about an approval, and what is said in private to who acted on one."""

import json
from collections.abc import Mapping
from copy import copy

from faultbook.base.errors import FaultbookError
from faultbook.model.approval import REASON_LENGTH, Approval, ApprovalState, Decision
from faultbook.model.approval_policy import NOT_COUNTED, ApprovalPolicy
from faultbook.model.approval_sight import ApprovalSight
from faultbook.view.actions import (
    APPROVAL_DETAILS,
    APPROVAL_OPEN,
    APPROVAL_RECORD_FORM,
    APPROVAL_REVIEW_FORM,
    APPROVAL_VOTE_FORM,
)
from faultbook.view.approval_lines import action_in_short, facts, stands
from faultbook.view.lines import Bold, Code, Line, name
from faultbook.view.message import Block, Message
from faultbook.view.slack_approval import details_button
from faultbook.view.slack_approval_details import asks_again
from faultbook.view.slack_blocks import actions, button, context, modal, plain_text, section
from faultbook.view.slack_inputs import Field, select_input, text_input
from faultbook.view.slack_words import coded, note_message, refusal_message

HAPPENED, DID_NOT = "happened", "did_not"
_BUTTON = 24
_LABELS = {Decision.APPROVE: "Approve", Decision.DENY: "Deny"}
_DECIDED = frozenset(f"already_{state}" for state in ApprovalState)


def vote_form(
    sight: ApprovalSight, decision: Decision, policy: ApprovalPolicy, metadata: Mapping[str, object]
) -> Block:
    """Ask for the reason of a vote, which may be left out where the policy doesn't require one."""
    asked = sight.approval
    label = _LABELS[decision]
    who = name(asked.agent)
    if asked.triggered_by is not None:
        who = f"{who} and {name(asked.triggered_by.name)}"
    needed = policy.needs_reason(decision)
    reason = text_input(
        Field("reason", "Reason", f"{who} will read this.", optional=not needed),
        multiline=True,
        most=REASON_LENGTH,
    )
    small: list[Line] = [facts(sight)]
    if needed:
        small.append([*coded(f"Policy `{name(policy.name)}` requires a reason.")])
    blocks = [section([asks_again(asked), action_in_short(asked)]), reason, context(small)]
    return _form(f"{label} {asked.id}", blocks, APPROVAL_VOTE_FORM, label, metadata)


def record_form(sight: ApprovalSight, metadata: Mapping[str, object]) -> Block:
    """Ask what became of an execution that nobody knows of."""
    asked = sight.approval
    blocks = [
        section([stands(sight), asks_again(asked)]),
        select_input(
            Field("outcome", "What did you find?"),
            ((HAPPENED, "It happened"), (DID_NOT, "It did not happen")),
        ),
        text_input(
            Field("words", "How do you know?", f"{name(asked.agent)} will read this."),
            multiline=True,
            most=REASON_LENGTH,
        ),
    ]
    return _form(f"Outcome of {asked.id}", blocks, APPROVAL_RECORD_FORM, "Record", metadata)


def review_form(sight: ApprovalSight, metadata: Mapping[str, object]) -> Block:
    """Ask for the review of a bypass."""
    asked = sight.approval
    blocks = [
        section([stands(sight), asks_again(asked)]),
        text_input(
            Field("note", "What did you find?", "It is kept in the audit log."),
            multiline=True,
            most=REASON_LENGTH,
        ),
    ]
    return _form(f"Review {asked.id}", blocks, APPROVAL_REVIEW_FORM, "Reviewed", metadata)


def as_clicked(error: FaultbookError) -> FaultbookError:
    """Say a refusal to who clicked; elsewhere people decide without a click."""
    said = copy(error)
    said.message = error.message.replace(NOT_COUNTED, "your click did not count")
    if error.code in _DECIDED:
        said.message += " Your click changed nothing."
    return said


def refused_vote(error: FaultbookError, asked: Approval | None) -> Message:
    """Say why a decision did not count, with the way to what it was about."""
    message = refusal_message(as_clicked(error))
    if asked is None:
        return message
    offered = [details_button(asked)]
    if asked.superseded_by is not None:
        newer = f"A-{asked.superseded_by}"
        offered = [button(f"Open {newer}", APPROVAL_OPEN, str(asked.superseded_by))]
    return Message(message.text, [*message.blocks, *actions(offered)])


def counted_note(votes: int, needed: int, asked: Approval) -> Line:
    """Say what a vote came to."""
    if asked.state.is_decided:
        return [Bold("Counted."), f" {asked.id} is {asked.state.value.replace('_', ' ')}."]
    return [Bold(f"Counted: {votes} of {needed}.")]


def bypassed_note(asked: Approval) -> Line:
    """Say to who broke the glass what that did."""
    said = f" {name(asked.agent)} may run it. Somebody else reviews this within 24 h."
    return [Bold(f"{asked.id} is approved without its approvers."), said]


def decided_elsewhere(number: int | None) -> Message:
    """Say to who would decide by command where one decides, with the way there if it is known."""
    which = "an approval's" if number is None else f"A-{number}'s"
    said: Line = [
        Bold("Nothing is decided by command."),
        f" One decides where all that will run is shown: by the buttons of {which} card,",
        " or in its Details.",
    ]
    if number is None:
        listed: Line = [" What waits for you: ", Code("/faultbook approvals"), "."]
        return note_message([*said, *listed])
    message = note_message(said)
    details = button("Details", APPROVAL_DETAILS, str(number), about=f"A-{number}")
    return Message(message.text, [*message.blocks, *actions([details])])


def _form(
    title: str, blocks: list[Block], callback_id: str, submit: str, metadata: Mapping[str, object]
) -> Block:
    told = json.dumps(dict(metadata), separators=(",", ":"))
    view = modal(title, blocks, callback_id=callback_id, metadata=told)
    buttons = {"submit": plain_text(submit, _BUTTON), "close": plain_text("Go back", _BUTTON)}
    return view | buttons
