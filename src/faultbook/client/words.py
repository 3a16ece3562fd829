"""What the client writes: documents, and exceptions in words."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from faultbook.base.errors import FaultbookError, UnavailableError
from faultbook.base.redaction import redact
from faultbook.base.text import cut

_CHUNK = 1 << 20
_LONGEST_DETAIL = 2_000


def written(fields: Mapping[str, Any]) -> bytes:
    """Write a document; what is None was not said.

    Raises:
        ValueError: a time has no zone, or a value is none that JSON has.
    """
    said = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(said, default=_plain, allow_nan=False).encode()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value} has no zone: give an aware datetime")
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


def pieces(content: bytes | str | Path) -> Iterator[bytes]:
    """Give an artifact's bytes piece by piece; a text is the path of a file.

    Raises:
        OSError: the file can't be read.
    """
    if isinstance(content, bytes):
        yield content
        return
    with Path(content).open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def failure(error: BaseException) -> dict[str, Any]:
    """Say in a close document that an exception ended the work.

    What may pass by itself (connections, timeouts) is `transient`, all else `persistent`.
    """
    own = isinstance(error, FaultbookError)
    words = str(error) if own else f"{type(error).__name__}: {error}".removesuffix(": ")
    return {
        "verdict": "failed",
        "reason": "unclassified",
        "failure_class": "transient" if _may_pass(error) else "persistent",
        "detail": cut(redact(words), _LONGEST_DETAIL),
    }


def left(words: str) -> dict[str, Any]:
    """Say in a close document that the work was left before it was done."""
    return {"verdict": "inconclusive", "reason": "cancelled", "detail": words}


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, (ConnectionError, TimeoutError, UnavailableError))
