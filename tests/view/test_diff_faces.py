"""What changed, as Slack, the command line and JSON say it."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbook.base.clock import DAY, HOUR
from faultbook.model.diff import (
    Change,
    Commit,
    Moment,
    SideVerdict,
    VerdictDiff,
    WorkflowPlace,
)
from faultbook.model.standing import RunMark, Standing
from faultbook.model.verdict import FailureClass, Reason
from faultbook.view.diff_lines import headline
from faultbook.view.documents_diff import diff_document
from faultbook.view.lines import date_token, mrkdwn, plain
from faultbook.view.slack_diff import diff_message
from faultbook.view.terminal import Look, diff_text
from tests.view.answers import AS_OF, RUN_ID, november, outside_text
from tests.view.slack_rules import assert_message

YESTERDAY = november(17, 0)


def side(standing: Standing, reason: Reason | None = None, detail: str = "") -> SideVerdict:
    failure_class = FailureClass.PERSISTENT if standing is Standing.FAILING else None
    mark = RunMark(RUN_ID, november(18, 20))
    return SideVerdict(standing, reason, failure_class, detail, mark, "main")


def change(workflow: str, before: SideVerdict | None, after: SideVerdict) -> Change:
    return Change(WorkflowPlace(workflow, "prod"), before, after)


PASSING = side(Standing.PASSING)
FAILING = side(Standing.FAILING, Reason.NONZERO_EXIT, "exit code 1")
OTHERWISE = side(Standing.FAILING, Reason.TIMED_OUT)
SILENT = replace(PASSING, silent_since=november(18, 19))
BROKE = change("invoice-sync", PASSING, FAILING)


def diff(**facts: Any) -> VerdictDiff:  # noqa: ANN401 - its own fields
    ordinary = VerdictDiff(
        Moment(YESTERDAY), Moment(AS_OF), AS_OF, "main", AS_OF - HOUR, compared=40, still_passing=38
    )
    return replace(ordinary, **facts)


EXAMPLE = diff(
    newly_failing=(BROKE, change("new-job", None, FAILING)),
    reason_changed=(change("mailer", FAILING, OTHERWISE),),
    still_failing=(change("rates", FAILING, FAILING),),
    no_longer_passing=(change("nightly-dump", PASSING, SILENT),),
    newly_passing=(change("crm-sync", FAILING, PASSING),),
    missing_before=2,
)
SINCE = date_token(YESTERDAY)


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (
            EXAMPLE,
            (
                f"*2 newly failing* on `main` since {SINCE} · 1 reason changed · 1 still failing"
                " · 1 no longer passing · 1 newly passing"
            ),
        ),
        (diff(), f"*Nothing is newly failing* on `main` since {SINCE}"),
        (
            diff(still_failing=EXAMPLE.still_failing),
            f"*Nothing is newly failing* on `main` since {SINCE} · 1 still failing",
        ),
        (
            diff(before=Commit("a" * 40), after=Commit("b" * 40), newly_failing=(BROKE,)),
            "*1 newly failing* from `aaaaaaa` to `bbbbbbb`",
        ),
        (
            diff(before=Commit("a" * 40)),
            "*Nothing is newly failing* on `main` from `aaaaaaa` to now",
        ),
        (
            diff(compared=0),
            (
                f"*I can't tell: nothing to compare on `main` since {SINCE}.*"
                " No workflow has a verdict on both sides."
            ),
        ),
        (
            diff(stale=True, newest_record_at=AS_OF - 26 * HOUR, newly_failing=(BROKE,)),
            "*I can't tell: my newest record is 26 h old.* Known by then: 1 newly failing.",
        ),
    ],
    ids=range(7),
)
def test_the_headline_says_what_the_comparison_comes_to(shown: VerdictDiff, words: str) -> None:
    assert mrkdwn(headline(shown)) == words
    message = diff_message(shown)
    assert_message(message)
    assert message.blocks[0]["text"]["text"] == words
    assert diff_text(shown).split("\n")[0] == plain(headline(shown), AS_OF)


def test_each_change_is_told_with_what_it_was() -> None:
    told = [b["text"]["text"] for b in diff_message(EXAMPLE).blocks if b["type"] == "section"]
    assert told[1:] == [
        (
            ":x: *Newly failing* invoice-sync · prod: failing, `nonzero_exit` (persistent):"
            " exit code 1; was passing\n"
            ":x: *Newly failing* new-job · prod: failing, `nonzero_exit` (persistent):"
            " exit code 1; no verdict before"
        ),
        (
            ":x: *Reason changed* mailer · prod: failing, `timed_out` (persistent);"
            " was failing, `nonzero_exit` (persistent)"
        ),
        ":x: *Still failing* rates · prod: failing, `nonzero_exit` (persistent): exit code 1",
        (
            ":grey_question: *No longer passing* nightly-dump · prod: silent since"
            f" {date_token(november(18, 19))}; was passing"
        ),
        (
            ":white_check_mark: *Newly passing* crm-sync · prod: passing;"
            " was failing, `nonzero_exit` (persistent)"
        ),
    ]


def test_the_text_shows_every_change_in_columns() -> None:
    assert diff_text(replace(EXAMPLE, newly_failing=(BROKE,))) == (
        "1 newly failing on main since 17 Nov 00:00 UTC · 1 reason changed · 1 still failing"
        " · 1 no longer passing · 1 newly passing\n"
        "\n"
        "✗ newly failing      invoice-sync  prod   failing, nonzero_exit (persistent):"
        " exit code 1; was passing\n"
        "✗ reason changed     mailer        prod   failing, timed_out (persistent);"
        " was failing, nonzero_exit (persistent)\n"
        "✗ still failing      rates         prod   failing, nonzero_exit (persistent):"
        " exit code 1\n"
        "? no longer passing  nightly-dump  prod   silent since 18 Nov 19:00; was passing\n"
        "✓ newly passing      crm-sync      prod   passing;"
        " was failing, nonzero_exit (persistent)\n"
        "40 compared, 38 passing on both sides. Not comparable: 2 without a verdict before.\n"
        "As of 18 Nov 21:20 UTC; newest record 1 h old\n"
    )


def test_the_document_holds_both_sides_of_each_change() -> None:
    document = diff_document(EXAMPLE)
    assert document["exit_code"] == 1
    assert document["before"] == {"commit": None, "at": "2026-11-17T00:00:00Z"}
    [broke, new] = document["newly_failing"]
    assert broke["before"]["standing"] == "passing"
    assert broke["after"]["reason"] == "nonzero_exit"
    assert new["before"] is None
    commits = diff_document(diff(before=Commit("abc")))
    assert commits["before"] == {"commit": "abc", "at": None}


def test_many_changes_make_one_message_and_the_rest_is_counted() -> None:
    broken = tuple(change(f"w{n:03}", PASSING, FAILING) for n in range(120))
    message = diff_message(diff(newly_failing=broken, newly_passing=broken[:30]))
    assert_message(message)
    assert "and 111 more" in str(message.blocks)
    assert "and 27 more" in str(message.blocks)
    assert diff_text(diff(newly_failing=broken)).count("✗") == 120


def test_the_plain_text_of_many_long_changes_keeps_headline_and_freshness() -> None:
    long = side(Standing.FAILING, Reason.NONZERO_EXIT, "d" * 120)
    broken = tuple(change("w" * 50 + str(n), PASSING, long) for n in range(40))
    message = diff_message(diff(newly_failing=broken, reason_changed=broken, still_failing=broken))
    assert_message(message)
    assert message.text.startswith("40 newly failing on main since 17 Nov 00:00 UTC")
    assert message.text.endswith("Newest record 18 Nov 20:20 UTC, 1 h before.")


_sides = st.builds(
    SideVerdict,
    standing=st.sampled_from(Standing),
    reason=st.none() | st.sampled_from(Reason),
    failure_class=st.none() | st.sampled_from(FailureClass),
    detail=outside_text,
    run=st.just(RunMark(RUN_ID, november(18, 20))),
    branch=outside_text,
    silent_since=st.none() | st.just(AS_OF - DAY),
)
_changes = st.lists(
    st.builds(
        Change, st.builds(WorkflowPlace, outside_text, outside_text), st.none() | _sides, _sides
    ),
    max_size=3,
).flatmap(lambda some: st.sampled_from([1, 4, 40]).map(lambda times: tuple(some * times)))
_points = st.just(Moment(YESTERDAY)) | st.builds(Commit, outside_text)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.builds(
        diff,
        before=_points,
        after=_points,
        branch=outside_text,
        newly_failing=_changes,
        reason_changed=_changes,
        still_failing=_changes,
        no_longer_passing=_changes,
        newly_passing=_changes,
        compared=st.integers(0, 10**6),
        stale=st.booleans(),
    )
)
def test_any_comparison_is_one_valid_and_inert_message(drawn: VerdictDiff) -> None:
    assert_message(diff_message(drawn))
    text = diff_text(drawn, Look(width=80, unicode=False))
    assert text.isascii()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", text)
