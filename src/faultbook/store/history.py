"""What the closed runs of a series amount to, derived from the index of its history.

Used when a record arrives late, and to look at a past moment. Each question is a seek in the index
(series, verdict, start, sequence), so the cost does not grow with the history; only a streak is
counted, and that over its own stretch.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select

from faultbook.base.clock import Instant
from faultbook.model.run import RunType
from faultbook.model.standing import (
    BAD_VERDICTS,
    STANDING_OF,
    ClosedRun,
    RunMark,
    SeriesStanding,
    Standing,
)
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.store.schema import runs
from faultbook.store.transaction import Transaction

_P, _F, _B, _D, _I, _S = (
    Verdict.PASSED,
    Verdict.FAILED,
    Verdict.BLOCKED,
    Verdict.DEGRADED,
    Verdict.INCONCLUSIVE,
    Verdict.SKIPPED,
)
_DECISIVE = (_P, _F, _B, _D)
# What ends an unbroken stretch of the standing that a verdict gives.
_ENDS_STRETCH: dict[Verdict, tuple[Verdict, ...]] = {
    _P: (_F, _B, _D, _I),
    _F: (_P, _B, _D),
    _B: (_P, _F, _D),
    _D: (_P, _F, _B, _I),
    _I: (_P, _F, _B, _D),
}

CLOSED_RUN_COLUMNS = (
    runs.c.run_id,
    runs.c.started_at,
    runs.c.code_version,
    runs.c.sequence,
    runs.c.verdict,
    runs.c.reason,
    runs.c.failure_class,
    runs.c.failure_reason,
    runs.c.ended_at,
)
"""What `read_closed_run` needs of a run."""


def derive_standing(
    tx: Transaction, series_id: int, until: Instant | None = None
) -> SeriesStanding:
    """Derive a series' standing from its closed live runs, as of the start `until` if given.

    `newest_record_at` is the newest run's; an older run that ended later is not looked for.
    """
    scope = _Scope(tx, series_id, until)
    newest = scope.newest((*_DECISIVE, _I, _S))
    if newest is None:
        return SeriesStanding()
    decisive = scope.newest(_DECISIVE)
    unproven = scope.newest((_I,), after=decisive)
    basis = decisive
    if unproven and (decisive is None or decisive.verdict in (_P, _D)):
        basis = unproven
    last_good = scope.newest((_P,))
    first_bad = scope.first(BAD_VERDICTS, after=last_good)
    standing, since, streak = Standing.UNKNOWN, None, 0
    if basis is not None:
        standing = STANDING_OF[basis.verdict]
        boundary = scope.newest(_ENDS_STRETCH[basis.verdict], before=basis)
        first = scope.first((basis.verdict,), after=boundary) or basis
        since = first.mark.started_at
        streak = scope.count_not_passed(first)
    return SeriesStanding(
        standing=standing,
        since=since,
        streak=streak,
        basis=basis,
        first_bad=first_bad.mark if first_bad else None,
        last_good=last_good.mark if last_good else None,
        newest=newest,
        newest_record_at=newest.recorded_at,
    )


class _Scope:
    """Questions to the history of one series."""

    def __init__(self, tx: Transaction, series_id: int, until: Instant | None) -> None:
        self._tx = tx
        self._conditions: list[ColumnElement[bool]] = [
            runs.c.series_id == series_id,
            runs.c.run_type == RunType.LIVE.value,
        ]
        if until is not None:
            self._conditions.append(runs.c.started_at <= until)

    def newest(
        self,
        verdicts: Iterable[Verdict],
        *,
        after: ClosedRun | None = None,
        before: ClosedRun | None = None,
    ) -> ClosedRun | None:
        """Find the newest run with one of these verdicts."""
        found = [self._edge(verdict, after, before, newest=True) for verdict in verdicts]
        return max((run for run in found if run), key=lambda run: run.order, default=None)

    def first(self, verdicts: Iterable[Verdict], *, after: ClosedRun | None) -> ClosedRun | None:
        """Find the first run with one of these verdicts after another run."""
        found = [self._edge(verdict, after, None, newest=False) for verdict in verdicts]
        return min((run for run in found if run), key=lambda run: run.order, default=None)

    def count_not_passed(self, first: ClosedRun) -> int:
        """Count the runs from `first` on that ran and did not pass."""
        statement = select(func.count()).where(
            *self._conditions,
            runs.c.verdict.in_([verdict.value for verdict in (_F, _B, _D, _I)]),
            or_(
                runs.c.started_at > first.mark.started_at,
                (runs.c.started_at == first.mark.started_at) & (runs.c.sequence >= first.sequence),
            ),
        )
        return int(self._tx.execute(statement).scalar_one())

    def _edge(
        self, verdict: Verdict, after: ClosedRun | None, before: ClosedRun | None, *, newest: bool
    ) -> ClosedRun | None:
        conditions = [*self._conditions, runs.c.verdict == verdict.value]
        if after is not None:
            at, sequence = after.order
            conditions += [
                runs.c.started_at >= at,
                or_(runs.c.started_at > at, runs.c.sequence > sequence),
            ]
        if before is not None:
            at, sequence = before.order
            conditions += [
                runs.c.started_at <= at,
                or_(runs.c.started_at < at, runs.c.sequence < sequence),
            ]
        order = (runs.c.started_at, runs.c.sequence)
        statement = (
            select(*CLOSED_RUN_COLUMNS)
            .where(*conditions)
            .order_by(*(column.desc() if newest else column.asc() for column in order))
            .limit(1)
        )
        row = self._tx.execute(statement).one_or_none()
        return None if row is None else read_closed_run(row)


def read_closed_run(row: Row[Any]) -> ClosedRun:
    """Take a closed run's row as a value."""
    return ClosedRun(
        RunMark(row.run_id, row.started_at, row.code_version),
        row.sequence,
        Verdict(row.verdict),
        Reason(row.reason) if row.reason else None,
        FailureClass(row.failure_class) if row.failure_class else None,
        row.failure_reason,
        row.ended_at,
    )
