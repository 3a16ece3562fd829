"""Asking for approval: checked, bound to its digest, superseding what it replaces."""

import secrets
from dataclasses import replace
from typing import Any

from faultbook.base.clock import seconds
from faultbook.base.errors import ConflictError, FaultbookError, InvalidError
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
from faultbook.model.task import Task, TaskState
from faultbook.operations.approval_notices import owe_card
from faultbook.operations.approval_rules import (
    asked_too_often,
    bad_wait,
    bad_webhook,
    decided_before,
    foreign,
    no_policy,
    not_yours,
    owner_unknown,
)
from faultbook.operations.approval_steps import (
    LOOP_BREAKER,
    STANDING,
    THE_POLICY,
    Refusal,
    as_it_is,
    audit_step,
    find_approval,
    kept_words,
    refuse,
    settle,
    supersede,
)
from faultbook.operations.approval_tasks import task_of
from faultbook.operations.tasks import waits_for
from faultbook.store import approvals
from faultbook.store.transaction import Transaction

_WORDS_LENGTH = 3000
_LINK_LENGTH = 2000
_BEGUN = {
    ApprovalState.EXECUTING: "runs now",
    ApprovalState.EXECUTED: "has run",
    ApprovalState.EXECUTION_UNKNOWN: "may have run",
}


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
    tx: Transaction, new: NewApproval, policies: ApprovalPolicies, *, has_slack: bool = False
) -> Approval | Refusal:
    """Ask for a decision about an action.

    The same action that waits already, or is approved and has not run, is given back as it is; what
    waits takes over the newest webhook. Another one by the same agent for the same task or run
    supersedes what waited or was approved, unless that was begun. One that was denied a moment ago
    is denied again without asking anybody.

    What belongs to a task without naming it is found out: see `task_of`.

    Where people decide in Slack (`has_slack`), Slack has to tell for certain who the token's owner
    is; a policy that lets people decide about their own takes any.

    Raises:
        NotFoundError: there is no such task, or nothing to supersede by that number.
    """
    policy = _policy(new, policies, has_slack=has_slack)
    if isinstance(policy, FaultbookError):
        return _refused(tx, new, policy)
    approvals.hold_agent(tx, new.agent)
    task = task_of(tx, new)
    if isinstance(task, FaultbookError):
        return _refused(tx, new, task)
    new = replace(new, task=task.number if task is not None else None)
    error = bad_wait(new, policy) or bad_webhook(new, policies.webhooks) or _no_successor(tx, new)
    same = _same(tx, new, policy) if error is None else None
    if same is not None and same.policy_version == policy.version:
        if new.webhook is not None:
            approvals.put_webhook(tx, same.number, new.webhook)
        _wait_again(tx, same, task)
        return same
    error = error or asked_too_often(tx, new, policy)
    if error is not None:
        return _refused(tx, new, error)
    number = _append(tx, new, policy, task)
    audit_step(tx, "approval.requested", number, new.agent, _asked(tx, number))
    if _is_looping(tx, new, policy, number):
        return find_approval(tx, number)
    _supersede(tx, new, number, same)
    if task is not None:
        waits_for(tx, task.number, f"A-{number}")
    owe_card(tx, number)
    return find_approval(tx, number)


def cancel_approval(tx: Transaction, number: int, by: str) -> Approval | Refusal:
    """Take a request back that nobody has decided; `by` is the agent that made it, or its owner.

    Raises:
        NotFoundError: there is no such approval.
    """
    asked = as_it_is(tx, number)
    error: FaultbookError | None = None
    if not by or by not in {asked.agent, asked.owner}:
        error = not_yours(asked)
    elif not settle(tx, number, ApprovalState.CANCELLED, by, ""):
        error = decided_before(find_approval(tx, number))
    if error is not None:
        return refuse(tx, "approval.cancel_refused", asked.id, by, error, asked.action)
    audit_step(tx, "approval.cancelled", number, by, {})
    return find_approval(tx, number)


def _refused(tx: Transaction, new: NewApproval, error: FaultbookError) -> Refusal:
    return refuse(tx, "approval.refused", "", new.agent, error, new.action)


def _policy(
    new: NewApproval, policies: ApprovalPolicies, *, has_slack: bool
) -> ApprovalPolicy | FaultbookError:
    """Give the policy that a request comes under, or why it can come under none."""
    try:
        policy = policies.choose(new.action)
    except InvalidError as unreadable:
        return unreadable
    if policy is None:
        return no_policy(new.action, policies)
    return (owner_unknown(new, policy) if has_slack else None) or policy


def _no_successor(tx: Transaction, new: NewApproval) -> FaultbookError | None:
    """Tell whether a request names another's to supersede, or one that runs, ran or may have."""
    if new.supersedes is None:
        return None
    # Held, so that it is begun before this or not at all.
    replaced = find_approval(tx, new.supersedes, hold=True)
    if replaced.agent != new.agent:
        return foreign(replaced.id, new.agent, "supersedes")
    if replaced.state not in _BEGUN:
        return None
    return ConflictError(
        f"{replaced.id} {_BEGUN[replaced.state]}, so nothing can replace it.",
        code=f"already_{replaced.state}",
        next_step=f"Look at what became of {replaced.id} before you ask for more.",
        where="supersedes",
    )


def _same(tx: Transaction, new: NewApproval, policy: ApprovalPolicy) -> Approval | None:
    """Find a request for the same action that still stands, by whatever version of its policy."""
    number = approvals.find_same(tx, new.action.key, new.agent, new.task, new.run_id, STANDING)
    if number is None or new.supersedes not in {None, number}:
        return None
    found = as_it_is(tx, number)
    stands = found.policy == policy.name and found.state in STANDING
    return found if stands else None


def _wait_again(tx: Transaction, same: Approval, task: Task | None) -> None:
    """Let a task wait whose new attempt asks for what its last one had asked for."""
    if task is not None and task.state is TaskState.RUNNING and same.state is ApprovalState.PENDING:
        waits_for(tx, task.number, same.id)


def _is_looping(tx: Transaction, new: NewApproval, policy: ApprovalPolicy, number: int) -> bool:
    """Deny a request again that people denied a moment ago; tells whether they did."""
    since = tx.now - seconds(policy.loop_seconds)
    by_nobody = (LOOP_BREAKER, THE_POLICY)
    denied = approvals.find_denied(tx, new.action.key, new.agent, since, by_nobody)
    if denied is None or policy.loop_seconds <= 0:
        return False
    settle(tx, number, ApprovalState.DENIED, LOOP_BREAKER, f"denied before as A-{denied}")
    audit_step(tx, "approval.loop_broken", number, new.agent, {"denied_before": f"A-{denied}"})
    return True


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
        "why": kept_words(new.why, _WORDS_LENGTH),
        "effect": kept_words(new.effect, _WORDS_LENGTH),
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
    return {
        "name": kept_words(link.name, _LINK_LENGTH),
        "url": kept_words(link.url, _LINK_LENGTH),
    }


def _supersede(tx: Transaction, new: NewApproval, number: int, same: Approval | None) -> None:
    """Replace what was named, what stood for the same, and what an older policy is to decide."""
    older = [new.supersedes] if new.supersedes is not None else []
    older += [same.number] if same is not None else []
    if new.task is not None or new.run_id is not None:
        standing = approvals.list_standing_of(tx, new.agent, new.task, new.run_id)
        # All are held before the first moves its task on, as whoever votes holds them.
        held = [find_approval(tx, one, hold=True) for one in standing if one != number]
        older += [one.number for one in held if _is_another(one.action, new.action)]
    for one in dict.fromkeys(older):
        supersede(tx, one, new.agent, number)


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
