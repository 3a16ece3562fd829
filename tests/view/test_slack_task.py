"""Tasks as Slack shows them: every row's words, what may be done, nothing from outside live."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbook.base.clock import MINUTE, SECOND
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import TestCounts
from faultbook.model.person import Person
from faultbook.model.run import RunRecord, SeriesKey
from faultbook.model.task import (
    CANCELLED_WAITING,
    LONGEST_TEXT,
    Task,
    TaskEvent,
    TaskLink,
    TaskOrigin,
    TaskSource,
    TaskState,
)
from faultbook.model.task_sight import TaskSight
from faultbook.model.verdict import Reason, Verdict
from faultbook.view.lines import mrkdwn
from faultbook.view.message import Block, Message
from faultbook.view.series_values import read_series
from faultbook.view.slack_task import (
    card_message,
    deleted_reply,
    ended_reply,
    status_message,
    tasks_message,
    waits_reply,
)
from faultbook.view.slack_task_details import task_details_modal
from faultbook.view.task_documents import task_document
from faultbook.view.task_lines import where_it_stands
from faultbook.view.task_text import changed_text
from tests.view.answers import november, outside_text, urls
from tests.view.approvals import APPROVAL
from tests.view.runs import EXAMPLE, timelines
from tests.view.slack_rules import assert_message, assert_view, buttons

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
GIVEN = november(18, 9, 14)
NOW = GIVEN + 6 * MINUTE
TASK = Task(
    number=41,
    text="export November",
    requester=Person("UANA", "Ana"),
    source=TaskSource.MENTION,
    origin=TaskOrigin("T1", "C1", "1795000000.000100", "1795000000.000100"),
    links=(),
    state=TaskState.QUEUED,
    route="invoices",
    priority=0,
    received_at=GIVEN,
    not_before=GIVEN,
)
RUN: RunRecord = replace(
    EXAMPLE.run, artifacts=(Artifact("report.pdf", Check.VERIFIED, size=9, sha256="ab" * 32),)
)
TRIED = replace(
    TASK,
    attempts=1,
    worker="invoice-bot-2",
    started_at=GIVEN,
    heard_at=GIVEN + 5 * MINUTE,
    run_id=RUN.run_id,
)


def sight(task: Task, before: int = 0, run: RunRecord | None = RUN) -> TaskSight:
    place = before if task.state is TaskState.QUEUED else None
    return TaskSight(
        task, place, run if task.attempts else None, "invoice-bot" if task.route else "", 2
    )


def ended(state: TaskState, **facts: object) -> Task:
    done: Task = replace(TRIED, state=state, ended_at=GIVEN + 130 * SECOND, **facts)  # type: ignore[arg-type]  # each test names a task's own fields
    return done


def labels(message: Message | list[Block]) -> list[str]:
    blocks = message.blocks if isinstance(message, Message) else message
    return [button["text"]["text"] for button in buttons(blocks)]


IN_HAND = replace(
    TRIED, state=TaskState.RUNNING, route=None, taken_by=Person("UBEN", "Ben"), worker="Ben"
)
UNPROVEN = ended(
    TaskState.FAILED, verdict=Verdict.INCONCLUSIVE, reason=Reason.MISSING_ARTIFACT_REF.value
)
FAILED = ended(
    TaskState.FAILED,
    verdict=Verdict.FAILED,
    reason="schema_mismatch",
    detail="total is missing",
    attempts=2,
)
LOST = ended(TaskState.LOST, lapses=3, verdict=Verdict.INCONCLUSIVE, reason="run_abandoned")
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
        ("T-41 waits for approval A-7, A-9. refund 120.00 EUR, until 18 Nov 10:14 UTC."),
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


_people = st.builds(Person, outside_text, outside_text)
_instants = st.integers(GIVEN, NOW)
TASKS = st.builds(
    Task,
    number=st.integers(1, 10**9),
    text=outside_text.map(lambda text: text * 30),
    requester=_people,
    source=st.sampled_from(TaskSource),
    origin=st.sampled_from([TaskOrigin(), TASK.origin]),
    links=st.lists(st.builds(TaskLink, outside_text, urls), max_size=3).map(tuple),
    state=st.sampled_from(TaskState),
    route=st.none() | outside_text,
    priority=st.integers(-9, 9),
    received_at=_instants,
    not_before=_instants,
    attempts=st.integers(0, 9),
    lapses=st.integers(0, 9),
    verdict=st.none() | st.sampled_from(Verdict),
    reason=st.just("") | st.sampled_from([reason.value for reason in Reason]),
    detail=outside_text,
    taken_by=st.none() | _people,
    worker=outside_text,
    started_at=st.none() | _instants,
    ended_at=st.none() | _instants,
    heard_at=st.none() | _instants,
    progress=outside_text,
    progress_at=st.none() | _instants,
    cancelled_by=outside_text,
)
SIGHTS = st.builds(
    TaskSight,
    task=TASKS,
    before=st.none() | st.integers(0, 99),
    run=st.none() | timelines.map(lambda timeline: timeline.run),
    queue=outside_text,
    attempts=st.integers(0, 9),
)


@QUICK
@given(SIGHTS)
def test_any_task_at_all_is_shown_within_the_limits_and_inert(seen: TaskSight) -> None:
    for make in (card_message, status_message, waits_reply, deleted_reply):
        assert_message(make(seen, NOW), budget=3000)


@QUICK
@given(st.lists(TASKS, max_size=30), st.integers(0, 500))
def test_any_list_of_tasks_is_shown_within_the_limits_and_inert(
    tasks: list[Task], count: int
) -> None:
    assert_message(tasks_message(tasks, NOW, count=len(tasks) + count))


@QUICK
@given(
    SIGHTS,
    st.lists(st.builds(TaskEvent, outside_text, outside_text, outside_text, _instants), max_size=9),
)
def test_any_details_at_all_are_a_valid_view(seen: TaskSight, events: list[TaskEvent]) -> None:
    assert_view(task_details_modal(seen, events * 10))


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
