"""A past moment in plain words, by a small closed grammar: `since Monday`, `3 hours ago`, `14:00`.

A day without a time is its first instant. A weekday or a time without a day is the latest one that
has begun. What the grammar does not hold is an error that names the nearest form.
"""

import difflib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo

from faultbook.base.clock import Instant, from_datetime, to_datetime
from faultbook.base.errors import InvalidError
from faultbook.base.text import cut, one_line

_EARLIEST_YEAR = 2000
_LATEST_YEAR = 9998  # so that adding a zone's offset stays a date
_SHOWN = 40
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_SHORT_UNITS = {
    "s": "second", "sec": "second", "secs": "second",
    "m": "minute", "min": "minute", "mins": "minute",
    "h": "hour", "hr": "hour", "hrs": "hour",
    "d": "day", "w": "week",
}  # fmt: skip
_NEAR = (
    *_WEEKDAYS,
    *("now", "today", "yesterday", "this week", "last week", "14:00", "3 hours ago", "2 days ago"),
    *("yesterday 14:00", "monday 9:00", "2026-11-18", "2026-11-18 14:00", "18 nov 14:00"),
)

_AGO = re.compile(r"(?:(\d{1,6})|an?|one) ?([a-z]+)(?: ago)?")
_TIME = r"(\d{1,2}):(\d{2})(?::(\d{2}))?"
_TIME_ONLY = re.compile(_TIME)
_DAY_AND_TIME = re.compile(rf"(.+?),? (?:at )?{_TIME}(?: utc)?")
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_MONTH = re.compile(r"(\d{1,2})\.? ([a-z]{3,9})(?: (\d{4}))?")
_MONTH_DAY = re.compile(r"([a-z]{3,9}) (\d{1,2})(?:,? (\d{4}))?")


def parse_when(words: str, now: Instant, zone: tzinfo = UTC) -> Instant:
    """Find the past moment that words name, in the zone of whoever says them.

    Raises:
        InvalidError: the words name no moment that is known here, or one that is still to come.
    """
    asked = re.sub(r"\s+", " ", words).strip().casefold()
    asked = asked.removeprefix("since ").removeprefix("the ")
    here = to_datetime(now).astimezone(zone)
    try:
        found = _find(asked, here) if len(asked) <= _SHOWN else None
        in_range = found is not None and _EARLIEST_YEAR <= found.year <= _LATEST_YEAR
        moment = from_datetime(found) if found is not None and in_range else None
    except (ValueError, OverflowError):  # 31 February, 25:00
        moment = None
    if moment is None:
        raise _unknown(words, asked)
    if moment > now:
        raise InvalidError(
            f"`{_short(words)}` is still to come.",
            code="future_time",
            next_step="Name a moment that has passed.",
            where="since",
        )
    return moment


def _find(asked: str, here: datetime) -> datetime | None:
    forms: tuple[Callable[[str, datetime], datetime | None], ...] = (
        _iso,
        _ago,
        _time_only,
        _day,
        _day_and_time,
    )
    return next((found for form in forms if (found := form(asked, here)) is not None), None)


def _iso(asked: str, here: datetime) -> datetime | None:
    """Take what RFC 3339 writes; without a zone it is the speaker's."""
    if "t" not in asked or not _ISO_DATE.match(asked):
        return None
    moment = datetime.fromisoformat(asked.upper())
    return moment if moment.tzinfo else moment.replace(tzinfo=here.tzinfo)


def _ago(asked: str, here: datetime) -> datetime | None:
    matched = _AGO.fullmatch(asked)
    if matched is None:
        return None
    word = matched[2]
    unit = _UNITS.get(_SHORT_UNITS.get(word, word.removesuffix("s")))
    # In UTC, since a zone's own clock may jump in between.
    return None if unit is None else here.astimezone(UTC) - int(matched[1] or 1) * unit


def _time_only(asked: str, here: datetime) -> datetime | None:
    matched = _TIME_ONLY.fullmatch(asked.removeprefix("at ").removesuffix(" utc"))
    if matched is None:
        return None
    in_zone = here.astimezone(UTC) if asked.endswith(" utc") else here
    today = _at(in_zone, _time_of(matched))
    return today if today <= here else _at(today - timedelta(days=1), _time_of(matched))


def _day(asked: str, here: datetime) -> datetime | None:
    start = _at(here, time())
    weekday = next((n for n, day in enumerate(_WEEKDAYS) if asked in (day, day[:3])), None)
    if weekday is not None:
        return _at(start - timedelta(days=(here.weekday() - weekday) % 7), time())
    monday = _at(start - timedelta(days=here.weekday()), time())
    named = {
        "now": here,
        "today": start,
        "yesterday": _at(start - timedelta(days=1), time()),
        "this week": monday,
        "last week": _at(monday - timedelta(days=7), time()),
    }
    return named.get(asked) or next(iter(_dates(asked, here)), None)


def _dates(asked: str, here: datetime) -> Iterator[datetime]:
    if matched := _ISO_DATE.fullmatch(asked):
        yield _date(here, int(matched[1]), int(matched[2]), int(matched[3]))
    for form, day, month in ((_DAY_MONTH, 1, 2), (_MONTH_DAY, 2, 1)):
        if (matched := form.fullmatch(asked)) and (number := _month(matched[month])):
            if matched[3]:
                yield _date(here, int(matched[3]), number, int(matched[day]))
            else:
                this_year = _date(here, here.year, number, int(matched[day]))
                yield this_year if this_year <= here else this_year.replace(year=here.year - 1)


def _day_and_time(asked: str, here: datetime) -> datetime | None:
    matched = _DAY_AND_TIME.fullmatch(asked)
    if matched is None or matched[1] == "now":
        return None
    if asked.endswith(" utc"):
        here = here.astimezone(UTC)
    day = _day(matched[1], here)
    return None if day is None else _at(day, _time_of(matched, first=2))


def _month(word: str) -> int | None:
    return next((n for n, name in enumerate(_MONTHS, 1) if word in (name, name[:3])), None)


def _date(here: datetime, year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=here.tzinfo)


def _time_of(matched: re.Match[str], first: int = 1) -> time:
    hours, minutes, seconds = (int(matched[first + n] or 0) for n in range(3))
    return time(hours, minutes, seconds)


def _at(day: datetime, moment: time) -> datetime:
    # Combined anew, so that the zone's offset is that of the day, not of today.
    return datetime.combine(day.date(), moment, tzinfo=day.tzinfo)


def _unknown(words: str, asked: str) -> InvalidError:
    near = difflib.get_close_matches(asked[:_SHOWN], _NEAR, n=1, cutoff=0.6)
    nearest = f"Nearest: `{near[0]}`. " if near else ""
    return InvalidError(
        f"`{_short(words)}` names no moment that I know.",
        code="unknown_time",
        next_step=f"{nearest}Say `yesterday`, `Monday`, `3 hours ago`, `14:00` or `2026-11-18`.",
        where="since",
    )


def _short(words: str) -> str:
    return cut(one_line(words), _SHOWN)
