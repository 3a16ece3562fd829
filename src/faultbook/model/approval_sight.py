"""What people are shown of an approval: itself, the policy it is decided by, and its card."""

from dataclasses import dataclass

from faultbook.base.clock import Instant
from faultbook.model.approval import Approval, ApprovalState, Decision
from faultbook.model.approval_policy import ApprovalPolicy, nearest_threshold
from faultbook.model.task import Card


@dataclass(frozen=True, slots=True)
class Earlier:
    """An approval of the very same action that ran, runs or may have run.

    Attributes:
        at: when it was reported, or counted as unknown; when it was approved, while it runs.
    """

    number: int
    state: ApprovalState
    at: Instant


@dataclass(frozen=True, slots=True)
class Review:
    """What somebody found who looked at a bypass.

    Attributes:
        by: their name.
    """

    by: str
    note: str
    at: Instant


@dataclass(frozen=True, slots=True)
class ApprovalSight:
    """An approval with what is shown beside it, read in one snapshot.

    Attributes:
        policy: the one it was asked under; None where the settings say something else by now.
        card: where its card is; None while there is none.
        earlier: the newest of the same action that whoever decides has to know of.
        review: of a bypass; None while nobody looked at it.
    """

    approval: Approval
    policy: ApprovalPolicy | None = None
    card: Card | None = None
    earlier: Earlier | None = None
    review: Review | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether a vote can still decide it: not once its policy changed."""
        return self.approval.state is ApprovalState.PENDING and self.policy is not None

    def votes(self, decision: Decision) -> tuple[int, int]:
        """Tell how many votes there are of how many that decide."""
        thresholds = self.policy.thresholds if self.policy is not None else ()
        return nearest_threshold(thresholds, self.approval.votes, decision)
