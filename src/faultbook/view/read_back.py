"""What it takes to read any public document back: its instants, and one error where it fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from faultbook.base.clock import Instant, from_datetime
from faultbook.base.errors import UnavailableError


@contextmanager
def readable() -> Iterator[None]:
    """Read a document inside; what it lacks or says in another way makes the whole unreadable.

    Raises:
        UnavailableError: the document is none that this version can read.
    """
    try:
        yield
    # ArithmeticError: `Infinity` for a count, words for an amount of money.
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise UnavailableError(
            "The server's answer can't be read by this version.",
            code="unreadable_answer",
            next_step="Check FAULTBOOK_URL, and that server and command are of one version.",
            where="FAULTBOOK_URL",
        ) from error


def instant(text: str) -> Instant:
    """Take an instant back from RFC 3339.

    Raises:
        ValueError: the text is no time, or one without its zone.
    """
    return from_datetime(datetime.fromisoformat(text))


def instant_or_none(text: str | None) -> Instant | None:
    """Take an instant back, or nothing where there is none.

    Raises:
        ValueError: the text is no time, or one without its zone.
    """
    return None if text is None else instant(text)
