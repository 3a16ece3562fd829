"""A run's timeline, on both stores."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from faultbook.base.clock import SECOND
from faultbook.base.errors import ConflictError, NotFoundError
from faultbook.model.judge import Outcome
from faultbook.model.policy import Policy
from faultbook.model.run import RunEnd, RunEvent, RunStart, SeriesKey
from faultbook.model.timeline import LATE_CLOSE, Step, Timeline
from faultbook.model.verdict import Verdict
from faultbook.operations import recording
from faultbook.operations.timeline import read_timeline, read_timelines
from faultbook.store.engine import Store
from faultbook.store.schema import runs
from faultbook.store.transaction import Transaction
from tests.builders import whole_run
from tests.conftest import FrozenClock

KEY = SeriesKey("invoice-sync", "production", "main")
BEHIND = 2 * SECOND  # the client's clock


def open_run(store: Store, clock: FrozenClock) -> str:
    start = RunStart(KEY, clock(), clock(), occurred_at=clock() - BEHIND)
    return store.write(recording.start_run, start, Policy()).run_id


def _all_ids(tx: Transaction) -> list[str]:
    return list(tx.execute(select(runs.c.run_id)).scalars())


def told(timeline: Timeline) -> list[str]:
    return [
        entry.what.kind if isinstance(entry.what, RunEvent) else entry.what.value
        for entry in timeline.entries()
    ]


def test_events_stand_in_the_servers_order_on_the_servers_clock(
    store: Store, clock: FrozenClock
) -> None:
    started = clock()
    run_id = open_run(store, clock)
    for number, kind in enumerate(("tool", "model", "tool")):
        clock.advance(5)
        # By the client's clock the second event was before the first.
        said = clock() - BEHIND - (10 * SECOND if number == 1 else 0)
        event = RunEvent(kind, "", "", said, clock())
        store.write(recording.record_event, run_id, event)
    clock.advance(5)
    end = RunEnd(clock(), Outcome(exit_code=1))
    store.write(recording.close_run, run_id, end, Policy(), "digest")
    store.write(recording.close_run, run_id, replace(end, stdout_tail="x"), Policy(), "other")
    timeline = store.read(read_timeline, run_id)
    assert told(timeline) == ["started", "tool", "model", "tool", "closed", LATE_CLOSE]
    assert timeline.clock_offset == BEHIND
    times = [(entry.at - started) / SECOND for entry in timeline.entries()]
    assert times == [0, 5, 0, 15, 20, 20]


def test_an_open_run_has_no_close_and_events_without_a_time_of_their_own_take_the_servers(
    store: Store, clock: FrozenClock
) -> None:
    run_id = open_run(store, clock)
    clock.advance(3)
    store.write(recording.record_event, run_id, RunEvent("tool", "", "", None, clock()))
    timeline = store.read(read_timeline, run_id[-8:])
    assert told(timeline) == ["started", "tool"]
    assert timeline.entries()[1].at == clock()
    assert timeline.run.run_id == run_id
    assert timeline.entries()[0].what is Step.STARTED


def test_several_runs_are_read_with_their_first_events(store: Store, clock: FrozenClock) -> None:
    first, second = open_run(store, clock), open_run(store, clock)
    for _ in range(3):
        store.write(recording.record_event, first, RunEvent("tool", "", "", None, clock()))
    found = store.read(read_timelines, [first, second, "none"], 2)
    assert set(found) == {first, second}
    assert (len(found[first].events), found[first].more) == (2, True)
    assert (found[second].events, found[second].more) == ((), False)


def test_a_run_that_is_not_there_or_not_the_only_one_is_refused(
    store: Store, clock: FrozenClock
) -> None:
    with pytest.raises(NotFoundError):
        store.read(read_timeline, "7c1e90ab")
    for _ in range(20):  # of twenty ids, two end alike
        open_run(store, clock)
    ends = [run[-1] for run in store.read(_all_ids)]
    shared = next(end for end in ends if ends.count(end) > 1)
    with pytest.raises(ConflictError, match="More than one"):
        store.read(read_timeline, shared)


def test_a_whole_run_told_afterwards_ends_when_it_ended(store: Store, clock: FrozenClock) -> None:
    whole = whole_run(Verdict.PASSED, at=clock() - 60 * SECOND, took=10)
    [run_id] = store.write(recording.record_runs, [whole])
    timeline = store.read(read_timeline, run_id)
    assert [entry.at - whole.start.started_at for entry in timeline.entries()] == [0, 10 * SECOND]
