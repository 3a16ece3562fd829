"""Reading approvals as people are shown them, and what waits for whom."""

import json
from collections.abc import Sequence
from dataclasses import replace

from faultbook.base.clock import DAY, Instant
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    Membership,
    counted_for,
)
from faultbook.model.approval_sight import ApprovalSight, Review
from faultbook.model.person import Person
from faultbook.model.task import Card
from faultbook.operations.approval_rules import whose
from faultbook.operations.approval_steps import REVIEWED, find_approval, name_of
from faultbook.store import approvals, audit
from faultbook.store.approvals import ApprovalFilter
from faultbook.store.transaction import Transaction

_MOST_WAITING = 500
_RECENTLY: Instant = DAY
"""For how long whoever decides is told that the same ran."""


def read_approval_sight(tx: Transaction, number: int, policies: ApprovalPolicies) -> ApprovalSight:
    """Read an approval with what people are shown beside it.

    Raises:
        NotFoundError: there is none of that number.
    """
    asked = find_approval(tx, number)
    place = approvals.find_place(tx, number)
    sight = _sight(asked, policies, place.card if place is not None else None)
    if asked.is_bypass and asked.review_due_at is None:
        return replace(sight, review=_read_review(tx, asked))
    if asked.state is not ApprovalState.PENDING:
        return sight
    earlier = approvals.find_ran(tx, asked.action.key, number, tx.now - _RECENTLY)
    return replace(sight, earlier=earlier)


def read_waiting(
    tx: Transaction, person: Person, membership: Membership | None, policies: ApprovalPolicies
) -> tuple[Sequence[ApprovalSight], Sequence[ApprovalSight]]:
    """List what waits for a person's decision, and what waits that is their own.

    Without a membership all that waits is listed that is not theirs.
    """
    waiting = approvals.list_some(tx, ApprovalFilter(limit=_MOST_WAITING))
    seen = [_sight(asked, policies) for asked in waiting if asked.expires_at > tx.now]
    for_them = [one for one in seen if _may_decide(one, person, membership)]
    return for_them, [one for one in seen if whose(one.approval, person, membership)]


def _read_review(tx: Transaction, asked: Approval) -> Review | None:
    """Read what was found about a bypass; None where the audit log can't tell it any more."""
    record = audit.find_newest(tx, asked.id, REVIEWED)
    if record is None:
        return None
    try:
        note = str(json.loads(record.record)["facts"]["note"])
    except (ValueError, KeyError, TypeError):  # tampered with: `audit verify` names it
        return None
    return Review(name_of(record.actor), note, record.at)


def _may_decide(sight: ApprovalSight, person: Person, membership: Membership | None) -> bool:
    asked, policy = sight.approval, sight.policy
    if policy is None or any(one.voter.id == person.id for one in asked.votes):
        return False
    if policy.prevent_self_review and whose(asked, person, membership):
        return False
    return membership is None or bool(counted_for(policy, membership))


def _sight(asked: Approval, policies: ApprovalPolicies, card: Card | None = None) -> ApprovalSight:
    return ApprovalSight(asked, policies.of(asked), card)
