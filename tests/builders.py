"""Runs as tests write them: what is not said is ordinary."""

from faultbook.base.clock import Instant, seconds
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import Claim, Outcome
from faultbook.model.policy import Policy
from faultbook.model.run import RunEnd, RunStart, RunType, Schedule, SeriesKey, WholeRun
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.operations.recording import prepare_whole

REPORT = Artifact("report.txt", Check.VERIFIED, sha256="ab" * 32, size=12, excerpt="40 invoices\n")

OUTCOMES: dict[Verdict, Outcome] = {
    Verdict.PASSED: Outcome(exit_code=0, artifacts=(REPORT,)),
    Verdict.FAILED: Outcome(exit_code=1, artifacts=(REPORT,)),
    Verdict.BLOCKED: Outcome(
        claim=Claim(Verdict.BLOCKED, Reason.SESSION_EXPIRED, FailureClass.AUTH, "Log in to CRM")
    ),
    Verdict.DEGRADED: Outcome(
        claim=Claim(Verdict.DEGRADED, Reason.PARTIAL_RESULT, None, "38 of 40 sent"),
        artifacts=(REPORT,),
    ),
    Verdict.SKIPPED: Outcome(claim=Claim(Verdict.SKIPPED, Reason.NOTHING_TO_DO)),
    Verdict.INCONCLUSIVE: Outcome(exit_code=0, promised=("report.pdf",)),
}
"""For each verdict an outcome that is judged so."""


def whole_run(
    verdict: Verdict | Outcome = Verdict.PASSED,
    *,
    at: Instant,
    workflow: str = "invoice-sync",
    environment: str = "production",
    branch: str = "main",
    took: float = 10,
    received_at: Instant | None = None,
    code_version: str | None = None,
    schedule: Schedule | None = None,
    policy: Policy | None = None,
    run_type: RunType = RunType.LIVE,
) -> WholeRun:
    """Build a run that started at an instant and came out so."""
    outcome = verdict if isinstance(verdict, Outcome) else OUTCOMES[verdict]
    ended = at + seconds(took)
    start = RunStart(
        SeriesKey(workflow, environment, branch),
        started_at=at,
        received_at=received_at or ended,
        code_version=code_version,
        schedule=schedule,
        run_type=run_type,
    )
    return prepare_whole(start, RunEnd(ended, outcome), policy or Policy())
