"""A worker that hangs, one that dies, one that lies, one that finishes late: their cards say so."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from faultbook.model.task import ENDED, Task, TaskState
from tests.journeys.conftest import MANIFEST
from tests.journeys.whole import AGENT, Whole, whole_bot
from tests.sandbox.driver import Workspace

pytestmark = pytest.mark.long

ROUTE = """
[[routes]]
name = "{name}"
match = ["export * that {name}"]
agent = "{agent}"
timeout_seconds = {timeout}
attempts = {attempts}
"""
RUNNING = frozenset({TaskState.RUNNING})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Start one bot for all of them, with a route for each; none is given two minutes more."""
    folder = tmp_path_factory.mktemp("ways")
    ways = {"hangs": (3, 1), "dies": (300, 1), "lies": (300, 2), "waits": (300, 1)}
    routes = "".join(
        ROUTE.format(name=name, agent=AGENT, timeout=timeout, attempts=attempts)
        for name, (timeout, attempts) in ways.items()
    )
    with pytest.MonkeyPatch.context() as environ:
        environ.setenv("LATE_CLOSE_SECONDS", "1")
        with (
            Workspace.start(folder / "slack", manifest=MANIFEST) as workspace,
            whole_bot(workspace, folder / "whole", routes=routes) as started,
        ):
            yield started


def give(whole: Whole, way: str) -> str:
    return whole.workspace.say("ana", "general", f"@faultbook export the list that {way}")


def ended(whole: Whole, ts: str) -> Task:
    """Wait until a message's task ended and its card says so."""

    def look() -> Task | None:
        found = [task for task in whole.tasks(ENDED) if task.origin.ts == ts]
        return next((task for task in found if task.painted == task.revision), None)

    task = whole.workspace.wait_for(look, timeout=60, every=0.1)
    assert task is not None
    return task


def words_of(message: dict[str, Any]) -> list[str]:
    """Give what a person reads in a message: its sections and small print, and its buttons."""
    told: list[str] = []
    for block in message["blocks"]:
        if block["type"] == "section":
            told.append(block["text"]["text"])
        elif block["type"] == "context":
            told += [element["text"] for element in block["elements"]]
        else:
            told += [element["text"]["text"] for element in block["elements"]]
    return told


def thread(whole: Whole, ts: str, replies: int) -> tuple[list[str], list[list[str]]]:
    """Wait for a card and so many replies; gives what each of them says."""

    def look() -> list[dict[str, Any]]:
        found = whole.workspace.from_bot("general", thread=ts)
        return found if len(found) > replies else []

    card, *others = whole.workspace.wait_for(look, timeout=30)
    assert len(others) == replies
    return words_of(card), [words_of(other) for other in others]


def reactions(whole: Whole, ts: str, wanted: str) -> list[str]:
    """Wait for a reaction, and give all that the message carries."""

    def look() -> list[str]:
        messages = whole.workspace.messages("general")
        found = next(one for one in messages if one["ts"] == ts)
        names = [one["name"] for one in found.get("reactions", [])]
        return names if wanted in names else []

    return whole.workspace.wait_for(look, timeout=30)


def test_one_that_hangs_fails_at_its_time_limit(whole: Whole) -> None:
    ts = give(whole, "hangs")
    worker = whole.hire("hanging", "hangs")
    task = ended(whole, ts)
    card, [reply] = thread(whole, ts, 1)
    assert card == [
        f"*{task.id} failed.* `run_abandoned`: no close by its time limit",
        "attempt 1 of 1",
        *("Retry", "Open incident", "Details"),
    ]
    assert re.fullmatch(rf"<@U\w+> {task.id} failed after \d+ s: `run_abandoned`\.", reply[0])
    assert reactions(whole, ts, "x") == ["x"]
    told = whole.workspace.wait_for(worker.said, timeout=20)
    assert re.match(rf"{task.id} was failed at \d\d:\d\d UTC; this result was not used\.", told)


def test_one_that_dies_has_its_task_lost_after_three(whole: Whole) -> None:
    ts = give(whole, "dies")
    worker = whole.hire("dying", "dies")
    for _ in range(2):
        worker.wait_dead()
        worker.start()
    task = ended(whole, ts)
    card, [reply] = thread(whole, ts, 1)
    assert card[0] == (
        f"*{task.id} lost.* Its worker went quiet 3 times."
        " It may have had effects: check before retrying."
    )
    assert card[1].startswith("last heard <!date^")
    assert card[2:] == ["Retry", "Open incident", "Details"]
    assert re.match(rf"<@U\w+> {task.id} is lost after .*: its worker went quiet 3 times", reply[0])
    assert reactions(whole, ts, "warning") == ["warning"]


def test_one_that_lies_is_not_proven(whole: Whole) -> None:
    ts = give(whole, "lies")
    worker = whole.hire("liar", "lies")
    task = ended(whole, ts)
    card, [reply] = thread(whole, ts, 1)
    assert card == [
        f"*{task.id} failed: not proven.* The worker said done; nothing could be verified.",
        "`no_evidence_promised` · attempt 1 of 2",
        *("Retry", "Open incident", "Details"),
    ]
    assert re.search(rf"{task.id} failed after \d+ s, not proven: `no_evidence_promised`", reply[0])
    assert reactions(whole, ts, "x") == ["x"]
    assert worker.said() == f"{task.id} inconclusive\n"


def test_one_that_finishes_late_is_told_and_the_others_result_stands(whole: Whole) -> None:
    ts = give(whole, "waits")
    late = whole.hire("late", "waits", 12)
    whole.workspace.wait_for(lambda: whole.tasks(RUNNING), timeout=30)
    other = whole.hire("steady", "waits", 10)
    task = ended(whole, ts)
    card, _ = thread(whole, ts, 0)
    assert card[0] == f"*{task.id} done: passed.* 1 file verified: report.txt"
    assert re.fullmatch(r"after \d+ s · 2 attempts", card[1])
    assert card[2:] == ["Details"]
    assert reactions(whole, ts, "white_check_mark") == ["white_check_mark"]
    assert other.said() == f"{task.id} passed\n"
    assert re.fullmatch(
        rf"{task.id} went to another worker at \d\d:\d\d UTC; this result was not used\.\n",
        late.said(),
    )
