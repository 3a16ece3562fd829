"""What people and agents are owed about an approval: one card, loud words, the outcome."""

from enum import StrEnum
from typing import Any

from faultbook.base.clock import MINUTE, SECOND
from faultbook.model.notice import WEBHOOKS, NewNotice, Priority
from faultbook.model.task import Card
from faultbook.operations.questions import ReplyTo
from faultbook.store import approvals, notices
from faultbook.store.transaction import Transaction


class ApprovalNotice(StrEnum):
    """The kinds of notices that approvals owe; each names its approval."""

    CARD = "approval.card"
    BYPASS = "approval.bypass"
    """Loud: voters were skipped; with `review_due`, nobody has looked at it since.

    With `again`, what was said is painted anew, where it is still known.
    """
    WEBHOOK = "approval.webhook"


def owe_card(tx: Transaction, number: int, place: approvals.ApprovalPlace | None = None) -> None:
    """Owe whatever an approval's card does not show yet; nothing for one without a place.

    `place` is the card's, where it was just read.
    """
    place = place or approvals.find_place(tx, number)
    if place is None or not place.channel or place.painted == place.revision:
        return
    target = place.channel if place.card is None else f"{place.channel}/cards"
    owed = _notice(tx, number, place, ApprovalNotice.CARD, target, Priority.RECEIPT)
    notices.append_once(tx, owed, f"A-{number}")


def owe_bypass(tx: Transaction, number: int) -> None:
    """Owe the loud message that voters were skipped."""
    _owe_aloud(tx, number, Priority.RECEIPT)


def owe_review(tx: Transaction, number: int) -> None:
    """Owe the reminder that nobody has reviewed a bypass."""
    _owe_aloud(tx, number, Priority.ANSWER, is_due=True)


def owe_reviewed(tx: Transaction, number: int) -> None:
    """Owe what was said aloud about a bypass another paint, since it was reviewed."""
    for is_due in (False, True):
        _owe_aloud(tx, number, Priority.ANSWER, is_due=is_due, is_new=False)


def find_aloud(tx: Transaction, number: int, *, is_due: bool) -> Card | None:
    """Find the loud message about a bypass, or the reminder; None where none is known.

    What was said two weeks ago is known no more.
    """
    kind = ApprovalNotice.BYPASS.value
    receipt = notices.find_receipt(tx, kind, _aloud(number, is_due=is_due))
    return None if receipt is None else Card(str(receipt["channel"]), str(receipt["ts"]))


def aloud_painted(tx: Transaction, number: int, *, is_due: bool, was_reviewed: bool) -> None:
    """Record that a loud message shows whether its bypass was reviewed.

    One that was reviewed meanwhile is owed another paint. Run in the transaction that settles the
    notice, after it is settled.
    """
    notices.forget_dead(tx, ApprovalNotice.BYPASS, _aloud(number, is_due=is_due))
    asked = approvals.find(tx, number, hold=True)
    if asked is not None and asked.review_due_at is None and not was_reviewed:
        _owe_aloud(tx, number, Priority.ANSWER, is_due=is_due, is_new=False)


def owe_webhook(tx: Transaction, number: int) -> None:
    """Owe the agent word of what became of its request, where it wants that over HTTP."""
    if approvals.find_webhook(tx, number):
        owe_outcome(tx, number)


def owe_outcome(tx: Transaction, number: int) -> None:
    """Owe the outcome of an approval that is known to want it over HTTP."""
    to = ReplyTo(channel="", user="", after="")
    owed = to.notice(ApprovalNotice.WEBHOOK, approval=number)
    target = f"{WEBHOOKS}/A-{number}"
    # No receipt: those are handed to who talks with Slack.
    notices.append(tx, NewNotice(owed.kind, target, owed.payload, Priority.ANSWER))


def card_painted(tx: Transaction, number: int, revision: int, card: Card) -> None:
    """Record what a card shows now; an approval that moved on is owed another paint.

    Run in the transaction that settles the notice, after it is settled.
    """
    approvals.put_painted(tx, number, revision, card)
    owe_card(tx, number)


def _owe_aloud(
    tx: Transaction, number: int, priority: Priority, *, is_due: bool = False, is_new: bool = True
) -> None:
    """Owe a loud message; one that is not new is painted where it is, and never posted."""
    place = approvals.find_place(tx, number)
    if place is None or not place.channel:
        return
    target = place.channel if is_new else f"{place.channel}/cards"
    facts = ({"review_due": True} if is_due else {}) | ({} if is_new else {"again": True})
    owed = _notice(tx, number, place, ApprovalNotice.BYPASS, target, priority, **facts)
    notices.append_once(tx, owed, _aloud(number, is_due=is_due))


def _aloud(number: int, *, is_due: bool) -> str:
    return f"A-{number} not reviewed" if is_due else f"A-{number}"


def _notice(
    tx: Transaction,
    number: int,
    place: approvals.ApprovalPlace,
    kind: ApprovalNotice,
    target: str,
    priority: Priority,
    **facts: Any,  # noqa: ANN401 - JSON values of any kind
) -> NewNotice:
    to = ReplyTo(
        channel=place.channel,
        user="",
        # The servers' clocks may differ a little.
        after=f"{(tx.now - MINUTE) // SECOND}.000000",
        thread_ts=place.thread_ts or None,
    )
    owed = to.notice(kind, approval=number, **facts)
    return NewNotice(owed.kind, target, owed.payload, priority)
