"""Who owns the token that asks: known for certain where people decide in Slack."""

from dataclasses import replace

import pytest

from faultbook.model.approval import Approval, NewApproval
from faultbook.model.approval_policy import UNKNOWN_PERSON
from faultbook.operations.approval_requests import request_approval
from faultbook.operations.approval_steps import Refusal
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction
from tests.approval_desk import EVE, REFUND, ApprovalDesk, member
from tests.task_desk import BEN


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    return ApprovalDesk(store)


def ask(desk: ApprovalDesk, new: NewApproval, *, has_slack: bool = True) -> Approval | Refusal:
    def by_token(tx: Transaction) -> Approval | Refusal:
        return request_approval(tx, new, desk.policies, has_slack=has_slack)

    return desk.store.write(by_token)


@pytest.mark.parametrize("owner", ["ana", "Ana Ruiz", "uana", "U1", "XANA", " UANA", "UANA\n", ""])
def test_an_owner_whom_anybody_can_be_called_like_is_refused_and_audited(
    desk: ApprovalDesk, owner: str
) -> None:
    error = desk.refused(ask(desk, desk.new(owner=owner)), "approval.refused", "owner_unknown")
    assert "is no Slack member id" in error.message
    assert "--owner MEMBER-ID" in error.next_step
    assert desk.facts() == {"code": "owner_unknown", "kind": "refund"}
    assert desk.owed("approval.card") == []


@pytest.mark.parametrize("owner", ["UANA", "W012AB3CD"])
def test_a_member_id_says_who_owns_it(desk: ApprovalDesk, owner: str) -> None:
    asked = ask(desk, desk.new(owner=owner))
    assert isinstance(asked, Approval)
    assert asked.owner == owner


def test_any_owner_will_do_without_slack_or_where_people_may_decide_about_their_own(
    desk: ApprovalDesk,
) -> None:
    assert isinstance(ask(desk, desk.new(owner="ana"), has_slack=False), Approval)
    lax = desk.under(replace(REFUND, prevent_self_review=False))
    assert isinstance(ask(lax, lax.new("c_2", owner="ana")), Approval)


def test_what_no_policy_takes_is_refused_for_that(desk: ApprovalDesk) -> None:
    desk.refused(ask(desk, desk.new(kind="deploy", owner="ana")), "approval.refused", "no_policy")
    amount = desk.under(replace(REFUND, amount_field="total"))
    answer = ask(amount, amount.new(owner="ana"))
    amount.refused(answer, "approval.refused", "amount_unreadable")


def test_whose_token_names_no_member_is_told_to_make_another(desk: ApprovalDesk) -> None:
    asked = desk.ask()
    words = "Slack doesn't know you."
    gone = member(BEN, is_active=False, why_not=words, why_code=UNKNOWN_PERSON)
    voted = desk.vote(asked, BEN, membership=gone)
    bypassed = desk.bypass(asked, EVE, is_active=False, why_not=words, why_code=UNKNOWN_PERSON)
    for answer, kind, who in ((voted, "vote", BEN), (bypassed, "bypass", EVE)):
        assert isinstance(answer, Refusal)
        assert (answer.error.code, answer.error.message) == (UNKNOWN_PERSON, words)
        assert f"`{who.id}` is no member of this workspace." in answer.error.next_step
        assert "faultbook token create --person MEMBER-ID" in answer.error.next_step
        assert f"{kind}.refused" in desk.kinds()
    guest = desk.vote(asked, BEN, membership=member(BEN, is_active=False, why_code="guest"))
    assert not desk.refused(guest, "vote.refused", "guest").next_step
