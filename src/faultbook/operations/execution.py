"""Running what was approved: one grant, used once, reported by its deadline or unknown."""

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from faultbook.base.clock import Instant, seconds
from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    InvalidError,
)
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    Membership,
)
from faultbook.model.person import Person
from faultbook.operations.approval_notices import owe_card, owe_webhook
from faultbook.operations.approval_rules import policy_changed, why_not_recorded
from faultbook.operations.approval_steps import (
    THE_POLICY,
    Refusal,
    as_it_is,
    audit_step,
    find_approval,
    kept_words,
    named,
    refuse,
)
from faultbook.operations.execution_rules import (
    gone,
    is_equal,
    no_grant,
    not_used,
    outlived,
    outlived_since,
    why_not_now,
    why_not_run,
)
from faultbook.store import approvals, executions
from faultbook.store.transaction import Transaction

_OUTCOME_LENGTH = 1000
_TO_REPORT_SECONDS = 30.0
"""How long Faultbook may take to report what it ran, beyond the executor's own time."""
_APPROVED = frozenset({ApprovalState.APPROVED})
_EXECUTING = frozenset({ApprovalState.EXECUTING})
_UNKNOWN = frozenset({ApprovalState.EXECUTION_UNKNOWN})
_WITHDRAWN = frozenset({"approver_gone", "approval_outlived"})
_FOR_GOOD = frozenset({"digest_mismatch", "task_cancelled", "policy_changed"})
"""Where Faultbook is the one to execute, nobody else finds out that it never will."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The leave to execute, once.

    Attributes:
        id: known to whoever got it alone; reported with.
        until: when the outcome counts as unknown.
    """

    approval: Approval
    id: str
    until: Instant


def begin_execution(
    tx: Transaction,
    number: int,
    digest: str,
    executor: str,
    memberships: Mapping[str, Membership],
    policies: ApprovalPolicies,
    holder: str = "",
) -> Grant | Refusal:
    """Give the leave to run an approved action to one caller; anybody else is refused.

    Args:
        tx: the transaction.
        number: of the approval.
        digest: what the caller is about to run, as it was shown.
        executor: the agent that asked, or Faultbook itself.
        memberships: what Slack says now of those who approved or broke the glass, by their ids.
        policies: the team's.
        holder: the process of ours that runs it; empty for an agent, which may not run what the
            policy has Faultbook execute.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = as_it_is(tx, number)
    policy = policies.of(asked)
    error = why_not_run(tx, asked, policy, digest, executor, memberships, holder)
    if error is not None or policy is None:
        refused = error or policy_changed(asked)
        if refused.code in (_WITHDRAWN | _FOR_GOOD if holder else _WITHDRAWN):
            _withdraw(tx, asked, refused)
        return refuse(tx, "execution.refused", asked.id, executor, refused, asked.action)
    values = _grant_values(tx, policy, holder)
    if not approvals.change(tx, number, _APPROVED, values, approvals.has_digest(asked.digest)):
        late = why_not_now(find_approval(tx, number), digest) or gone(asked)
        return refuse(tx, "execution.refused", asked.id, executor, late, asked.action)
    audit_step(tx, "execution.begun", number, executor, {"digest": asked.digest})
    owe_card(tx, number)
    return Grant(find_approval(tx, number), values["grant_id"], values["grant_until"])


def resume_execution(
    tx: Transaction, number: int, held: str, executor: str, policies: ApprovalPolicies, holder: str
) -> Grant | None:
    """Take over an execution whose process is gone, under a new grant; None if another did.

    For executors that may run again or can tell what happened; `held` is the grant that is
    replaced, so that of several processes one takes over.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = find_approval(tx, number)
    policy = policies.of(asked)
    if policy is None or not asked.is_bound:
        return None
    values = _grant_values(tx, policy, holder)
    if not approvals.change(tx, number, _EXECUTING, values, executions.holds_grant(held)):
        return None
    audit_step(tx, "execution.resumed", number, executor, {"digest": asked.digest})
    return Grant(find_approval(tx, number), values["grant_id"], values["grant_until"])


def report_execution(
    tx: Transaction, number: int, grant_id: str, executor: str, *, worked: bool, words: str
) -> Approval | Refusal:
    """Record how an execution ended; a grant is used once.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = find_approval(tx, number)
    state = ApprovalState.EXECUTED if worked else ApprovalState.EXECUTION_FAILED
    if not is_equal(executions.find_grant(tx, number), grant_id):
        return refuse(tx, "report.refused", asked.id, executor, no_grant(asked), asked.action)
    told = kept_words(words, _OUTCOME_LENGTH)
    if asked.state is state and asked.outcome == told:
        return asked  # the same report again
    if not _close(tx, number, _EXECUTING, state, told, grant_id):
        late = find_approval(tx, number)
        return refuse(tx, "report.refused", asked.id, executor, not_used(late), asked.action)
    audit_step(
        tx, f"execution.{'executed' if worked else 'failed'}", number, executor, {"words": told}
    )
    return find_approval(tx, number)


def sweep_grants(tx: Transaction, spared: Collection[str] = ()) -> int:
    """Call unknown what nobody reported in time: it may have happened, and is not repeated.

    `spared` names the policies whose executions Faultbook looks after itself.
    """
    swept = 0
    for number in executions.list_lapsed(tx, spared):
        swept += give_up(tx, number, "clock", "nobody reported by the deadline")
    return swept


def give_up(tx: Transaction, number: int, by: str, words: str, held: str | None = None) -> bool:
    """Call an execution unknown; tells whether it was under way, under the grant `held` if given.

    The words may come from what was executed.
    """
    told = kept_words(words, _OUTCOME_LENGTH)
    if not _close(tx, number, _EXECUTING, ApprovalState.EXECUTION_UNKNOWN, told, held):
        return False
    audit_step(tx, "execution.unknown", number, by, {"words": told})
    return True


def record_outcome(
    tx: Transaction, number: int, by: Person, words: str, membership: Membership, *, happened: bool
) -> Approval | Refusal:
    """Let a person record what became of an execution that nobody knew of.

    Slack's silence about them hinders nobody: what happened must not be lost with it.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = find_approval(tx, number)
    state = ApprovalState.EXECUTED if happened else ApprovalState.EXECUTION_FAILED
    told = kept_words(words, _OUTCOME_LENGTH)
    error = why_not_recorded(by, membership)
    if error is None and not told:
        error = InvalidError("Say what you found.", code="reason_required", where="words")
    if error is None and not _close(tx, number, _UNKNOWN, state, f"{told} ({by.name})"):
        error = _outcome_known(find_approval(tx, number))
    if error is not None:
        return refuse(tx, "outcome.refused", asked.id, named(by), error, asked.action)
    audit_step(tx, "outcome.recorded", number, named(by), {"happened": happened, "words": told})
    return find_approval(tx, number)


def may_record_outcome(tx: Transaction, number: int, by: Person) -> Approval | Refusal:
    """Tell whether an outcome is still to be recorded, before a person is asked what they found.

    Whether they may is looked up once they have said it.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = find_approval(tx, number)
    if asked.state in _UNKNOWN:
        return asked
    error = _outcome_known(asked)
    return refuse(tx, "outcome.refused", asked.id, named(by), error, asked.action)


def _outcome_known(asked: Approval) -> ConflictError:
    return ConflictError(
        f"{asked.id} is {asked.state}; nothing was recorded.",
        code="outcome_known",
        next_step="An outcome is recorded while it is unknown, once.",
    )


def _close(
    tx: Transaction,
    number: int,
    states: frozenset[ApprovalState],
    state: ApprovalState,
    words: str,
    held: str | None = None,
) -> bool:
    values: dict[str, Any] = {"state": state.value, "executed_at": tx.now, "outcome": words}
    same = () if held is None else (executions.holds_grant(held),)
    if not approvals.change(tx, number, states, values, *same):
        return False
    owe_card(tx, number)
    owe_webhook(tx, number)
    return True


def _grant_values(tx: Transaction, policy: ApprovalPolicy, holder: str) -> dict[str, Any]:
    lasts = policy.grant_seconds
    if holder and policy.executor is not None:
        lasts = max(lasts, policy.executor.timeout_seconds + _TO_REPORT_SECONDS)
    return {
        "state": ApprovalState.EXECUTING.value,
        "grant_id": secrets.token_hex(16),
        "grant_by": holder,
        "grant_until": tx.now + seconds(lasts),
    }


def withdraw_outlived(tx: Transaction, policies: ApprovalPolicies) -> int:
    """Withdraw what was approved too long ago and never begun; tells how many."""
    withdrawn = 0
    for number in executions.list_outlived(tx, outlived_since(tx, policies)):
        asked = find_approval(tx, number, hold=True)
        policy = policies.named(asked.policy)
        error = outlived(tx, asked, policy) if policy is not None else None
        if error is not None and _withdraw(tx, asked, error):
            audit_step(tx, "approval.withdrawn", number, "clock", {"code": error.code})
            withdrawn += 1
    return withdrawn


def _withdraw(tx: Transaction, asked: Approval, error: FaultbookError) -> bool:
    """Deny what was approved and will never run, so that nobody waits for it."""
    words = f"{error.message} {error.next_step}"
    values = {"state": ApprovalState.DENIED.value, "decided_by": THE_POLICY, "reason": words}
    if not approvals.change(tx, asked.number, _APPROVED, values | {"decided_at": tx.now}):
        return False
    owe_card(tx, asked.number)
    owe_webhook(tx, asked.number)
    return True
