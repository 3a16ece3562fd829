"""Series rows: their standing, and how a closed run moves it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, select, tuple_, update

from faultbook.base.clock import Instant, seconds
from faultbook.model.evidence import Artifact
from faultbook.model.run import Schedule, SeriesKey
from faultbook.model.standing import ClosedRun, RunMark, SeriesStanding, Standing, advance
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.store.history import derive_standing
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
    wanted = sorted(set(keys))  # one order for all, so that two holders can't wait for each other
    found = _find_series(tx, wanted)
    missing = [key for key in wanted if key not in found]
    if missing:
        statement = tx.insert(series).on_conflict_do_nothing()
        tx.execute(
            statement, [{**asdict(key), "standing": Standing.UNKNOWN.value} for key in missing]
        )
        found |= _find_series(tx, missing)
    return found


def _find_series(tx: Transaction, keys: Sequence[SeriesKey]) -> dict[SeriesKey, SeriesRow]:
    found: dict[SeriesKey, SeriesRow] = {}
    for start in range(0, len(keys), _KEYS_A_QUERY):
        chunk = keys[start : start + _KEYS_A_QUERY]
        for row in tx.execute(_lookup(tx, chunk)):
            known = read_series(row)
            found[known.key] = known
    return found


def _lookup(tx: Transaction, keys: Sequence[SeriesKey]) -> Any:  # noqa: ANN401 - a Select of the whole table
    condition: ColumnElement[bool]
    if len(keys) == 1:
        condition = (
            (series.c.workflow == keys[0].workflow)
            & (series.c.environment == keys[0].environment)
            & (series.c.branch == keys[0].branch)
        )
    else:
        columns = tuple_(series.c.workflow, series.c.environment, series.c.branch)
        condition = columns.in_([(key.workflow, key.environment, key.branch) for key in keys])
    statement = select(series).where(condition).order_by(series.c.id)
    return statement.with_for_update() if tx.is_postgresql else statement


def read_series(row: Row[Any]) -> SeriesRow:
    """Take a row of the table as a value."""
    schedule = Schedule(row.every_seconds, row.grace_seconds or 0.0) if row.every_seconds else None
    state = SeriesStanding(
        standing=Standing(row.standing),
        since=row.since,
        streak=row.streak,
        basis=_read_closed(row, "basis", row.verdict, row.reason, row.failure_class, row.detail),
        first_bad=_read_mark(row, "first_bad"),
        last_good=_read_mark(row, "last_good"),
        newest=_read_closed(
            row,
            "newest",
            row.newest_verdict,
            row.newest_reason,
            row.newest_failure_class,
            row.newest_detail,
        ),
        newest_record_at=row.newest_record_at,
    )
    return SeriesRow(row.id, SeriesKey(row.workflow, row.environment, row.branch), state, schedule)


def _read_mark(row: Row[Any], prefix: str) -> RunMark | None:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    run_id = values[f"{prefix}_run"]
    if run_id is None:
        return None
    return RunMark(run_id, values[f"{prefix}_started_at"], values[f"{prefix}_code_version"])


def _read_closed(
    row: Row[Any],
    prefix: str,
    verdict: str,
    reason: str | None,
    failure_class: str | None,
    detail: str,
) -> ClosedRun | None:
    mark = _read_mark(row, prefix)
    if mark is None:
        return None
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return ClosedRun(
        mark,
        values[f"{prefix}_sequence"],
        Verdict(verdict),
        Reason(reason) if reason else None,
        FailureClass(failure_class) if failure_class else None,
        detail,
        values[f"{prefix}_recorded_at"],
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
    for rows in (plain, with_evidence):
        if rows:
            names = [name for name in rows[0] if name != "series_key"]
            statement = (
                update(series)
                .where(series.c.id == bindparam("series_key"))
                .values({name: bindparam(name) for name in names})
            )
            tx.execute(statement, rows if len(rows) > 1 else rows[0])


def _moved(tx: Transaction, row: SeriesRow, members: list[ClosedMember]) -> dict[str, Any]:
    before = row.state
    ordered = sorted(members, key=lambda member: member.run.order)
    if _is_late(row, ordered[0]):
        recorded = [member.run.recorded_at for member in ordered]
        youngest = max([*recorded, before.newest_record_at or 0])
        after = replace(derive_standing(tx, row.id), newest_record_at=youngest)
    else:
        after = before
        for member in ordered:
            after = advance(after, member.run)
    newest = after.newest or ordered[-1].run
    schedule = _schedule_after(row, ordered)
    change = {"series_key": row.id, **_standing_values(after), **_due_values(schedule, newest)}
    if after.basis is not None and after.basis != before.basis:
        shown = next((m for m in ordered if m.run.mark == after.basis.mark), None)
        change |= _evidence_values(tx, after.basis, shown)
    return change


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
    values: dict[str, Any] = {
        "standing": state.standing.value,
        "since": state.since,
        "streak": state.streak,
        "newest_record_at": state.newest_record_at,
    }
    for prefix, mark in (("first_bad", state.first_bad), ("last_good", state.last_good)):
        values |= _mark_values(prefix, mark)
    values |= _closed_values("basis", "", state.basis)
    values |= _closed_values("newest", "newest_", state.newest)
    return values


def _mark_values(prefix: str, mark: RunMark | None) -> dict[str, Any]:
    return {
        f"{prefix}_run": mark.run_id if mark else None,
        f"{prefix}_started_at": mark.started_at if mark else None,
        f"{prefix}_code_version": mark.code_version if mark else None,
    }


def _closed_values(prefix: str, name: str, run: ClosedRun | None) -> dict[str, Any]:
    return {
        **_mark_values(prefix, run.mark if run else None),
        f"{prefix}_sequence": run.sequence if run else None,
        f"{prefix}_recorded_at": run.recorded_at if run else None,
        f"{name}verdict": run.verdict.value if run else None,
        f"{name}reason": run.reason.value if run and run.reason else None,
        f"{name}failure_class": run.failure_class.value if run and run.failure_class else None,
        f"{name}detail": run.detail if run else "",
    }
