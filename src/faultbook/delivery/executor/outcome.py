"""How an execution came out, as far as anybody knows."""

from dataclasses import dataclass
from enum import Enum, auto


class Ended(Enum):
    """What an executor's end says about the effect."""

    EXECUTED = auto()
    FAILED = auto()
    """It certainly did not do what was approved."""
    UNKNOWN = auto()
    """It may have had its effect; nobody repeats it unasked."""
    NOT_SENT = auto()
    """Nothing left this machine, so that it may be tried again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An end, and what to tell people of it.

    Attributes:
        words: without secrets.
    """

    ended: Ended
    words: str
