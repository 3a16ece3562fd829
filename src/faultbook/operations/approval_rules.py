"""Why a request, a vote or a bypass is refused; pure but for counting what an agent asked."""

import re
import unicodedata

from faultbook.base.clock import HOUR, iso
from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    ForbiddenError,
    InvalidError,
    UnavailableError,
)
from faultbook.base.redaction import redact
from faultbook.base.text import cut
from faultbook.model.approval import (
    Action,
    Approval,
    ApprovalState,
    Decision,
    NewApproval,
)
from faultbook.model.approval_policy import (
    LOOKUP_FAILED,
    NOT_COUNTED,
    POLICY_NOT_HERE,
    UNKNOWN_PERSON,
    ApprovalPolicies,
    ApprovalPolicy,
    Membership,
    counted_for,
)
from faultbook.model.ballot import Ballot
from faultbook.model.person import Person
from faultbook.model.webhook import WebhookRules, read_webhook
from faultbook.store import approvals
from faultbook.store.transaction import Transaction

MEMBER_ID = re.compile(r"[UW][A-Z0-9]{2,}")
"""How Slack names people so that nobody can change it: theirs, or an organization's."""


def decided_before(asked: Approval) -> ConflictError:
    """Say who decided and when, to whoever comes second."""
    at = f"{iso(asked.decided_at or 0)[11:16]} UTC"
    by = asked.decided_by
    words = {
        ApprovalState.DENIED: f"{by} denied this at {at}.",
        ApprovalState.EXPIRED: f"Expired {at} unanswered, which denies it. Nothing ran.",
        ApprovalState.CANCELLED: f"{by} took this back at {at}. Nothing ran.",
        ApprovalState.SUPERSEDED: (
            f"Superseded by A-{asked.superseded_by}: the parameters changed. Nothing ran."
        ),
    }.get(asked.state, f"{by} approved this at {at}.")
    return ConflictError(
        words,
        code=f"already_{asked.state}",
        next_step=f"Look at A-{asked.superseded_by}." if asked.superseded_by else "",
    )


def whose(asked: Approval, person: Person, membership: Membership | None = None) -> str | None:
    """Say what of a person's a request comes from: their task, or their agent; None for nothing.

    With a membership, by whatever the person goes by in Slack: who made the agent's token may have
    named its owner by the handle.
    """
    known = {person.id, person.name}
    if membership is not None:
        known |= {membership.name, *membership.aliases}
    theirs, trigger = _folded(*known), asked.triggered_by
    if trigger is not None and not theirs.isdisjoint(_folded(trigger.id, trigger.name)):
        return f"your task T-{asked.task}"
    if not theirs.isdisjoint(_folded(asked.agent)):
        return "you"
    return None if theirs.isdisjoint(_folded(asked.owner)) else f"your agent {asked.agent}"


def is_same(person: Person, other: Person) -> bool:
    """Tell whether two may be one person, by either's id or name."""
    return not _folded(person.id, person.name).isdisjoint(_folded(other.id, other.name))


def _folded(*names: str) -> set[str]:
    """Give names as they are compared: a second way to write one makes no second person."""
    plain = (" ".join(unicodedata.normalize("NFKC", name).split()) for name in names)
    return {name.lstrip("@").strip().casefold() for name in plain} - {""}


def why_no_vote(
    asked: Approval, ballot: Ballot, policy: ApprovalPolicy | None
) -> FaultbookError | None:
    """Tell why a vote does not count; None where it does."""
    if asked.state.is_decided:
        return decided_before(asked)
    if policy is None:
        return _policy_elsewhere(ballot.membership) or policy_changed(asked)
    return (
        _not_as_shown(asked, ballot.shown)
        or _not_allowed(asked, ballot.voter, ballot.membership, policy)
        or _no_reason(ballot.decision, ballot.reason, policy)
    )


def _not_as_shown(asked: Approval, shown: str) -> FaultbookError | None:
    if asked.is_bound and asked.digest.startswith(shown):
        return None
    return ConflictError(
        f"What you saw is not what is stored, so {NOT_COUNTED}.",
        code="digest_mismatch",
        next_step="Read the card again; if it happens twice, look at the audit log.",
    )


def _not_allowed(
    asked: Approval, voter: Person, membership: Membership, policy: ApprovalPolicy
) -> FaultbookError | None:
    known = bool(voter.id) and membership.person_id == voter.id
    if not known or not membership.is_active or not counted_for(policy, membership):
        return ForbiddenError(
            membership.why_not
            or f"Only those of policy `{policy.name}` decide `{asked.action.kind}`"
            f" in {asked.action.environment}.",
            code=membership.why_code or "not_an_approver",
            next_step=_whose_token(voter, membership),
        )
    source = whose(asked, voter, membership)
    if policy.prevent_self_review and source is not None:
        return ForbiddenError(
            f"You can't decide this: it comes from {source}. Others of `{policy.name}` can.",
            code="self_review",
        )
    return None


def _whose_token(person: Person, membership: Membership) -> str:
    """Say what to do about a token of somebody who is no member; nothing about anybody else."""
    if membership.why_code != UNKNOWN_PERSON:
        return ""
    return (
        f"`{cut(redact(person.id), 80)}` is no member of this workspace. Make a token by the member"
        " id: faultbook token create --person MEMBER-ID --scope approvals:decide."
    )


def _no_reason(decision: Decision, reason: str, policy: ApprovalPolicy) -> FaultbookError | None:
    if not policy.needs_reason(decision) or reason.strip():
        return None
    return InvalidError(
        f"Policy `{policy.name}` requires a reason.", code="reason_required", where="reason"
    )


def why_no_bypass(
    asked: Approval,
    by: Person,
    reason: str,
    membership: Membership,
    policy: ApprovalPolicy | None,
    shown: str = "",
) -> FaultbookError | None:
    """Tell why the glass may not be broken; None where it may."""
    if asked.state.is_decided:
        return decided_before(asked)
    if policy is None:
        return _policy_elsewhere(membership) or policy_changed(asked)
    unlike = _not_as_shown(asked, shown)
    if unlike is not None:
        return unlike
    known = bool(by.id) and membership.person_id == by.id
    if not known or not membership.is_active or not policy.break_glass.include(membership):
        return ForbiddenError(
            membership.why_not or f"You may not break the glass of `{policy.name}`.",
            code=membership.why_code or "no_break_glass",
            next_step=_whose_token(by, membership),
        )
    if not reason.strip():
        return InvalidError(
            "Breaking the glass requires a reason.", code="reason_required", where="reason"
        )
    return None


def why_not_recorded(by: Person, membership: Membership) -> FaultbookError | None:
    """Tell why a person may not record what they found; None where they may.

    Where Slack could not be asked they may: a fact must not be lost with its answer.
    """
    known = bool(by.id) and membership.person_id == by.id
    if known and (membership.is_active or membership.why_code == LOOKUP_FAILED):
        return None
    return ForbiddenError(
        membership.why_not or "Only who is active in Slack records this, so nothing was recorded.",
        code=membership.why_code or "not_active",
        next_step=_whose_token(by, membership),
    )


def why_no_review(
    asked: Approval, by: Person, note: str, membership: Membership
) -> FaultbookError | None:
    """Tell why a bypass can't be reviewed by a person; None where it can."""
    unknown = why_not_recorded(by, membership)
    if unknown is not None:
        return unknown
    if asked.review_due_at is None:
        return ConflictError(
            f"{asked.id} waits for no review.",
            code="no_review",
            next_step="Only a broken glass is reviewed, once.",
        )
    if any(one.bypass and is_same(one.voter, by) for one in asked.votes):
        return ForbiddenError(
            f"You broke the glass of {asked.id}, so somebody else reviews it.",
            code="own_review",
        )
    if not note.strip():
        return InvalidError("Say what you found.", code="reason_required", where="note")
    return None


def policy_changed(asked: Approval) -> ConflictError:
    """Say that nobody can decide by a policy that is no more."""
    return ConflictError(
        f"The policy `{asked.policy}` changed since {asked.id} was asked, so nobody can decide it.",
        code="policy_changed",
        next_step="The agent asks again, by the new policy.",
    )


def _policy_elsewhere(membership: Membership) -> ForbiddenError | None:
    """Tell whether a policy is not known where a decision comes from, rather than changed."""
    if membership.why_code != POLICY_NOT_HERE:
        return None
    return ForbiddenError(membership.why_not, code=POLICY_NOT_HERE)


def voted_before(asked: Approval, voter: Person) -> ConflictError:
    """Say that a person's vote is there already."""
    before = next((one for one in asked.votes if one.voter.id == voter.id), None)
    words = {Decision.APPROVE: "approved", Decision.DENY: "denied"}
    did = words[before.decision] if before else "voted on"
    return ConflictError(
        f"You {did} this before; voting again changes nothing.", code="already_voted"
    )


def no_policy(action: Action, policies: ApprovalPolicies) -> ForbiddenError:
    """Say that nobody was set to decide, or not about so much, and what sets somebody."""
    words = (
        f"No policy says who decides `{cut(redact(action.kind), 80)}`"
        f" in {cut(redact(action.environment), 80)}"
    )
    near = policies.by_amount(action)
    field = near.amount_field if near is not None else None
    if near is not None and field is not None:
        return ForbiddenError(
            f"{words} with {cut(str(action.parameters[field]), 80)} as its `{field}`.",
            code="no_policy",
            next_step=(
                f"Change the bounds of policy `{near.name}`, or add [[policies]] for such amounts."
            ),
            where=f"parameters.{field}",
        )
    return ForbiddenError(
        f"{words}.",
        code="no_policy",
        next_step=(
            "Add to faultbook.toml: [[policies]] with"
            f' kinds = ["{cut(redact(action.kind), 80)}"] and [[policies.thresholds]] with who may.'
        ),
        where="kind",
    )


def owner_unknown(new: NewApproval, policy: ApprovalPolicy) -> ForbiddenError | None:
    """Tell whether nobody can be kept from deciding about their own agent's request.

    People change their names in Slack as they like; the member id alone tells who an owner is.
    None where that doesn't matter.
    """
    if not policy.prevent_self_review or MEMBER_ID.fullmatch(new.owner):
        return None
    owner, agent = cut(redact(new.owner), 80), cut(redact(new.agent), 80)
    return ForbiddenError(
        f"The token's owner `{owner}` is no Slack member id, so nobody can tell who may not decide"
        f" about the requests of {agent}.",
        code="owner_unknown",
        next_step=f'Make another token: faultbook token create --agent "{agent}"'
        " --owner MEMBER-ID --scope approvals:request. Slack shows the id in a person's profile:"
        " three dots, Copy member ID.",
        where="Authorization",
    )


def bad_wait(new: NewApproval, policy: ApprovalPolicy) -> InvalidError | None:
    """Tell why a request may not wait as long as it wants to; None where it may."""
    if new.ttl_seconds is None or 1 <= new.ttl_seconds <= policy.max_ttl_seconds:
        return None
    return InvalidError(
        f"A request under `{policy.name}` may wait from 1 to {policy.max_ttl_seconds:g} s.",
        code="bad_ttl",
        next_step="Ask for a time within that.",
        where="ttl_seconds",
    )


def foreign(what: str, agent: str, where: str) -> ForbiddenError:
    """Say that an agent named something that is another's."""
    return ForbiddenError(
        f"{what} is not one of {agent}.",
        code="agent_mismatch",
        next_step="Name what is your own, or leave it out.",
        where=where,
    )


def not_yours(asked: Approval) -> ForbiddenError:
    """Say to a person or an agent that they take back what another asked for."""
    return ForbiddenError(
        f"{asked.id} is not yours to take back.",
        code="agent_mismatch",
        next_step="Its agent can, or the agent's owner; who decides about it can deny it.",
        where="approval",
    )


def asked_too_often(
    tx: Transaction, new: NewApproval, policy: ApprovalPolicy
) -> UnavailableError | None:
    """Tell whether an agent has asked as often as it may within the hour."""
    asked = approvals.count_since(tx, new.agent, tx.now - HOUR)
    if asked < policy.per_hour:
        return None
    times = "once" if asked == 1 else f"{asked} times"
    return UnavailableError(
        f"{cut(redact(new.agent), 80)} has asked {times} within the hour;"
        f" policy `{policy.name}` allows {policy.per_hour}.",
        code="approval_rate_limited",
        next_step="Wait; people tire of clicking.",
        retry_after=600.0,
    )


def bad_webhook(new: NewApproval, rules: WebhookRules | None) -> InvalidError | None:
    """Tell why no outcome can be posted to where an agent wants it; None where it can."""
    if new.webhook is None:
        return None
    if rules is None:
        return InvalidError(
            "No webhook can be called: nothing is there to sign outcomes with.",
            code="no_webhooks",
            next_step="Set FAULTBOOK_WEBHOOK_SECRET where Faultbook runs, or wait by long poll.",
            where="webhook",
        )
    try:
        read_webhook(new.webhook, rules)
    except InvalidError as error:
        return error
    return None
