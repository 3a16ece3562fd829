"""Secrets taken out of what an executor says, also where it has quoted them."""

import json
from collections.abc import Collection, Iterator
from itertools import groupby
from urllib.parse import quote, quote_plus

_MARK = "[REDACTED:secret]"
_SHORTEST = 4
"""Shorter pieces would strike out ordinary words."""


def spellings(value: str) -> frozenset[str]:
    """Give how a secret, and each line of it, stands in logs, JSON and URLs."""
    found: set[str] = set()
    for piece in {value, value.strip(), *(line.strip() for line in value.splitlines())}:
        found |= {
            piece,
            json.dumps(piece)[1:-1],
            json.dumps(piece, ensure_ascii=False)[1:-1],
            quote(piece),
            quote(piece, safe=""),
            quote_plus(piece),
        }
    return frozenset(one for one in found if len(one) >= _SHORTEST)


def mask(
    text: str, hidden: Collection[str], *, cut_before: bool = False, cut_after: bool = False
) -> str:
    """Put a marker where a text holds something hidden.

    Where more stood before or after the text, part of something hidden may stand at that end.
    """
    covered = bytearray(len(text))
    for value in hidden:
        for at in _places(text, value):
            covered[at : at + len(value)] = b"\1" * len(value)
        if cut_before and (length := _overlap(value, text)):
            covered[:length] = b"\1" * length
        if cut_after and (length := _overlap(text, value)):
            covered[-length:] = b"\1" * length
    return "".join(
        _MARK if is_hidden else "".join(char for char, _ in piece)
        for is_hidden, piece in groupby(zip(text, covered, strict=True), key=lambda one: one[1])
    )


def _places(text: str, value: str) -> Iterator[int]:
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + 1)  # it may overlap itself


def _overlap(before: str, after: str) -> int:
    """Tell with how many characters of the one's end the other begins."""
    most = min(len(before), len(after))
    lengths = range(most, _SHORTEST - 1, -1)
    return next((length for length in lengths if before.endswith(after[:length])), 0)
