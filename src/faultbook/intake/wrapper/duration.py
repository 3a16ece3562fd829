"""Durations as people write them."""

import re

from faultbook.base.errors import InvalidError

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w|)", re.ASCII)
_TEN_YEARS = 315_576_000.0


def parse_duration(text: str) -> float:
    """Read a duration in seconds: `3600`, `90s`, `15m`, `1h30m`, `1d`.

    Raises:
        InvalidError: it is none, or is longer than ten years.
    """
    parts = list(_PART.finditer(text.strip().lower()))
    whole = "".join(part[0] for part in parts)
    is_plain = len(parts) == 1 or all(part[2] for part in parts)
    if not parts or whole != text.strip().lower() or not is_plain:
        raise _no_duration(text, "is no duration")
    length = sum(float(part[1]) * _UNITS[part[2]] for part in parts)
    if length > _TEN_YEARS:
        raise _no_duration(text, "is longer than ten years")
    return length


def _no_duration(text: str, why: str) -> InvalidError:
    return InvalidError(
        f"`{text[:40]}` {why}.",
        code="bad_duration",
        next_step="Write seconds, or 90s, 15m, 1h, 1d.",
    )
