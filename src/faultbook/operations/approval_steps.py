"""The steps that every operation on approvals is made of: settle once, expire, audit, refuse."""

import re
from dataclasses import dataclass
from typing import Any

from faultbook.base.errors import FaultbookError, NotFoundError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, visible
from faultbook.model.approval import Action, Approval, ApprovalState, Decision, Vote
from faultbook.model.audit import AuditEntry
from faultbook.model.person import Person
from faultbook.model.task import Task, TaskState
from faultbook.operations.approval_notices import owe_card, owe_outcome, owe_webhook
from faultbook.operations.tasks import find_task, works_again
from faultbook.store import approvals
from faultbook.store.transaction import Transaction

LOOP_BREAKER, THE_POLICY = "the loop breaker", "the policy"
"""Who decided where nobody voted: what was denied a moment ago, and approvers who are gone."""

STANDING = frozenset({ApprovalState.PENDING, ApprovalState.APPROVED})
"""What waits, or may run and has not."""

REVIEWED = "bypass.reviewed"
"""What the audit log calls that somebody looked at a bypass; it alone keeps what they found."""

ASKED_NEXT = "asked for next"
"""Stands for words that a form has yet to ask for."""

_KIND_LENGTH = 200
_ID_OF_ACTOR = re.compile(r" \([^() ]+\)\Z")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that was asked for and not done; nothing but the audit log changed."""

    error: FaultbookError


def find_approval(tx: Transaction, number: int, *, hold: bool = False) -> Approval:
    """Read an approval with its votes; with `hold`, nobody else changes it before the commit.

    Raises:
        NotFoundError: there is none of that number.
    """
    found = approvals.find(tx, number, hold=hold)
    if found is None:
        raise NotFoundError(
            f"There is no approval A-{number}.",
            code="approval_not_found",
            next_step="List them: `faultbook approval list`, or `/faultbook approvals` in Slack.",
            where="approval",
        )
    return found


def as_it_is(tx: Transaction, number: int) -> Approval:
    """Hold an approval until the commit, ended if its time is over or its task was cancelled.

    Raises:
        NotFoundError: there is none of that number.
    """
    asked = find_approval(tx, number, hold=True)
    if asked.state is ApprovalState.PENDING and asked.expires_at <= tx.now:
        expire(tx, number)
    elif asked.state is ApprovalState.PENDING and cancelled_task(tx, asked) is not None:
        end_with_task(tx, asked)
    else:
        return asked
    return find_approval(tx, number)


def cancelled_task(tx: Transaction, asked: Approval) -> Task | None:
    """Give the task that an approval belongs to, if a person cancelled it."""
    task = find_task(tx, asked.task) if asked.task is not None else None
    return task if task is not None and task.state is TaskState.CANCELLED else None


def end_with_task(tx: Transaction, asked: Approval) -> bool:
    """Cancel what nobody is to decide any more; tells whether this call did."""
    task = cancelled_task(tx, asked)
    if task is None:
        return False
    by, words = task.cancelled_by, f"{task.id} was cancelled"
    if not settle(tx, asked.number, ApprovalState.CANCELLED, by, words):
        return False
    audit_step(tx, "approval.cancelled", asked.number, by, {"task": task.id})
    return True


def settle(
    tx: Transaction,
    number: int,
    state: ApprovalState,
    by: str,
    reason: str,
    extra: dict[str, Any] | None = None,
) -> bool:
    """Decide a pending approval, once, and owe word of it; tells whether this call did."""
    values = {"state": state.value, "decided_by": by, "decided_at": tx.now, "reason": reason}
    settled = approvals.settle(tx, number, values | (extra or {}))
    if settled is None:
        return False
    if settled.task is not None:
        _go_on(tx, settled.task)
    owe_card(tx, number, settled.place)
    if settled.has_webhook:
        owe_outcome(tx, number)
    return True


def supersede(tx: Transaction, number: int, by: str, newer: int) -> bool:
    """End a request that a newer one replaces, also an approved one that nobody has begun to run.

    Owes word of it, and keeps the votes; tells whether this call did.
    """
    values = {
        "state": ApprovalState.SUPERSEDED.value,
        "superseded_by": newer,
        "decided_by": by,
        "decided_at": tx.now,
        "reason": "",
    }
    if not approvals.change(tx, number, STANDING, values):
        return False
    task = find_approval(tx, number).task
    if task is not None:
        _go_on(tx, task)
    owe_card(tx, number)
    owe_webhook(tx, number)
    audit_step(tx, "approval.superseded", number, by, {"by": f"A-{newer}"})
    return True


def _go_on(tx: Transaction, task: int) -> None:
    """Let a task work again that waits for nothing else."""
    find_task(tx, task, hold=True)  # of two that are decided at once, the later sees the other
    if not approvals.has_pending(tx, task):
        works_again(tx, task)


def expire(tx: Transaction, number: int) -> bool:
    """Let a pending approval expire, which denies it; tells whether this call did."""
    if not settle(tx, number, ApprovalState.EXPIRED, "nobody", "unanswered"):
        return False
    audit_step(tx, "approval.expired", number, "clock", {})
    return True


def vote_facts(asked: Approval, cast: Vote) -> dict[str, Any]:
    """Give what the audit log keeps of a vote."""
    return {
        "digest": asked.digest,
        "decision": cast.decision.value,
        "reason": cast.reason,
        "thresholds": list(cast.thresholds),
    }


def kept_words(text: str, length: int) -> str:
    """Give words from outside as they are stored: redacted, readable, cut."""
    return cut(visible(redact(text)).strip(), length)


def named(person: Person) -> str:
    """Name a person in the audit log."""
    return f"{person.name} ({person.id})" if person.id else person.name


def name_of(actor: str) -> str:
    """Take a person's name back from how the audit log names them."""
    return _ID_OF_ACTOR.sub("", actor)


def audit_step(tx: Transaction, kind: str, number: int, actor: str, facts: dict[str, Any]) -> None:
    """Record a step of an approval."""
    tx.audited.append(AuditEntry(kind, f"A-{number}", actor, facts))


def refuse(
    tx: Transaction,
    kind: str,
    subject: str,
    actor: str,
    error: FaultbookError,
    action: Action | None = None,
    decision: Decision | None = None,
) -> Refusal:
    """Record a refused attempt, and give the refusal."""
    facts: dict[str, Any] = {"code": error.code}
    if action is not None:
        facts["kind"] = kept_words(action.kind, _KIND_LENGTH)
    if decision is not None:
        facts["decision"] = decision.value
    tx.audited.append(AuditEntry(kind, subject, actor, facts))
    return Refusal(error)
