"""Time as Faultbook keeps it: whole microseconds since the Unix epoch, in UTC.

An `Instant` is what both stores hold and compare; a `datetime` appears only where a person or
another program reads it, and always carries its zone.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Instant: TypeAlias = int
"""Microseconds since the Unix epoch, UTC."""

Clock: TypeAlias = Callable[[], Instant]
"""Anything that tells the present instant; tests hand in their own."""

SECOND: Instant = 1_000_000
MINUTE: Instant = 60 * SECOND
HOUR: Instant = 60 * MINUTE
DAY: Instant = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def system_clock() -> Instant:
    """Tell the present instant by this machine's clock."""
    return time.time_ns() // 1000


def seconds(value: float) -> Instant:
    """Turn seconds into the microseconds that instants are counted in."""
    return round(value * SECOND)


def to_datetime(instant: Instant) -> datetime:
    """Show an instant as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def from_datetime(moment: datetime) -> Instant:
    """Take an aware datetime as an instant.

    Raises:
        ValueError: the datetime carries no zone, so it names no instant.
    """
    if moment.tzinfo is None:
        raise ValueError("a time without a zone names no instant")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def iso(instant: Instant) -> str:
    """Write an instant as RFC 3339 in UTC, with microseconds only where they say something."""
    moment = to_datetime(instant)
    precision = "microseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def iso_or_none(instant: Instant | None) -> str | None:
    """Write an instant as RFC 3339, or nothing where there is none."""
    return None if instant is None else iso(instant)
