"""Tokens: who an agent is, who owns it, and what it may do."""

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


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is known; the secret itself is not kept.

    Attributes:
        workflows: the workflows it is bound to; empty means all.
    """

    id: str
    agent: str
    owner: str
    scopes: frozenset[str]
    workflows: frozenset[str]
    created_at: Instant
    revoked_at: Instant | None = None

    def allows_workflow(self, workflow: str) -> bool:
        """Tell whether it may record runs of this workflow."""
        return not self.workflows or workflow in self.workflows
