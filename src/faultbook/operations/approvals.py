"""Approvals beside the votes: expiry, the glass that may be broken, and policies seen."""

from collections.abc import Sequence

from faultbook.base.clock import DAY, Instant
from faultbook.base.errors import NotFoundError
from faultbook.model.approval import REASON_LENGTH, Approval, ApprovalState, Decision, Vote
from faultbook.model.approval_policy import ApprovalPolicies, Membership
from faultbook.model.audit import AuditEntry
from faultbook.model.person import Person
from faultbook.operations.approval_notices import owe_bypass, owe_card, owe_reviewed
from faultbook.operations.approval_rules import (
    decided_before,
    why_no_bypass,
    why_no_review,
)
from faultbook.operations.approval_steps import (
    ASKED_NEXT,
    REVIEWED,
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
from faultbook.store import approvals, policies_seen
from faultbook.store.approvals import ApprovalFilter
from faultbook.store.transaction import Transaction

REVIEW_AFTER: Instant = DAY
"""When a bypass has to have been reviewed."""


def list_approvals(tx: Transaction, wanted: ApprovalFilter | None = None) -> Sequence[Approval]:
    """List approvals; without a filter, those that wait, the soonest to expire first."""
    return approvals.list_some(tx, wanted or ApprovalFilter())


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
    told = kept_words(reason, REASON_LENGTH)
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
    audit_step(tx, REVIEWED, number, named(by), {"note": kept_words(note, REASON_LENGTH)})
    owe_card(tx, number)
    owe_reviewed(tx, number)
    return find_approval(tx, number)


def may_review(tx: Transaction, number: int, by: Person) -> Approval | Refusal:
    """Tell whether a person may review a bypass, before they are asked what they found.

    Whether they are active is looked up once they have said it.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = as_it_is(tx, number)
    error = why_no_review(asked, by, ASKED_NEXT, Membership(by.id))
    if error is not None:
        return refuse(tx, "review.refused", asked.id, named(by), error, asked.action)
    return asked


def note_policies(tx: Transaction, policies: ApprovalPolicies) -> int:
    """Record at a start which policies are new, changed or gone; tells how many.

    Cards of what waits under them are owed a paint: nobody can decide it now, or again.
    """
    changed: list[str] = []
    for policy in policies.all:
        before = policies_seen.see(tx, policy.name, policy.wording)
        if before is not None:
            changed.append(policy.name)
            facts = {"wording": policy.wording, "before": before, "version": policy.version}
            tx.audited.append(AuditEntry("policy.changed", policy.name, "settings", facts))
    for name in policies_seen.forget(tx, [policy.name for policy in policies.all]):
        changed.append(name)
        tx.audited.append(AuditEntry("policy.removed", name, "settings", {}))
    for number in policies_seen.list_waiting(tx, changed):
        approvals.touch(tx, number)
        owe_card(tx, number)
    return len(changed)
