"""What a team's settings say about runs and answers, as plain values."""

from dataclasses import dataclass

from faultbook.base.clock import DAY, SECOND, Instant, seconds
from faultbook.model.run import RunStart

LEAD: Instant = 300 * SECOND
"""How far a clock may be ahead of ours; Slack's window for signatures is the same."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that verdicts and answers depend on.

    Attributes:
        heartbeat: workflows whose plain success may count.
        critical: workflows that are named first.
        stale_after: how old the newest record may be before the answer is "I can't tell".
        timeout_seconds: when a run that named no timeout counts as abandoned.
        grace_seconds: how much later than its timeout a run may still close.
    """

    main_branch: str = "main"
    default_environment: str = "production"
    stale_after: Instant = DAY
    heartbeat: frozenset[str] = frozenset()
    critical: frozenset[str] = frozenset()
    timeout_seconds: float = 86_400
    grace_seconds: float = 60

    def can_tell(self, newest: Instant, now: Instant) -> bool:
        """Tell whether data so young are enough to answer from.

        A record that lies ahead was written while this clock was wrong: nobody knows its age.
        """
        return -LEAD <= now - newest <= self.stale_after

    def deadline(self, start: RunStart) -> Instant:
        """Tell the instant after which an unclosed run is abandoned.

        It counts from the server's receipt, since the server's clock decides.
        """
        contract = start.contract
        timeout = contract.timeout_seconds or self.timeout_seconds
        grace = self.grace_seconds if contract.grace_seconds is None else contract.grace_seconds
        return start.received_at + seconds(timeout + grace)
