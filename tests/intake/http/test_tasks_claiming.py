"""Claims that wait: woken by a commit, by the clock, and ended by whoever goes."""

import asyncio
import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest
from fastapi import FastAPI

from faultbook.intake.http.app import build_app
from faultbook.operations.work import sweep_tasks
from faultbook.store.engine import Store, open_store
from tests.conftest import FrozenClock
from tests.intake.http.conftest import POLICY, ROUTES, SETTINGS, Api, make_token, problem, serving
from tests.intake.http.working import WORKER, add, claim, worker


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as executor:
        yield executor


def _waiting(
    pool: ThreadPoolExecutor, client: httpx.Client, seconds: float
) -> "Future[httpx.Response]":
    return pool.submit(client.post, "/v1/tasks:claim", json={"wait_seconds": seconds})


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def _bell(app: FastAPI) -> set[asyncio.Event]:
    waiting: set[asyncio.Event] = app.state.stop_waiting.__self__.queue._waiting
    return waiting


def test_nothing_to_do_is_204_without_a_body(api: Api) -> None:
    answer = worker(api).post("/v1/tasks:claim")
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_claim_that_waits_has_the_task_as_soon_as_it_is_given(
    api: Api, pool: ThreadPoolExecutor
) -> None:
    waiting = _waiting(pool, worker(api), 30)
    task = add(worker(api))
    assert waiting.result(20).json()["task"]["id"] == task


def test_what_another_process_gave_is_found_by_the_clock(
    sqlite_store: Store, clock: FrozenClock, pool: ThreadPoolExecutor
) -> None:
    other = open_store(str(sqlite_store.engine.url), clock)
    apps = [build_app(store, POLICY, SETTINGS, ROUTES) for store in (sqlite_store, other)]
    with serving(apps[0]) as url, serving(apps[1]) as elsewhere:
        here, there = Api(url, sqlite_store, clock), Api(elsewhere, other, clock)
        waiting = _waiting(pool, worker(here), 30)
        task = add(worker(there))
        assert waiting.result(20).json()["task"]["id"] == task
        here.close()
        there.close()
    other.close()


def test_room_in_a_route_is_heard_by_who_waits_for_it(api: Api, pool: ThreadPoolExecutor) -> None:
    client = worker(api, agent="price-bot")
    add(client, "price 1")
    second = add(client, "price 2")
    held = claim(client)
    assert client.post("/v1/tasks:claim", json={}).status_code == 204
    waiting = _waiting(pool, worker(api, agent="price-bot"), 30)
    held.tell("close", exit_code=1)
    assert waiting.result(20).json()["task"]["id"] == second


def test_sixteen_who_claim_at_once_get_each_task_once(api: Api, pool: ThreadPoolExecutor) -> None:
    giver = worker(api)
    given = [add(giver) for _ in range(40)]
    clients = [worker(api) for _ in range(16)]

    def work(client: httpx.Client) -> list[str]:
        found = []
        while (answer := client.post("/v1/tasks:claim", json={})).status_code == 200:
            found.append(str(answer.json()["task"]["id"]))
        assert answer.status_code == 204, answer.text
        return found

    taken = Counter(task for found in pool.map(work, clients) for task in found)
    assert taken == Counter(given)


def test_those_who_wait_get_each_task_once(api: Api, pool: ThreadPoolExecutor) -> None:
    waiting = [_waiting(pool, worker(api), 30) for _ in range(8)]
    giver = worker(api)
    given = [add(giver) for _ in range(8)]
    taken = [future.result(30).json()["task"]["id"] for future in waiting]
    assert sorted(taken) == sorted(given)


def test_the_same_key_brings_the_same_claim_while_it_is_held(api: Api, clock: FrozenClock) -> None:
    client = worker(api)
    add(client)
    other = add(client)
    headers = {"Idempotency-Key": "one"}

    def once() -> httpx.Response:
        return client.post("/v1/tasks:claim", json={}, headers=headers)

    first = once().json()
    clock.advance(10)
    again = once().json()
    assert first["lease"]["id"] == again["lease"]["id"]
    assert first["lease"]["until"] < again["lease"]["until"]
    for name in ("run_id", "attempt", "timeout_seconds"):
        assert first[name] == again[name]
    assert claim(client).id == other
    reused = client.post("/v1/tasks:claim", json={"lease_seconds": 60}, headers=headers)
    problem(reused, 422, "idempotency_key_reused")
    clock.advance(31)
    api.store.write(sweep_tasks, POLICY, ROUTES)
    told = problem(once(), 409, "lease_lost")
    assert told["next_step"] == "Claim another task, with a new key."


def test_a_key_that_found_nothing_is_still_new(api: Api) -> None:
    client = worker(api)
    headers = {"Idempotency-Key": "one"}
    assert client.post("/v1/tasks:claim", json={}, headers=headers).status_code == 204
    task = add(client)
    assert client.post("/v1/tasks:claim", json={}, headers=headers).json()["task"]["id"] == task


def test_who_goes_away_gets_no_task(sqlite_store: Store, clock: FrozenClock) -> None:
    app = build_app(sqlite_store, POLICY, SETTINGS, ROUTES)
    secret = make_token(sqlite_store, *WORKER)
    with serving(app) as url:
        api = Api(url, sqlite_store, clock)
        address = (httpx.URL(url).host, httpx.URL(url).port or 0)
        with socket.create_connection(address) as connection:
            body = json.dumps({"wait_seconds": 30}).encode()
            head = f"POST /v1/tasks:claim HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n"
            head += f"Content-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            _until(lambda: len(_bell(app)) == 1)
        _until(lambda: not _bell(app))
        client = worker(api)
        task = add(client)
        assert client.get(f"/v1/tasks/{task}").json()["state"] == "queued"
        api.close()


def test_a_server_that_stops_ends_the_waits_and_gives_no_more(
    sqlite_store: Store, clock: FrozenClock, pool: ThreadPoolExecutor
) -> None:
    app = build_app(sqlite_store, POLICY, SETTINGS, ROUTES)
    with serving(app) as url:
        api = Api(url, sqlite_store, clock)
        waiting = _waiting(pool, worker(api), 30)
        _until(lambda: len(_bell(app)) == 1)
        app.state.stop_waiting()
        assert waiting.result(20).status_code == 204
        told = problem(worker(api).post("/v1/tasks:claim", json={}), 503, "stopping")
        assert told["retryable"]
        api.close()
