"""Approvals: a person decides, once, about exactly the action that will run."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from faultbook.base.clock import Instant
from faultbook.model.canonical import digest_of
from faultbook.model.person import Person

SHOWN_DIGITS = 12
"""Hexadecimal digits of a digest that people compare."""

REASON_LENGTH = 1000
"""How many characters of a reason or a note are asked for, kept and shown."""


class ApprovalState(StrEnum):
    """Where an approval is."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    EXECUTING = "executing"
    EXECUTED = "executed"
    EXECUTION_FAILED = "execution_failed"
    EXECUTION_UNKNOWN = "execution_unknown"
    """It may have happened; it is never repeated on its own."""

    @property
    def is_decided(self) -> bool:
        """Tell whether nobody's vote changes it any more."""
        return self is not ApprovalState.PENDING


class Decision(StrEnum):
    """What a voter says."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Action:
    """What would be done: checked JSON without fractions or secrets.

    Attributes:
        kind: the name that policies know it by: `refund`, `deploy`.
        target: what it is done to.
    """

    kind: str
    target: str
    environment: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Show it as it is stored and hashed."""
        return {
            "kind": self.kind,
            "target": self.target,
            "environment": self.environment,
            "parameters": self.parameters,
        }

    @property
    def key(self) -> str:
        """Tell the same action when it is asked for again."""
        return digest_of(self.as_json())


@dataclass(frozen=True, slots=True)
class EvidenceLink:
    """What the asker points at; nothing of it was verified."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class NewApproval:
    """A request to decide about an action.

    Attributes:
        effect: what will happen, in the asker's words.
        owner: who answers for the agent; the token's owner.
        task: the task it belongs to, by number; its requester may not decide either.
        ttl_seconds: how long it may wait; None for the policy's own time.
        supersedes: the number of the request it replaces.
        webhook: where the outcome is told besides.
    """

    action: Action
    why: str
    effect: str
    agent: str
    owner: str
    evidence: tuple[EvidenceLink, ...] = ()
    task: int | None = None
    run_id: str | None = None
    ttl_seconds: float | None = None
    supersedes: int | None = None
    webhook: str | None = None


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's decision.

    Attributes:
        thresholds: the indices of the policy's thresholds that this person counts for.
        bypass: a break-glass decision, which skipped the voters.
    """

    voter: Person
    decision: Decision
    reason: str
    thresholds: tuple[int, ...]
    at: Instant
    bypass: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval as it stands in the store.

    Attributes:
        digest: over the action, who asks, the policy and its version, the end and a nonce.
        triggered_by: the person whose task led to it.
        decided_by: whoever's vote decided; the bypass's author for break-glass.
        grant_until: by when whoever executes has to report.
        review_due_at: of a bypass; None once it was reviewed.
    """

    number: int
    action: Action
    digest: str
    nonce: str
    why: str
    effect: str
    evidence: tuple[EvidenceLink, ...]
    agent: str
    owner: str
    policy: str
    policy_version: str
    state: ApprovalState
    created_at: Instant
    expires_at: Instant
    task: int | None = None
    run_id: str | None = None
    triggered_by: Person | None = None
    decided_by: str = ""
    decided_at: Instant | None = None
    reason: str = ""
    superseded_by: int | None = None
    grant_until: Instant | None = None
    executed_at: Instant | None = None
    outcome: str = ""
    is_bypass: bool = False
    review_due_at: Instant | None = None
    votes: tuple[Vote, ...] = ()
    revision: int = 0

    @property
    def id(self) -> str:
        """What people call it."""
        return f"A-{self.number}"

    @property
    def short_digest(self) -> str:
        """The digits that a card shows."""
        return self.digest[:SHOWN_DIGITS]

    @property
    def is_bound(self) -> bool:
        """Tell whether what is stored is still what the digest was made of."""
        bound = bound_digest(
            self.action, self.agent, self.policy, self.policy_version, self.expires_at, self.nonce
        )
        return bound == self.digest


def bound_digest(
    action: Action, agent: str, policy: str, policy_version: str, expires_at: Instant, nonce: str
) -> str:
    """Give the digest that a decision is bound to: any change of these makes another request."""
    return digest_of(
        {
            "schema": 1,
            "action": action.as_json(),
            "agent": agent,
            "policy": policy,
            "policy_version": policy_version,
            "expires_at": str(expires_at),
            "nonce": nonce,
        }
    )
