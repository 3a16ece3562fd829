"""The modals, App Home, and what else the bot says."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from faultbook.base.errors import FaultbookError, NotFoundError
from faultbook.model.answer import FailingAnswer, FailingQuery
from faultbook.model.evidence import Artifact, Check
from faultbook.model.run import SeriesKey
from faultbook.model.timeline import Timeline
from faultbook.view.actions import (
    FAILING_NEXT_PAGE,
    FAILING_PREVIOUS_PAGE,
    TIMELINE_OPEN,
    read_query,
)
from faultbook.view.message import Block, Message
from faultbook.view.slack_details import DETAILED, detailed_runs, details_modal
from faultbook.view.slack_home import home_view
from faultbook.view.slack_modals import branches_modal, show_all_modal, timeline_modal
from faultbook.view.slack_words import (
    arrival_message,
    help_message,
    own_error_message,
    refusal_message,
    unclear_message,
    unknown_verb_message,
)
from tests.view.answers import (
    BLOCKED,
    FAILING,
    HEADLINES,
    RUN_ID,
    UNPROVEN,
    answer,
    answers,
    many_failing,
    outside_text,
)
from tests.view.runs import EXAMPLE, timelines
from tests.view.slack_rules import assert_message, assert_view, buttons, row_buttons, texts


def shown(view: Block) -> str:
    return "\n".join(found["text"] for found in texts(view["blocks"]))


def test_every_series_is_shown_twenty_a_page() -> None:
    pages = [show_all_modal(many_failing(45), page) for page in range(3)]
    for view in pages:
        assert_view(view)
    assert [shown(view).count(":x:") for view in pages] == [20, 20, 5]
    turns = [[b["action_id"] for b in row_buttons(view["blocks"])] for view in pages]
    assert turns == [
        [FAILING_NEXT_PAGE],
        [FAILING_PREVIOUS_PAGE, FAILING_NEXT_PAGE],
        [FAILING_PREVIOUS_PAGE],
    ]
    middle = [read_query(b["value"])[1] for b in row_buttons(pages[1]["blocks"])]
    assert middle == [0, 2]
    assert "Page 2 of 3." in shown(pages[1])
    # A page that is no longer there shows the last one.
    assert show_all_modal(many_failing(45), 99) == pages[2]
    assert "Page" not in shown(show_all_modal(HEADLINES["one"]))


def test_other_branches_are_shown_without_the_main_one() -> None:
    fix = replace(FAILING, key=SeriesKey("invoice-sync", "prod", "fix"))
    view = branches_modal(answer(FAILING, fix, UNPROVEN, branch=None), "main")
    assert_view(view)
    assert "*1 not working* on 1 branch" in shown(view)
    assert ":x: *invoice-sync* · prod · fix · failing" in shown(view)
    assert "in Details" not in shown(view)
    none = branches_modal(answer(FAILING, branch=None), "main")
    assert_view(none)
    assert "No series fails on a branch other than *main*." in shown(none)


def test_details_show_findings_evidence_output_and_events(snapshot: SnapshotAssertion) -> None:
    run = replace(
        EXAMPLE.run,
        artifacts=(
            Artifact(
                "report.csv",
                Check.STALE,
                uri="https://ci.example/report.csv",
                sha256="ab" * 32,
                size=120,
                excerpt="id,total\n1,20.00\n",
                detail="unchanged since before the start",
            ),
        ),
        stdout_tail="exporting\n<!channel> `done`\n",
        stderr_tail="Traceback\n  boom & bust\n",
        exit_code=0,
    )
    of = answer(FAILING, UNPROVEN)
    assert detailed_runs(of) == [RUN_ID, RUN_ID]
    view = details_modal(of, {RUN_ID: replace(EXAMPLE, run=run)})
    assert_view(view)
    told = shown(view)
    assert "inconclusive: `missing_artifact_ref`" in told
    assert "<https://ci.example/report.csv|report.csv> · stale · 120 bytes" in told
    assert "```id,total\n1,20.00```" in told
    assert "Last output\n```exporting\n&lt;!channel&gt; \u02cbdone\u02cb```" in told
    assert "Last errors\n```Traceback\n  boom &amp; bust```" in told
    timeline = next(b for b in buttons(view["blocks"]) if b["action_id"] == TIMELINE_OPEN)
    assert timeline["value"] == RUN_ID
    assert view == snapshot


def test_details_of_many_series_tell_the_first_and_count_the_rest() -> None:
    of = many_failing(50)
    assert len(detailed_runs(of)) == DETAILED
    view = details_modal(of, {RUN_ID: EXAMPLE})
    assert_view(view)
    assert "and 42 more" in shown(view)


def test_the_end_of_long_output_is_what_is_shown() -> None:
    long = replace(EXAMPLE.run, stdout_tail="&" * 5000 + "the end")
    view = details_modal(answer(FAILING), {RUN_ID: replace(EXAMPLE, run=long)})
    assert_view(view)
    assert "&amp;the end```" in shown(view)
    assert "```…" in shown(view)


def test_the_timeline_modal_shows_the_rows_of_the_command_line() -> None:
    view = timeline_modal(EXAMPLE)
    assert_view(view)
    assert " 2  21:00:01.204  1.20 s  tool     stripe.list: 40 invoices (1.10 s)" in shown(view)
    assert "UTC, server order; client clock 1.2 s behind" in shown(view)


def test_a_timeline_of_a_thousand_long_events_is_cut_off_and_says_so() -> None:
    event = replace(EXAMPLE.events[0], text="<&>" * 500)
    view = timeline_modal(replace(EXAMPLE, events=(event,) * 1000, more=True))
    assert_view(view)
    assert f"faultbook timeline {RUN_ID}" in shown(view)
    assert "The first 1000 events; there are more." in shown(view)


@pytest.mark.parametrize("case", ["one", "every standing", "nothing", "empty", "stale", "200"])
def test_app_home_is_painted_from_the_answer(case: str, snapshot: SnapshotAssertion) -> None:
    view = home_view(HEADLINES[case], connection="Connected by Socket Mode")
    assert_view(view)
    assert view == snapshot


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=answers(), timeline=timelines, page=st.integers(-3, 20))
def test_any_answer_makes_valid_and_inert_views(
    drawn: FailingAnswer, timeline: Timeline, page: int
) -> None:
    known = dict.fromkeys(detailed_runs(drawn), timeline)
    everywhere = replace(drawn, branch=None)
    for view in (
        show_all_modal(drawn, page),
        details_modal(drawn, known),
        branches_modal(everywhere, "main"),
        home_view(drawn, connection="<!here>"),
        timeline_modal(timeline),
    ):
        assert_view(view)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (own_error_message("E-7f3a"), "*Faultbook failed* (`E-7f3a`)."),
        (unclear_message(), "Is that a question or a task? Nothing is recorded yet."),
        (unknown_verb_message("faling", "failing"), "`faling` is no verb. Nearest: `failing`."),
        (unknown_verb_message("xyzzy", None), "`xyzzy` is no verb. Ask for `help`."),
        (
            arrival_message(),
            "I'm Faultbook. I say what's failing, from verified evidence, and keep the lessons.",
        ),
        (help_message(), "*Ask* `@faultbook what's failing?` (`in prod`, `since Monday`)"),
        (
            refusal_message(NotFoundError("There is no run `7c1e90ab`.", next_step="Check it.")),
            "There is no run `7c1e90ab`. Check it. `not_found`",
        ),
        (
            refusal_message(FaultbookError("Slack did not answer.", code="slack_unavailable")),
            "*Slack did not answer.* `slack_unavailable`",
        ),
    ],
)
def test_what_else_the_bot_says(message: Message, text: str) -> None:
    assert_message(message)
    assert message.blocks[0]["text"]["text"].startswith(text)
    assert not any(word in message.text.lower() for word in ("please", "oops", "invalid", "!"))


def test_a_long_refusal_says_what_to_do_in_a_section_of_its_own() -> None:
    message = refusal_message(FaultbookError("m" * 400, next_step="n" * 400, code="long"))
    assert_message(message)
    shown = [block["text"]["text"] for block in message.blocks]
    assert shown == [f"*{'m' * 400}*", f"{'n' * 400} `long`"]
    assert message.text == f"{'m' * 400}. {'n' * 400} long."


def test_help_tells_how_the_glass_is_broken() -> None:
    assert "/faultbook break-glass A-7 DIGITS REASON" in help_message().text


@settings(max_examples=80, deadline=None)
@given(outside_text, outside_text, st.none() | outside_text)
def test_words_from_outside_stay_inert_in_what_the_bot_says(
    word: str, step: str, nearest: str | None
) -> None:
    assert_message(unknown_verb_message(word, nearest))
    assert_message(refusal_message(FaultbookError(f"`{word}` is odd. {word}", next_step=step)))


def test_a_button_asks_about_the_query_it_was_painted_for() -> None:
    query = FailingQuery(workflow="\u4e16" * 200, environment='"' * 200, branch="b" * 200)
    view = home_view(answer(BLOCKED, query=query))
    assert_view(view)
    details = next(b for b in buttons(view["blocks"]) if b["text"]["text"] == "Details")
    assert read_query(details["value"])[0] == query
