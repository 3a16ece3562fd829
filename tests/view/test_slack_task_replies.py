"""What is said of tasks beside their cards: replies, a snapshot, lists, details."""

from dataclasses import replace

import pytest

from faultbook.base.clock import MINUTE, SECOND
from faultbook.model.person import Person
from faultbook.model.task import LONGEST_TEXT, Task, TaskEvent, TaskLink, TaskSource, TaskState
from faultbook.view.slack_task import (
    deleted_reply,
    ended_reply,
    status_message,
    tasks_message,
    waits_reply,
)
from faultbook.view.slack_task_details import task_details_modal
from tests.view.slack_rules import assert_message, assert_view, labels
from tests.view.tasks import (
    FAILED,
    GIVEN,
    IN_HAND,
    LOST,
    NOW,
    RUN,
    TASK,
    TRIED,
    UNPROVEN,
    ended,
    sight,
)

ENDINGS = {
    "failed": (
        replace(FAILED, ended_at=NOW),
        "Ana T-41 failed after 6 min: schema_mismatch.",
    ),
    "unproven": (
        replace(UNPROVEN, ended_at=NOW),
        "Ana T-41 failed after 6 min, not proven: missing_artifact_ref.",
    ),
    "lost": (
        LOST,
        (
            "Ana T-41 is lost after 2 min 10 s: its worker went quiet 3 times."
            " It may have had effects: check before retrying."
        ),
    ),
    "done": (
        ended(TaskState.DONE),
        "Ana T-41 is done after 2 min 10 s: 1 file verified: report.pdf.",
    ),
    "cancelled": (
        ended(TaskState.CANCELLED, cancelled_by="Ben"),
        "Ana T-41 was cancelled after 2 min 10 s by Ben.",
    ),
    "retried": (TASK, "Ana T-41 had ended and was retried: it is queued now."),
}


@pytest.mark.parametrize("end", ENDINGS)
def test_whoever_gave_a_task_is_told_once_how_it_ended(end: str) -> None:
    task, words = ENDINGS[end]
    message = ended_reply(sight(task), NOW)
    assert_message(message, mentions=1)
    assert message.text == words
    assert message.blocks[0]["text"]["text"].startswith("<@UANA> T-41 ")


def test_a_requester_without_a_slack_id_is_named() -> None:
    task = replace(FAILED, requester=Person("", "<!channel>"))
    message = ended_reply(sight(task), NOW)
    assert_message(message)
    assert message.text.startswith("&lt;!channel&gt; T-41 failed")


def test_a_task_that_still_waits_says_so() -> None:
    later = GIVEN + 10 * MINUTE
    message = waits_reply(sight(TASK, 12), later)
    assert_message(message)
    assert message.text == "T-41 still waits: nobody has taken it for 10 min. 12 before it."
    assert waits_reply(sight(TASK), later).text.endswith("for 10 min. It is next.")
    taken = waits_reply(sight(replace(TRIED, state=TaskState.RUNNING)), later)
    assert taken.text == "T-41 waits no more: it is running."
    assert labels(taken) == []


def test_a_deleted_message_is_offered_for_cancelling_or_keeping() -> None:
    message = deleted_reply(sight(TASK), NOW)
    assert_message(message)
    assert labels(message) == ["Cancel", "Keep"]
    assert "It is still queued: cancel it, or keep it?" in message.text
    over = deleted_reply(sight(ended(TaskState.DONE)), NOW)
    assert (labels(over), "so nothing changes" in over.text) == ([], True)


def test_a_status_is_a_snapshot_with_what_was_asked() -> None:
    message = status_message(sight(replace(TRIED, state=TaskState.RUNNING)), NOW)
    assert_message(message)
    assert message.text == (
        "T-41 running on invoice-bot-2. “export November”, Ana."
        " attempt 1, since 18 Nov 09:14 UTC. As of 18 Nov 09:20 UTC."
    )
    assert labels(message) == ["Details"]


def test_open_tasks_are_listed_those_that_run_first() -> None:
    waits = replace(TASK, number=42, route=None)
    message = tasks_message(
        [TASK, waits, replace(TRIED, number=43, state=TaskState.RUNNING), IN_HAND], NOW
    )
    assert_message(message)
    assert message.text == (
        "4 tasks are open, 2 running."
        " T-43 “export November”, Ana, running on invoice-bot-2 since 18 Nov 09:14 UTC."
        " T-41 “export November”, Ana, in Ben's hands since 18 Nov 09:14 UTC."
        " T-41 “export November”, Ana, queued for invoices since 18 Nov 09:14 UTC."
        " T-42 “export November”, Ana, queued, waits for a taker since 18 Nov 09:14 UTC."
        " As of 18 Nov 09:20 UTC."
    )


def test_no_task_and_more_than_fit_are_said() -> None:
    assert tasks_message([], NOW).text.startswith("No task is open. Give one: mention me")
    assert tasks_message([], NOW, mine=True).text.startswith("You have no open task.")
    many = tasks_message([TASK] * 50, NOW, mine=True, count=500)
    assert_message(many)
    assert many.text.startswith("500 tasks of yours are open, none runs now.")
    assert "and 476 more" in many.blocks[-2]["text"]["text"]


def test_the_details_hold_a_text_that_is_all_signs_to_be_escaped() -> None:
    view = task_details_modal(sight(replace(TASK, text="&" * LONGEST_TEXT)), [])
    assert_view(view)
    sections = [block for block in view["blocks"] if block["type"] == "section"]
    assert str(sections).count("&amp;") == LONGEST_TEXT


def test_the_details_hold_the_whole_text_the_links_and_the_timeline() -> None:
    text = "export *November*\n" + "<!channel> & `x`\n" * 600
    task = replace(
        TRIED,
        text=text[:LONGEST_TEXT],
        state=TaskState.RUNNING,
        links=(TaskLink("the sheet", "https://x.example/s"), TaskLink("bad", "javascript:1")),
    )
    events = [
        TaskEvent("received", "", "Ana", GIVEN),
        TaskEvent("edited_too_late", "was: x", "Ana", GIVEN + SECOND),
    ]
    run = replace(RUN, stdout_tail="page 9 of 9\n")
    view = task_details_modal(sight(task, run=run), events)
    assert_view(view)
    shown = "\n".join(
        block["text"]["text"] for block in view["blocks"] if block["type"] == "section"
    )
    assert shown.count("&lt;!channel&gt;") == text[:LONGEST_TEXT].count("<!channel>")
    for words in (
        "<https://x.example/s|the sheet>",
        "*bad*",
        "18 Nov 2026 09:14:00  received (Ana)",
        "09:14:01  edited too late: was: x (Ana)",
        "page 9 of 9",
        "report.pdf",
    ):
        assert words in shown
    assert labels(view["blocks"]) == ["Timeline"]


def test_what_was_read_from_words_may_be_no_task_while_nobody_works_on_it() -> None:
    def offered(task: Task) -> bool:
        return "Not a task" in labels(task_details_modal(sight(task), [])["blocks"])

    assert offered(replace(TASK, route=None))
    assert offered(replace(TASK, source=TaskSource.DIRECT))
    assert not offered(replace(TASK, source=TaskSource.SHORTCUT))
    assert not offered(replace(TRIED, state=TaskState.QUEUED))
    assert not offered(replace(TRIED, state=TaskState.RUNNING))
