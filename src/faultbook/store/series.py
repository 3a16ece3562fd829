"""Series rows: their standing, and how a closed run moves it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Executable, Row, Text, bindparam, select

from faultbook.base.clock import Instant, seconds
from faultbook.model.evidence import Artifact
from faultbook.model.policy import LEAD
from faultbook.model.run import Schedule, SeriesKey
from faultbook.model.standing import ClosedRun, RunMark, SeriesStanding, Standing, absorb, advance
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.store.bulk import placeholder, update_rows
from faultbook.store.history import derive_standing
from faultbook.store.prepared import Prepared
from faultbook.store.schema import artifacts, runs, series
from faultbook.store.transaction import Transaction

_KEYS_A_QUERY = 200


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series and its standing, as stored."""

    id: int
    key: SeriesKey
    state: SeriesStanding
    schedule: Schedule | None


@dataclass(frozen=True, slots=True)
class ClosedMember:
    """A run that was just closed, for its series.

    Attributes:
        artifacts: shown with the answer while the standing rests on this run.
        url: a link where people can read more of it.
    """

    run: ClosedRun
    schedule: Schedule | None = None
    artifacts: tuple[Artifact, ...] = ()
    url: str | None = None


def hold_series(tx: Transaction, keys: Iterable[SeriesKey]) -> dict[SeriesKey, SeriesRow]:
    """Find the series, make those that are new, and hold their rows until the commit."""
    # One order for all, so that two holders can't wait for each other.
    wanted = sorted(set(keys), key=lambda key: (key.workflow, key.environment, key.branch))
    found = _find_series(tx, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        statement = tx.insert(series).on_conflict_do_nothing()
        tx.execute(
            statement, [{**asdict(key), "standing": Standing.UNKNOWN.value} for key in missing]
        )
        found |= _find_series(tx, missing)
    return found


def find_series_id(tx: Transaction, key: SeriesKey) -> int:
    """Find a series, or make it; nobody who moves it is waited for."""
    names = {"workflow": key.workflow, "environment": key.environment, "branch": key.branch}
    found = _FIND_ID.run(tx, {f"its_{name}": value for name, value in names.items()}).scalar()
    return hold_series(tx, [key])[key].id if found is None else int(found)


def _select_id(_tx: Transaction) -> Executable:
    c = series.c
    return select(c.id).where(
        c.workflow == bindparam("its_workflow", type_=Text),
        c.environment == bindparam("its_environment", type_=Text),
        c.branch == bindparam("its_branch", type_=Text),
    )


_FIND_ID = Prepared(_select_id)


def _find_series(tx: Transaction, keys: Sequence[SeriesKey]) -> dict[SeriesKey, SeriesRow]:
    found: dict[SeriesKey, SeriesRow] = {}
    for start in range(0, len(keys), _KEYS_A_QUERY):
        chunk = keys[start : start + _KEYS_A_QUERY]
        names = [name for key in chunk for name in (key.workflow, key.environment, key.branch)]
        sql = _lookup_sql(len(chunk), tx.connection.dialect)
        for row in tx.connection.exec_driver_sql(sql, tuple(names)):
            known = read_series(row)
            found[known.key] = known
    return found


@lru_cache(maxsize=2 * _KEYS_A_QUERY)
def _lookup_sql(count: int, dialect: Dialect) -> str:
    """Write the query for some keys: a seek each, where `IN` would make SQLite scan the table."""
    columns = ", ".join(f"series.{column.name}" for column in SERIES_COLUMNS)
    mark = placeholder(dialect)
    names = ", ".join([f"({mark}, {mark}, {mark})"] * count)
    # One order for all who hold rows; SQLite has one writer, and would sort for nothing.
    hold = " ORDER BY series.id FOR UPDATE OF series" if dialect.name == "postgresql" else ""
    return (
        f"WITH wanted (workflow, environment, branch) AS (VALUES {names})"  # noqa: S608 - columns and marks only
        f" SELECT {columns} FROM wanted JOIN series ON series.workflow = wanted.workflow"
        f" AND series.environment = wanted.environment AND series.branch = wanted.branch{hold}"
    )


SERIES_COLUMNS = tuple(
    series.c[name]
    for name in (
        *("id", "workflow", "environment", "branch"),
        *("every_seconds", "grace_seconds"),
        *("standing", "since", "streak", "newest_record_at"),
        *("first_bad_run", "first_bad_started_at", "first_bad_code_version"),
        *("last_good_run", "last_good_started_at", "last_good_code_version"),
        *("basis_run", "basis_started_at", "basis_code_version"),
        *("basis_sequence", "verdict", "reason", "failure_class", "detail", "basis_recorded_at"),
        *("newest_run", "newest_started_at", "newest_code_version"),
        *("newest_sequence", "newest_verdict", "newest_reason", "newest_failure_class"),
        *("newest_detail", "newest_recorded_at"),
    )
)
"""The columns that `read_series` takes, in its order; others may follow them in a row."""


def read_series(row: Row[Any]) -> SeriesRow:
    """Take a row that begins with `SERIES_COLUMNS` as a value."""
    columns: Sequence[Any] = row
    identifier, workflow, environment, branch, every, grace = columns[:6]
    standing, since, streak, newest_record_at = columns[6:10]
    state = SeriesStanding(
        _STANDINGS[standing],
        since,
        streak,
        _read_closed(columns[16:25]),
        _read_mark(*columns[10:13]),
        _read_mark(*columns[13:16]),
        _read_closed(columns[25:34]),
        newest_record_at,
    )
    schedule = Schedule(every, grace or 0.0) if every else None
    return SeriesRow(identifier, SeriesKey(workflow, environment, branch), state, schedule)


_STANDINGS: dict[str, Standing] = {each.value: each for each in Standing}
_VERDICTS: dict[str, Verdict] = {each.value: each for each in Verdict}
# Nothing said is nothing read.
_REASONS: dict[str | None, Reason | None] = {None: None, **{each.value: each for each in Reason}}
_CLASSES: dict[str | None, FailureClass | None] = {
    None: None,
    **{each.value: each for each in FailureClass},
}


def _read_mark(run_id: str | None, started_at: Instant, code_version: str | None) -> RunMark | None:
    return None if run_id is None else RunMark(run_id, started_at, code_version)


def _read_closed(columns: Sequence[Any]) -> ClosedRun | None:
    mark = _read_mark(*columns[:3])
    if mark is None:
        return None
    sequence, verdict, reason, failure_class, detail, recorded_at = columns[3:]
    return ClosedRun(
        mark,
        sequence,
        _VERDICTS[verdict],
        _REASONS[reason],
        _CLASSES[failure_class],
        detail,
        recorded_at,
    )


def move_standings(
    tx: Transaction, held: dict[SeriesKey, SeriesRow], closed: dict[SeriesKey, list[ClosedMember]]
) -> None:
    """Bring the held series to what their newly closed runs make of them.

    The runs are in the table already: a run older than its series' newest is a late record, and
    then the standing is derived from the history instead of advanced.
    """
    changes = [_moved(tx, held[key], members) for key, members in closed.items()]
    plain = [change for change in changes if "evidence" not in change]
    with_evidence = [change for change in changes if "evidence" in change]
    update_rows(tx, series, "id", plain)
    update_rows(tx, series, "id", with_evidence)


def _moved(tx: Transaction, row: SeriesRow, members: list[ClosedMember]) -> dict[str, Any]:
    before = row.state
    ordered = sorted(members, key=lambda member: member.run.order)
    after = _after_all(tx, row, ordered)
    newest = after.newest or ordered[-1].run
    schedule = _schedule_after(row, ordered)
    change = _standing_values(after) | _due_values(schedule, newest)
    change["id"] = row.id
    if after.basis is not None and after.basis != before.basis:
        shown = next((m for m in ordered if m.run.mark == after.basis.mark), None)
        change |= _evidence_values(tx, after.basis, shown)
    return change


def _after_all(tx: Transaction, row: SeriesRow, ordered: Sequence[ClosedMember]) -> SeriesStanding:
    """Take a standing past its newly closed runs, asking the history only where it must be."""
    after = row.state
    if after.newest is not None and after.newest.mark.started_at > tx.now + LEAD:
        # Runs from a time when our clock was ahead must not stand before all that is to come.
        return derive_standing(tx, row.id, until=tx.now + LEAD)
    for member in ordered:
        if after.newest is None or after.newest.order < member.run.order:
            after = advance(after, member.run)
            continue
        absorbed = absorb(after, member.run)
        if absorbed is None:
            recorded = [each.run.recorded_at for each in ordered]
            youngest = max([*recorded, row.state.newest_record_at or 0])
            return replace(derive_standing(tx, row.id), newest_record_at=youngest)
        after = absorbed
    return after


def _is_late(row: SeriesRow, member: ClosedMember) -> bool:
    return row.state.newest is not None and member.run.order < row.state.newest.order


def _evidence_values(
    tx: Transaction, basis: ClosedRun, member: ClosedMember | None
) -> dict[str, Any]:
    if member is not None:
        return {"evidence": evidence_refs(member.artifacts), "url": member.url}
    found = tx.execute(
        select(artifacts).where(artifacts.c.run_sequence == basis.sequence).limit(10)
    )
    url = tx.execute(select(runs.c.url).where(runs.c.sequence == basis.sequence)).scalar()
    refs = [{"name": row.name, "check": row.check, "uri": row.uri} for row in found]
    return {"evidence": refs, "url": url}


def evidence_refs(found: Iterable[Artifact]) -> list[dict[str, str | None]]:
    """Give the short form of artifacts that a standing carries for its answer."""
    return [
        {"name": artifact.name, "check": artifact.check.value, "uri": artifact.uri}
        for artifact in list(found)[:10]
    ]


def _schedule_after(row: SeriesRow, ordered: Sequence[ClosedMember]) -> Schedule | None:
    """Keep the schedule that was declared last; a period of 0 takes it back."""
    for member in reversed(ordered):
        if member.schedule is None:
            continue
        if _is_late(row, member) and row.schedule is not None:
            break
        return member.schedule if member.schedule.every_seconds else None
    return row.schedule


def _due_values(schedule: Schedule | None, newest: ClosedRun) -> dict[str, Any]:
    if schedule is None:
        return dict.fromkeys(("every_seconds", "grace_seconds", "due_at", "silent_after"))
    due: Instant = newest.mark.started_at + seconds(schedule.every_seconds)
    return {
        "every_seconds": schedule.every_seconds,
        "grace_seconds": schedule.grace_seconds,
        "due_at": due,
        "silent_after": due + seconds(schedule.grace_seconds),
    }


def _standing_values(state: SeriesStanding) -> dict[str, Any]:
    first_bad, last_good = state.first_bad, state.last_good
    return {
        "standing": state.standing.value,
        "since": state.since,
        "streak": state.streak,
        "newest_record_at": state.newest_record_at,
        "first_bad_run": first_bad.run_id if first_bad else None,
        "first_bad_started_at": first_bad.started_at if first_bad else None,
        "first_bad_code_version": first_bad.code_version if first_bad else None,
        "last_good_run": last_good.run_id if last_good else None,
        "last_good_started_at": last_good.started_at if last_good else None,
        "last_good_code_version": last_good.code_version if last_good else None,
        **_closed_values(_BASIS_COLUMNS, state.basis),
        **_closed_values(_NEWEST_COLUMNS, state.newest),
    }


_BASIS_COLUMNS = (
    *("basis_run", "basis_started_at", "basis_code_version", "basis_sequence"),
    *("verdict", "reason", "failure_class", "detail", "basis_recorded_at"),
)
_NEWEST_COLUMNS = (
    *("newest_run", "newest_started_at", "newest_code_version", "newest_sequence"),
    *("newest_verdict", "newest_reason", "newest_failure_class", "newest_detail"),
    "newest_recorded_at",
)
_NO_RUN = (None, None, None, None, None, None, None, "", None)


def _closed_values(names: tuple[str, ...], run: ClosedRun | None) -> dict[str, Any]:
    if run is None:
        return dict(zip(names, _NO_RUN, strict=True))
    mark = run.mark
    values = (
        mark.run_id,
        mark.started_at,
        mark.code_version,
        run.sequence,
        run.verdict.value,
        run.reason.value if run.reason else None,
        run.failure_class.value if run.failure_class else None,
        run.detail,
        run.recorded_at,
    )
    return dict(zip(names, values, strict=True))
