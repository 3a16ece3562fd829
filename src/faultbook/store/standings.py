"""Reading standings for the answer: what does not pass, and the counts of the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from faultbook.base.clock import Instant
from faultbook.model.answer import Counts, EvidenceRef, SeriesAnswer
from faultbook.model.policy import Policy
from faultbook.model.run import RunState, RunType, SeriesKey
from faultbook.model.standing import BAD, RunMark, Standing
from faultbook.model.verdict import Reason
from faultbook.store.runs import list_running
from faultbook.store.schema import runs, series
from faultbook.store.series import SERIES_COLUMNS, SeriesRow, read_series
from faultbook.store.transaction import Transaction

_HAS_LIVE_RUNS: ColumnElement[bool] = or_(
    series.c.newest_run.is_not(None),
    select(runs.c.sequence)
    .where(runs.c.series_id == series.c.id, runs.c.run_type == RunType.LIVE.value)
    .exists(),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The series that a question is about; None where it is not limited."""

    environment: str | None = None
    workflow: str | None = None
    branch: str | None = None

    @property
    def limits(self) -> dict[str, str]:
        """Give what the question is limited to, by the column's name."""
        wanted = {
            "environment": self.environment,
            "workflow": self.workflow,
            "branch": self.branch,
        }
        return {name: value for name, value in wanted.items() if value is not None}


# Statements are built once for each set of limited columns: building one costs as much as running
# it, and the answer is asked for often.
_NOW = bindparam("now", type_=BigInteger)
_NOT_OVERDUE = or_(series.c.silent_after.is_(None), series.c.silent_after >= _NOW)
_Limited: TypeAlias = tuple[str, ...]


def _conditions(limited: _Limited) -> list[ColumnElement[bool]]:
    """Give the scope as SQL; replays alone make no series that anyone is told of."""
    return [_HAS_LIVE_RUNS, *(series.c[name] == bindparam(f"scope_{name}") for name in limited)]


def _parameters(scope: Scope, **others: object) -> dict[str, object]:
    return others | {f"scope_{name}": value for name, value in scope.limits.items()}


@dataclass(frozen=True, slots=True)
class Totals:
    """What is counted over a scope without reading its series one by one."""

    series: int
    passing: int
    heartbeat: int
    newest_record_at: Instant | None
    due_every_seconds: float | None


def read_totals(tx: Transaction, scope: Scope) -> Totals:
    """Count a scope; a passing series whose deadline has passed is not counted as passing."""
    statement = _totals_statement(tuple(scope.limits))
    row = tx.execute(statement, _parameters(scope, now=tx.now)).one()
    return Totals(row.total, int(row.passing), int(row.heartbeat), row.newest, row.every)


@lru_cache
def _totals_statement(limited: _Limited) -> Select[Any]:
    passing = and_(series.c.standing == Standing.PASSING.value, _NOT_OVERDUE)
    heartbeat = and_(passing, series.c.reason == Reason.HEARTBEAT_ACCEPTED.value)
    return select(
        func.count().label("total"),
        func.coalesce(func.sum(case((passing, 1), else_=0)), 0).label("passing"),
        func.coalesce(func.sum(case((heartbeat, 1), else_=0)), 0).label("heartbeat"),
        func.max(series.c.newest_record_at).label("newest"),
        func.min(series.c.every_seconds).label("every"),
    ).where(*_conditions(limited))


def count_series(tx: Transaction) -> int:
    """Count every series there is."""
    return int(tx.execute(select(func.count()).where(_HAS_LIVE_RUNS)).scalar_one())


def count_bad_elsewhere(tx: Transaction, scope: Scope, main_branch: str) -> int:
    """Count the bad series on other branches."""
    statement = _elsewhere_statement(tuple(scope.limits))
    return int(tx.execute(statement, _parameters(scope, main_branch=main_branch)).scalar_one())


@lru_cache
def _elsewhere_statement(limited: _Limited) -> Select[Any]:
    return select(func.count()).where(
        *_conditions(limited),
        series.c.branch != bindparam("main_branch"),
        series.c.standing.in_([standing.value for standing in BAD]),
    )


def list_attention(tx: Transaction, scope: Scope, policy: Policy) -> list[SeriesAnswer]:
    """Read every series of a scope that does not pass, or is overdue."""
    statement = _attention_statement(tuple(scope.limits))
    rows = list(tx.execute(statement, _parameters(scope, now=tx.now)))
    ask = [row.id for row in rows if row.standing == Standing.UNKNOWN.value or _is_overdue(row, tx)]
    running = list_running(tx, ask) if ask else {}
    return [_answer(row, running.get(row.id), tx.now, policy) for row in rows]


@lru_cache
def _attention_statement(limited: _Limited) -> Select[Any]:
    wanted = or_(series.c.standing != Standing.PASSING.value, ~_NOT_OVERDUE)
    columns = (*SERIES_COLUMNS, series.c.evidence, series.c.url, series.c.silent_after)
    return select(*columns).where(*_conditions(limited), wanted)


_OVERDUE = (
    select(runs.c.sequence)
    .where(runs.c.state != RunState.CLOSED.value, runs.c.deadline_at < _NOW)
    .limit(1)
)


def has_overdue_runs(tx: Transaction) -> bool:
    """Tell whether an open run's deadline has passed; then it has to be closed first."""
    return tx.execute(_OVERDUE, {"now": tx.now}).first() is not None


def read_last_good(tx: Transaction, key: SeriesKey) -> RunMark | None:
    """Read the newest passed run of a series."""
    columns = (series.c.last_good_run, series.c.last_good_started_at)
    named = (
        series.c.workflow == key.workflow,
        series.c.environment == key.environment,
        series.c.branch == key.branch,
    )
    row = tx.execute(select(*columns, series.c.last_good_code_version).where(*named)).first()
    if row is None or row.last_good_run is None:
        return None
    return RunMark(row.last_good_run, row.last_good_started_at, row.last_good_code_version)


def list_names(tx: Transaction) -> dict[str, list[str]]:
    """Give every known environment, workflow and branch, to find what a word means."""
    return {
        column.name: list(tx.execute(select(column).where(_HAS_LIVE_RUNS).distinct()).scalars())
        for column in (series.c.environment, series.c.workflow, series.c.branch)
    }


def _is_overdue(row: Row[Any], tx: Transaction) -> bool:
    return row.silent_after is not None and row.silent_after < tx.now


def _answer(
    row: Row[Any], running_since: Instant | None, now: Instant, policy: Policy
) -> SeriesAnswer:
    known: SeriesRow = read_series(row)
    state = known.state
    basis, newest = state.basis, state.newest
    silent = row.silent_after is not None and row.silent_after < now and running_since is None
    return SeriesAnswer(
        key=known.key,
        standing=state.standing,
        silent_since=row.silent_after if silent else None,
        verdict=basis.verdict if basis else None,
        failure_class=basis.failure_class if basis else None,
        reason=basis.reason if basis else None,
        detail=basis.detail if basis else "",
        since=state.since,
        streak=state.streak,
        basis_run=basis.mark if basis else None,
        first_bad=state.first_bad,
        last_good=state.last_good,
        newest_run=newest.mark if newest else None,
        newest_verdict=newest.verdict if newest else None,
        newest_reason=newest.reason if newest else None,
        newest_unproven=state.newest_unproven,
        evidence=tuple(EvidenceRef(ref["name"], ref["check"], ref["uri"]) for ref in row.evidence),
        url=row.url,
        newest_record_at=state.newest_record_at,
        every_seconds=row.every_seconds,
        running_since=running_since,
        critical=known.key.workflow in policy.critical,
    )


def count(answers: Sequence[SeriesAnswer], totals: Totals) -> Counts:
    """Count the series by how they stand; each is counted once."""
    told = [answer for answer in answers if not answer.is_passing]
    # A passing series that looked overdue but has a run under way within its deadline passes.
    running = len(answers) - len(told)

    def standing(wanted: Standing) -> int:
        return sum(
            answer.standing is wanted and (answer.is_bad or not answer.silent_since)
            for answer in told
        )

    return Counts(
        total=totals.series,
        passing=totals.passing + running,
        heartbeat=totals.heartbeat
        + sum(a.reason is Reason.HEARTBEAT_ACCEPTED for a in answers if a.is_passing),
        failing=standing(Standing.FAILING),
        blocked=standing(Standing.BLOCKED),
        degraded=standing(Standing.DEGRADED),
        unproven=standing(Standing.UNPROVEN),
        silent=sum(bool(a.silent_since) and not a.is_bad for a in told),
        unknown=standing(Standing.UNKNOWN),
    )
