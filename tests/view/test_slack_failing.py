"""The answer in Slack: exact words, every row of what may be said first, and any answer at all."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from syrupy.assertion import SnapshotAssertion

from faultbook.base.clock import HOUR
from faultbook.model.answer import EvidenceRef, FailingAnswer, FailingQuery, SeriesAnswer
from faultbook.model.run import SeriesKey
from faultbook.model.standing import RunMark, Standing
from faultbook.model.verdict import Reason
from faultbook.view.actions import read_query
from faultbook.view.failing_lines import headline
from faultbook.view.lines import date_token, mrkdwn
from faultbook.view.slack_failing import failing_message
from tests.view.answers import (
    AS_OF,
    BLOCKED,
    DEGRADED,
    FAILING,
    HEADLINES,
    RUN_ID,
    SILENT,
    UNKNOWN,
    UNPROVEN,
    answer,
    answers,
    many_failing,
    november,
)
from tests.view.slack_rules import assert_message, buttons, row_buttons


def section_texts(of: FailingAnswer, *, post_here: bool = False) -> list[str]:
    message = failing_message(of, post_here=post_here)
    return [block["text"]["text"] for block in message.blocks if block["type"] == "section"]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("five", "*5 failing* on `main` · 2 unproven · 1 silent"),
        ("one", "*1 failing* on `main`"),
        ("blocked only", "*1 blocked* on `main`"),
        ("nothing", "*Nothing is failing* on `main`. 41 series passing."),
        (
            "nothing, by heartbeat",
            "*Nothing is failing* on `main`. 41 series passing, 3 by heartbeat only.",
        ),
        (
            "not all passing",
            "*0 failing, but 3 of 41 are not passing:* 2 unproven, 1 silent",
        ),
        (
            "branches only",
            "*Nothing is failing on `main`.* 4 series fail only on other branches.",
        ),
        (
            "empty",
            (
                "*I can't tell: no run is recorded yet.* Record one: `faultbook run"
                " --workflow hello --artifact out.txt -- sh -c 'date &gt; out.txt'`"
            ),
        ),
        (
            "empty branch",
            "*I can't tell: no run is recorded on `main` yet.* 3 series are recorded elsewhere.",
        ),
        ("none closed yet", "*I can't tell: no run has closed yet.* 1 is running."),
        (
            "stale",
            (
                "*I can't tell: my newest record is 26 h old;* one is due every hour."
                " Last known then: 2 failing."
            ),
        ),
        ("no match", "*No series matches `stagin`.* Nearest: `staging`."),
        (
            "nothing new",
            (
                f"*Nothing new is failing* on `main` since {date_token(november(16, 0))}."
                " 4 that broke earlier still do not pass."
            ),
        ),
        (
            "since",
            (
                f"*1 failing* on `main` that broke after {date_token(november(16, 0))}"
                " · 4 that broke earlier still do not pass"
            ),
        ),
        ("all branches, in prod", "*1 failing* on all branches in `prod`"),
    ],
)
def test_the_headline_says_which_row_applies(case: str, words: str) -> None:
    assert mrkdwn(headline(HEADLINES[case])) == words
    assert section_texts(HEADLINES[case])[0].split("\n")[0] == words


def test_a_failing_series_is_told_in_three_lines() -> None:
    since, good = date_token(november(18, 15, 4)), date_token(november(18, 14))
    assert section_texts(answer(FAILING))[1] == (
        ":x: *invoice-sync* · prod · failing\n"
        f"6 runs in a row since {since}. `missing_artifact_ref` (persistent): no PDF was written\n"
        f"first bad `a1b2c3d` · last good `9f8e7d6` {good} · evidence `out/run.log` in Details"
    )


def test_the_plain_text_says_the_same_without_blocks() -> None:
    text = failing_message(answer(FAILING, UNPROVEN)).text
    assert text == (
        "1 failing on main · 1 unproven. invoice-sync, prod: 6 runs in a row since 18 Nov 15:04"
        " UTC, missing_artifact_ref (persistent): no PDF was written. First bad a1b2c3d, last good"
        " 9f8e7d6 18 Nov 14:00 UTC, evidence out/run.log in Details. Unproven price-feed, prod: it"
        " ran; nothing verified says it worked (missing_artifact_ref). As of 18 Nov 21:20 UTC."
        " Newest record 18 Nov 21:17 UTC, 3 min before. 41 passing."
    )


@pytest.mark.parametrize(
    ("series", "line"),
    [
        (
            UNPROVEN,
            (
                ":grey_question: *Unproven* price-feed · prod: it ran; nothing verified says it"
                " worked (`missing_artifact_ref`)"
            ),
        ),
        (
            SILENT,
            (
                ":zzz: *Silent* nightly-dump · prod: due every hour, last heard"
                f" {date_token(november(17, 19))}"
            ),
        ),
        (
            BLOCKED,
            ":no_entry: *Blocked* crm-sync · prod: could not run, `session_expired`. Log in to CRM",
        ),
        (DEGRADED, ":warning: *Degraded* mailer · prod: worked in part, 38 of 40 sent"),
        (UNKNOWN, ":white_circle: *Unknown* new-job · prod: no run has closed yet"),
    ],
)
def test_other_standings_are_told_in_one_line_each(series: object, line: str) -> None:
    assert section_texts(answer(FAILING, series))[2] == line  # type: ignore[arg-type]


@pytest.mark.parametrize("case", HEADLINES)
def test_each_answer_is_one_valid_message(case: str, snapshot: SnapshotAssertion) -> None:
    message = failing_message(HEADLINES[case])
    assert_message(message)
    assert {"text": message.text, "blocks": message.blocks} == snapshot


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(answers())
def test_any_answer_is_one_valid_and_inert_message(drawn: FailingAnswer) -> None:
    assert_message(failing_message(drawn))
    assert_message(failing_message(drawn, post_here=True))


def test_two_hundred_failing_series_are_five_whole_ten_in_one_line_and_the_rest_counted() -> None:
    message = failing_message(many_failing())
    told = section_texts(many_failing())
    assert told[0].endswith("\n31 of 200 share `auth_rejected`: one cause is likely.")
    assert [text.count("\n") for text in told[1:6]] == [2] * 5
    brief = "\n".join(told[6:]).split("\n")
    assert len(brief) == 11
    assert brief[0].startswith(":x: *workflow-005* · prod · 6 runs in a row since ")
    assert brief[-1] == "and 185 more"
    labels = [button["text"]["text"] for button in buttons(message.blocks)]
    assert labels == [*["Open incident"] * 5, "Details", "Show all"]
    assert "and 185 more." in message.text


def test_everything_at_once_with_the_longest_names_fits_a_section() -> None:
    long = "&" * 60
    mark = RunMark(RUN_ID, november(18, 15), long)
    everything = replace(
        FAILING,
        key=SeriesKey(long, long, long),
        silent_since=november(18, 18),
        newest_unproven=True,
        newest_reason=Reason.SIDE_EFFECT_UNCONFIRMED,
        reason=Reason.SIDE_EFFECT_UNCONFIRMED,
        running_since=november(18, 20),
        happened_again=True,
        known_lesson=10**6,
        streak=10**6,
        first_bad=mark,
        last_good=mark,
        evidence=(EvidenceRef(long, "verified"),),
    )
    message = failing_message(answer(everything, branch=None))
    assert_message(message)
    assert "The rule exists and it happened again" in message.text


@pytest.mark.parametrize("standing", [FAILING, BLOCKED, DEGRADED])
def test_words_that_end_with_a_full_stop_are_followed_by_one_full_stop(
    standing: SeriesAnswer,
) -> None:
    said = replace(standing, detail="Nothing ran.", newest_unproven=True)
    silent = replace(said, silent_since=november(18, 18))
    for one in (said, silent, replace(silent, newest_unproven=False)):
        message = failing_message(answer(one))
        told = " ".join((message.text, *section_texts(answer(one))))
        assert "Nothing ran" in told
        assert ".." not in told
        assert ".," not in told
    assert "Nothing ran. Newest run unproven" in failing_message(answer(said)).text


def test_a_group_tells_three_and_counts_the_rest() -> None:
    several = [replace(UNPROVEN, key=SeriesKey(f"w{n}", "prod", "main")) for n in range(7)]
    lines = section_texts(answer(*several))[1].split("\n")
    assert len(lines) == 4
    assert lines[-1] == "and 4 more"


def test_failing_and_silent_is_said_in_one_place() -> None:
    told = section_texts(HEADLINES["silent and failing"])
    since = date_token(november(18, 18))
    assert (
        told[1].split("\n")[0] == f":x: *invoice-sync* · prod · failing, and silent since {since}"
    )
    assert ". Newest run unproven: `empty_output`\n" in told[1]
    assert len(told) == 2
    assert "failing, and silent since 18 Nov 18:00 UTC: 6 runs" in (
        failing_message(HEADLINES["silent and failing"]).text
    )


def test_evidence_is_a_link_only_where_people_can_follow_it() -> None:
    def told(*evidence: EvidenceRef, url: str | None = None) -> str:
        series = replace(FAILING, evidence=evidence, url=url)
        return section_texts(answer(series))[1].rsplit(" · ", 1)[1]

    log = EvidenceRef("run.log", "verified", "https://ci.example/1?a=b&c=d|<x>")
    assert told(log) == "evidence <https://ci.example/1?a=b&amp;c=d%7C%3Cx%3E|run.log>"
    for uri in ("file:///etc/passwd", "javascript:alert(1)", "/var/log/x", "http://", None):
        assert told(EvidenceRef("run.log", "stale", uri)) == "evidence `run.log` in Details"
    assert told(url="https://ci.example/2") == "evidence <https://ci.example/2|the run>"
    assert told().startswith("last good ")


def test_what_comes_from_outside_stays_inert() -> None:
    nasty = replace(
        FAILING,
        key=SeriesKey("<!channel> *x*\n`y` :tada:\u202e", "<@U1>", "main"),
        detail="</a> <https://evil.example|click> & `code` :white_check_mark:\nsecond line",
        evidence=(EvidenceRef("`<!here>`", "verified", "https://ci.example"),),
    )
    message = failing_message(answer(nasty))
    assert_message(message)
    title = section_texts(answer(nasty))[1].split("\n")[0]
    assert title == (
        ":x: `&lt;!channel&gt; *x* \u02cby\u02cb :tada:\\u202e` · &lt;@U1&gt; · failing"
    )
    assert ":white_check_mark:" not in str(message.blocks)


def test_long_names_are_cut_in_the_middle_and_long_reasons_too() -> None:
    long = replace(
        FAILING, key=SeriesKey("a" * 100 + "z" * 100, "prod", "main"), detail="d" * 300 + "end"
    )
    text = section_texts(answer(long))[1]
    assert f"*{'a' * 29}…{'z' * 30}*" in text
    assert text.split(": ")[-1].split("\n")[0].endswith("dend")
    assert "d" * 121 not in text


def test_a_filtered_answer_says_its_filter() -> None:
    limited = FailingQuery(environment="prod", workflow="invoice-sync")
    assert section_texts(answer(FAILING, query=limited))[0] == (
        "*1 failing* on `main` in `prod` for `invoice-sync`"
    )


def test_an_answer_over_all_branches_names_the_branch_of_each_series() -> None:
    told = section_texts(answer(FAILING, BLOCKED, branch=None))
    assert told[1].startswith(":x: *invoice-sync* · prod · main · failing\n")
    assert told[2].startswith(":no_entry: *Blocked* crm-sync · prod · main: ")


def test_buttons_offer_the_likely_next_steps_and_ask_the_same_question_again() -> None:
    query = FailingQuery(environment="prod", since=november(16, 0))
    of = answer(FAILING, query=query, other_branches=2)
    found = list(row_buttons(failing_message(of, post_here=True).blocks))
    assert [button["text"]["text"] for button in found] == [
        "Post here",
        "Details",
        "Show branches",
    ]
    assert all(read_query(button["value"]) == (query, 0) for button in found)
    assert [b["accessibility_label"] for b in found][1] == "Details on main"
    empty = list(buttons(failing_message(HEADLINES["empty"], post_here=True).blocks))
    assert [button["text"]["text"] for button in empty] == ["Help"]
    nearest = next(buttons(failing_message(HEADLINES["no match"]).blocks))
    assert nearest["text"]["text"] == "Ask staging"
    assert read_query(nearest["value"])[0].place == "staging"


def test_the_footer_says_how_fresh_the_answer_is() -> None:
    context = failing_message(answer(FAILING)).blocks[-2]["elements"][0]["text"]
    assert context == (
        f"As of {date_token(AS_OF)}. Newest record {date_token(AS_OF - 3 * 60_000_000)},"
        " 3 min before. 41 passing."
    )
    assert date_token(AS_OF) == (
        "<!date^1795036800^\u200b{date_short_pretty} at {time}|18 Nov 2026 21:20 UTC>"
    )


def test_nothing_is_failing_is_never_said_over_old_or_missing_data() -> None:
    for case, of in HEADLINES.items():
        says = "nothing is failing" in failing_message(of).text.lower()
        assert says == (case in {"nothing", "nothing, by heartbeat", "branches only"}), case
    old = replace(HEADLINES["stale"], series=(), as_of=AS_OF + HOUR)
    assert "Last known then: 2 failing" in failing_message(old).text


def test_plain_text_of_many_series_keeps_headline_and_freshness() -> None:
    long = [
        replace(FAILING, key=SeriesKey(f"{'w' * 50}{n}", "prod", "main"), detail="d" * 120)
        for n in range(40)
    ] + [replace(UNPROVEN, key=SeriesKey(f"{'u' * 50}{n}", "prod", "main")) for n in range(40)]
    text = failing_message(answer(*long)).text
    assert text.startswith("40 failing on main · 40 unproven.")
    assert text.endswith("41 passing.")
    assert len(text) <= 3900


def test_standings_are_told_worst_first() -> None:
    told = section_texts(HEADLINES["every standing"])
    order = [":x:", ":no_entry:", ":warning:", ":grey_question:", ":zzz:", ":white_circle:"]
    assert [text.split(" ")[0] for text in told[1:]] == order
    assert all(a != b for a, b in pairwise(told))


def test_a_reason_without_words_is_told_by_its_name() -> None:
    bare = replace(DEGRADED, detail="", reason=Reason.PARTIAL_RESULT)
    assert section_texts(answer(bare))[1].endswith("worked in part, `partial_result`")
    assert Standing.DEGRADED in {series.standing for series in answer(bare).bad}
