"""The worker on an event loop: it notices what is owed, fetches at its times, and stops."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from faultbook.base.clock import system_clock
from faultbook.delivery.claimer import name_claimer
from faultbook.delivery.git.worker import LedgerWorker
from faultbook.ledger.repository import Remote, Repository
from faultbook.model.ledger_operation import LedgerOperationState, LedgerVerb
from faultbook.operations.ledger import owe, prepare_operation, read_operation, read_queue
from faultbook.store import ledger
from faultbook.store.engine import Store, open_store, sqlite_url
from tests.delivery.git.conftest import OPTIONS
from tests.ledger.remotes import HEADER, LEDGER, ROW, BareRemote, bots_clone


@pytest.fixture
def live_store(tmp_path: Path) -> Store:
    return open_store(sqlite_url(tmp_path / "home"), system_clock)


@asynccontextmanager
async def running(
    store: Store, repository: Repository, fetch_seconds: float = 60
) -> AsyncIterator[LedgerWorker]:
    options = replace(OPTIONS, fetch_seconds=fetch_seconds, backoff_seconds=(0.1,))
    worker = LedgerWorker(store, repository, options)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - another thread's work, no event of ours
            await asyncio.sleep(0.01)


def owe_lesson(store: Store, what: str = "one") -> str:
    new = prepare_operation(
        LedgerVerb.ADD_LESSON,
        {"what_failed": what, "fix": "x", "rule": f"The check {what} fails the build (ci.yml)"},
        requester_id="UANA",
        requester_name="Ana",
    )
    return store.write(owe, new)


def is_pushed(store: Store, operation_id: str) -> bool:
    return store.read(read_operation, operation_id).state is LedgerOperationState.PUSHED


async def test_what_is_owed_is_on_main_in_a_moment(
    live_store: Store, remote: BareRemote, tmp_path: Path
) -> None:
    async with running(live_store, bots_clone(tmp_path / "home", remote)) as worker:
        await until(lambda: worker.snapshot().commit is not None)
        operation_id = owe_lesson(live_store)
        worker.wake()
        await until(lambda: is_pushed(live_store, operation_id), 0.9)  # before it would look anyway
        await until(lambda: worker.snapshot().commit == remote.head())
    live_store.close()


async def test_what_another_process_owed_is_noticed(
    live_store: Store, remote: BareRemote, tmp_path: Path
) -> None:
    async with running(live_store, bots_clone(tmp_path / "home", remote)):
        operation_id = owe_lesson(live_store)
        await until(lambda: is_pushed(live_store, operation_id))
    live_store.close()


async def test_hand_edits_are_seen_at_the_next_fetch(
    live_store: Store, remote: BareRemote, tmp_path: Path
) -> None:
    clone = bots_clone(tmp_path / "home", remote)
    async with running(live_store, clone, fetch_seconds=0.1) as worker:
        await until(lambda: worker.snapshot().commit is not None)
        remote.person().push({LEDGER: HEADER + ROW + ROW.replace("| 1 |", "| new |")})
        await until(lambda: [one.number for one in worker.snapshot().lessons] == [1, 2])
    assert "| 2 |" in remote.read()
    live_store.close()


async def test_a_remote_that_comes_back_is_noticed_by_itself(
    live_store: Store, remote: BareRemote, tmp_path: Path
) -> None:
    hidden = remote.path.with_name("hidden.git")
    remote.path.rename(hidden)
    clone = bots_clone(tmp_path / "home", remote)
    async with running(live_store, clone, fetch_seconds=0.2):
        operation_id = owe_lesson(live_store)
        await until(lambda: bool(live_store.read(read_queue).error))
        assert live_store.read(read_queue).waiting == 1
        hidden.rename(remote.path)
        await until(lambda: is_pushed(live_store, operation_id))
    assert live_store.read(read_queue).error == ""
    live_store.close()


async def test_what_a_crashed_bot_had_claimed_is_taken_over_at_once(
    live_store: Store, remote: BareRemote, tmp_path: Path
) -> None:
    operation_id = owe_lesson(live_store)
    dead = name_claimer()  # an earlier life of this very process id
    until_late = live_store.clock() + 3_600_000_000
    assert len(live_store.write(ledger.claim, dead, until_late, 10)) == 1
    async with running(live_store, bots_clone(tmp_path / "home", remote)):
        await until(lambda: is_pushed(live_store, operation_id))
    live_store.close()


async def test_it_stops_soon_although_the_remote_never_answers(
    live_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faultbook.delivery.git.worker._PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/x.git"
        repository = Repository(tmp_path / "home", Remote(url), {"PATH": "/usr/bin:/bin"})
        owe_lesson(live_store)
        async with asyncio.timeout(30), running(live_store, repository):
            connection, _ = await asyncio.to_thread(silent.accept)
            began = time.monotonic()
        assert time.monotonic() - began < 3
        connection.close()
    assert live_store.read(ledger.list_claimers) == []
    live_store.close()
