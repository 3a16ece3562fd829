"""The bot is killed with SIGKILL at the worst moments; each question is answered exactly once."""

from pathlib import Path

import pytest

from tests.conftest import PostgresServer
from tests.journeys.running import BotProcess
from tests.sandbox.driver import Workspace

QUESTION = "@faultbook what's failing?"
POINTS = [
    "before_commit",
    "between_commit_and_ack",
    "between_ack_and_answer",
    "between_answer_and_receipt",
]


def killed_then_restarted(workspace: Workspace, home: Path, point: str, database: str) -> None:
    """Ask, have the bot die at the point, start it again, and wait for the one answer."""
    first = BotProcess.start(workspace, home, die_at=point, database_url=database)
    ts = workspace.say("ana", "general", QUESTION)
    first.wait_killed()
    sent_before = len(workspace.from_bot("general"))
    assert sent_before == (point == "between_answer_and_receipt")

    second = BotProcess.start(workspace, home, database_url=database)
    try:
        workspace.wait_for(lambda: workspace.from_bot("general", thread=ts), timeout=40)
        workspace.wait_for(lambda: not workspace.deliveries()["unsettled"])
        # A later question is answered after everything that was owed before it.
        later = workspace.say("ben", "general", QUESTION)
        workspace.wait_for(lambda: workspace.from_bot("general", thread=later), timeout=40)
    finally:
        second.stop()
    assert len(workspace.from_bot("general", thread=ts)) == 1
    assert len(workspace.from_bot("general")) == 2
    assert workspace.deliveries()["given_up"] == []


@pytest.mark.parametrize("point", POINTS)
def test_after_a_kill_there_is_exactly_one_answer(
    workspace: Workspace, tmp_path: Path, point: str
) -> None:
    killed_then_restarted(workspace, tmp_path / "home", point, "")


@pytest.mark.long
@pytest.mark.parametrize("point", POINTS[1:])
def test_after_a_kill_on_postgresql_too(
    workspace: Workspace, tmp_path: Path, postgres: PostgresServer, point: str
) -> None:
    killed_then_restarted(workspace, tmp_path / "home", point, postgres.new_database())


def test_a_question_asked_while_the_bot_is_away_is_answered_when_it_is_back(
    workspace: Workspace, tmp_path: Path
) -> None:
    ts = workspace.say("ana", "general", QUESTION)
    process = BotProcess.start(workspace, tmp_path / "home")
    try:
        workspace.wait_for(lambda: workspace.from_bot("general", thread=ts))
    finally:
        process.stop()
