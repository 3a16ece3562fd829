"""Real processes on one remote: bots and a person at once, and bots killed at every step."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from faultbook.base.clock import system_clock
from faultbook.delivery.git.worker import LedgerWorker
from faultbook.ledger.table import read_ledger
from faultbook.operations.ledger import LedgerNotice, owe, read_queue
from faultbook.store.engine import open_store, sqlite_url
from faultbook.store.schema import ledger_operations, notices
from faultbook.store.transaction import Transaction
from tests.conftest import PostgresServer
from tests.delivery.git.conftest import OPTIONS
from tests.delivery.git.launcher import POINTS, lesson
from tests.ledger.remotes import HEADER, LEDGER, ROW, BareRemote, Person, bots_clone, git


def start(
    home: Path, remote: BareRemote, name: str, count: int, die_at: str = ""
) -> "subprocess.Popen[bytes]":
    home.mkdir(parents=True, exist_ok=True)
    environ = dict(os.environ) | {"PYTHONPATH": f"{Path.cwd() / 'src'}:{Path.cwd()}"}
    command = [sys.executable, "-m", "tests.delivery.git.launcher", str(home), str(remote.path)]
    return subprocess.Popen([*command, name, str(count), die_at], env=environ)


def states_and_words(home: Path) -> tuple[list[str], int]:
    """Give the states of a bot's operations in their order, and how many times it said so."""

    def read(tx: Transaction) -> tuple[list[str], int]:
        states = select(ledger_operations.c.state).order_by(ledger_operations.c.sequence)
        settled = notices.c.kind == LedgerNotice.SETTLED.value
        said = tx.execute(select(notices.c.id).where(settled)).all()
        return list(tx.execute(states).scalars()), len(said)

    store = open_store(sqlite_url(home))
    try:
        return store.read(read)
    finally:
        store.close()


def rows_of(remote: BareRemote) -> list[tuple[int | None, str]]:
    found = read_ledger(remote.read().encode()).lessons
    return [(row.number, row.what_failed) for row in found]


@pytest.mark.long
@pytest.mark.parametrize("point", [point for point in POINTS if point])
def test_a_bot_that_is_killed_at_a_step_applies_each_operation_once(
    tmp_path: Path, remote: BareRemote, point: str
) -> None:
    home = tmp_path / "home"
    assert start(home, remote, "a", 3, point).wait(60) == -signal.SIGKILL
    assert start(home, remote, "a", 3).wait(60) == 0
    assert rows_of(remote)[1:] == [(2, "a 0"), (3, "a 1"), (4, "a 2")]
    assert states_and_words(home) == (["pushed"] * 3, 3)
    assert len(remote.log()) == 4


@pytest.mark.long
@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
def test_a_bot_that_is_killed_while_the_remote_takes_its_push_applies_it_once(
    tmp_path: Path, remote: BareRemote, hook: str
) -> None:
    home = tmp_path / "home"
    remote.hook(hook, f"kill -KILL $(cat {home}/pid); exit 0")
    assert start(home, remote, "a", 3).wait(60) == -signal.SIGKILL
    remote.hook(hook, "")
    assert start(home, remote, "a", 3).wait(60) == 0
    assert rows_of(remote)[1:] == [(2, "a 0"), (3, "a 1"), (4, "a 2")]
    assert states_and_words(home) == (["pushed"] * 3, 3)
    assert len(remote.log()) == 4


OLD, BY_HAND = "The build fails without check", "The merge is refused without gate"


def odd_ledger(rows: int) -> str:
    """Make a ledger with a byte order mark, a CRLF line, ragged cells and text around it."""
    lines = [
        f"| {n} |  Case {n} é漢 | `a\\|b` |{' ' * (n % 4)}{OLD} {n} |\n" for n in range(1, rows + 1)
    ]
    lines[7] = lines[7].replace("\n", "\r\n")
    return "\ufeff# Ours\n\n" + HEADER + "".join(lines)


def edit_by_hand(person: Person, number: int) -> None:
    """Change one cell, as an engineer does: commit, rebase on what came meanwhile, push."""
    place = person.folder / LEDGER
    before = place.read_bytes()
    after = before.replace(f"{OLD} {number} |".encode(), f"{BY_HAND} {number} |".encode())
    assert before != after
    place.write_bytes(after)
    git(person.folder, "commit", "-q", "-a", "-m", f"Edit {number}")
    while True:
        git(person.folder, "fetch", "-q", "origin")
        git(person.folder, "rebase", "-q", "origin/main")
        pushed = subprocess.run(
            ["git", "push", "-q", "origin", "HEAD:main"],
            cwd=person.folder,
            capture_output=True,
            check=False,
        )
        if pushed.returncode == 0:
            return


@pytest.mark.long
@pytest.mark.timeout(300)
def test_four_bots_and_a_person_at_once_lose_nothing_and_touch_nothing_else(
    tmp_path: Path,
) -> None:
    base, each = 60, 50
    original = odd_ledger(base)
    remote = BareRemote.make(tmp_path / "remote.git", {LEDGER: original})
    person = remote.person()
    bots = [start(tmp_path / f"home{n}", remote, f"bot{n}", each) for n in range(4)]
    try:
        for number in range(1, each + 1):
            edit_by_hand(person, number)
        assert [bot.wait(200) for bot in bots] == [0] * 4
    finally:
        for bot in bots:
            bot.kill()
            bot.wait()

    rows = rows_of(remote)
    assert [number for number, _ in rows] == list(range(1, base + 4 * each + 1))
    brought = [what for _, what in rows[base:]]
    assert sorted(brought) == sorted(f"bot{n} {m}" for n in range(4) for m in range(each))
    for n in range(4):  # each bot's in the order in which they were asked for
        assert [what for what in brought if what.startswith(f"bot{n} ")] == [
            f"bot{n} {m}" for m in range(each)
        ]
        assert states_and_words(tmp_path / f"home{n}") == (["pushed"] * each, each)
    expected = original
    for number in range(1, each + 1):
        expected = expected.replace(f"{OLD} {number} |", f"{BY_HAND} {number} |")
    assert remote.read().startswith(expected)
    parents = git(remote.path, "log", "--format=%p", "main").splitlines()
    assert len(parents) == 5 * each + 1
    assert all(len(line.split()) <= 1 for line in parents), "the history is not linear"
    assert git(remote.path, "fsck", "--strict", "--no-dangling") == ""


async def test_two_replicas_on_one_database_work_in_order_and_once(
    tmp_path: Path, postgres: PostgresServer, remote: BareRemote
) -> None:
    url = postgres.new_database()
    stores = [open_store(url, system_clock) for _ in range(2)]
    options = replace(OPTIONS, fetch_seconds=0.5, batch=3)
    workers = [
        LedgerWorker(store, bots_clone(tmp_path / f"home{n}", remote), options)
        for n, store in enumerate(stores)
    ]
    for number in range(20):
        await stores[number % 2].write_async(owe, lesson("a", number))
    for worker in workers:
        await worker.start()
    async with asyncio.timeout(30):
        while (await stores[0].read_async(read_queue)).waiting:  # noqa: ASYNC110 - a thread's work
            await asyncio.sleep(0.02)
    for worker, store in zip(workers, stores, strict=True):
        await worker.stop()
        store.close()
    assert rows_of(remote)[1:] == [(number + 2, f"a {number}") for number in range(20)]
    assert ROW in remote.read()
