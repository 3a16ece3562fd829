"""The failing answer over HTTP: its cost, and that it does not grow with the runs."""

import time
from pathlib import Path

from sqlalchemy import insert

from faultbook.base.clock import SECOND, system_clock
from faultbook.model.verdict import Verdict
from faultbook.operations.recording import record_runs
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import runs
from faultbook.store.transaction import Transaction
from tests.benchmarks.load import Figures, measure
from tests.benchmarks.servers import floor, make_token, up
from tests.builders import whole_run

_SERIES, _FAILING = 500, 20
_FEW, _MANY = 10_000, 1_000_000


def answers(home: Path) -> list[str]:
    """Measure with ten thousand runs, then with a million, and a bare server beside both."""
    few = _measured(home / "few", _FEW)
    many = _measured(home / "many", _MANY)
    with floor("starlette") as port:
        bare = measure("gets", port, clients=1, requests=2_000, path="/v1/failing")
    growth = many.p50_ms / few.p50_ms - 1
    return [
        f"{_FEW:,} runs: p50 {few.p50_ms:.2f} ms, p99 {few.p99_ms:.2f} ms (must 2 ms, aim 1 ms)",
        f"{_MANY:,} runs: p50 {many.p50_ms:.2f} ms: {growth:+.0%} (must within 25 %)",
        (
            f"floor: bare Starlette p50 {bare.p50_ms:.2f} ms; ours is"
            f" {few.p50_ms / bare.p50_ms:.1f} times that"
        ),
    ]


def _measured(home: Path, count: int) -> Figures:
    home.mkdir(parents=True)
    token = make_token(home)
    store = open_store(sqlite_url(home))
    _fill(store, count)
    store.close()
    with up(home) as server:
        measure("gets", server.port, clients=1, requests=300, path="/v1/failing", token=token)
        return measure(
            "gets", server.port, clients=1, requests=2_000, path="/v1/failing", token=token
        )


def _fill(store: Store, count: int) -> None:
    """Record each series' newest run as usual, and the history beneath it by bare rows."""
    now = system_clock()
    newest = [
        whole_run(
            Verdict.FAILED if number < _FAILING else Verdict.PASSED,
            at=now - (60 + number) * SECOND,
            workflow=f"bench-{number}",
        )
        for number in range(_SERIES)
    ]
    store.write(record_runs, newest)
    rest, size = count - _SERIES, 50_000
    for first in range(0, rest, size):
        store.write(_append_history, first, min(size, rest - first), now)
        time.sleep(0)


def _append_history(tx: Transaction, first: int, count: int, now: int) -> None:
    rows = [
        {
            "run_id": f"history-{first + number}",
            "series_id": (first + number) % _SERIES + 1,
            "run_type": "live",
            "state": "closed",
            "verdict": "passed" if number % 7 else "failed",
            "reason": None if number % 7 else "nonzero_exit",
            "started_at": now - (3_600 + first + number) * SECOND,
            "received_at": now,
            "deadline_at": now,
            "ended_at": now - (3_590 + first + number) * SECOND,
            "closed_at": now,
        }
        for number in range(count)
    ]
    tx.execute(insert(runs), rows)
