"""Looking back: how every series stood at a moment, and what the runs of a commit came to.

Both are index seeks, one for each series and verdict in one statement: the cost is bounded by the
number of series, whatever the length of their history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, select, true, union_all

from faultbook.base.clock import Instant, seconds
from faultbook.model.run import RunType, SeriesKey
from faultbook.model.standing import ClosedRun, basis_of
from faultbook.model.verdict import Verdict
from faultbook.store.history import CLOSED_RUN_COLUMNS, read_closed_run
from faultbook.store.runs import list_running
from faultbook.store.schema import runs, series
from faultbook.store.transaction import Transaction

_KEYS_A_QUERY = 500
_HEXADECIMAL = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class PastStanding:
    """How a series stood.

    Attributes:
        basis: the run that its standing rested on.
        silent_since: when its next record was due at the latest, by the schedule it has today;
            None while it was not silent.
    """

    key: SeriesKey
    basis: ClosedRun
    silent_since: Instant | None = None


@dataclass(frozen=True, slots=True)
class _Series:
    id: int
    key: SeriesKey
    every_seconds: float | None
    grace_seconds: float | None
    newest: tuple[ClosedRun, ...]


def list_standings_at(tx: Transaction, branch: str, moment: Instant) -> list[PastStanding]:
    """Tell how each series of a branch stood by the runs that had begun by a moment."""
    found = _newest_by_verdict(tx, series.c.branch == branch, runs.c.started_at <= moment)
    silent = {one.id: _silent_since(one, moment) for one in found}
    if moment >= tx.now:
        overdue = [series_id for series_id, since in silent.items() if since is not None]
        # A run under way within its deadline is no silence.
        silent |= dict.fromkeys(list_running(tx, overdue) if overdue else ())
    return [
        PastStanding(one.key, basis, silent[one.id])
        for one in found
        if (basis := basis_of(one.newest)) is not None
    ]


def list_standings_of(tx: Transaction, code_version: str) -> list[PastStanding]:
    """Tell how each series stands by the runs that carry a code version alone."""
    found = _newest_by_verdict(tx, true(), runs.c.code_version == code_version)
    based = ((one.key, basis_of(one.newest)) for one in found)
    return [PastStanding(key, basis) for key, basis in based if basis is not None]


def _newest_by_verdict(
    tx: Transaction, of_series: ColumnElement[bool], of_runs: ColumnElement[bool]
) -> list[_Series]:
    """Read for each series the newest closed live run of each verdict."""
    verdicts = union_all(*(select(literal(v.value).label("verdict")) for v in Verdict)).subquery()
    newest = (
        select(runs.c.sequence)
        .where(
            runs.c.series_id == series.c.id,
            runs.c.verdict == verdicts.c.verdict,
            runs.c.run_type == RunType.LIVE.value,
            of_runs,
        )
        .order_by(runs.c.started_at.desc(), runs.c.sequence.desc())
        .limit(1)
        .correlate(series, verdicts)
        .scalar_subquery()
    )
    chosen = tx.execute(
        select(series.c.id, *(series.c[column] for column in _SERIES_COLUMNS), newest)
        .select_from(series)
        .join(verdicts, true())
        .where(of_series)
    ).all()
    found = _read_runs(tx, [row[-1] for row in chosen if row[-1] is not None])
    by_series: dict[int, list[Row[Any]]] = {}
    for row in chosen:
        by_series.setdefault(row.id, []).append(row)
    return [
        _Series(
            series_id,
            SeriesKey(rows[0].workflow, rows[0].environment, rows[0].branch),
            rows[0].every_seconds,
            rows[0].grace_seconds,
            tuple(found[row[-1]] for row in rows if row[-1] is not None),
        )
        for series_id, rows in by_series.items()
    ]


def _read_runs(tx: Transaction, sequences: Sequence[int]) -> dict[int, ClosedRun]:
    """Read runs by their keys; joined, PostgreSQL would rather read the whole table."""
    found: dict[int, ClosedRun] = {}
    for start in range(0, len(sequences), _KEYS_A_QUERY):
        keys = sequences[start : start + _KEYS_A_QUERY]
        statement = select(*CLOSED_RUN_COLUMNS).where(runs.c.sequence.in_(keys))
        found |= {row.sequence: read_closed_run(row) for row in tx.execute(statement)}
    return found


_SERIES_COLUMNS = ("workflow", "environment", "branch", "every_seconds", "grace_seconds")


def _silent_since(one: _Series, moment: Instant) -> Instant | None:
    if not one.every_seconds or not one.newest:
        return None
    started = max(run.mark.started_at for run in one.newest)
    late = started + seconds(one.every_seconds) + seconds(one.grace_seconds or 0)
    return late if late < moment else None


def newest_record_at(tx: Transaction, branch: str) -> Instant | None:
    """Tell how young the youngest data of a branch are."""
    statement = select(func.max(series.c.newest_record_at)).where(series.c.branch == branch)
    found: Instant | None = tx.execute(statement).scalar()
    return found


def list_code_versions(tx: Transaction, prefix: str, limit: int) -> list[str]:
    """Find the code versions that begin so; `prefix` is hexadecimal, in small letters."""
    conditions = [runs.c.code_version >= prefix]
    following = _successor(prefix)
    if following is not None:
        conditions.append(runs.c.code_version < following)
    found: list[str] = []
    while len(found) < limit:
        # Each step is a seek past the last one found, however many runs carry it.
        beyond = [runs.c.code_version > found[-1]] if found else []
        statement = select(func.min(runs.c.code_version)).where(*conditions, *beyond)
        version = tx.execute(statement).scalar()
        if version is None or not version.startswith(prefix):
            break
        found.append(version)
    return found


def _successor(prefix: str) -> str | None:
    """Give the first text after all that begin so; letters and digits sort alike everywhere."""
    digits = prefix.rstrip("f")
    if not digits:
        return None
    following = _HEXADECIMAL[_HEXADECIMAL.index(digits[-1]) + 1]
    return f"{digits[:-1]}{following}"
