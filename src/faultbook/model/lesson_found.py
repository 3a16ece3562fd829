"""A lesson as people are shown it: the row in git, and what is known of it beside that."""

from dataclasses import dataclass

from faultbook.base.clock import Instant
from faultbook.model.lesson import Lesson


@dataclass(frozen=True, slots=True)
class FoundLesson:
    """A lesson with its record.

    Attributes:
        repeats: how often its failure came again.
        last_at: when it did last.
        enforcement: what holds the rule, as its incident file says; None where there is none.
        written_on: the day of its incident, `YYYY-MM-DD`; None where there is none.
    """

    lesson: Lesson
    repeats: int = 0
    last_at: Instant | None = None
    enforcement: str | None = None
    written_on: str | None = None


@dataclass(frozen=True, slots=True)
class LessonsFound:
    """What a search or a review came to.

    Attributes:
        lessons: the likeliest first, retired ones last.
        asked: the words that were looked for, or the area; empty where none were said.
        more: there are others beside these.
        areas: every area there is, where the asked one is none of them.
    """

    asked: str
    lessons: tuple[FoundLesson, ...] = ()
    more: bool = False
    areas: tuple[str, ...] = ()
