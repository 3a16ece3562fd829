"""`/healthz`: a verdict is written and read back, once however many ask."""

import asyncio
import sqlite3
from pathlib import Path

import httpx
from fastapi import Request, Response
from sqlalchemy import func, select

from faultbook.base.clock import iso
from faultbook.intake.http.health import Health
from faultbook.operations import probe
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import artifacts, runs
from faultbook.store.transaction import Transaction
from tests.conftest import START, FrozenClock
from tests.intake.http.conftest import POLICY, Api, problem


def probes(store: Store) -> int:
    def count(tx: Transaction) -> int:
        return int(tx.execute(select(func.count()).select_from(runs)).scalar_one())

    return store.read(count)


def test_health_says_when_a_verdict_was_written(api: Api) -> None:
    response = api.bearer(None).get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "verdict_written_at": iso(START)}


def test_a_hundred_callers_make_one_probe(api: Api) -> None:
    async def ask() -> list[int]:
        async with httpx.AsyncClient(base_url=api.url, timeout=30) as client:
            answers = await asyncio.gather(*(client.get("/healthz") for _ in range(100)))
            return [answer.status_code for answer in answers]

    assert asyncio.run(ask()) == [200] * 100
    assert probes(api.store) == 1


def test_a_probe_is_made_anew_when_the_last_is_old_and_older_ones_are_forgotten(api: Api) -> None:
    client = api.bearer(None)
    for _ in range(20):
        written = client.get("/healthz").json()["verdict_written_at"]
        assert written == iso(api.clock())
        api.clock.advance(60)
    assert probes(api.store) == 6

    def count_artifacts(tx: Transaction) -> int:
        return int(tx.execute(select(func.count()).select_from(artifacts)).scalar_one())

    assert api.store.read(count_artifacts) == 6


def test_the_probe_moves_no_standing_and_is_told_of_nowhere(api: Api) -> None:
    api.bearer(None).get("/healthz")
    answer = api.client().get("/v1/failing").json()
    assert (answer["headline"], answer["counts"]["total"]) == ("empty", 0)


def test_a_store_that_others_hold_is_named_within_the_patience(
    tmp_path: Path, clock: FrozenClock
) -> None:
    store = open_store(sqlite_url(tmp_path), clock)
    holder = sqlite3.connect(tmp_path / "faultbook.db", isolation_level=None)

    async def ask() -> tuple[Response, Response]:
        health = Health(store, POLICY, patience_seconds=0.2)
        request = Request({"type": "http", "headers": []})
        holder.execute("BEGIN IMMEDIATE")
        held, _ = await asyncio.gather(health.answer(request), health.answer(request))
        holder.execute("COMMIT")
        for _ in range(100):  # the probe that hung settles, and the next caller is answered
            freed = await health.answer(request)
            if freed.status_code == 200:
                break
        return held, freed

    try:
        held, freed = asyncio.run(ask())
    finally:
        holder.close()
        store.close()
    assert (held.status_code, freed.status_code) == (503, 200)
    assert b"did not write a verdict within 0.2 s" in bytes(held.body)
    assert held.headers["retry-after"] == "1"


def break_runs(store: Store) -> None:
    """Take the runs away beneath an open store."""
    with store.engine.connect() as connection, connection.begin():
        connection.exec_driver_sql("ALTER TABLE runs RENAME TO elsewhere")


def test_a_store_that_can_not_write_is_not_well(sqlite_api: Api) -> None:
    break_runs(sqlite_api.store)
    document = problem(sqlite_api.bearer(None).get("/healthz"), 503, "store_unavailable")
    assert "no such table" in document["detail"]


def test_an_old_success_does_not_cover_a_new_failure(sqlite_api: Api) -> None:
    client = sqlite_api.bearer(None)
    assert client.get("/healthz").status_code == 200
    sqlite_api.clock.advance(30)
    break_runs(sqlite_api.store)
    assert client.get("/healthz").status_code == 503


def test_what_is_read_back_is_a_passed_verdict_or_nothing(store: Store) -> None:
    run_id = store.write(probe.write_probe, POLICY)
    assert store.read(probe.read_probe, run_id) == START

    def spoil(tx: Transaction) -> None:
        tx.execute(runs.update().values(verdict="failed"))

    store.write(spoil)
    assert store.read(probe.read_probe, run_id) is None
