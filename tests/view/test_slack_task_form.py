"""The modals of tasks, and what is said in private about them, keep to Slack's limits."""

import pytest

from faultbook.model.person import Person
from faultbook.model.task import LONGEST_TEXT, Task, TaskOrigin, TaskSource, TaskState
from faultbook.view.message import Message
from faultbook.view.slack_task_form import (
    already_message,
    new_task_form,
    reading_modal,
    stays_message,
    taken_message,
    task_done_form,
)
from faultbook.view.slack_words import (
    own_error_message,
    refused_modal,
    repeated_message,
    unclear_message,
)
from tests.view.slack_rules import assert_message, assert_view, buttons

TASK = Task(
    number=41,
    text="<!channel> *export* `all`\n" + "x" * (LONGEST_TEXT - 30),
    requester=Person("U1", "Ana"),
    source=TaskSource.MENTION,
    origin=TaskOrigin("T1", "C1", "1.1", "1.1"),
    links=(),
    state=TaskState.RUNNING,
    route=None,
    priority=0,
    received_at=0,
    not_before=0,
)


@pytest.mark.parametrize(
    "view",
    [
        new_task_form("D1"),
        task_done_form(TASK),
        reading_modal("T-41"),
        refused_modal(already_message(TASK)),
    ],
)
def test_every_window_of_tasks_keeps_the_rules(view: dict[str, object]) -> None:
    assert_view(view)


def test_the_window_says_that_a_link_alone_proves_nothing() -> None:
    hints = [block.get("hint", {}).get("text", "") for block in task_done_form(TASK)["blocks"]]
    assert any("can't verify a link" in hint for hint in hints)
    assert task_done_form(TASK)["private_metadata"] == "41"


@pytest.mark.parametrize(
    "message",
    [
        taken_message(TASK),
        taken_message(TASK, here=False),
        already_message(TASK),
        stays_message(TASK),
        repeated_message(),
    ],
)
def test_every_note_keeps_the_rules(message: Message) -> None:
    assert_message(message)


def test_what_is_unclear_can_be_made_a_task_where_a_message_says_it() -> None:
    asked = unclear_message("1795000000.000100")
    assert_message(asked)
    [make, *_] = buttons(asked.blocks)
    assert (make["action_id"], make["value"]) == ("task.make", "1795000000.000100")
    labels = [button["text"]["text"] for button in buttons(asked.blocks)]
    assert labels == ["Make it a task", "What's failing?", "Help"]
    labels = [button["text"]["text"] for button in buttons(unclear_message().blocks)]
    assert labels == ["What's failing?", "Help"]


def test_a_bug_after_the_commit_says_what_is_kept() -> None:
    kept = own_error_message("E-7f3a", "T-41")
    assert_message(kept)
    assert "Your message is kept as T-41; don't resend." in kept.text
    assert "Nothing was recorded; send it again." in own_error_message("E-7f3a").text
