"""Why what was approved may not run, or a report of it is not used."""

import hmac
from collections.abc import Collection, Mapping
from dataclasses import replace

from faultbook.base.clock import Instant, seconds
from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    ForbiddenError,
    UnavailableError,
)
from faultbook.base.text import duration
from faultbook.model.approval import Approval, ApprovalState, Vote
from faultbook.model.approval_policy import (
    LOOKUP_FAILED,
    ApprovalPolicies,
    ApprovalPolicy,
    Membership,
    counted_for,
    decide,
)
from faultbook.operations.approval_rules import foreign, policy_changed
from faultbook.operations.approval_steps import cancelled_task
from faultbook.store.transaction import Transaction


def deciding_votes(asked: Approval) -> list[Vote]:
    """Give the votes whose voters are looked at again: all, or the one that broke the glass."""
    return [one for one in asked.votes if one.bypass or not asked.is_bypass]


def why_not_run(
    tx: Transaction,
    asked: Approval,
    policy: ApprovalPolicy | None,
    digest: str,
    executor: str,
    memberships: Mapping[str, Membership],
    holder: str,
) -> FaultbookError | None:
    """Tell why an approved action may not run for this caller now; None where it may."""
    if not holder and executor != asked.agent:
        return foreign(asked.id, executor, "approval")
    error = why_not_now(asked, digest) or _task_gone(tx, asked)
    if error is not None:
        return error
    if policy is None:
        return policy_changed(asked)
    if policy.executor is not None and not holder:
        return _runs_it_itself(asked)
    return (
        outlived(tx, asked, policy)
        or _nobody_knows(asked, memberships)
        or _approver_gone(asked, memberships, policy)
    )


def why_not_now(asked: Approval, digest: str) -> ConflictError | None:
    """Tell why what a caller is about to run is not what may run now; None where it is."""
    if not is_equal(digest, asked.digest) or not asked.is_bound:
        return ConflictError(
            f"This is not the action that {asked.id} is about, so it may not run.",
            code="digest_mismatch",
            next_step="Ask for approval of what you want to run.",
            where="digest",
        )
    if asked.state is not ApprovalState.APPROVED:
        return gone(asked)
    return None


def gone(asked: Approval) -> ConflictError:
    """Say that an approval is in no state to be begun."""
    return ConflictError(
        f"{asked.id} is {asked.state}; it may not run now.",
        code=f"approval_{asked.state}",
        next_step="Ask again if it is still wanted." if asked.state.is_decided else "Wait for it.",
    )


def no_grant(asked: Approval) -> ForbiddenError:
    """Say that a report came with another grant than the approval's."""
    return ForbiddenError(
        f"This is not the grant of {asked.id}, so the report was not used.",
        code="grant_mismatch",
        next_step="Report with the grant that begin gave you.",
        where="grant",
    )


def not_used(asked: Approval) -> ConflictError:
    """Say that a report came for what is no longer under way."""
    unknown = asked.state is ApprovalState.EXECUTION_UNKNOWN
    return ConflictError(
        f"{asked.id} is {asked.state}; this report was not used.",
        code=f"approval_{asked.state}",
        next_step="Tell a person what happened: they record the outcome." if unknown else "",
    )


def is_equal(one: str, other: str) -> bool:
    """Compare in constant time; either may hold whatever JSON can say."""
    return hmac.compare_digest(
        one.encode(errors="backslashreplace"), other.encode(errors="backslashreplace")
    )


def _task_gone(tx: Transaction, asked: Approval) -> ConflictError | None:
    task = cancelled_task(tx, asked)
    if task is None:
        return None
    return ConflictError(
        f"{task.id} was cancelled by {task.cancelled_by}, so {asked.id} may not run.",
        code="task_cancelled",
        next_step="Ask again if it is still wanted.",
    )


def _runs_it_itself(asked: Approval) -> ConflictError:
    return ConflictError(
        f"Faultbook runs {asked.id} itself, as the policy `{asked.policy}` says.",
        code="executed_by_faultbook",
        next_step=f"Wait for its outcome: GET /v1/approvals/{asked.id}?wait=30.",
    )


def outlived_since(tx: Transaction, policies: ApprovalPolicies) -> dict[str, Instant]:
    """Tell for each policy, by name, since when what was approved under it may still run."""
    return {one.name: tx.now - seconds(one.max_ttl_seconds) for one in policies.all}


def outlived(tx: Transaction, asked: Approval, policy: ApprovalPolicy) -> ConflictError | None:
    """Tell whether it was approved so long ago that who approved may have meant another world."""
    approved_at = asked.decided_at or asked.created_at
    if tx.now - approved_at <= seconds(policy.max_ttl_seconds):
        return None
    return ConflictError(
        f"{asked.id} was approved over {duration(policy.max_ttl_seconds)} ago, so it may not run.",
        code="approval_outlived",
        next_step="Ask again if it is still wanted.",
    )


def _nobody_knows(
    asked: Approval, memberships: Mapping[str, Membership]
) -> UnavailableError | None:
    """Tell whether Slack could not say who may still decide; that withdraws nothing."""
    if all(one.why_code != LOOKUP_FAILED for one in memberships.values()):
        return None
    return UnavailableError(
        f"Slack didn't confirm that those who approved {asked.id} may, so it may not run now.",
        code=LOOKUP_FAILED,
        next_step="Try again in a moment.",
        retry_after=5.0,
    )


def _approver_gone(
    asked: Approval, memberships: Mapping[str, Membership], policy: ApprovalPolicy
) -> ForbiddenError | None:
    """Tell whether the votes of those who may vote now approve no more."""
    votes = deciding_votes(asked)
    if asked.is_bypass:
        return _bypasser_gone(asked, [memberships.get(vote.voter.id) for vote in votes], policy)
    held = []
    for vote in votes:
        membership = memberships.get(vote.voter.id)
        if membership is not None:
            held.append(replace(vote, thresholds=counted_for(policy, membership)))
    if decide(policy.thresholds, held) is ApprovalState.APPROVED:
        return None
    return ForbiddenError(
        f"Those who approved {asked.id} may no longer decide, so it may not run.",
        code="approver_gone",
        next_step="Ask again.",
    )


def _bypasser_gone(
    asked: Approval, known: Collection[Membership | None], policy: ApprovalPolicy
) -> ForbiddenError | None:
    for one in known:
        if one is not None and one.is_active and policy.break_glass.include(one):
            return None
    return ForbiddenError(
        f"Whoever broke the glass for {asked.id} may not any more, so it may not run.",
        code="approver_gone",
        next_step="Ask again.",
    )
