"""Workers and the bot are killed at random: every task ends, closed once, with one card."""

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from faultbook.model.task import ENDED, OPEN, Task, TaskState
from faultbook.operations.task_notices import TaskNotice
from faultbook.store import notices
from faultbook.store.schema import notices as notices_table
from faultbook.store.schema import runs as runs_table
from faultbook.store.schema_tasks import task_events
from faultbook.store.transaction import Transaction
from tests.conftest import PostgresServer
from tests.journeys.whole import Crew, Whole, whole_bot
from tests.sandbox.driver import Workspace

pytestmark = pytest.mark.long

TASKS, WORKERS, KILLS = 500, 20, 100
AT_ONCE = 25
LEAST_BOT_KILLS, BOT_KILLS, BOT_SHARE = 5, 15, 0.2
RUNNING = frozenset({TaskState.RUNNING})
CHANNELS = ["general", "ops", "agents"]
LAPSES, ATTEMPTS = 3, 3
_ENDED_ATTEMPTS = {"closed", "lapsed", "lost", "released"}
_REACTIONS = {
    TaskState.DONE: ["white_check_mark"],
    TaskState.FAILED: ["x"],
    TaskState.LOST: ["warning"],
}


def give(whole: Whole, already: int) -> int:
    """Give some more tasks, over several channels."""
    count = min(AT_ONCE, TASKS - already)
    channels = [CHANNELS[number % len(CHANNELS)] for number in range(count)]
    said = [
        {"user": "ana", "channel": channel, "text": f"@faultbook export month {already + number}"}
        for number, channel in enumerate(channels)
    ]
    whole.workspace.say_all(said)
    return already + count


def disturb(whole: Whole, crew: Crew, chance: random.Random) -> Counter[str]:
    """Give tasks, and kill the bot and workers in the middle of theirs, until it is enough."""
    killed: Counter[str] = Counter()
    given = give(whole, 0)
    while killed.total() < KILLS or killed["bot"] < LEAST_BOT_KILLS:
        running = whole.tasks(RUNNING)
        at_work = sorted({task.worker for task in running} & crew.alive.keys())
        of_bot = killed["bot"] < BOT_KILLS and chance.random() < BOT_SHARE
        if of_bot and whole.is_ready():
            killed["bot"] += whole.bot.kill()
            whole.bot.start()
        elif at_work and killed["workers"] < KILLS:
            crew.kill(chance.choice(at_work))
            killed["workers"] += 1
            crew.hire()
        if given < TASKS:
            given = give(whole, given)
        assert len(whole.tasks(ENDED)) < TASKS, f"all was done after {killed}"
        time.sleep(0.15)  # the pace of the killing, not a wait for anything
    return killed


def settle(whole: Whole) -> list[Task]:
    """Wait until every task ended and is shown so, and give them."""
    workspace = whole.workspace

    def taken() -> bool:
        workspace.retry_now()
        return len(whole.tasks()) == TASKS

    whole.wait_ready()
    workspace.wait_for(taken, timeout=60, every=0.5)
    workspace.wait_for(lambda: not whole.tasks(OPEN), timeout=90, every=0.5)
    workspace.wait_for(lambda: not whole.store.read(notices.count_owed), timeout=60, every=0.5)
    return whole.tasks()


def rows(whole: Whole, table: Any, *columns: Any) -> list[Any]:  # noqa: ANN401 - SQLAlchemy's own
    def look(tx: Transaction) -> list[Any]:
        return list(tx.execute(select(*columns).select_from(table)))

    return whole.store.read(look)


def check_ends(whole: Whole, tasks: list[Task]) -> None:
    """Hold each attempt to one end, and each end to its reason."""
    runs: dict[str, list[Any]] = {}
    c = runs_table.c
    for row in rows(whole, runs_table, c.task_id, c.attempt, c.state, c.verdict):
        runs.setdefault(row.task_id, []).append(row)
    ends: Counter[int] = Counter()
    for row in rows(whole, task_events, task_events.c.task_number, task_events.c.kind):
        ends[row.task_number] += row.kind in _ENDED_ATTEMPTS
    for task in tasks:
        of_it = sorted(runs[task.id], key=lambda run: run.attempt)
        assert [run.attempt for run in of_it] == list(range(1, task.attempts + 1)), task
        assert all(run.state == "closed" for run in of_it), task
        assert ends[task.number] == task.attempts, task
        passed = [run.attempt for run in of_it if run.verdict == "passed"]
        assert passed == ([task.attempts] if task.state is TaskState.DONE else []), task
        if task.state is TaskState.LOST:
            assert task.lapses == LAPSES, task
        elif task.state is TaskState.FAILED:
            assert task.attempts - task.lapses == ATTEMPTS, task
        else:
            assert task.state is TaskState.DONE, task


def check_shown(whole: Whole, tasks: list[Task]) -> None:
    """Count the cards in the workspace by the notices that they carry, and the reactions."""
    c = notices_table.c
    cards = {
        row.id: row.subject
        for row in rows(whole, notices_table, c.id, c.subject, c.kind)
        if row.kind == TaskNotice.CARD
    }
    shown: Counter[str] = Counter()
    reactions: dict[str, list[str]] = {}
    for channel in CHANNELS:
        for message in whole.workspace.messages(channel):
            about = (message.get("metadata") or {}).get("event_payload") or {}
            shown[cards.get(about.get("notice_id"), "")] += 1
            found = message.get("reactions") or []
            reactions[message["ts"]] = [one["name"] for one in found for _ in one["users"]]
    assert {task.id: shown[task.id] for task in tasks if shown[task.id] != 1} == {}
    for task in tasks:
        assert task.painted == task.revision
        assert reactions[task.origin.ts] == _REACTIONS[task.state], task


def chaos(workspace: Workspace, folder: Path, database: str) -> None:
    with whole_bot(workspace, folder, database) as whole:
        crew = Crew.start(whole.environ, whole.folder, seconds=1.5)
        for _ in range(WORKERS):
            crew.hire()
        try:
            killed = disturb(whole, crew, random.Random(41))  # noqa: S311 - no secret
            tasks = settle(whole)
        finally:
            crew.stop()
        assert killed["workers"] >= KILLS / 2
        assert len(tasks) == TASKS
        check_ends(whole, tasks)
        check_shown(whole, tasks)
        assert sum(task.state is TaskState.DONE for task in tasks) >= 400
        assert workspace.deliveries()["given_up"] == []


@pytest.mark.timeout(300)
def test_every_task_ends_once_with_one_card_on_sqlite(workspace: Workspace, tmp_path: Path) -> None:
    chaos(workspace, tmp_path / "whole", "")


@pytest.mark.timeout(300)
def test_every_task_ends_once_with_one_card_on_postgresql(
    workspace: Workspace, tmp_path: Path, postgres: PostgresServer
) -> None:
    chaos(workspace, tmp_path / "whole", postgres.new_database())
