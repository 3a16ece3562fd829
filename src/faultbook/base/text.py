"""Text from outside made fit to show: one line, no control characters, cut to a length.

Escaping for a surface (Slack's mrkdwn, markdown) belongs to that surface's view.
"""

import re
import unicodedata

_MINUTE, _HOUR, _HOURS_UNTIL_DAYS = 60, 3600, 48
_SPACE = re.compile(r"\s+")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def visible(text: str) -> str:
    r"""Make control, bidi and unpaired surrogate characters visible as `\\u202e`-style escapes.

    Newlines and tabs stay: they are layout, which `one_line` takes away. A line that ends as
    Windows and CSV files end it is a line.
    """
    plain = text.replace("\r\n", "\n")
    return "".join(f"\\u{ord(char):04x}" if _is_hidden(char) else char for char in plain)


def _is_hidden(char: str) -> bool:
    if char in "\n\t":
        return False
    return char in _BIDI or unicodedata.category(char) in {"Cc", "Cs"}


def one_line(text: str) -> str:
    """Put text on one line: runs of white space become a blank, hidden characters visible."""
    return visible(_SPACE.sub(" ", text).strip())


def cut(text: str, length: int) -> str:
    """Cut text at its end to at most `length` characters, `…` included."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def cut_middle(text: str, length: int) -> str:
    """Cut text in its middle to at most `length` characters, so that both ends can be read."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    tail = length - 1 - head
    return f"{text[:head]}…{text[-tail:]}"


def duration(seconds: float) -> str:
    """Say a length of time as people do: `45 s`, `6 min`, `2 h 10 min`, `3 d 4 h`."""
    whole = max(0, int(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min"
    hours, minutes = divmod(whole // _MINUTE, 60)
    if hours < _HOURS_UNTIL_DAYS:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
