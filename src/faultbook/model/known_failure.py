"""Failures that are known: by a lesson, or by what was asked about them."""

from dataclasses import dataclass
from enum import StrEnum

from faultbook.base.clock import Instant


class KnownBy(StrEnum):
    """How a failure came to be known, or was answered about."""

    YES = "yes"
    """A person said that it is the failure of a lesson."""
    NO = "no"
    """It is none of the suggested lessons."""
    NEW = "new"
    """It is new: it asks for a lesson of its own."""
    INCIDENT = "incident"
    """An incident was opened from it, and its lesson is on the main branch."""


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """What is kept of a fingerprint.

    Attributes:
        lesson, incident: what it is known by; None while it is known by none.
        last_seen_at: when the newest break of it was noted.
        candidates: the lessons that were suggested, the likeliest first.
        answer, answered_by, answered_at: what came of the suggestion, or of an incident.
    """

    fingerprint: str
    first_seen_at: Instant
    last_seen_at: Instant
    lesson: int | None = None
    incident: str | None = None
    suggested_at: Instant | None = None
    candidates: tuple[int, ...] = ()
    answer: KnownBy | None = None
    answered_by: str | None = None
    answered_at: Instant | None = None

    def is_repeat(self, broke_at: Instant | None) -> bool:
        """Tell whether a break that began then happened although the rule existed.

        The failure that an incident was opened from is no repeat of itself.
        """
        if self.lesson is None or self.answered_at is None:
            return False
        if self.answer is KnownBy.YES:
            return True
        return broke_at is not None and broke_at > self.answered_at


@dataclass(frozen=True, slots=True)
class SeenFailure:
    """A failing series as it was seen: its fingerprint, and the run that broke it."""

    fingerprint: str
    run_id: str
    broke_at: Instant


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often a lesson's failure came again, and when it did last."""

    count: int = 0
    last_at: Instant | None = None
