"""However runs arrive, the standing is what their order makes of it."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from faultbook.base.clock import SECOND
from faultbook.model.run import SeriesKey
from faultbook.model.standing import ClosedRun, RunMark, SeriesStanding, advance
from faultbook.model.verdict import Verdict
from faultbook.operations import recording
from faultbook.store.engine import Store
from faultbook.store.history import derive_standing
from faultbook.store.schema import series
from faultbook.store.series import SeriesRow, hold_series
from faultbook.store.transaction import Transaction
from tests.builders import whole_run
from tests.conftest import START

_arrivals = st.lists(
    st.tuples(st.sampled_from(Verdict), st.integers(0, 12)), min_size=1, max_size=14
)
_chunks = st.lists(st.integers(1, 4), max_size=14)
_ALL = select(series.c.id)


def _row(tx: Transaction, key: SeriesKey) -> SeriesRow:
    return hold_series(tx, [key])[key]


def _folded(runs: list[ClosedRun]) -> SeriesStanding:
    state = SeriesStanding()
    for run in sorted(runs, key=lambda run: run.order):
        state = advance(state, run)
    return state


@pytest.mark.parametrize("sizes", ["one by one", "in batches"])
@given(arrivals=_arrivals, chunks=_chunks)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_order_of_arrival_gives_the_standing_of_the_runs_own_order(
    sqlite_store: Store, sizes: str, arrivals: list[tuple[Verdict, int]], chunks: list[int]
) -> None:
    _check(sqlite_store, arrivals, chunks if sizes == "in batches" else [])


@given(arrivals=_arrivals, chunks=_chunks)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_same_holds_on_both_stores(
    store: Store, arrivals: list[tuple[Verdict, int]], chunks: list[int]
) -> None:
    _check(store, arrivals, chunks)


def _check(store: Store, arrivals: list[tuple[Verdict, int]], chunks: list[int]) -> None:
    workflow = f"w{store.write(lambda tx: len(tx.execute(_ALL).fetchall()))}"
    key = SeriesKey(workflow, "production", "main")
    whole = [
        whole_run(verdict, at=START - (100 - offset) * SECOND, workflow=workflow)
        for verdict, offset in arrivals
    ]
    identifiers: list[str] = []
    rest, sizes = list(whole), iter(chunks)
    while rest:
        size = next(sizes, 1)
        identifiers += store.write(recording.record_runs, rest[:size])
        rest = rest[size:]
    stored = [store.read(recording.read_run, run_id) for run_id in identifiers]
    closed = [
        ClosedRun(
            RunMark(run.run_id, run.start.started_at),
            run.sequence,
            told.judgement.verdict,
            told.judgement.reason,
            told.judgement.failure_class,
            told.judgement.detail,
            told.end.ended_at,
        )
        for run, told in zip(stored, whole, strict=True)
    ]
    expected = _folded(closed)
    row = store.write(_row, key)
    assert row.state == expected
    derived = store.read(derive_standing, row.id)
    assert replace(derived, newest_record_at=expected.newest_record_at) == expected
