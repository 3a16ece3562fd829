"""Commits and moments in a question about what changed: `a1b2c3d..9f8e7d6`, `since yesterday`."""

from collections.abc import Sequence

from faultbook.base.clock import Instant
from faultbook.base.errors import InvalidError
from faultbook.intake.slack import phrases
from faultbook.intake.slack.reader import Reader
from faultbook.intake.slack.words import Word
from faultbook.model.diff import Point, parse_point


def read_points(words: Sequence[Word], now: Instant) -> tuple[Point, Point | None]:
    """Read one or two commits or moments.

    Raises:
        InvalidError: they are neither, or there are none.
    """
    reader = Reader(words)
    reader.take_all(phrases.BEFORE_POINTS)
    texts = [part for word in reader.rest for part in word.text.replace("..", " .. ").split()]
    if not texts:
        raise InvalidError(
            "There is nothing to compare.",
            code="nothing_to_compare",
            next_step="Say `diff a1b2c3d 9f8e7d6`, or `what changed since yesterday?`",
            where="point",
        )
    single = _point(texts, now)
    if isinstance(single, InvalidError):
        return _two_points(texts, now, single)
    return single, None


def _two_points(texts: Sequence[str], now: Instant, problem: InvalidError) -> tuple[Point, Point]:
    for at in range(1, len(texts)):
        right = at + (texts[at].casefold() in phrases.BETWEEN_POINTS)
        before, after = _point(texts[:at], now), _point(texts[right:], now)
        if not isinstance(before, InvalidError) and not isinstance(after, InvalidError):
            return before, after
    raise problem


def _point(texts: Sequence[str], now: Instant) -> Point | InvalidError:
    try:
        return parse_point(" ".join(texts), now)
    except InvalidError as error:
        return error
