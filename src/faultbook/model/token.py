"""Tokens: who an agent or a person is, who answers for them, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum

from faultbook.base.clock import Instant


class Scope(StrEnum):
    """What a token may do."""

    RUNS_WRITE = "runs:write"
    RUNS_READ = "runs:read"
    RUNS_ATTEST = "runs:attest"
    """Its checks of artifacts on its own host are believed without an upload: the wrapper's."""
    TASKS_WORK = "tasks:work"
    """Claim tasks, report on them, and close them with the evidence."""
    TASKS_WRITE = "tasks:write"
    TASKS_READ = "tasks:read"
    APPROVALS_REQUEST = "approvals:request"
    """Ask for approvals, and execute what was approved."""
    APPROVALS_READ = "approvals:read"
    APPROVALS_DECIDE = "approvals:decide"
    """Approve and deny: a person's alone."""
    AUDIT_READ = "audit:read"


PERSONS_SCOPES = frozenset({Scope.APPROVALS_DECIDE, Scope.APPROVALS_READ, Scope.AUDIT_READ})
"""What a person's token may have; `approvals:decide` is never an agent's."""

COMMAND_LINE = "command-line"
"""The agent of whoever works on the local store without a token: the user."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is known; the secret itself is not kept.

    Attributes:
        agent: the agent that reports with it; empty for a person's token.
        owner: the person who answers for the agent; a person answers for themselves.
        workflows: the workflows it is bound to; empty means all.
        person: whose token it is, by Slack's id or by name; None for an agent's.
    """

    id: str
    agent: str
    owner: str
    scopes: frozenset[str]
    workflows: frozenset[str]
    created_at: Instant
    revoked_at: Instant | None = None
    person: str | None = None

    @property
    def is_person(self) -> bool:
        """Tell whether a person acts with it, and not an agent."""
        return self.person is not None

    def allows_workflow(self, workflow: str) -> bool:
        """Tell whether it may record runs of this workflow."""
        return not self.workflows or workflow in self.workflows
