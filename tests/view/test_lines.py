"""Lines: inert in mrkdwn and in plain text, whatever stands in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.view.lines import (
    Bold,
    Code,
    Line,
    Link,
    Moment,
    Plain,
    Rich,
    Sign,
    code_block,
    cut_escaped,
    escape,
    mrkdwn,
    name,
    plain,
    safe_url,
    strong,
    utc,
    version,
    words,
)
from tests.view.answers import AS_OF, november, outside_text, urls
from tests.view.slack_rules import assert_inert


def test_one_line_reads_alike_in_both_forms() -> None:
    line: Line = [
        Sign("x"),
        Bold("a b"),
        Rich(" · "),
        Plain(", "),
        Code("c<d"),
        " & ",
        Moment(AS_OF),
    ]
    assert mrkdwn(line) == (
        ":x: *a b* · `c&lt;d` &amp; "
        "<!date^1795036800^\u200b{date_short_pretty} at {time}|18 Nov 2026 21:20 UTC>"
    )
    assert plain(line, AS_OF) == "a b, c<d & 18 Nov 21:20 UTC"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain-name", "*plain-name*"),
        ("my_job_2", "*my_job_2*"),
        ("a*b", "`a*b`"),
        ("_x_", "`_x_`"),
        ("~x~", "`~x~`"),
        ("`x`", "`\u02cbx\u02cb`"),
        (":tada:", "`:tada:`"),
        ("a: b", "*a: b*"),
    ],
)
def test_a_name_that_bold_cannot_hold_is_shown_letter_by_letter(text: str, shown: str) -> None:
    assert mrkdwn([Bold(text)]) == shown


def test_words_that_hold_an_asterisk_are_told_as_they_stand_and_not_in_bold() -> None:
    assert mrkdwn(strong("Incident opened: ", "a b", ".")) == "*Incident opened: a b.*"
    assert mrkdwn(strong("Incident opened: ", "rm *.csv", ".")) == "Incident opened: rm *.csv."
    assert plain(strong("Incident opened: ", "rm *.csv", "."), AS_OF) == (
        "Incident opened: rm *.csv."
    )


def test_backticks_and_emoji_names_from_outside_open_nothing() -> None:
    assert mrkdwn(["`rm` :x: a:b:c"]) == "\u02cbrm\u02cb :\u200bx: a:\u200bb:c"
    assert code_block("```\n<@U1>") == "```\u02cb\u02cb\u02cb\n&lt;@U1&gt;```"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://ci.example/a?b=c&d=e#f", "https://ci.example/a?b=c&d=e#f"),
        ("HTTP://ci.example/A", "http://ci.example/A"),
        ("https://ci.example/a b|c>d<e", "https://ci.example/a%20b%7Cc%3Ed%3Ce"),
        ("https://ci.example/%20", "https://ci.example/%20"),
        ("ftp://ci.example", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//ci.example/x", None),
        ("/var/log/x", None),
        ("https://", None),
        ("https://[broken", None),
        ("https://ci.example/" + "a" * 1000, None),
        ("https://ci.example/\ud800", None),
        (None, None),
    ],
)
def test_only_web_addresses_become_links(url: str | None, safe: str | None) -> None:
    assert safe_url(url) == safe


@given(urls, outside_text)
def test_a_link_is_one_token_whatever_its_parts_are(url: str, label: str) -> None:
    safe = safe_url(url)
    if safe is not None:
        assert_inert(mrkdwn([Link(safe, name(label))]))


@given(outside_text | st.integers(0, 300).map("&".__mul__), st.integers(5, 100))
def test_text_is_cut_to_just_what_its_room_holds_once_escaped(text: str, room: int) -> None:
    kept, ending = cut_escaped(text, room), cut_escaped(text, room, from_end=True)
    assert text.startswith(kept)
    assert text.endswith(ending)
    assert bool(kept) == bool(ending) == bool(text)
    assert len(escape(kept)) <= room
    assert len(escape(ending)) <= room
    assert kept == text or len(escape(text[: len(kept) + 1])) > room
    assert ending == text or len(escape(text[-len(ending) - 1 :])) > room


@given(outside_text)
def test_names_and_words_keep_to_their_length_once_escaped(text: str) -> None:
    assert len(mrkdwn([name(text)])) <= 60
    assert len(mrkdwn([words(text)])) <= 120
    assert "\n" not in name(text)
    for span in (Bold(name(text)), Code(name(text)), name(text)):
        assert_inert(mrkdwn([span]))


def test_times_are_written_short_and_with_their_year_where_it_is_another() -> None:
    assert utc(november(8, 5, 4)) == "8 Nov 2026 05:04"
    assert utc(november(8, 5, 4), AS_OF) == "8 Nov 05:04"
    assert utc(november(8, 5, 4), AS_OF + 90 * 86_400_000_000) == "8 Nov 2026 05:04"


def test_a_commit_is_shown_by_its_first_digits_and_other_versions_whole() -> None:
    assert version("a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6a7b8c9d0") == "a1b2c3d"
    assert version("v1.2.3") == "v1.2.3"
    assert version("1234567") == "1234567"
