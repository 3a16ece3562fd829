"""The truth table, row by row, as data: what happened, and what it comes to."""

from dataclasses import dataclass

from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import BrokenLimit, Claim, Outcome, TestCounts
from faultbook.model.standing import Standing
from faultbook.model.verdict import FailureClass, Reason, Verdict
from tests.builders import REPORT

F, B, D, S, I, P = (  # noqa: E741 - the table's own letters
    Verdict.FAILED,
    Verdict.BLOCKED,
    Verdict.DEGRADED,
    Verdict.SKIPPED,
    Verdict.INCONCLUSIVE,
    Verdict.PASSED,
)
TRANSIENT, PERSISTENT, AUTH, MISCONFIG = FailureClass


@dataclass(frozen=True)
class Row:
    """One row of "Closing a run", and the standing of a series with this run alone."""

    happened: str
    outcome: Outcome
    verdict: Verdict
    reason: Reason | None
    failure_class: FailureClass | None
    standing: Standing
    heartbeat: bool = False


def artifact(check: Check, mismatch: Reason | None = None) -> Artifact:
    """Build an artifact whose check came out so."""
    return Artifact("report.pdf", check, mismatch=mismatch)


def _exit(code: int, failure_class: FailureClass, reason: Reason = Reason.NONZERO_EXIT) -> Row:
    outcome = Outcome(exit_code=code, artifacts=(REPORT,))
    return Row(f"exit {code}", outcome, F, reason, failure_class, Standing.FAILING)


def _claim(
    verdict: Verdict, reason: Reason | None = None, failure_class: FailureClass | None = None
) -> Claim:
    return Claim(verdict, reason, failure_class, "in its own words")


_FAILED_TESTS = TestCounts(3, 3, 1, ("tests.test_export::test_writes_a_pdf",))

ROWS: tuple[Row, ...] = (
    Row(
        "exit 0, every promised artifact verified, confirmed",
        Outcome(
            exit_code=0, promised=("report.txt",), artifacts=(REPORT,), confirm="succeeded"
        ),
        P, None, None, Standing.PASSING,
    ),
    Row(
        "exit 0, a promised artifact is missing",
        Outcome(exit_code=0, promised=("report.pdf",), artifacts=(REPORT,)),
        I, Reason.MISSING_ARTIFACT_REF, None, Standing.UNPROVEN,
    ),
    Row(
        "exit 0, a promised artifact is empty",
        Outcome(exit_code=0, artifacts=(REPORT, artifact(Check.EMPTY))),
        I, Reason.EMPTY_OUTPUT, None, Standing.UNPROVEN,
    ),
    Row(
        "exit 0, a promised artifact is as it was before the start",
        Outcome(exit_code=0, artifacts=(artifact(Check.STALE),)),
        I, Reason.STALE_ARTIFACT, None, Standing.UNPROVEN,
    ),
    Row(
        "exit 0, an artifact was named by URI only",
        Outcome(exit_code=0, artifacts=(artifact(Check.UNREACHABLE),)),
        I, Reason.ARTIFACT_UNREACHABLE, None, Standing.UNPROVEN,
    ),
    Row(
        "exit 0, bytes differ from the claimed digest",
        Outcome(exit_code=0, artifacts=(artifact(Check.MISMATCH, Reason.DIGEST_MISMATCH),)),
        F, Reason.DIGEST_MISMATCH, PERSISTENT, Standing.FAILING,
    ),
    Row(
        "exit 0, output does not fit its schema",
        Outcome(exit_code=0, artifacts=(artifact(Check.MISMATCH, Reason.SCHEMA_MISMATCH),)),
        F, Reason.SCHEMA_MISMATCH, PERSISTENT, Standing.FAILING,
    ),
    Row(
        "exit 0, the confirm command fails",
        Outcome(exit_code=0, artifacts=(REPORT,), confirm="failed"),
        I, Reason.SIDE_EFFECT_UNCONFIRMED, None, Standing.UNPROVEN,
    ),
    Row(
        "exit 0, the confirm command times out",
        Outcome(exit_code=0, artifacts=(REPORT,), confirm="timed_out"),
        I, Reason.SIDE_EFFECT_UNCONFIRMED, None, Standing.UNPROVEN,
    ),
    Row(
        "exit 0, nothing was promised",
        Outcome(exit_code=0),
        I, Reason.NO_EVIDENCE_PROMISED, None, Standing.UNPROVEN,
    ),
    Row(
        "exit 0, nothing was promised, the settings accept a heartbeat",
        Outcome(exit_code=0),
        P, Reason.HEARTBEAT_ACCEPTED, None, Standing.PASSING, heartbeat=True,
    ),
    _exit(1, PERSISTENT),
    _exit(124, PERSISTENT),
    _exit(125, PERSISTENT),
    _exit(75, TRANSIENT),
    _exit(77, AUTH),
    _exit(78, MISCONFIG),
    _exit(126, MISCONFIG, Reason.COMMAND_NOT_FOUND),
    _exit(127, MISCONFIG, Reason.COMMAND_NOT_FOUND),
    _exit(137, TRANSIENT, Reason.KILLED),
    _exit(255, PERSISTENT),
    Row(
        "the command can't be started",
        Outcome(started=False),
        F, Reason.COMMAND_NOT_FOUND, MISCONFIG, Standing.FAILING,
    ),
    Row(
        "ended by a signal",
        Outcome(signal=9, artifacts=(REPORT,)),
        F, Reason.KILLED, TRANSIENT, Standing.FAILING,
    ),
    Row(
        "still running at its timeout",
        Outcome(timed_out=True, signal=15, artifacts=(REPORT,)),
        F, Reason.TIMED_OUT, TRANSIENT, Standing.FAILING,
    ),
    Row(
        "reports blocked",
        Outcome(claim=_claim(B, Reason.SESSION_EXPIRED, AUTH)),
        B, Reason.SESSION_EXPIRED, AUTH, Standing.BLOCKED,
    ),
    Row(
        "reports degraded, evidence verified",
        Outcome(claim=_claim(D, Reason.PARTIAL_RESULT, TRANSIENT), artifacts=(REPORT,)),
        D, Reason.PARTIAL_RESULT, TRANSIENT, Standing.DEGRADED,
    ),
    Row(
        "reports degraded, evidence not verified",
        Outcome(claim=_claim(D, Reason.PARTIAL_RESULT), promised=("report.pdf",)),
        I, Reason.MISSING_ARTIFACT_REF, None, Standing.UNPROVEN,
    ),
    Row(
        "reports skipped with a reason",
        Outcome(claim=_claim(S, Reason.NOTHING_TO_DO), promised=("report.pdf",)),
        S, Reason.NOTHING_TO_DO, None, Standing.UNKNOWN,
    ),
    Row(
        "reports passed, evidence verified, exit code not 0",
        Outcome(exit_code=3, claim=_claim(P), artifacts=(REPORT,)),
        F, Reason.NONZERO_EXIT, PERSISTENT, Standing.FAILING,
    ),
    Row(
        "reports passed without evidence",
        Outcome(claim=_claim(P)),
        I, Reason.NO_EVIDENCE_PROMISED, None, Standing.UNPROVEN,
    ),
    Row(
        "a limit of its contract is broken",
        Outcome(
            exit_code=0,
            artifacts=(REPORT,),
            broken_limits=(BrokenLimit(Reason.LIMIT_EXCEEDED, "90 000 tokens"),),
        ),
        F, Reason.LIMIT_EXCEEDED, PERSISTENT, Standing.FAILING,
    ),
    Row(
        "a tool is used that is not on its list",
        Outcome(
            exit_code=0,
            artifacts=(REPORT,),
            broken_limits=(BrokenLimit(Reason.TOOL_NOT_ALLOWED, "shell"),),
        ),
        F, Reason.TOOL_NOT_ALLOWED, PERSISTENT, Standing.FAILING,
    ),
    Row(
        "JUnit, tests run, none failed",
        Outcome(tests=TestCounts(3, 2, 0), artifacts=(REPORT,)),
        P, None, None, Standing.PASSING,
    ),
    Row(
        "JUnit, a failure",
        Outcome(tests=_FAILED_TESTS, artifacts=(REPORT,)),
        F, Reason.TESTS_FAILED, PERSISTENT, Standing.FAILING,
    ),
    Row(
        "JUnit without a test",
        Outcome(tests=TestCounts(0, 0, 0), artifacts=(REPORT,)),
        I, Reason.NO_TESTS_EXECUTED, None, Standing.UNPROVEN,
    ),
    Row(
        "JUnit, all skipped",
        Outcome(tests=TestCounts(4, 0, 0), artifacts=(REPORT,)),
        I, Reason.NO_TESTS_EXECUTED, None, Standing.UNPROVEN,
    ),
    Row(
        "JUnit, pytest's exit 5",
        Outcome(exit_code=5, tests=TestCounts(0, 0, 0), artifacts=(REPORT,)),
        I, Reason.NO_TESTS_EXECUTED, None, Standing.UNPROVEN,
    ),
)  # fmt: skip

# From runs to a standing: before, newest closed run, after.
STANDINGS: tuple[tuple[Standing, Verdict, Standing], ...] = tuple(
    (before, verdict, after)
    for verdict, rows in {
        P: dict.fromkeys(Standing, Standing.PASSING),
        F: dict.fromkeys(Standing, Standing.FAILING),
        B: dict.fromkeys(Standing, Standing.BLOCKED),
        D: dict.fromkeys(Standing, Standing.DEGRADED),
        I: {
            Standing.PASSING: Standing.UNPROVEN,
            Standing.DEGRADED: Standing.UNPROVEN,
            Standing.UNKNOWN: Standing.UNPROVEN,
            Standing.UNPROVEN: Standing.UNPROVEN,
            Standing.FAILING: Standing.FAILING,
            Standing.BLOCKED: Standing.BLOCKED,
        },
        S: {standing: standing for standing in Standing},
    }.items()
    for before, after in rows.items()
)
