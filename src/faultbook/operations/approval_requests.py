"""Asking for approval: checked, bound to its digest, superseding what it replaces."""

import secrets
from typing import Any

from faultbook.base.clock import seconds
from faultbook.base.errors import ForbiddenError, InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut
from faultbook.model.approval import (
    Action,
    Approval,
    ApprovalState,
    EvidenceLink,
    NewApproval,
    bound_digest,
)
from faultbook.model.approval_policy import ApprovalPolicies, ApprovalPolicy
from faultbook.model.canonical import check_json, check_size
from faultbook.model.task import Task
from faultbook.operations.approval_notices import owe_card
from faultbook.operations.approval_rules import decided_before, no_policy, why_no_request
from faultbook.operations.approval_steps import Refusal, audit_step, find_approval, refuse, settle
from faultbook.operations.tasks import find_task, waits_for
from faultbook.store import approvals
from faultbook.store.transaction import Transaction

_WORDS_LENGTH = 3000
_PENDING = frozenset({ApprovalState.PENDING})


def check_action(kind: str, target: str, environment: str, parameters: object) -> Action:
    """Make an action of what was asked for.

    Raises:
        InvalidError: a fraction, a secret, no JSON; `where` names the place.
        TooLargeError: it is over the limit.
    """
    told = check_json({"kind": kind, "target": target, "environment": environment}, "action")
    checked = check_json(parameters, "parameters")
    if not isinstance(told, dict) or not isinstance(checked, dict):
        raise InvalidError(
            "`parameters` are no object.",
            code="bad_parameters",
            next_step='Send {"name": value, …}.',
            where="parameters",
        )
    action = Action(kind, target, environment, checked)
    check_size(action.as_json(), "parameters")
    return action


def request_approval(
    tx: Transaction, new: NewApproval, policies: ApprovalPolicies
) -> Approval | Refusal:
    """Ask for a decision about an action.

    The same action that waits already is given back as it is. Another one by the same agent for
    the same task or run supersedes what waited. One that was denied a moment ago is denied again
    without asking anybody.
    """
    policy = policies.choose(new.action)
    if policy is None:
        return refuse(tx, "approval.refused", "", new.agent, no_policy(new.action), new.action)
    refused = why_no_request(tx, new, policy)
    if refused is not None:
        return refuse(tx, "approval.refused", "", new.agent, refused, new.action)
    waiting = approvals.find_same(tx, new.action.key, new.agent, _PENDING, 0)
    if waiting is not None and new.supersedes in {None, waiting}:
        found = find_approval(tx, waiting)
        if found.expires_at > tx.now and found.policy_version == policy.version:
            return found
    task = find_task(tx, new.task) if new.task is not None else None
    number = _append(tx, new, policy, task)
    audit_step(tx, "approval.requested", number, new.agent, _asked(tx, number))
    denied = approvals.find_same(
        tx,
        new.action.key,
        new.agent,
        {ApprovalState.DENIED},
        tx.now - seconds(policy.loop_seconds),
    )
    if denied is not None and policy.loop_seconds > 0:
        settle(tx, number, ApprovalState.DENIED, "the loop breaker", f"denied before as A-{denied}")
        audit_step(tx, "approval.loop_broken", number, new.agent, {"denied_before": f"A-{denied}"})
        return find_approval(tx, number)
    _supersede(tx, new, number)
    if task is not None:
        waits_for(tx, task.number, f"A-{number}")
    owe_card(tx, number)
    return find_approval(tx, number)


def cancel_approval(tx: Transaction, number: int, by: str) -> Approval | Refusal:
    """Take a request back that nobody has decided; `by` is the agent that made it, or its owner.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = find_approval(tx, number)
    if by not in {asked.agent, asked.owner}:
        error = ForbiddenError(
            f"{asked.id} is not one of {by}.", code="agent_mismatch", next_step=""
        )
        return refuse(tx, "approval.cancel_refused", asked.id, by, error, asked.action)
    if not settle(tx, number, ApprovalState.CANCELLED, by, ""):
        error_late = decided_before(find_approval(tx, number))
        return refuse(tx, "approval.cancel_refused", asked.id, by, error_late, asked.action)
    audit_step(tx, "approval.cancelled", number, by, {})
    return find_approval(tx, number)


def _append(tx: Transaction, new: NewApproval, policy: ApprovalPolicy, task: Task | None) -> int:
    ttl = new.ttl_seconds or policy.ttl_seconds
    expires_at = tx.now + seconds(ttl)
    nonce = secrets.token_hex(16)
    origin = task.origin if task else None
    in_thread = bool(origin and origin.channel and not policy.channel)
    values: dict[str, Any] = {
        **approvals.action_values(new.action),
        "digest": bound_digest(
            new.action, new.agent, policy.name, policy.version, expires_at, nonce
        ),
        "nonce": nonce,
        "why": cut(redact(new.why), _WORDS_LENGTH),
        "effect": cut(redact(new.effect), _WORDS_LENGTH),
        "evidence": [_link(link) for link in new.evidence],
        "agent": new.agent,
        "owner": new.owner,
        "task": new.task,
        "run_id": new.run_id,
        "triggered_by_id": task.requester.id if task else "",
        "triggered_by_name": task.requester.name if task else "",
        "policy": policy.name,
        "policy_version": policy.version,
        "state": ApprovalState.PENDING.value,
        "created_at": tx.now,
        "expires_at": expires_at,
        "webhook": new.webhook,
        "channel": policy.channel or (origin.channel if origin else ""),
        "thread_ts": origin.thread_ts if origin and in_thread else "",
    }
    return approvals.add(tx, values)


def _link(link: EvidenceLink) -> dict[str, str]:
    return {"name": redact(link.name), "url": redact(link.url)}


def _supersede(tx: Transaction, new: NewApproval, number: int) -> None:
    older = [new.supersedes] if new.supersedes is not None else []
    if new.task is not None or new.run_id is not None:
        older += approvals.list_pending_of(tx, new.agent, new.task, new.run_id)
    for one in dict.fromkeys(older):
        found = approvals.find(tx, one) if one != number else None
        if found is None or found.agent != new.agent or not _is_another(found.action, new.action):
            continue
        extra = {"superseded_by": number}
        if settle(tx, one, ApprovalState.SUPERSEDED, new.agent, "", extra):
            audit_step(tx, "approval.superseded", one, new.agent, {"by": f"A-{number}"})


def _is_another(before: Action, after: Action) -> bool:
    """Tell whether a request replaces another: the same thing done differently."""
    return (before.kind, before.target) == (after.kind, after.target)


def _asked(tx: Transaction, number: int) -> dict[str, Any]:
    asked = find_approval(tx, number)
    return {
        "action": asked.action.as_json(),
        "digest": asked.digest,
        "policy": asked.policy,
        "policy_version": asked.policy_version,
        "owner": asked.owner,
        "task": f"T-{asked.task}" if asked.task else None,
        "expires_at": str(asked.expires_at),
    }
