"""Approvals as public JSON documents: what `/v1/approvals` and `faultbook approval --json` say."""

from faultbook.base.clock import iso, iso_or_none
from faultbook.model.approval import Approval, ApprovalState, Decision, Vote
from faultbook.model.approval_policy import ApprovalPolicies, ApprovalPolicy, nearest_threshold
from faultbook.view.documents import Document

_DECISIONS = {
    ApprovalState.PENDING: None,
    ApprovalState.DENIED: "denied",
    ApprovalState.EXPIRED: "denied",
    ApprovalState.CANCELLED: "cancelled",
    ApprovalState.SUPERSEDED: "superseded",
}
_EXECUTED = {ApprovalState.EXECUTED: True, ApprovalState.EXECUTION_UNKNOWN: None}


def approval_document(asked: Approval, policies: ApprovalPolicies) -> Document:
    """Show an approval as JSON.

    `decision` is typed, so that no text can be read as a success; `executed` is null where nobody
    knows. `counted`, `needed` and `executed_by` are null where the policy is gone.
    """
    policy = policies.of(asked)
    return {
        "id": asked.id,
        "state": asked.state.value,
        "decision": _DECISIONS.get(asked.state, "approved"),
        "executed": _EXECUTED.get(asked.state, False),
        "action": asked.action.as_json(),
        "digest": asked.digest,
        "agent": asked.agent,
        "owner": asked.owner,
        "why": asked.why,
        "effect": asked.effect,
        "evidence": [{"name": link.name, "url": link.url} for link in asked.evidence],
        "task": None if asked.task is None else f"T-{asked.task}",
        "run_id": asked.run_id,
        "triggered_by": asked.triggered_by.name if asked.triggered_by is not None else None,
        "policy": asked.policy,
        "created_at": iso(asked.created_at),
        "expires_at": iso(asked.expires_at),
        "votes": [_vote(vote) for vote in asked.votes],
        **_of_policy(asked, policy),
        "decided_by": asked.decided_by or None,
        "decided_at": iso_or_none(asked.decided_at),
        "reason": asked.reason,
        "superseded_by": None if asked.superseded_by is None else f"A-{asked.superseded_by}",
        "outcome": asked.outcome,
        "executed_at": iso_or_none(asked.executed_at),
        "is_bypass": asked.is_bypass,
        "review_due_at": iso_or_none(asked.review_due_at),
    }


def _of_policy(asked: Approval, policy: ApprovalPolicy | None) -> Document:
    if policy is None:
        return {"counted": None, "needed": None, "executed_by": None}
    counted, needed = nearest_threshold(policy.thresholds, asked.votes, Decision.APPROVE)
    executed_by = "agent" if policy.executor is None else "faultbook"
    return {"counted": counted, "needed": needed, "executed_by": executed_by}


def _vote(vote: Vote) -> Document:
    return {
        "voter": vote.voter.name,
        "decision": vote.decision.value,
        "reason": vote.reason,
        "at": iso(vote.at),
        "bypass": vote.bypass,
    }
