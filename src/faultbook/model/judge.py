"""The validator: what was observed and claimed about a run, judged into a verdict.

A claim can only worsen a verdict; only verified evidence can say passed; known wrong is failed,
can't tell is inconclusive. When several findings hold, the worst wins and all are kept.
"""

import signal as signals
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from faultbook.model.evidence import Artifact, Check
from faultbook.model.verdict import (
    WORST_FIRST,
    FailureClass,
    Finding,
    Judgement,
    Reason,
    Verdict,
)

EX_TEMPFAIL, EX_NOPERM, EX_CONFIG = 75, 77, 78  # sysexits.h
_PYTEST_NOTHING_COLLECTED = 5
_CANT_EXECUTE, _NOT_FOUND = 126, 127  # POSIX shell, 2.8.2
_NAMES_KEPT = 50
_SIGNAL_BASE = 128  # shells report 128+n for a child that signal n ended


@dataclass(frozen=True, slots=True)
class Claim:
    """What the reporter says of its own run."""

    verdict: Verdict
    reason: Reason | None = None
    failure_class: FailureClass | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TestCounts:
    """Tests counted by their elements, and the names of those that failed."""

    __test__ = False  # not a test case, whatever its name suggests to a collector

    total: int
    executed: int
    failed: int
    failed_names: tuple[str, ...] = ()

    def plus(self, other: "TestCounts") -> "TestCounts":
        """Add the tests of another report of the same run."""
        return TestCounts(
            self.total + other.total,
            self.executed + other.executed,
            self.failed + other.failed,
            (*self.failed_names, *other.failed_names)[:_NAMES_KEPT],
        )


@dataclass(frozen=True, slots=True)
class BrokenLimit:
    """A limit of the run's contract that was not kept."""

    reason: Literal[Reason.LIMIT_EXCEEDED, Reason.TOOL_NOT_ALLOWED]
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything known about a run when it ends.

    Attributes:
        exit_code: the command's own code; None when there was no command or a signal ended it.
        signal: the signal number that ended the command.
        started: False when the command could not be started at all.
        timed_out: the wrapper ended it at its timeout.
        promised: names of artifacts that were announced.
        confirm: how the probe of the side effect came out; None when there was none.
        heartbeat: the workflow's settings let a plain success count.
    """

    exit_code: int | None = None
    signal: int | None = None
    started: bool = True
    timed_out: bool = False
    claim: Claim | None = None
    promised: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    confirm: Literal["succeeded", "failed", "timed_out"] | None = None
    tests: TestCounts | None = None
    broken_limits: tuple[BrokenLimit, ...] = ()
    heartbeat: bool = False


def judge(outcome: Outcome) -> Judgement:
    """Assign the verdict, by the rows of the truth table."""
    findings = [*_of_command(outcome), *_of_claim(outcome), *_of_tests(outcome)]
    findings += [
        Finding(Verdict.FAILED, limit.reason, FailureClass.PERSISTENT, limit.detail)
        for limit in outcome.broken_limits
    ]
    findings += _of_evidence(outcome)
    if not findings:
        return Judgement(Verdict.PASSED, None, None, "", ())
    findings.sort(key=lambda finding: WORST_FIRST.index(finding.verdict))
    worst = findings[0]
    return Judgement(
        worst.verdict, worst.reason, worst.failure_class, worst.detail, tuple(findings)
    )


def abandoned(detail: str) -> Judgement:
    """Judge a run whose deadline passed without a close."""
    finding = Finding(Verdict.FAILED, Reason.RUN_ABANDONED, FailureClass.TRANSIENT, detail)
    return Judgement(
        finding.verdict, finding.reason, finding.failure_class, finding.detail, (finding,)
    )


def stopped(detail: str) -> Judgement:
    """Judge a run whose worker was told to stop while it was at work."""
    finding = Finding(Verdict.FAILED, Reason.KILLED, FailureClass.TRANSIENT, detail)
    return Judgement(
        finding.verdict, finding.reason, finding.failure_class, finding.detail, (finding,)
    )


def cancelled(detail: str) -> Judgement:
    """Judge a run that was called off before it said how it ended."""
    finding = Finding(Verdict.INCONCLUSIVE, Reason.CANCELLED, None, detail)
    return Judgement(
        finding.verdict, finding.reason, finding.failure_class, finding.detail, (finding,)
    )


def _of_command(outcome: Outcome) -> Iterator[Finding]:
    failed, transient = Verdict.FAILED, FailureClass.TRANSIENT
    if not outcome.started:
        yield Finding(
            failed,
            Reason.COMMAND_NOT_FOUND,
            FailureClass.MISCONFIG,
            "the command could not be started",
        )
    elif outcome.timed_out:
        yield Finding(failed, Reason.TIMED_OUT, transient, "still running at its timeout")
    elif outcome.signal is not None:
        yield Finding(failed, Reason.KILLED, transient, f"ended by {signal_name(outcome.signal)}")
    elif outcome.exit_code and not _is_pytest_without_tests(outcome):
        yield _of_exit_code(outcome.exit_code)


def _is_pytest_without_tests(outcome: Outcome) -> bool:
    tests = outcome.tests
    return (
        outcome.exit_code == _PYTEST_NOTHING_COLLECTED and tests is not None and not tests.executed
    )


def _of_exit_code(code: int) -> Finding:
    detail = f"exit code {code}"
    if code in (_CANT_EXECUTE, _NOT_FOUND):
        return Finding(Verdict.FAILED, Reason.COMMAND_NOT_FOUND, FailureClass.MISCONFIG, detail)
    number = code - _SIGNAL_BASE
    if number in _SIGNAL_NUMBERS:
        return Finding(
            Verdict.FAILED,
            Reason.KILLED,
            FailureClass.TRANSIENT,
            f"{detail}: ended by {signal_name(number)}",
        )
    failure_class = _CLASS_OF_EXIT.get(code, FailureClass.PERSISTENT)
    return Finding(Verdict.FAILED, Reason.NONZERO_EXIT, failure_class, detail)


_CLASS_OF_EXIT = {
    EX_TEMPFAIL: FailureClass.TRANSIENT,
    EX_NOPERM: FailureClass.AUTH,
    EX_CONFIG: FailureClass.MISCONFIG,
}
_SIGNAL_NUMBERS = frozenset(int(number) for number in signals.valid_signals())


def signal_name(number: int) -> str:
    """Name a signal as `SIGKILL`, or by its number where it has no name here."""
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _of_claim(outcome: Outcome) -> Iterator[Finding]:
    claim = outcome.claim
    if claim is None or claim.verdict is Verdict.PASSED:
        return
    failure_class = claim.failure_class
    if claim.verdict is Verdict.FAILED and failure_class is None:
        failure_class = FailureClass.PERSISTENT
    reason = claim.reason or Reason.UNCLASSIFIED
    yield Finding(claim.verdict, reason, failure_class, claim.detail)


def _of_tests(outcome: Outcome) -> Iterator[Finding]:
    tests = outcome.tests
    if tests is None:
        return
    if tests.failed:
        names = ", ".join(tests.failed_names[:5])
        more = f" and {tests.failed - 5} more" if tests.failed > 5 else ""  # noqa: PLR2004 - as shown
        yield Finding(
            Verdict.FAILED,
            Reason.TESTS_FAILED,
            FailureClass.PERSISTENT,
            f"{tests.failed} of {tests.executed} failed: {names}{more}",
        )
    elif not tests.executed:
        yield Finding(
            Verdict.INCONCLUSIVE,
            Reason.NO_TESTS_EXECUTED,
            None,
            f"{tests.total} found, all skipped" if tests.total else "no test was found",
        )


def _of_evidence(outcome: Outcome) -> list[Finding]:
    found = [finding for artifact in outcome.artifacts for finding in _of_artifact(artifact)]
    claimed = outcome.claim.verdict if outcome.claim else None
    if claimed in (Verdict.SKIPPED, Verdict.BLOCKED):
        # Nothing was to be produced; only what is known to be wrong still counts.
        return [finding for finding in found if finding.verdict is Verdict.FAILED]
    known = {artifact.name for artifact in outcome.artifacts}
    found += [
        Finding(Verdict.INCONCLUSIVE, Reason.MISSING_ARTIFACT_REF, None, f"{name} was not written")
        for name in outcome.promised
        if name not in known
    ]
    if outcome.confirm in ("failed", "timed_out"):
        how = "timed out" if outcome.confirm == "timed_out" else "failed"
        found.append(
            Finding(
                Verdict.INCONCLUSIVE,
                Reason.SIDE_EFFECT_UNCONFIRMED,
                None,
                f"the confirm command {how}",
            )
        )
    if not outcome.promised and not outcome.artifacts:
        found += _of_nothing_promised(outcome)
    return found


def _of_nothing_promised(outcome: Outcome) -> Iterator[Finding]:
    """Say what an unproven success is worth; a known failure needs no such remark."""
    bad_enough = any(
        (
            not outcome.started,
            outcome.timed_out,
            outcome.signal is not None,
            outcome.exit_code not in (None, 0),
            outcome.claim is not None and outcome.claim.verdict is Verdict.FAILED,
            outcome.tests is not None and (outcome.tests.failed or not outcome.tests.executed),
        )
    )
    if bad_enough:
        return
    if outcome.heartbeat:
        yield Finding(Verdict.PASSED, Reason.HEARTBEAT_ACCEPTED, None, "heartbeat only")
    else:
        yield Finding(
            Verdict.INCONCLUSIVE,
            Reason.NO_EVIDENCE_PROMISED,
            None,
            "nothing was promised, so nothing could be verified",
        )


def _of_artifact(artifact: Artifact) -> Iterator[Finding]:
    detail = artifact.detail or artifact.name
    match artifact.check:
        case Check.VERIFIED:
            return
        case Check.STALE:
            yield Finding(Verdict.INCONCLUSIVE, Reason.STALE_ARTIFACT, None, detail)
        case Check.EMPTY:
            yield Finding(Verdict.INCONCLUSIVE, Reason.EMPTY_OUTPUT, None, detail)
        case Check.UNREACHABLE:
            yield Finding(Verdict.INCONCLUSIVE, Reason.ARTIFACT_UNREACHABLE, None, detail)
        case Check.MISMATCH:
            reason = artifact.mismatch or Reason.DIGEST_MISMATCH
            yield Finding(Verdict.FAILED, reason, FailureClass.PERSISTENT, detail)
