"""The answers on a terminal and in a pipe."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from syrupy.assertion import SnapshotAssertion

from faultbook.model.answer import FailingAnswer
from faultbook.model.run import RunEvent, RunState
from faultbook.model.timeline import LATE_CLOSE, Timeline
from faultbook.view.terminal import Look, failing_text, timeline_text
from tests.view.answers import EXAMPLE, HEADLINES, answers
from tests.view.runs import EXAMPLE as RUN
from tests.view.runs import STARTED, timelines


def test_the_example_of_the_wording_comes_out_as_it_is_written() -> None:
    assert failing_text(EXAMPLE) == (
        "1 failing on main · 1 unproven · 1 silent\n"
        "\n"
        "✗ failing   invoice-sync  prod   6 runs since 18 Nov 15:04 (6 h 16 min)\n"
        "            missing_artifact_ref: no PDF was written\n"
        "            first bad a1b2c3d   last good 9f8e7d6   evidence out/run.log\n"
        "? unproven  price-feed    prod   2 runs: nothing verified (missing_artifact_ref)\n"
        "~ silent    nightly-dump  prod   hourly, last heard 17 Nov 19:00\n"
        "Other branches: 3 failing (--all-branches)\n"
        "As of 18 Nov 21:20 UTC; newest record 3 min old\n"
        "Next: faultbook timeline 7c1e90ab\n"
    )


def test_the_example_of_a_timeline_comes_out_as_it_is_written() -> None:
    assert timeline_text(RUN) == (
        "invoice-sync · prod · main a1b2c3d · attempt 1 · 18 Nov 2026\n"
        " #  time          after   event\n"
        " 1  21:00:00.000  0 ms    started  invoice-bot, limit 300 s\n"
        " 2  21:00:01.204  1.20 s  tool     stripe.list: 40 invoices (1.10 s)\n"
        " 3  21:02:10.411  2m 10s  closed   inconclusive: missing_artifact_ref\n"
        "UTC, server order; client clock 1.2 s behind\n"
    )


@pytest.mark.parametrize("case", sorted(HEADLINES.keys() - {"200"}))
def test_each_answer_has_its_text(case: str, snapshot: SnapshotAssertion) -> None:
    assert failing_text(HEADLINES[case]) == snapshot


def test_a_pipe_is_never_cut_and_a_terminal_always() -> None:
    long = replace(EXAMPLE, series=(replace(EXAMPLE.series[0], detail="d" * 300),))
    assert "d" * 300 in failing_text(long)
    for width, shown in ((40, 60), (80, 80), (250, 100)):
        lines = failing_text(long, Look(width=width)).splitlines()
        assert max(map(len, lines)) == shown
        assert any(line.endswith("…") for line in lines)


def test_colour_tints_sign_and_word_only() -> None:
    text = failing_text(HEADLINES["every standing"], Look(color=True))
    assert "\x1b[31m✗ failing\x1b[0m   invoice-sync" in text
    assert "\x1b[31m⊘ blocked\x1b[0m " in text
    assert "\x1b[33m~ silent\x1b[0m " in text
    assert text.count("\x1b[0m") == 5  # unknown has no colour
    uncoloured = re.sub(r"\x1b\[\d+m", "", text)
    assert uncoloured == failing_text(HEADLINES["every standing"])


def test_a_coloured_line_is_cut_by_what_is_seen_of_it() -> None:
    long = replace(EXAMPLE, series=(replace(EXAMPLE.series[1], key=EXAMPLE.series[1].key),))
    seen = failing_text(long, Look(width=60)).splitlines()
    coloured = failing_text(long, Look(width=60, color=True)).splitlines()
    assert [re.sub(r"\x1b\[\d+m", "", line) for line in coloured] == seen


def test_outside_utf_8_every_sign_is_ascii() -> None:
    text = failing_text(HEADLINES["every standing"], Look(width=60, unicode=False))
    assert text.isascii()
    assert "\nx failing   invoice-sync" in text
    assert "\n# blocked" in text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(answers())
def test_any_answer_is_clean_text(drawn: FailingAnswer) -> None:
    for look in (Look(), Look(width=80), Look(width=80, unicode=False)):
        text = failing_text(drawn, look)
        assert text.endswith("\n")
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
        if look.width:
            told = text.splitlines()[2 if drawn.shared_reason else 1 :]
            assert all(len(line) <= 100 for line in told) or not look.unicode


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(timelines)
def test_any_timeline_is_clean_text(drawn: Timeline) -> None:
    text = timeline_text(drawn)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    rows = len(drawn.events) + (2 if drawn.run.closed_at is not None else 1)
    assert f"{rows:>2}  " in text.splitlines()[1 + rows]


def test_a_close_that_came_late_stands_after_the_close() -> None:
    late = RunEvent(LATE_CLOSE, "", "a close arrived after the run was closed", None, STARTED)
    text = timeline_text(replace(RUN, events=(late, *RUN.events)))
    rows = text.splitlines()[2:-1]
    assert len(rows) == 4
    assert "closed" in rows[-2]
    assert "late_close" in rows[-1]


def test_an_open_run_says_that_it_is_not_closed() -> None:
    run = replace(RUN.run, state=RunState.RUNNING, closed_at=None, ended_at=None, verdict=None)
    text = timeline_text(replace(RUN, run=run, more=True))
    assert "closed   " not in text
    assert "Not closed; its deadline is 18 Nov 2026 21:06 UTC." in text
    assert "The first 1 events; there are more." in text
