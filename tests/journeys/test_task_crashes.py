"""The bot is killed with SIGKILL while it takes a task: one task, one card, one reaction."""

from pathlib import Path

import pytest

from faultbook.model.task import Task, TaskState
from faultbook.operations.tasks import cancel_task, list_tasks
from faultbook.store.engine import open_store, sqlite_url
from faultbook.store.tasks import TaskFilter
from tests.conftest import PostgresServer
from tests.journeys.running import BotProcess
from tests.sandbox.driver import Workspace
from tests.task_desk import ANA

REQUEST = "@faultbook export November"
BEFORE_ITS_CARD = [
    "before_commit",
    "as_committed",  # between commit and ack
    "before_the_reaction",  # between ack and receipt
    "after_the_reaction",
    "between_ack_and_answer",  # the same of the card
]
AFTER_ITS_CARD = "between_answer_and_receipt"
POINTS = [*BEFORE_ITS_CARD, AFTER_ITS_CARD]


def tasks_in(url: str) -> list[Task]:
    store = open_store(url)
    try:
        return store.read(list_tasks, TaskFilter(states=None))
    finally:
        store.close()


def reactions(workspace: Workspace, ts: str) -> list[str]:
    [message] = [one for one in workspace.messages("general") if one["ts"] == ts]
    return [found["name"] for found in message.get("reactions", []) for _ in found["users"]]


def wait_shown(workspace: Workspace, ts: str, url: str) -> Task:
    """Wait until nothing more is owed for the one task, and give it."""
    workspace.wait_for(lambda: workspace.from_bot("general", thread=ts), timeout=40)
    workspace.wait_for(lambda: not workspace.deliveries()["unsettled"])

    def shown() -> list[Task]:
        return [task for task in tasks_in(url) if task.painted == task.revision and task.reaction]

    [task] = workspace.wait_for(shown, timeout=40, every=0.2)
    return task


def killed_then_restarted(workspace: Workspace, home: Path, point: str, database: str) -> None:
    first = BotProcess.start(workspace, home, die_at=point, database_url=database)
    ts = workspace.say("ana", "general", REQUEST)
    first.wait_killed()
    sent_before = workspace.from_bot("general", thread=ts)
    if point in BEFORE_ITS_CARD[:2]:
        assert sent_before == []
        assert reactions(workspace, ts) == []
    if point == AFTER_ITS_CARD:
        assert len(sent_before) == 1

    second = BotProcess.start(workspace, home, database_url=database)
    try:
        task = wait_shown(workspace, ts, database or sqlite_url(home))
    finally:
        second.stop()
    [card] = workspace.from_bot("general", thread=ts)
    assert task.id in card["text"]
    assert task.card is not None
    assert task.card.ts == card["ts"]
    assert reactions(workspace, ts) == ["eyes"]
    assert len(workspace.from_bot("general")) == 1
    assert workspace.deliveries()["given_up"] == []
    assert len(tasks_in(database or sqlite_url(home))) == 1


@pytest.mark.parametrize("point", POINTS)
def test_after_a_kill_there_is_one_task_with_one_card(
    workspace: Workspace, tmp_path: Path, point: str
) -> None:
    killed_then_restarted(workspace, tmp_path / "home", point, "")


@pytest.mark.long
@pytest.mark.parametrize("point", ["as_committed", "between_ack_and_answer", AFTER_ITS_CARD])
def test_after_a_kill_on_postgresql_too(
    workspace: Workspace, tmp_path: Path, postgres: PostgresServer, point: str
) -> None:
    killed_then_restarted(workspace, tmp_path / "home", point, postgres.new_database())


def test_a_kill_while_a_card_is_repainted_leaves_it_as_the_task_stands(
    workspace: Workspace, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    url = sqlite_url(home)
    first = BotProcess.start(workspace, home, die_at="after_a_repaint")
    ts = workspace.say("ana", "general", REQUEST)
    [task] = workspace.wait_for(lambda: [one for one in tasks_in(url) if one.card], timeout=20)
    store = open_store(url)
    store.write(cancel_task, task.number, ANA)
    store.close()
    first.wait_killed()
    second = BotProcess.start(workspace, home)
    try:
        workspace.wait_for(
            lambda: [one for one in tasks_in(url) if one.painted == one.revision], timeout=30
        )
        workspace.wait_for(lambda: not reactions(workspace, ts), timeout=30)
    finally:
        second.stop()
    [card] = workspace.from_bot("general", thread=ts)
    assert f"{task.id} cancelled by Ana Ruiz" in card["text"]
    assert [one.state for one in tasks_in(url)] == [TaskState.CANCELLED]
