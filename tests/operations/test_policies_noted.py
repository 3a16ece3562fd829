"""A start that finds a policy changed has the cards painted anew of what waits under it."""

from dataclasses import replace

import pytest

from faultbook.model.approval import Approval
from faultbook.model.approval_policy import ApprovalPolicies
from faultbook.model.task import Card
from faultbook.operations.approval_notices import ApprovalNotice, card_painted
from faultbook.operations.approval_sight import read_approval_sight
from faultbook.operations.approvals import note_policies
from faultbook.store import notices
from faultbook.store.engine import Store
from tests.approval_desk import REFUND, TWO, ApprovalDesk

OTHER = replace(REFUND, name="other", kinds=frozenset({"payout"}))


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    found = ApprovalDesk(store).under(REFUND, OTHER)
    store.write(note_policies, found.policies)
    return found


def painted(desk: ApprovalDesk, *about: Approval) -> None:
    """Settle every card that is owed as one that shows the approval as it is."""
    for at, asked in enumerate(about):
        [notice] = desk.store.write(notices.claim, "courier", desk.store.clock() + 1, 1)
        desk.store.write(notices.settle, notice.id, {})
        revision = desk.find(asked).revision
        desk.store.write(card_painted, asked.number, revision, Card("CFINANCE", f"{at}.1"))
    assert desk.owed(ApprovalNotice.CARD) == []


def start(desk: ApprovalDesk, policies: ApprovalPolicies) -> list[int]:
    """Start with these policies; gives the approvals whose cards are owed a paint."""
    desk.store.write(note_policies, policies)
    return [one["approval"] for one in desk.owed(ApprovalNotice.CARD)]


def test_cards_of_what_waits_under_a_changed_policy_are_painted_anew(desk: ApprovalDesk) -> None:
    asked, other, denied = desk.ask(), desk.ask(kind="payout"), desk.ask("c_9")
    desk.deny(denied)
    painted(desk, asked, other, denied)
    assert start(desk, desk.policies) == []
    assert start(desk, ApprovalPolicies((TWO, OTHER))) == [asked.number]
    shown = desk.store.read(read_approval_sight, asked.number, ApprovalPolicies((TWO, OTHER)))
    assert not shown.is_open


def test_cards_of_what_waits_under_a_removed_policy_are_painted_and_again_when_it_is_back(
    desk: ApprovalDesk,
) -> None:
    asked = desk.ask()
    painted(desk, asked)
    assert start(desk, ApprovalPolicies((OTHER,))) == [asked.number]
    painted(desk, asked)
    assert start(desk, desk.policies) == [asked.number]
    assert desk.store.read(read_approval_sight, asked.number, desk.policies).is_open
