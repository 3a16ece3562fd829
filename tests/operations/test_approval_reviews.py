"""What was said aloud about a bypass is painted anew once it was reviewed, wherever it is."""

from typing import Any

import pytest

from faultbook.base.clock import DAY, SECOND
from faultbook.model.approval import Approval
from faultbook.model.approval_sight import Review
from faultbook.model.notice import Notice
from faultbook.model.task import Card
from faultbook.operations.approval_clock import sweep_approvals
from faultbook.operations.approval_notices import ApprovalNotice, aloud_painted, find_aloud
from faultbook.operations.approval_sight import read_approval_sight
from faultbook.operations.approvals import may_review, review_bypass
from faultbook.store import notices
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction
from tests.approval_desk import CARA, EVE, ApprovalDesk, member
from tests.conftest import FrozenClock

CHANNEL = "CFINANCE"


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    return ApprovalDesk(store)


def bypassed(desk: ApprovalDesk) -> Approval:
    found = desk.bypass(desk.ask())
    assert isinstance(found, Approval)
    return found


def review(desk: ApprovalDesk, asked: Approval, note: str = "the bank confirmed") -> None:
    found = desk.store.write(review_bypass, asked.number, CARA, note, member(CARA))
    assert isinstance(found, Approval)


def claim(store: Store, clock: FrozenClock) -> list[Notice]:
    """Claim what is owed aloud; cards, which come first, are settled."""
    found: list[Notice] = []
    while claimed := store.write(notices.claim, "courier", clock() + 1, 10):
        for notice in claimed:
            if notice.kind == ApprovalNotice.BYPASS:
                found.append(notice)
            else:
                store.write(notices.settle, notice.id, {})
    return found


def say(store: Store, notice: Notice, ts: str, *, was_reviewed: bool = False) -> None:
    """Settle a loud message as one that stands in the channel."""
    number, is_due = int(notice.payload["approval"]), bool(notice.payload.get("review_due"))

    def said(tx: Transaction) -> None:
        notices.settle(tx, notice.id, {"channel": CHANNEL, "ts": ts})
        aloud_painted(tx, number, is_due=is_due, was_reviewed=was_reviewed)

    store.write(said)


def owed(desk: ApprovalDesk) -> list[tuple[bool, bool]]:
    """Tell of what is owed aloud: whether it is the reminder, whether it is a repaint only."""
    found: list[dict[str, Any]] = desk.owed(ApprovalNotice.BYPASS)
    return [("review_due" in one, "again" in one) for one in found]


def test_what_was_said_aloud_and_the_reminder_are_painted_anew_where_they_are(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    asked = bypassed(desk)
    for ts in ("1.1", "2.2"):
        [notice] = claim(desk.store, clock)
        say(desk.store, notice, ts)
        assert owed(desk) == []
        clock.advance(DAY / SECOND)
        desk.store.write(sweep_approvals)
    review(desk, asked)
    assert owed(desk) == [(False, True), (True, True)]
    for is_due, ts in ((False, "1.1"), (True, "2.2")):
        found = desk.store.read(find_aloud, asked.number, is_due=is_due)
        assert found == Card(CHANNEL, ts)


def test_what_is_reviewed_while_it_is_being_said_is_painted_anew(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    asked = bypassed(desk)
    [notice] = claim(desk.store, clock)
    review(desk, asked)
    assert (False, True) not in owed(desk)  # the one that is on its way may show it
    say(desk.store, notice, "1.1")
    assert (False, True) in owed(desk)


def test_what_was_said_when_the_review_was_known_is_not_painted_again(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    asked = bypassed(desk)
    review(desk, asked)
    notice = next(one for one in claim(desk.store, clock) if "again" not in one.payload)
    say(desk.store, notice, "1.1", was_reviewed=True)
    assert (False, True) not in owed(desk)


def test_people_are_shown_who_reviewed_a_bypass_and_what_they_found(
    desk: ApprovalDesk, clock: FrozenClock
) -> None:
    asked = bypassed(desk)
    assert desk.store.read(read_approval_sight, asked.number, desk.policies).review is None
    at = clock.advance(60)
    review(desk, asked)
    shown = desk.store.read(read_approval_sight, asked.number, desk.policies)
    assert shown.review == Review(CARA.name, "the bank confirmed", at)


def test_who_broke_the_glass_is_refused_before_they_say_what_they_found(
    desk: ApprovalDesk,
) -> None:
    asked = bypassed(desk)
    own = desk.store.write(may_review, asked.number, EVE)
    desk.refused(own, "review.refused", "own_review")
    assert desk.store.write(may_review, asked.number, CARA) == asked
    assert desk.find(asked).review_due_at is not None
    review(desk, asked)
    again = desk.store.write(may_review, asked.number, CARA)
    desk.refused(again, "review.refused", "no_review")
