"""From runs to a standing: how a series is doing, derived from its closed runs in their order.

Order is by start, then by arrival. `advance` takes the standing one run further; a run that
arrives late is handled by the store, which derives the same answer from the history's index.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from faultbook.base.clock import Instant
from faultbook.model.verdict import FailureClass, Reason, Verdict


class Standing(StrEnum):
    """How a series is doing; silence is laid over it when someone asks."""

    PASSING = "passing"
    FAILING = "failing"
    BLOCKED = "blocked"
    DEGRADED = "degraded"
    UNPROVEN = "unproven"
    UNKNOWN = "unknown"


BAD: tuple[Standing, ...] = (Standing.FAILING, Standing.BLOCKED, Standing.DEGRADED)
"""Standings that the answer names as something wrong."""

STANDING_OF: dict[Verdict, Standing] = {
    Verdict.PASSED: Standing.PASSING,
    Verdict.FAILED: Standing.FAILING,
    Verdict.BLOCKED: Standing.BLOCKED,
    Verdict.DEGRADED: Standing.DEGRADED,
    Verdict.INCONCLUSIVE: Standing.UNPROVEN,
}
"""The standing that a verdict alone would give; a skipped run gives none."""

BAD_VERDICTS: tuple[Verdict, ...] = (Verdict.FAILED, Verdict.BLOCKED, Verdict.DEGRADED)
STEADFAST: tuple[Standing, ...] = (Standing.FAILING, Standing.BLOCKED)
"""Standings that an unproven run does not end."""


@dataclass(frozen=True, slots=True)
class RunMark:
    """A run as standings and answers name it."""

    run_id: str
    started_at: Instant
    code_version: str | None = None


@dataclass(frozen=True, slots=True)
class ClosedRun:
    """What a standing needs to know of a closed run.

    Attributes:
        sequence: the server's arrival number, which orders runs of one start.
        recorded_at: when its data were true: its end, never later than its arrival.
    """

    mark: RunMark
    sequence: int
    verdict: Verdict
    reason: Reason | None
    failure_class: FailureClass | None
    detail: str
    recorded_at: Instant

    @property
    def order(self) -> tuple[Instant, int]:
        """The place in history: by start, then by arrival."""
        return (self.mark.started_at, self.sequence)


@dataclass(frozen=True, slots=True)
class SeriesStanding:
    """The standing of one series and what it rests on.

    Attributes:
        since: start of the first run of the present unbroken stretch of this standing.
        streak: runs of that stretch that did not pass; a skipped run did not run, so it does
            not count.
        basis: the run that the standing rests on; its reason is the one to show.
        first_bad: first failed, blocked or degraded run since the last good one.
        last_good: newest passed run.
        newest: newest closed run, whatever its verdict.
        newest_record_at: how young the series' data are.
    """

    standing: Standing = Standing.UNKNOWN
    since: Instant | None = None
    streak: int = 0
    basis: ClosedRun | None = None
    first_bad: RunMark | None = None
    last_good: RunMark | None = None
    newest: ClosedRun | None = None
    newest_record_at: Instant | None = None

    @property
    def newest_unproven(self) -> bool:
        """Tell that the standing holds although the newest run could not be proven."""
        return (
            self.newest is not None
            and self.newest.verdict is Verdict.INCONCLUSIVE
            and self.standing is not Standing.UNPROVEN
        )


def next_standing(before: Standing, verdict: Verdict) -> Standing:
    """Look up the truth table: the standing after one more run."""
    if verdict is Verdict.SKIPPED:
        return before
    if verdict is Verdict.INCONCLUSIVE and before in STEADFAST:
        return before
    return STANDING_OF[verdict]


def advance(before: SeriesStanding, run: ClosedRun) -> SeriesStanding:
    """Take a standing one run further; `run` is newer than all that went into it."""
    verdict = run.verdict
    recorded = max(run.recorded_at, before.newest_record_at or run.recorded_at)
    if verdict is Verdict.SKIPPED:
        return replace(before, newest=run, newest_record_at=recorded)
    after = next_standing(before.standing, verdict)
    passed = verdict is Verdict.PASSED
    same = after is before.standing
    first_bad = before.first_bad
    if passed:
        first_bad = None
    elif first_bad is None and verdict in BAD_VERDICTS:
        first_bad = run.mark
    return SeriesStanding(
        standing=after,
        since=before.since if same else run.mark.started_at,
        streak=(before.streak if same else 0) + (0 if passed else 1),
        basis=run if STANDING_OF[verdict] is after else before.basis,
        first_bad=first_bad,
        last_good=run.mark if passed else before.last_good,
        newest=run,
        newest_record_at=recorded,
    )


def absorb(state: SeriesStanding, run: ClosedRun) -> SeriesStanding | None:
    """Take in a run that arrives late, if it lies within the present stretch and is like it.

    Several reporters of one series overtake each other all the time; such a run changes nothing
    but the count of its stretch. None when the history has to be asked.
    """
    basis, since = state.basis, state.since
    if basis is None or since is None or run.verdict is not basis.verdict:
        return None
    if STANDING_OF[run.verdict] is not state.standing:
        return None
    if not since < run.mark.started_at or not run.order < basis.order:
        return None
    recorded = max(run.recorded_at, state.newest_record_at or run.recorded_at)
    counts = 0 if run.verdict is Verdict.PASSED else 1
    return replace(state, streak=state.streak + counts, newest_record_at=recorded)


def basis_of(newest: Iterable[ClosedRun]) -> ClosedRun | None:
    """Find the run that a standing rests on, given the newest closed run of each verdict.

    The newest run decides, but for two rules of the truth table: a skipped run did not run, and
    an unproven one ends no failure. None when no run decides anything.
    """
    ordered = sorted(newest, key=lambda run: run.order, reverse=True)
    telling = [run for run in ordered if run.verdict is not Verdict.SKIPPED]
    if not telling:
        return None
    decisive = next((run for run in telling if run.verdict is not Verdict.INCONCLUSIVE), None)
    if decisive is not None and STANDING_OF[decisive.verdict] in STEADFAST:
        return decisive
    return telling[0]
