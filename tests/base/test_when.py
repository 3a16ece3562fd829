"""Moments in plain words."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.base.clock import DAY, Instant, from_datetime
from faultbook.base.errors import InvalidError
from faultbook.base.when import parse_when

# A Wednesday.
NOW = from_datetime(datetime(2026, 11, 18, 11, 6, 40, tzinfo=UTC))


def at(*parts: int, zone: tzinfo = UTC) -> Instant:
    year, month, day, *rest = parts
    hour, minute = (*rest, 0, 0)[:2]
    return from_datetime(datetime(year, month, day, hour, minute, tzinfo=zone))


@pytest.mark.parametrize(
    ("words", "moment"),
    [
        ("now", NOW),
        ("today", at(2026, 11, 18)),
        ("yesterday", at(2026, 11, 17)),
        ("since yesterday", at(2026, 11, 17)),
        ("  Since   YESTERDAY ", at(2026, 11, 17)),
        ("yesterday 14:00", at(2026, 11, 17, 14)),
        ("yesterday at 9:05", at(2026, 11, 17, 9, 5)),
        ("Monday", at(2026, 11, 16)),
        ("mon", at(2026, 11, 16)),
        ("wednesday", at(2026, 11, 18)),
        ("thursday", at(2026, 11, 12)),
        ("monday 9:00", at(2026, 11, 16, 9)),
        ("this week", at(2026, 11, 16)),
        ("last week", at(2026, 11, 9)),
        ("3 hours ago", at(2026, 11, 18, 8, 6) + 40_000_000),
        ("3h", at(2026, 11, 18, 8, 6) + 40_000_000),
        ("an hour ago", at(2026, 11, 18, 10, 6) + 40_000_000),
        ("15 min ago", at(2026, 11, 18, 10, 51) + 40_000_000),
        ("2 weeks ago", NOW - 14 * DAY),
        ("10:00", at(2026, 11, 18, 10)),
        ("14:00", at(2026, 11, 17, 14)),
        ("14:00 UTC", at(2026, 11, 17, 14)),
        ("2026-11-18", at(2026, 11, 18)),
        ("2026-11-17 14:00", at(2026, 11, 17, 14)),
        ("2026-11-17T14:00:00Z", at(2026, 11, 17, 14)),
        ("2026-11-17T14:00:00+02:00", at(2026, 11, 17, 12)),
        ("17 Nov", at(2026, 11, 17)),
        ("19 Nov", at(2025, 11, 19)),
        ("nov 17", at(2026, 11, 17)),
        ("17 November 2025", at(2025, 11, 17)),
        ("17 Nov 2026 15:04 UTC", at(2026, 11, 17, 15, 4)),
    ],
)
def test_a_moment_is_found_as_people_say_it(words: str, moment: Instant) -> None:
    assert parse_when(words, NOW) == moment


def test_hours_are_counted_across_a_change_of_the_clocks() -> None:
    morning = at(2026, 10, 25, 9)
    assert parse_when("10 hours ago", morning, ZoneInfo("Europe/Berlin")) == at(2026, 10, 24, 23)


def test_days_and_times_are_those_of_the_speakers_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_when("today", NOW, berlin) == at(2026, 11, 17, 23)
    assert parse_when("12:00", NOW, berlin) == at(2026, 11, 18, 11)
    assert parse_when("10:00 utc", NOW, berlin) == at(2026, 11, 18, 10)
    # Before the end of summer time, the offset was another one.
    assert parse_when("2026-10-01", NOW, berlin) == at(2026, 9, 30, 22)
    # Where it is already Thursday.
    kiritimati = timezone(timedelta(hours=14))
    assert parse_when("thursday", NOW, kiritimati) == at(2026, 11, 18, 10)


@pytest.mark.parametrize("words", ["2026-11-19", "2026-11-18T11:06:41Z", "today 23:00"])
def test_a_moment_that_is_still_to_come_is_refused(words: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_when(words, NOW)
    assert refused.value.code == "future_time"


@pytest.mark.parametrize(
    ("words", "nearest"),
    [
        ("yesterdy", "yesterday"),
        ("mondy", "monday"),
        ("3 huors ago", "3 hours ago"),
        ("25:00", None),
        ("31 feb", None),
        ("", None),
        ("9999999 weeks ago", None),
        ("0001-01-01", None),
        ("2026-11-18Tnonsense", None),
        ("x" * 10_000, None),
        ("1e400 hours ago", None),
    ],
)
def test_other_words_are_refused_with_the_nearest_form(words: str, nearest: str | None) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_when(words, NOW)
    assert refused.value.code == "unknown_time"
    assert len(refused.value.message) < 120
    if nearest is not None:
        assert f"Nearest: `{nearest}`." in refused.value.next_step


@given(st.text(max_size=60), st.sampled_from(["UTC", "Asia/Kolkata", "America/New_York"]))
def test_whatever_is_said_comes_to_a_past_moment_or_is_refused(words: str, zone: str) -> None:
    try:
        moment = parse_when(words, NOW, ZoneInfo(zone))
    except InvalidError:
        return
    assert moment <= NOW
