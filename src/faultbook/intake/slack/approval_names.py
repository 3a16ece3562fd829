"""Questions about approvals: `status of A-7`, `approval 7`, `what waits for me?`."""

import re

from faultbook.base.clock import Instant
from faultbook.intake.slack import phrases
from faultbook.intake.slack.asks import ApprovalOf, WaitsForMe
from faultbook.intake.slack.filters import UnclearError
from faultbook.intake.slack.reader import Phrases, Reader

# Longer numbers fit no store.
_ID = re.compile(r"a-([0-9]{1,12})(?:'s)?", re.IGNORECASE)
_NUMBER = re.compile(r"#?([0-9]{1,12})")
_APPROVAL_WORDS = Phrases("approval", "the approval", "my approval", "request", "the request")
_OF_AN_APPROVAL = Phrases(
    *("approved", "approved yet", "denied", "decided", "decided yet", "pending", "still pending"),
    *("expired", "executed", "cancelled", "superseded", "granted", "granted yet", "still open"),
    *("get approved", "been approved", "been denied", "been decided", "run", "ran", "run yet"),
)
DECISIONS = Phrases("approve", "deny", "reject", "decline", "i approve", "i deny")
"""How somebody begins who would decide in words."""
_REASONS = Phrases("because", "since", "as", "for")
_WAITS_FOR_ME = Phrases(
    *(
        "what waits for me",
        "what is waiting for me",
        "what waits on me",
        "what do i have to decide",
    ),
    *("what is waiting on me", "does anything wait for me", "is anything waiting for me"),
    *(
        "waiting for me",
        "what do i have to approve",
        "what needs my approval",
        "what needs approval",
    ),
    *("what waits for approval", "what is waiting for approval", "approvals", "my approvals"),
    *("pending approvals", "open approvals", "which approvals are pending", "what can i approve"),
    *("which approvals wait", "which approvals are open", "what approvals are pending"),
    *("which approvals wait for me", "which approvals are waiting for me", "list approvals"),
    *("show approvals", "show my approvals", "show pending approvals", "any approvals for me"),
    *("are there any approvals", "any pending approvals", "anything to approve"),
    *("is there anything to approve", "what should i approve", "approvals waiting for me"),
)


def approval_of(reader: Reader, now: Instant) -> ApprovalOf:
    """Read `status of A-7`, `is A-7 approved yet`, `A-7`.

    Raises:
        UnclearError: it is anything else.
    """
    del now
    reader.take(phrases.TASK_STATUS)
    number = _number(reader)
    start = reader.at
    reader.take(phrases.BE_OR_HAVE)
    if not (reader.take(_OF_AN_APPROVAL) and reader.is_done):
        reader.at = start
        reader.take(phrases.OF_A_TASK)
    if number is None or not reader.is_done:
        raise UnclearError
    return ApprovalOf(number)


def decision_about(reader: Reader, now: Instant) -> ApprovalOf:
    """Read `approve A-7`, `deny A-7 because …`: words decide nothing; how it stands is told.

    Raises:
        UnclearError: it is anything else.
    """
    del now
    if not reader.take(DECISIONS):
        raise UnclearError
    number = _number(reader)
    if number is None or not (reader.is_done or reader.take(_REASONS)):
        raise UnclearError
    return ApprovalOf(number)


def waits_for_me(reader: Reader, now: Instant) -> WaitsForMe:
    """Read `what waits for me`, `which approvals are pending`.

    Raises:
        UnclearError: it is anything else.
    """
    del now
    # "For me" is a tail of other questions, and what counts here.
    reader.take_all(phrases.LEAD_INS)
    asked = reader.take(_WAITS_FOR_ME)
    reader.take_all(phrases.TAILS)
    if not (asked and reader.is_done):
        raise UnclearError
    return WaitsForMe()


def _number(reader: Reader) -> int | None:
    named = reader.take(_APPROVAL_WORDS)
    word = reader.next()
    if word is None:
        return None
    found = _ID.fullmatch(word.text) or (_NUMBER.fullmatch(word.text) if named else None)
    return int(found[1]) if found else None
