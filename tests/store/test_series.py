"""Series rows: late records, and how they are found."""

from typing import Any, NoReturn

import pytest
from sqlalchemy import text

from faultbook.base.clock import SECOND
from faultbook.model.run import SeriesKey
from faultbook.model.verdict import Verdict
from faultbook.operations.recording import record_runs
from faultbook.store import series
from faultbook.store.engine import Store
from faultbook.store.series import SeriesRow, hold_series
from faultbook.store.transaction import Transaction
from tests.builders import whole_run
from tests.conftest import START

P, F = Verdict.PASSED, Verdict.FAILED
KEY = SeriesKey("invoice-sync", "production", "main")


def _held(store: Store) -> SeriesRow:
    def hold(tx: Transaction) -> SeriesRow:
        return hold_series(tx, [KEY])[KEY]

    return store.write(hold)


@pytest.mark.parametrize(("verdict", "streak"), [(P, 0), (F, 3)])
def test_a_late_run_like_its_stretch_asks_no_history(
    store: Store, monkeypatch: pytest.MonkeyPatch, verdict: Verdict, streak: int
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise AssertionError("the history was asked")

    monkeypatch.setattr(series, "derive_standing", refuse)
    for at in (0, 20, 10):
        store.write(record_runs, [whole_run(verdict, at=START + at * SECOND)])
    state = _held(store).state
    assert (state.since, state.streak) == (START, streak)
    assert state.basis is not None
    assert state.basis.mark.started_at == START + 20 * SECOND


def test_a_late_run_of_another_verdict_asks_it(store: Store) -> None:
    for verdict, at in ((F, 0), (F, 20), (P, 10)):
        store.write(record_runs, [whole_run(verdict, at=START + at * SECOND)])
    state = _held(store).state
    assert (state.since, state.streak) == (START + 20 * SECOND, 1)


def test_many_series_are_found_by_seeks_and_not_by_a_scan(sqlite_store: Store) -> None:
    def plan(tx: Transaction) -> list[Any]:
        sql = series._lookup_sql(3, tx.connection.dialect)
        explained = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", ("a", "b", "c") * 3)
        return [row[3] for row in explained]

    steps = sqlite_store.read(plan)
    assert any(step.startswith("SEARCH series USING INDEX") for step in steps), steps
    assert "SCAN series" not in steps


def test_more_series_than_one_query_takes_are_all_held(store: Store) -> None:
    keys = [SeriesKey(f"w{n}", "e", 'it\'s "b" %s ?') for n in range(450)]
    found = store.write(hold_series, keys)
    assert set(found) == set(keys)
    assert store.write(hold_series, keys) == found

    def count(tx: Transaction) -> int:
        return int(tx.execute(text("SELECT count(*) FROM series")).scalar_one())

    assert store.read(count) == 450
