"""Buttons of a task: called off, taken back, taken in hand, proven by a file or not by a link."""

import pytest

from faultbook.model.person import Person
from faultbook.model.task import TaskState
from faultbook.operations.tasks import find_task, read_events, take_in_hand
from tests.journeys.running import RunningBot
from tests.journeys.tasking import (
    ASKED,
    TEXT,
    card_in,
    kinds,
    private,
    reactions,
    the_task,
    wait_state,
)
from tests.sandbox.driver import Workspace


def test_anyone_in_the_channel_may_cancel_and_the_card_says_who(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "general", ASKED)
    card = card_in(workspace, "general", ts)
    number = the_task(workspace, bot).number
    assert workspace.click("ben", "general", card["ts"], "task.cancel")["acked"]
    wait_state(workspace, bot, number, TaskState.CANCELLED)
    assert "by Ben" in card_in(workspace, "general", ts, said="cancelled")["text"]
    workspace.wait_for(lambda: reactions(workspace, "general", ts) == [])


def test_a_wrongly_taken_task_is_taken_back(workspace: Workspace, bot: RunningBot) -> None:
    workspace.say("ana", "dm", TEXT)
    card = workspace.wait_for(lambda: workspace.from_bot("dm", user="ana"))[0]
    number = the_task(workspace, bot).number
    assert workspace.click("ana", "dm", card["ts"], "task.details")["acked"]
    details = workspace.wait_for(lambda: workspace.modals("ana"))[0]
    assert details["title"]["text"] == f"T-{number}"
    assert workspace.click_view("ana", "task.not_a_task", view_id=details["id"])["acked"]
    assert wait_state(workspace, bot, number, TaskState.CANCELLED).reason == "not_a_task"
    # Once more, in a window in which nothing can be whispered: the refusal has a window of its own.
    assert workspace.click_view("ana", "task.not_a_task", view_id=details["id"])["acked"]
    refused = workspace.wait_for(lambda: workspace.modals("ana")[1:])[0]
    assert refused["title"]["text"] == "Not done"


def test_a_person_takes_a_task_in_hand_and_a_file_proves_it_done(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "general", ASKED)
    card = card_in(workspace, "general", ts)
    number = the_task(workspace, bot).number
    assert workspace.click("ben", "general", card["ts"], "task.take")["acked"]
    wait_state(workspace, bot, number, TaskState.RUNNING)
    card_in(workspace, "general", ts, said="in Ben Okafor's hands")

    assert workspace.click("ana", "general", card["ts"], "task.done")["acked"]
    assert "in Ben Okafor's hands" in private(workspace, "ana", "not_yours")["text"]
    assert workspace.click("ben", "general", card["ts"], "task.done")["acked"]
    workspace.wait_for(lambda: workspace.modals("ben"))
    assert "Give a file" in workspace.submit("ben")["errors"]["files"]
    file = workspace.upload("ben", "report.pdf", b"%PDF the invoices of November")
    assert workspace.submit("ben", {"files": [file]})["outcome"] == "closed"

    assert wait_state(workspace, bot, number, TaskState.DONE).verdict == "passed"
    assert "report.pdf" in card_in(workspace, "general", ts, said="done")["text"]
    workspace.wait_for(lambda: reactions(workspace, "general", ts) == ["white_check_mark"])


def test_a_link_alone_proves_nothing_and_a_retry_goes_on(
    workspace: Workspace, bot: RunningBot
) -> None:
    ts = workspace.say("ana", "general", ASKED)
    card = card_in(workspace, "general", ts)
    number = the_task(workspace, bot).number
    workspace.click("ben", "general", card["ts"], "task.take")
    card_in(workspace, "general", ts, said="in Ben Okafor's hands")
    workspace.click("ben", "general", card["ts"], "task.done")
    workspace.wait_for(lambda: workspace.modals("ben"))
    given = workspace.submit("ben", {"link": "https://drive.example/november"})
    assert given["outcome"] == "closed"
    task = wait_state(workspace, bot, number, TaskState.FAILED)
    assert (task.verdict, task.reason) == ("inconclusive", "artifact_unreachable")
    card_in(workspace, "general", ts, said="not proven")
    assert workspace.click("ana", "general", card["ts"], "task.retry")["acked"]
    wait_state(workspace, bot, number, TaskState.QUEUED)
    assert kinds(bot, number)[-1] == "retried"


def test_a_link_beside_a_file_is_kept_with_the_task(workspace: Workspace, bot: RunningBot) -> None:
    number = taken_by_ben(workspace, bot)
    file = workspace.upload("ben", "report.pdf", b"%PDF")
    given = workspace.submit("ben", {"files": [file], "link": "https://drive.example/november"})
    assert given["outcome"] == "closed"
    wait_state(workspace, bot, number, TaskState.DONE)
    events = bot.house.store.read(read_events, number)
    assert [event.text for event in events if event.kind == "linked"] == [
        "https://drive.example/november"
    ]


def taken_by_ben(workspace: Workspace, bot: RunningBot) -> int:
    """Have Ben take a task, and open the modal that asks what proves it."""
    ts = workspace.say("ana", "general", ASKED)
    card = card_in(workspace, "general", ts)
    number = the_task(workspace, bot).number
    workspace.click("ben", "general", card["ts"], "task.take")
    card_in(workspace, "general", ts, said="in Ben Okafor's hands")
    workspace.click("ben", "general", card["ts"], "task.done")
    workspace.wait_for(lambda: workspace.modals("ben"))
    return number


def test_a_file_without_words_in_it_is_no_evidence(workspace: Workspace, bot: RunningBot) -> None:
    number = taken_by_ben(workspace, bot)
    file = workspace.upload("ben", "report.txt", b" \n ")
    assert workspace.submit("ben", {"files": [file]})["outcome"] == "closed"
    assert wait_state(workspace, bot, number, TaskState.FAILED).reason == "empty_output"


def test_a_file_that_can_not_be_read_is_named_in_the_modal(
    workspace: Workspace, bot: RunningBot
) -> None:
    number = taken_by_ben(workspace, bot)
    file = workspace.upload("ben", "report.pdf", b"%PDF")
    (workspace.home / "files" / file).write_bytes(b"%P")  # less than Slack says there is
    refused = workspace.submit("ben", {"files": [file]})
    assert "Slack sent 2 of 4 bytes" in refused["errors"]["files"]
    assert bot.house.store.read(find_task, number).state is TaskState.RUNNING


def test_a_task_in_hand_is_handed_back(workspace: Workspace, bot: RunningBot) -> None:
    ts = workspace.say("ana", "general", ASKED)
    card = card_in(workspace, "general", ts)
    number = the_task(workspace, bot).number
    ben = Person(workspace.user_id("ben"), "Ben Okafor")
    house = bot.house
    house.store.write(take_in_hand, number, ben, house.policy, house.routes)
    card_in(workspace, "general", ts, said="in Ben Okafor's hands")
    assert workspace.click("ana", "general", card["ts"], "task.hand_back")["acked"]
    private(workspace, "ana", "in Ben Okafor's hands")
    assert workspace.click("ben", "general", card["ts"], "task.hand_back")["acked"]
    wait_state(workspace, bot, number, TaskState.QUEUED)


def test_a_file_that_takes_long_is_read_after_the_answer(
    workspace: Workspace, bot: RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = taken_by_ben(workspace, bot)
    monkeypatch.setattr("faultbook.intake.slack.task_forms._READ_SECONDS", 0.0)
    file = workspace.upload("ben", "report.pdf", b"%PDF")
    assert workspace.submit("ben", {"files": [file]})["outcome"] == "updated"
    assert "Nothing is recorded" in str(workspace.modals("ben")[0]["blocks"])
    wait_state(workspace, bot, number, TaskState.DONE)


def test_a_file_that_could_not_be_read_after_the_answer_is_told(
    workspace: Workspace, bot: RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = taken_by_ben(workspace, bot)
    monkeypatch.setattr("faultbook.intake.slack.task_forms._READ_SECONDS", 0.0)
    file = workspace.upload("ben", "report.pdf", b"%PDF")
    (workspace.home / "files" / file).write_bytes(b"%P")
    assert workspace.submit("ben", {"files": [file]})["outcome"] == "updated"
    private(workspace, "ben", "file_not_read")
    assert bot.house.store.read(find_task, number).state is TaskState.RUNNING


def test_a_click_that_comes_again_is_taken_once(workspace: Workspace, bot: RunningBot) -> None:
    ts = workspace.say("ana", "general", ASKED)
    card = card_in(workspace, "general", ts)
    number = the_task(workspace, bot).number
    workspace.fault("slow", method="chat.update", ms=1000)  # the second finds the card as it was
    for name in ("ana", "ben"):
        assert workspace.click(name, "general", card["ts"], "task.cancel")["acked"]
    told = private(workspace, "ben", "task_ended")
    assert "cancelled by Ana Ruiz already; nothing changed" in told["text"]
    assert kinds(bot, number) == ["received", "cancelled"]
