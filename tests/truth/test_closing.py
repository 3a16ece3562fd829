"""The truth table over both stores: closing a run, and what becomes of its series."""

import itertools

import pytest

from faultbook.base.clock import HOUR, SECOND
from faultbook.model.answer import FailingQuery
from faultbook.model.evidence import Artifact
from faultbook.model.judge import Claim, Outcome
from faultbook.model.policy import Policy
from faultbook.model.run import Contract, RunEnd, RunStart, RunState, RunType, SeriesKey
from faultbook.model.standing import Standing, next_standing
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.operations import recording
from faultbook.operations.failing import ask_failing
from faultbook.operations.recording import CloseOutcome
from faultbook.store import runs
from faultbook.store.engine import Store
from tests.builders import OUTCOMES, REPORT, whole_run
from tests.conftest import START, FrozenClock
from tests.truth.table import ROWS, STANDINGS, Row

KEY = SeriesKey("invoice-sync", "production", "main")


def open_run(store: Store, clock: FrozenClock, *, timeout: float = 300, grace: float = 60) -> str:
    start = RunStart(
        KEY,
        started_at=clock(),
        received_at=clock(),
        contract=Contract(timeout_seconds=timeout, grace_seconds=grace),
    )
    return store.write(recording.start_run, start, Policy()).run_id


def standing_of(store: Store, policy: Policy | None = None) -> Standing:
    query = FailingQuery(workflow=KEY.workflow)
    answer = ask_failing(store, query, policy or Policy())
    if answer.counts.passing:
        return Standing.PASSING
    return answer.series[0].standing


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.happened)
def test_closing_an_open_run_comes_to_what_the_table_says(
    row: Row, store: Store, clock: FrozenClock
) -> None:
    policy = Policy(heartbeat=frozenset({KEY.workflow}) if row.heartbeat else frozenset())
    run_id = open_run(store, clock)
    clock.advance(30)
    end = RunEnd(clock(), row.outcome)
    result = store.write(recording.close_run, run_id, end, policy, "digest")
    assert result.outcome is CloseOutcome.CLOSED
    stored = store.read(recording.read_run, run_id)
    assert stored.state is RunState.CLOSED
    assert stored.verdict is row.verdict
    first = stored.findings[0] if stored.findings else None
    assert (first.reason if first else None) is row.reason
    assert (first.failure_class if first else None) is row.failure_class
    assert standing_of(store, policy) is row.standing


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.happened)
def test_a_run_told_in_one_piece_comes_to_the_same(
    row: Row, sqlite_store: Store, clock: FrozenClock
) -> None:
    policy = Policy(heartbeat=frozenset({KEY.workflow}) if row.heartbeat else frozenset())
    whole = whole_run(row.outcome, at=clock() - 30 * SECOND, policy=policy)
    (run_id,) = sqlite_store.write(recording.record_runs, [whole])
    stored = sqlite_store.read(recording.read_run, run_id)
    assert stored.verdict is row.verdict
    assert standing_of(sqlite_store, policy) is row.standing


def test_a_run_without_a_close_is_abandoned_when_someone_asks(
    store: Store, clock: FrozenClock
) -> None:
    run_id = open_run(store, clock, timeout=300, grace=60)
    clock.advance(360)
    answer = ask_failing(store, FailingQuery(), Policy())
    assert answer.series[0].running_since == START
    clock.advance(1)
    answer = ask_failing(store, FailingQuery(), Policy())
    assert answer.series[0].reason is Reason.RUN_ABANDONED
    assert answer.series[0].failure_class is FailureClass.TRANSIENT
    assert store.read(recording.read_run, run_id).verdict is Verdict.FAILED
    assert answer.exit_code == 1


def test_a_close_after_the_deadline_changes_nothing_and_leaves_an_event(
    store: Store, clock: FrozenClock
) -> None:
    run_id = open_run(store, clock, timeout=10, grace=0)
    clock.advance(11)
    end = RunEnd(clock(), OUTCOMES[Verdict.PASSED])
    result = store.write(recording.close_run, run_id, end, Policy(), "late")
    assert result.outcome is CloseOutcome.LATE
    assert result.run.verdict is Verdict.FAILED
    events = store.read(runs.list_events, result.run.sequence)
    assert [event.kind for event in events] == ["late_close"]
    assert standing_of(store) is Standing.FAILING


def test_a_second_close_that_differs_changes_nothing_and_leaves_an_event(
    store: Store, clock: FrozenClock
) -> None:
    run_id = open_run(store, clock)
    failed = RunEnd(clock(), OUTCOMES[Verdict.FAILED])
    store.write(recording.close_run, run_id, failed, Policy(), "first")
    passed = RunEnd(clock(), OUTCOMES[Verdict.PASSED])
    result = store.write(recording.close_run, run_id, passed, Policy(), "second")
    assert result.outcome is CloseOutcome.LATE
    stored = store.read(recording.read_run, run_id)
    assert stored.verdict is Verdict.FAILED
    assert [event.kind for event in store.read(runs.list_events, stored.sequence)] == ["late_close"]


def test_the_same_close_again_is_answered_with_the_stored_result(
    store: Store, clock: FrozenClock
) -> None:
    run_id = open_run(store, clock)
    end = RunEnd(clock(), OUTCOMES[Verdict.PASSED])
    first = store.write(recording.close_run, run_id, end, Policy(), "same")
    again = store.write(recording.close_run, run_id, end, Policy(), "same")
    assert (first.outcome, again.outcome) == (CloseOutcome.CLOSED, CloseOutcome.REPEATED)
    assert again.run == first.run
    assert store.read(runs.list_events, first.run.sequence) == []


def test_of_sixteen_closers_at_once_one_closes(store: Store, clock: FrozenClock) -> None:
    run_id = open_run(store, clock)
    verdicts = itertools.cycle([Verdict.PASSED, Verdict.FAILED])
    futures = [
        store.submit(
            recording.close_run, run_id, RunEnd(clock(), OUTCOMES[verdict]), Policy(), f"{n}"
        )
        for n, verdict in zip(range(16), verdicts, strict=False)
    ]
    outcomes = [future.result().outcome for future in futures]
    assert outcomes.count(CloseOutcome.CLOSED) == 1
    assert outcomes.count(CloseOutcome.LATE) == 15


def test_evidence_that_was_promised_at_the_start_must_be_there_at_the_close(
    store: Store, clock: FrozenClock
) -> None:
    start = RunStart(KEY, clock(), clock(), promised=("report.txt",))
    run_id = store.write(recording.start_run, start, Policy()).run_id
    store.write(recording.record_artifact, run_id, REPORT)
    end = RunEnd(clock(), Outcome(claim=Claim(Verdict.PASSED)))
    assert store.write(recording.close_run, run_id, end, Policy(), "x").run.verdict == "passed"
    other = store.write(recording.start_run, start, Policy()).run_id
    result = store.write(recording.close_run, other, end, Policy(), "x")
    assert result.run.findings[0].reason is Reason.MISSING_ARTIFACT_REF


def test_an_artifact_sent_again_stands_in_place_of_the_first(
    store: Store, clock: FrozenClock
) -> None:
    run_id = open_run(store, clock)
    store.write(recording.record_artifact, run_id, REPORT)
    newer = Artifact(REPORT.name, REPORT.check, sha256="cd" * 32, size=99)
    store.write(recording.record_artifact, run_id, newer)
    assert store.read(recording.read_run, run_id).artifacts == (newer,)


@pytest.mark.parametrize(("before", "verdict", "after"), STANDINGS)
def test_the_standing_after_one_more_run_is_what_the_table_says(
    before: Standing, verdict: Verdict, after: Standing
) -> None:
    assert next_standing(before, verdict) is after


_VERDICT_FOR = {
    Standing.PASSING: Verdict.PASSED,
    Standing.FAILING: Verdict.FAILED,
    Standing.BLOCKED: Verdict.BLOCKED,
    Standing.DEGRADED: Verdict.DEGRADED,
    Standing.UNPROVEN: Verdict.INCONCLUSIVE,
    Standing.UNKNOWN: Verdict.SKIPPED,
}


@pytest.mark.parametrize(("before", "verdict", "after"), STANDINGS)
def test_the_stores_keep_the_standing_that_the_table_says(
    before: Standing, verdict: Verdict, after: Standing, store: Store, clock: FrozenClock
) -> None:
    first = whole_run(_VERDICT_FOR[before], at=clock() - 100 * SECOND)
    second = whole_run(verdict, at=clock() - 50 * SECOND)
    store.write(recording.record_runs, [first])
    assert standing_of(store) is before
    store.write(recording.record_runs, [second])
    assert standing_of(store) is after


def test_an_unproven_run_of_a_failing_series_is_said(store: Store, clock: FrozenClock) -> None:
    runs = [
        whole_run(Verdict.FAILED, at=clock() - 100 * SECOND),
        whole_run(Verdict.INCONCLUSIVE, at=clock() - 50 * SECOND),
    ]
    store.write(recording.record_runs, runs)
    (series,) = ask_failing(store, FailingQuery(), Policy()).series
    assert series.standing is Standing.FAILING
    assert series.newest_unproven
    assert series.reason is Reason.NONZERO_EXIT
    assert series.newest_reason is Reason.MISSING_ARTIFACT_REF
    assert series.streak == 2


def test_a_replayed_run_moves_no_standing(store: Store, clock: FrozenClock) -> None:
    store.write(recording.record_runs, [whole_run(at=clock() - 100 * SECOND)])
    replay = whole_run(Verdict.FAILED, at=clock() - 50 * SECOND, run_type=RunType.REPLAY)
    store.write(recording.record_runs, [replay])
    assert standing_of(store) is Standing.PASSING


def test_replays_alone_make_no_series_that_anyone_is_told_of(
    store: Store, clock: FrozenClock
) -> None:
    replay = whole_run(Verdict.FAILED, at=clock() - 50 * SECOND, run_type=RunType.REPLAY)
    store.write(recording.record_runs, [replay])
    answer = ask_failing(store, FailingQuery(), Policy())
    assert (answer.counts.total, answer.series) == (0, ())
    assert ask_failing(store, FailingQuery(workflow=KEY.workflow), Policy()).unmatched


def test_a_late_record_never_replaces_the_standing_of_a_newer_run(
    store: Store, clock: FrozenClock
) -> None:
    store.write(recording.record_runs, [whole_run(Verdict.FAILED, at=clock() - HOUR)])
    late = whole_run(Verdict.PASSED, at=clock() - 2 * HOUR, received_at=clock())
    store.write(recording.record_runs, [late])
    (series,) = ask_failing(store, FailingQuery(), Policy()).series
    assert series.standing is Standing.FAILING
    assert series.last_good is not None
    assert series.last_good.started_at == clock() - 2 * HOUR
    earlier = whole_run(Verdict.FAILED, at=clock() - HOUR - SECOND, received_at=clock())
    store.write(recording.record_runs, [earlier])
    (series,) = ask_failing(store, FailingQuery(), Policy()).series
    assert series.streak == 2
    assert series.since == clock() - HOUR - SECOND
    assert series.first_bad is not None
    assert series.first_bad.started_at == clock() - HOUR - SECOND
