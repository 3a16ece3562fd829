"""Deciding: votes counted once each, expiry, and the glass that may be broken."""

from collections.abc import Sequence
from dataclasses import dataclass

from faultbook.base.clock import DAY, Instant
from faultbook.base.errors import ForbiddenError
from faultbook.base.redaction import redact
from faultbook.base.text import cut
from faultbook.model.approval import Approval, ApprovalState, Decision, Vote
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    Membership,
    counted_for,
    decide,
)
from faultbook.model.audit import AuditEntry
from faultbook.model.person import Person
from faultbook.operations.approval_notices import owe_bypass, owe_card
from faultbook.operations.approval_rules import (
    decided_before,
    policy_changed,
    voted_before,
    why_no_bypass,
    why_no_vote,
)
from faultbook.operations.approval_steps import (
    Refusal,
    audit_step,
    expire,
    find_approval,
    named,
    refuse,
    settle,
    vote_facts,
)
from faultbook.store import approvals
from faultbook.store.approvals import ApprovalFilter
from faultbook.store.transaction import Transaction

_REASON_LENGTH = 1000
REVIEW_AFTER: Instant = DAY
"""When a bypass has to have been reviewed."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A vote that counts.

    Attributes:
        votes, needed: how many of the nearest threshold are there.
    """

    approval: Approval
    votes: int
    needed: int


def list_approvals(tx: Transaction, wanted: ApprovalFilter | None = None) -> Sequence[Approval]:
    """List approvals; without a filter, those that wait, the soonest to expire first."""
    return approvals.list_some(tx, wanted or ApprovalFilter())


def vote(
    tx: Transaction,
    number: int,
    voter: Person,
    decision: Decision,
    reason: str,
    membership: Membership,
    policies: ApprovalPolicies,
    shown: str = "",
) -> Counted | Refusal:
    """Take a person's vote; the one that meets a threshold decides, once.

    Args:
        tx: the transaction.
        number: of the approval.
        voter: who Slack, or a person's token, says it is.
        decision: approve or deny.
        reason: in the voter's words.
        membership: what Slack says of the voter, looked up before this transaction.
        policies: the team's.
        shown: the digits of the digest that the voter saw; empty where none were shown.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = _as_it_is(tx, number)
    policy = policies.named(asked.policy)
    error = why_no_vote(asked, voter, decision, reason, membership, policy, shown)
    if error is not None or policy is None:
        refused = error or policy_changed(asked)
        return refuse(tx, "vote.refused", asked.id, named(voter), refused, asked.action, decision)
    told = cut(redact(reason).strip(), _REASON_LENGTH)
    cast = Vote(voter, decision, told, counted_for(policy, membership), tx.now)
    if not approvals.add_vote(tx, number, cast):
        error = voted_before(asked, voter)
        return refuse(tx, "vote.refused", asked.id, named(voter), error, asked.action, decision)
    audit_step(tx, f"vote.{decision}", number, named(voter), vote_facts(asked, cast))
    outcome = decide(policy.thresholds, (*asked.votes, cast))
    if outcome is None:
        approvals.touch(tx, number)
        owe_card(tx, number)
    else:
        settle(tx, number, outcome, voter.name, told)
    return _counted(find_approval(tx, number), policy, decision)


def expire_due(tx: Transaction) -> int:
    """Let every request expire whose time is over, which denies it; tells how many."""
    expired = 0
    for number in approvals.list_expired(tx):
        expired += expire(tx, number)
    return expired


def break_glass(
    tx: Transaction,
    number: int,
    by: Person,
    reason: str,
    membership: Membership,
    policies: ApprovalPolicies,
) -> Approval | Refusal:
    """Approve without voters, loudly; it skips neither the digest nor the audit log.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = _as_it_is(tx, number)
    policy = policies.named(asked.policy)
    error = why_no_bypass(asked, reason, membership, policy)
    if error is not None:
        return refuse(tx, "bypass.refused", asked.id, named(by), error, asked.action)
    told = cut(redact(reason).strip(), _REASON_LENGTH)
    extra = {"is_bypass": 1, "review_due_at": tx.now + REVIEW_AFTER}
    if not settle(tx, number, ApprovalState.APPROVED, by.name, told, extra):
        error = decided_before(find_approval(tx, number))
        return refuse(tx, "bypass.refused", asked.id, named(by), error, asked.action)
    cast = Vote(by, Decision.APPROVE, told, (), tx.now, bypass=True)
    approvals.add_vote(tx, number, cast)
    audit_step(tx, "approval.bypassed", number, named(by), vote_facts(asked, cast))
    owe_bypass(tx, number)
    return find_approval(tx, number)


def review_bypass(tx: Transaction, number: int, by: Person, note: str) -> Approval | Refusal:
    """Record that somebody else looked at a bypass.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = find_approval(tx, number)
    own = any(one.bypass and one.voter.id == by.id for one in asked.votes)
    if own or asked.review_due_at is None or not note.strip():
        error = ForbiddenError(
            f"{asked.id} waits for no review of yours.",
            code="no_review",
            next_step="Somebody else reviews a bypass, and says what was found.",
        )
        return refuse(tx, "review.refused", asked.id, named(by), error, asked.action)
    approvals.change(tx, number, frozenset(ApprovalState), {"review_due_at": None})
    audit_step(
        tx, "bypass.reviewed", number, named(by), {"note": cut(redact(note), _REASON_LENGTH)}
    )
    owe_card(tx, number)
    return find_approval(tx, number)


def note_policies(tx: Transaction, policies: ApprovalPolicies) -> int:
    """Record at a start which policies are new or changed; tells how many."""
    changed = 0
    for policy in policies.all:
        before = approvals.see_policy(tx, policy.name, policy.version)
        if before is not None:
            changed += 1
            facts = {"version": policy.version, "before": before}
            tx.audited.append(AuditEntry("policy.changed", policy.name, "settings", facts))
    return changed


def _counted(asked: Approval, policy: ApprovalPolicy, decision: Decision) -> Counted:
    best, needed = 0, 1
    for index, threshold in enumerate(policy.thresholds):
        limit = threshold.approve if decision is Decision.APPROVE else threshold.deny
        have = sum(one.decision is decision and index in one.thresholds for one in asked.votes)
        if have and limit - have <= needed - best:
            best, needed = have, limit
    return Counted(asked, best, max(best, needed))


def _as_it_is(tx: Transaction, number: int) -> Approval:
    """Hold an approval, expired if its time is over."""
    find_approval(tx, number)
    asked = approvals.find(tx, number, hold=True)
    assert asked is not None  # noqa: S101 - it was found a line above, and approvals are never deleted
    if asked.state is ApprovalState.PENDING and asked.expires_at <= tx.now:
        expire(tx, number)
        return find_approval(tx, number)
    return asked
