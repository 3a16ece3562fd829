"""Tasks as their cards show them: every state's words, and what may be done."""

from dataclasses import replace

import pytest

from faultbook.base.clock import MINUTE
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import TestCounts
from faultbook.model.run import RunRecord, SeriesKey
from faultbook.model.task import CANCELLED_WAITING, Task, TaskOrigin, TaskSource, TaskState
from faultbook.model.task_sight import TaskSight
from faultbook.model.verdict import Reason, Verdict
from faultbook.view.lines import mrkdwn
from faultbook.view.series_values import read_series
from faultbook.view.slack_task import card_message
from faultbook.view.task_documents import task_document
from faultbook.view.task_lines import where_it_stands
from faultbook.view.task_text import changed_text
from tests.view.approvals import APPROVAL
from tests.view.slack_rules import assert_message, buttons, labels
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

ROWS: dict[str, tuple[TaskSight, str, list[str]]] = {
    "queued": (
        sight(TASK, 3),
        "Got it: T-41, queued for invoice-bot. 3 before you. “export November”, Ana.",
        ["Cancel", "Details", "Not a task"],
    ),
    "next": (
        sight(replace(TASK, source=TaskSource.COMMAND)),
        "Got it: T-41, queued for invoice-bot. You are next. “export November”, Ana.",
        ["Cancel", "Details"],
    ),
    "queued again": (
        sight(
            replace(
                TRIED,
                state=TaskState.QUEUED,
                reason="rate_limited",
                not_before=GIVEN + 9 * MINUTE,
            ),
            1,
        ),
        (
            "T-41 is queued again for invoice-bot. 1 before you. “export November”, Ana,"
            " attempt 1: rate_limited, tried again from 18 Nov 09:23 UTC."
        ),
        ["Cancel", "Details"],
    ),
    "no route": (
        sight(replace(TASK, route=None)),
        "T-41 waits for a taker. No route matches. “export November”, Ana.",
        ["I'll take it", "Cancel", "Details"],
    ),
    "running": (
        sight(replace(TRIED, state=TaskState.RUNNING)),
        "T-41 running on invoice-bot-2. attempt 1, since 18 Nov 09:14 UTC.",
        ["Cancel", "Details"],
    ),
    "running, with progress": (
        sight(
            replace(
                TRIED,
                state=TaskState.RUNNING,
                progress="page 3 of 9",
                progress_at=GIVEN + 2 * MINUTE,
            )
        ),
        (
            "T-41 running on invoice-bot-2."
            " attempt 1, since 18 Nov 09:14 UTC; 18 Nov 09:16 UTC page 3 of 9."
        ),
        ["Cancel", "Details"],
    ),
    "in hand": (
        sight(IN_HAND),
        "T-41 is in Ben's hands. attempt 1, since 18 Nov 09:14 UTC.",
        ["Done", "Hand back", "Details"],
    ),
    "waiting": (
        sight(replace(TRIED, state=TaskState.WAITING)),
        "T-41 waits for approval. “export November”, Ana.",
        ["Cancel", "Details"],
    ),
    "waiting, by name": (
        replace(
            sight(replace(TRIED, state=TaskState.WAITING)),
            approvals=(APPROVAL, replace(APPROVAL, number=9)),
        ),
        ("T-41 waits for approval A-7, A-9. refund 120.00 EUR to c_881, until 18 Nov 10:14 UTC."),
        ["Open A-7", "Cancel", "Details"],
    ),
    "done": (
        sight(ended(TaskState.DONE, verdict=Verdict.PASSED)),
        "T-41 done: passed. 1 file verified: report.pdf. after 2 min 10 s.",
        ["Details"],
    ),
    "failed": (
        sight(FAILED),
        "T-41 failed. schema_mismatch: total is missing. attempt 2 of 2.",
        ["Retry", "Open incident", "Details"],
    ),
    "blocked": (
        sight(ended(TaskState.FAILED, verdict=Verdict.BLOCKED, reason="auth_rejected")),
        "T-41 failed: blocked. auth_rejected. attempt 1 of 2.",
        ["Retry", "Open incident", "Details"],
    ),
    "no evidence": (
        sight(UNPROVEN),
        (
            "T-41 failed: not proven. The worker said done; nothing could be verified."
            " missing_artifact_ref, attempt 1 of 2."
        ),
        ["Retry", "Open incident", "Details"],
    ),
    "never reported": (
        sight(replace(UNPROVEN, reason=Reason.RUN_ABANDONED.value)),
        (
            "T-41 failed: not proven."
            " It did not report by its time limit, and may have had effects."
            " run_abandoned, attempt 1 of 2."
        ),
        ["Retry", "Open incident", "Details"],
    ),
    "lost": (
        sight(LOST),
        (
            "T-41 lost. Its worker went quiet 3 times."
            " It may have had effects: check before retrying. last heard 18 Nov 09:19 UTC."
        ),
        ["Retry", "Open incident", "Details"],
    ),
    "cancelled in the queue": (
        sight(replace(TASK, state=TaskState.CANCELLED, cancelled_by="Ana", reason="cancelled")),
        "T-41 cancelled by Ana. Nothing ran.",
        [],
    ),
    "cancelled while running": (
        sight(ended(TaskState.CANCELLED, cancelled_by="Ana", reason="cancelled")),
        "T-41 cancelled by Ana. It was running and may have had effects.",
        [],
    ),
    "cancelled while it waited": (
        sight(ended(TaskState.CANCELLED, cancelled_by="Ana", reason=CANCELLED_WAITING)),
        "T-41 cancelled by Ana. It waited; what it had done before may have had effects.",
        [],
    ),
    "not a task": (
        sight(replace(TASK, state=TaskState.CANCELLED, cancelled_by="Ana", reason="not_a_task")),
        "T-41 was no task: Ana said so. Nothing ran.",
        [],
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_card_says_where_its_task_stands_and_what_can_be_done(row: str) -> None:
    seen, words, offered = ROWS[row]
    message = card_message(seen, NOW)
    assert_message(message, budget=3000)
    assert message.text == words
    assert labels(message) == offered
    kinds = [block["type"] for block in message.blocks]
    assert kinds == [kind for kind in ("section", "context", "actions") if kind in kinds]


def test_every_state_of_a_task_has_its_row() -> None:
    assert {seen.task.state for seen, _, _ in ROWS.values()} == set(TaskState) - {
        TaskState.RECEIVED
    }
    assert card_message(sight(replace(TASK, state=TaskState.RECEIVED)), NOW).text.startswith("Got")


def test_a_cards_first_words_stand_out_and_names_are_code() -> None:
    text = card_message(ROWS["queued"][0], NOW).blocks[0]["text"]["text"]
    assert text == "*Got it: T-41*, queued for `invoice-bot`. 3 before you."


def test_a_task_given_by_a_command_says_its_words_while_it_is_open() -> None:
    given = replace(TASK, source=TaskSource.COMMAND, origin=TaskOrigin("T1", "C1"))
    running = replace(given, state=TaskState.RUNNING, attempts=1, worker="w")
    told = card_message(sight(running), NOW).text
    assert told == "T-41 running on w. “export November”, Ana. attempt 1."


def test_only_a_lost_task_is_asked_about_before_its_retry() -> None:
    [retry, _, _] = buttons(card_message(sight(LOST), NOW).blocks)
    assert retry["confirm"]["title"]["text"] == "Retry T-41?"
    assert "may have had effects" in retry["confirm"]["text"]["text"]
    [retry, _, _] = buttons(card_message(sight(FAILED), NOW).blocks)
    assert "confirm" not in retry
    assert retry["accessibility_label"] == "Retry T-41"


def test_an_incident_is_opened_about_the_series_of_the_tasks_run() -> None:
    [retry, incident, details] = buttons(card_message(sight(FAILED), NOW).blocks)
    assert read_series(incident["value"]) == SeriesKey("invoice-sync", "prod", "main")
    assert (retry["value"], details["value"]) == ("41", "41")
    assert incident["action_id"] == "incident.open"


def test_what_was_verified_is_named() -> None:
    def told(run: RunRecord, reason: str = "") -> str:
        return card_message(sight(ended(TaskState.DONE, reason=reason), run=run), NOW).text

    many = tuple(Artifact(f"{n}.csv", Check.VERIFIED) for n in range(5))
    stale = Artifact("old.csv", Check.STALE)
    assert "5 files verified: 0.csv, 1.csv, 2.csv and 2 more." in told(
        replace(RUN, artifacts=(*many, stale))
    )
    nothing = replace(RUN, artifacts=())
    assert "41 tests passed." in told(replace(nothing, tests=TestCounts(41, 41, 0)))
    assert "By heartbeat only: nothing was verified." in told(nothing, "heartbeat_accepted")


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (replace(TASK, reason="cancelled"), "Nothing ran."),
        (
            ended(TaskState.CANCELLED, reason="cancelled"),
            "It was running and may have had effects.",
        ),
        (
            ended(TaskState.CANCELLED, reason=CANCELLED_WAITING),
            "It waited; what it had done before may have had effects.",
        ),
    ],
)
def test_a_terminal_says_of_a_cancelled_task_what_its_card_says(task: Task, said: str) -> None:
    cancelled = replace(task, state=TaskState.CANCELLED, cancelled_by="Ana")
    assert changed_text(task_document(cancelled)) == f"T-41 cancelled. {said}\n"
    assert said in mrkdwn(where_it_stands(sight(cancelled)))
