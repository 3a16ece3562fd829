"""Rows handed to the driver are the rows SQLAlchemy would have written."""

from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select

from faultbook.store.bulk import insert_rows, update_rows
from faultbook.store.engine import Store
from faultbook.store.schema import runs, series
from faultbook.store.series import SERIES_COLUMNS
from faultbook.store.transaction import Transaction

_SERIES = {"id": 1, "workflow": "w", "environment": "e", "branch": "b", "standing": "unknown"}


def _row(number: int) -> dict[str, Any]:
    return {
        "run_id": f"run-{number}",
        "series_id": 1,
        "run_type": "live",
        "state": "closed",
        "failure_reason": 'it\'s "quoted" %s ? é \U0001f600',
        "findings": [{"verdict": "failed", "detail": "é"}],
        "started_at": 2**53,
        "received_at": number,
        "deadline_at": 0,
        "attempt": 1,
        "tool_allowlist": None if number % 2 else [],
        "timeout_seconds": 0.1,
        "cost": Decimal("0.012500"),
        "cost_limit": None,
        "state_refs": [],
        "promised": ["a", "b"],
        "tests": {"total": 1, "failed_names": []},
    }


def _read(tx: Transaction, numbers: range) -> list[dict[str, Any]]:
    names = [
        column for column in runs.c if column.name not in ("sequence", "run_id", "received_at")
    ]
    wanted = runs.c.run_id.in_([f"run-{number}" for number in numbers])
    found = tx.execute(select(*names).where(wanted).order_by(runs.c.sequence))
    return [dict(row._mapping) for row in found]


def test_both_ways_write_the_same(store: Store) -> None:
    def write(tx: Transaction) -> None:
        tx.execute(insert(series), _SERIES)
        for number in (0, 1):
            tx.execute(insert(runs), _row(number))
        insert_rows(tx, runs, [_row(2), _row(3)])
        insert_rows(tx, runs, [_row(4)])
        insert_rows(tx, runs, [])

    store.write(write)
    ordinary = store.read(_read, range(2))
    assert store.read(_read, range(2, 4)) == ordinary
    assert store.read(_read, range(4, 5)) == ordinary[:1]
    assert ordinary[0]["cost"] == Decimal("0.012500")


def test_rows_are_updated_by_their_key_and_no_other_is_touched(store: Store) -> None:
    def write(tx: Transaction) -> None:
        insert_rows(tx, series, [_SERIES | {"id": n, "workflow": f"w{n}"} for n in range(1, 5)])
        changes = [{"id": n, "streak": n * 10, "evidence": [{"name": "a"}]} for n in (2, 3)]
        update_rows(tx, series, "id", changes)
        update_rows(tx, series, "id", [{"id": 4, "streak": 1, "evidence": []}])

    store.write(write)

    def read(tx: Transaction) -> list[tuple[Any, ...]]:
        statement = select(series.c.id, series.c.streak, series.c.evidence).order_by(series.c.id)
        return [tuple(row) for row in tx.execute(statement)]

    assert store.read(read) == [
        (1, 0, []),
        (2, 20, [{"name": "a"}]),
        (3, 30, [{"name": "a"}]),
        (4, 1, []),
    ]


def test_a_series_is_read_from_columns_that_all_exist_once() -> None:
    names = [column.name for column in SERIES_COLUMNS]
    assert len(names) == len(set(names)) == 34
