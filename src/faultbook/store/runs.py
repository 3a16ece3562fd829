"""Runs and what belongs to them: opening, closing by compare-and-set, recording whole, reading."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from faultbook.base.clock import Instant
from faultbook.base.ids import new_id
from faultbook.model.evidence import Artifact
from faultbook.model.judge import TestCounts
from faultbook.model.run import (
    TOOL,
    RunEnd,
    RunEvent,
    RunRecord,
    RunStart,
    RunState,
    RunType,
    SeriesKey,
    WholeRun,
)
from faultbook.model.standing import ClosedRun, RunMark
from faultbook.model.verdict import Judgement
from faultbook.store.bulk import insert_rows
from faultbook.store.run_rows import (
    artifact_values,
    end_values,
    event_values,
    read_artifact,
    read_run,
    start_values,
    tests_values,
)
from faultbook.store.schema import artifacts, events, runs, series
from faultbook.store.series import ClosedMember, find_series_id, hold_series, move_standings
from faultbook.store.transaction import Transaction

_ARTIFACT_KEY = ("run_sequence", "name")


def append_open(
    tx: Transaction, start: RunStart, deadline_at: Instant, run_id: str | None = None
) -> str:
    """Store a run that begins, and give its id; `run_id` is one that was made for it before."""
    values = start_values(start) | {
        "series_id": find_series_id(tx, start.series),
        "run_id": run_id or new_id(),
        "state": RunState.RUNNING.value,
        "deadline_at": deadline_at,
    }
    insert_rows(tx, runs, [values])
    return str(values["run_id"])


def append_closed(tx: Transaction, whole: Sequence[WholeRun]) -> list[str]:
    """Store runs told in one piece and move their series; gives their ids in the same order."""
    held = hold_series(tx, [run.start.series for run in whole])
    sequences = _next_sequences(tx, len(whole))
    identifiers = [new_id() for _ in whole]
    closed: dict[SeriesKey, list[ClosedMember]] = {}
    run_rows: list[dict[str, Any]] = []
    for run, sequence, run_id in zip(whole, sequences, identifiers, strict=True):
        start = run.start
        run_rows.append(
            {
                **start_values(start),
                **end_values(run.end, run.judgement, tx.now),
                "sequence": sequence,
                "run_id": run_id,
                "series_id": held[start.series].id,
                "deadline_at": start.received_at,
                "close_digest": None,
            }
        )
        if start.run_type is RunType.LIVE:
            mark = RunMark(run_id, start.started_at, start.code_version)
            member = _member(mark, sequence, run.end, run.judgement, start)
            closed.setdefault(start.series, []).append(member)
    insert_rows(tx, runs, run_rows)
    _append_details(tx, whole, sequences)
    move_standings(tx, held, closed)
    return identifiers


def _append_details(tx: Transaction, whole: Sequence[WholeRun], sequences: Sequence[int]) -> None:
    artifact_rows: list[dict[str, Any]] = []
    event_rows: list[dict[str, Any]] = []
    for run, sequence in zip(whole, sequences, strict=True):
        artifact_rows += [artifact_values(sequence, found) for found in run.end.outcome.artifacts]
        event_rows += [event_values(sequence, event) for event in run.events]
    insert_rows(tx, artifacts, artifact_rows)
    insert_rows(tx, events, event_rows)


def close(
    tx: Transaction,
    record: RunRecord,
    end: RunEnd,
    judgement: Judgement,
    *,
    digest: str | None,
    in_time: bool = True,
) -> bool:
    """Close an open run and move its series; tells whether this call was the one that closed it.

    With `in_time`, a run past its deadline is not closed.
    """
    held = hold_series(tx, [record.start.series])
    conditions = [runs.c.run_id == record.run_id, runs.c.state != RunState.CLOSED.value]
    if in_time:
        conditions.append(runs.c.deadline_at >= tx.now)
    values = end_values(end, judgement, tx.now) | {"close_digest": digest}
    if tx.execute(update(runs).where(*conditions).values(values)).rowcount != 1:
        return False
    if record.start.run_type is RunType.LIVE:
        start = record.start
        mark = RunMark(record.run_id, start.started_at, start.code_version)
        member = _member(mark, record.sequence, end, judgement, start)
        move_standings(tx, held, {start.series: [member]})
    return True


def _member(
    mark: RunMark, sequence: int, end: RunEnd, judgement: Judgement, start: RunStart
) -> ClosedMember:
    run = ClosedRun(
        mark,
        sequence,
        judgement.verdict,
        judgement.reason,
        judgement.failure_class,
        judgement.detail,
        end.ended_at,
    )
    return ClosedMember(run, start.schedule, end.outcome.artifacts, start.url)


def put_artifact(tx: Transaction, sequence: int, artifact: Artifact) -> None:
    """Store an artifact of a run, in place of an earlier one of that name."""
    values = artifact_values(sequence, artifact)
    changed = {name: value for name, value in values.items() if name not in _ARTIFACT_KEY}
    statement = tx.insert(artifacts).values(values)
    tx.execute(statement.on_conflict_do_update(index_elements=_ARTIFACT_KEY, set_=changed))


def put_tests(tx: Transaction, sequence: int, tests: TestCounts) -> None:
    """Store the counted tests of a run that is open."""
    statement = update(runs).where(runs.c.sequence == sequence)
    tx.execute(statement.values(tests=tests_values(tests)))


def append_event(tx: Transaction, sequence: int, event: RunEvent) -> None:
    """Store an event of a run."""
    tx.execute(insert(events), event_values(sequence, event))


def find_run(tx: Transaction, run_id: str, *, hold: bool = False) -> RunRecord | None:
    """Read a run with its artifacts; with `hold`, nobody else changes it before the commit."""
    statement = (
        select(runs, series.c.workflow, series.c.environment, series.c.branch)
        .join(series, series.c.id == runs.c.series_id)
        .where(runs.c.run_id == run_id)
    )
    if hold and tx.is_postgresql:
        statement = statement.with_for_update(of=runs)
    row = tx.execute(statement).one_or_none()
    if row is None:
        return None
    found = tx.execute(
        select(artifacts).where(artifacts.c.run_sequence == row.sequence).order_by(artifacts.c.name)
    )
    return read_run(row, tuple(read_artifact(artifact) for artifact in found))


def find_runs_by_suffix(tx: Transaction, suffix: str, limit: int = 3) -> list[str]:
    """Find the ids that end so; people read the last 8 characters of an id."""
    escaped = suffix.replace("\\", "").replace("%", "").replace("_", "")
    statement = (
        select(runs.c.run_id)
        .where(runs.c.run_id.like(f"%{escaped}"))
        .order_by(runs.c.sequence.desc())
        .limit(limit)
    )
    return list(tx.execute(statement).scalars())


def forget_replays(tx: Transaction, key: SeriesKey, before: Instant) -> int:
    """Delete a series' replays that arrived before an instant; tells how many there were."""
    old = (
        select(runs.c.sequence)
        .join(series, series.c.id == runs.c.series_id)
        .where(
            series.c.workflow == key.workflow,
            series.c.environment == key.environment,
            series.c.branch == key.branch,
            runs.c.run_type == RunType.REPLAY.value,
            runs.c.received_at < before,
        )
    )
    sequences = list(tx.execute(old).scalars())
    if sequences:
        for table in (artifacts, events):
            tx.execute(delete(table).where(table.c.run_sequence.in_(sequences)))
        tx.execute(delete(runs).where(runs.c.sequence.in_(sequences)))
    return len(sequences)


def list_events(tx: Transaction, sequence: int, limit: int = 1000) -> list[RunEvent]:
    """Read a run's events in the server's order."""
    statement = (
        select(events)
        .where(events.c.run_sequence == sequence)
        .order_by(events.c.sequence)
        .limit(limit)
    )
    return [
        RunEvent(
            row.kind,
            row.name,
            row.text,
            row.occurred_at,
            row.received_at,
            row.client_seq,
            row.duration_ms,
        )
        for row in tx.execute(statement)
    ]


def list_tools(tx: Transaction, sequence: int) -> set[str]:
    """Name every tool that was called within a run, however many events it has."""
    statement = select(events.c.name).where(events.c.run_sequence == sequence)
    return set(tx.execute(statement.where(events.c.kind == TOOL).distinct()).scalars())


def list_overdue(tx: Transaction, limit: int = 200) -> list[str]:
    """Find open runs whose deadline has passed, the longest overdue first."""
    statement = (
        select(runs.c.run_id)
        .where(runs.c.state != RunState.CLOSED.value, runs.c.deadline_at < tx.now)
        .order_by(runs.c.deadline_at)
        .limit(limit)
    )
    return list(tx.execute(statement).scalars())


def list_running(tx: Transaction, series_ids: Iterable[int]) -> dict[int, Instant]:
    """Tell for each of these series since when its oldest open run has been running."""
    statement = (
        select(runs.c.series_id, func.min(runs.c.started_at).label("since"))
        .where(
            runs.c.state != RunState.CLOSED.value,
            runs.c.deadline_at >= tx.now,
            runs.c.run_type == RunType.LIVE.value,
            runs.c.series_id.in_(list(series_ids)),
        )
        .group_by(runs.c.series_id)
    )
    return {row.series_id: row.since for row in tx.execute(statement)}


def find_close_digest(tx: Transaction, sequence: int) -> str | None:
    """Tell the digest of the request that closed a run."""
    statement = select(runs.c.close_digest).where(runs.c.sequence == sequence)
    return tx.execute(statement).scalar()


def find_attempt(
    tx: Transaction, task_id: str, digest: str, latest: str, since: Instant
) -> str | None:
    """Find the attempt at a task that a request closed, by the series of its latest attempt."""
    its_series = select(runs.c.series_id).where(runs.c.run_id == latest).scalar_subquery()
    statement = select(runs.c.run_id).where(
        runs.c.series_id == its_series,
        runs.c.started_at >= since,
        runs.c.task_id == task_id,
        runs.c.close_digest == digest,
    )
    found: str | None = tx.execute(statement.limit(1)).scalar()
    return found


def _next_sequences(tx: Transaction, count: int) -> Sequence[int]:
    """Reserve arrival numbers; on SQLite the transaction holds the only write lock."""
    if tx.is_postgresql:
        name = func.pg_get_serial_sequence("runs", "sequence")
        numbers = func.generate_series(1, count).table_valued("n")
        return list(tx.execute(select(func.nextval(name)).select_from(numbers)).scalars())
    # Asked with every write: the driver alone answers several times faster.
    newest = tx.connection.exec_driver_sql("SELECT max(sequence) FROM runs").scalar() or 0
    return range(newest + 1, newest + count + 1)
