"""Deciding: votes counted once each, expiry, and the glass that may be broken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from faultbook.base.clock import DAY, Instant
from faultbook.base.errors import NotFoundError
from faultbook.model.approval import Approval, ApprovalState, Decision, Vote
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    Membership,
    counted_for,
    decide,
    nearest_threshold,
)
from faultbook.model.audit import AuditEntry
from faultbook.model.person import Person
from faultbook.operations.approval_notices import owe_bypass, owe_card
from faultbook.operations.approval_rules import (
    decided_before,
    policy_changed,
    voted_before,
    why_no_bypass,
    why_no_review,
    why_no_vote,
)
from faultbook.operations.approval_steps import (
    Refusal,
    as_it_is,
    audit_step,
    end_with_task,
    expire,
    find_approval,
    kept_words,
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
    """
    try:
        asked = as_it_is(tx, number)
    except NotFoundError as unknown:  # the click of a card that is not ours
        return refuse(tx, "vote.refused", f"A-{number}", named(voter), unknown, None, decision)
    policy = policies.of(asked)
    error = why_no_vote(asked, voter, decision, reason, membership, policy, shown)
    if error is not None or policy is None:
        refused = error or policy_changed(asked)
        return refuse(tx, "vote.refused", asked.id, named(voter), refused, asked.action, decision)
    told = kept_words(reason, _REASON_LENGTH)
    cast = Vote(voter, decision, told, counted_for(policy, membership), tx.now)
    if not approvals.add_vote(tx, number, cast):
        error = voted_before(asked, voter)
        return refuse(tx, "vote.refused", asked.id, named(voter), error, asked.action, decision)
    audit_step(tx, f"vote.{decision}", number, named(voter), vote_facts(asked, cast))
    all_cast = (*asked.votes, cast)
    outcome = decide(policy.thresholds, all_cast)
    have, needed = nearest_threshold(policy.thresholds, all_cast, decision)
    moved = replace(asked, revision=asked.revision + 1)
    if outcome is None:
        approvals.touch(tx, number)
        owe_card(tx, number)
        return Counted(replace(moved, votes=all_cast), have, needed)
    settle(tx, number, outcome, voter.name, told)
    decided = replace(
        moved, state=outcome, votes=all_cast, decided_by=voter.name, decided_at=tx.now, reason=told
    )
    return Counted(decided, have, needed)


def expire_due(tx: Transaction) -> int:
    """Let every request expire whose time is over, which denies it; tells how many ended.

    What belongs to a task that was cancelled ends with it.
    """
    ended = 0
    for number in approvals.list_of_cancelled_tasks(tx):
        ended += end_with_task(tx, find_approval(tx, number))
    for number in approvals.list_expired(tx):
        ended += expire(tx, number)
    return ended


def break_glass(
    tx: Transaction,
    number: int,
    by: Person,
    reason: str,
    membership: Membership,
    policies: ApprovalPolicies,
    shown: str = "",
) -> Approval | Refusal:
    """Approve without voters, loudly; it skips neither the digest nor the audit log.

    `shown` are the digits of the digest that the person saw; empty where none were shown.
    """
    try:
        asked = as_it_is(tx, number)
    except NotFoundError as unknown:
        return refuse(tx, "bypass.refused", f"A-{number}", named(by), unknown)
    policy = policies.of(asked)
    error = why_no_bypass(asked, by, reason, membership, policy, shown)
    if error is not None:
        return refuse(tx, "bypass.refused", asked.id, named(by), error, asked.action)
    told = kept_words(reason, _REASON_LENGTH)
    extra = {"is_bypass": 1, "review_due_at": tx.now + REVIEW_AFTER}
    if not settle(tx, number, ApprovalState.APPROVED, by.name, told, extra):
        error = decided_before(find_approval(tx, number))
        return refuse(tx, "bypass.refused", asked.id, named(by), error, asked.action)
    cast = Vote(by, Decision.APPROVE, told, (), tx.now, bypass=True)
    approvals.put_bypass(tx, number, cast)
    audit_step(tx, "approval.bypassed", number, named(by), vote_facts(asked, cast))
    owe_bypass(tx, number)
    return find_approval(tx, number)


def review_bypass(
    tx: Transaction, number: int, by: Person, note: str, membership: Membership
) -> Approval | Refusal:
    """Record that somebody else looked at a bypass; Slack's silence about them hinders nobody.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = as_it_is(tx, number)
    error = why_no_review(asked, by, note, membership)
    if error is not None:
        return refuse(tx, "review.refused", asked.id, named(by), error, asked.action)
    reviewed = {"review_due_at": None}
    approvals.change(tx, number, frozenset(ApprovalState), reviewed, approvals.waits_for_review())
    audit_step(tx, "bypass.reviewed", number, named(by), {"note": kept_words(note, _REASON_LENGTH)})
    owe_card(tx, number)
    return find_approval(tx, number)


def note_policies(tx: Transaction, policies: ApprovalPolicies) -> int:
    """Record at a start which policies are new, changed or gone; tells how many."""
    changed = 0
    for policy in policies.all:
        before = approvals.see_policy(tx, policy.name, policy.wording)
        if before is not None:
            changed += 1
            facts = {"wording": policy.wording, "before": before, "version": policy.version}
            tx.audited.append(AuditEntry("policy.changed", policy.name, "settings", facts))
    for name in approvals.forget_policies(tx, [policy.name for policy in policies.all]):
        changed += 1
        tx.audited.append(AuditEntry("policy.removed", name, "settings", {}))
    return changed
