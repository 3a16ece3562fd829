"""What may be asked in chat: one of our questions, a request, chit-chat, or what can't be told."""

from dataclasses import dataclass
from typing import TypeAlias

from faultbook.base.errors import InvalidError
from faultbook.model.answer import FailingQuery
from faultbook.model.diff import Point


@dataclass(frozen=True, slots=True)
class Failing:
    """What's failing?"""

    query: FailingQuery


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """What changed between two commits or moments? Without `after`, until now."""

    before: Point
    after: Point | None = None


@dataclass(frozen=True, slots=True)
class Lessons:
    """Have we seen this before? Without words, the thread's own are meant."""

    words: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """What has to be read before something new starts in an area?"""

    area: str = ""


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident is to be written down."""


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """Something is to be done.

    Attributes:
        text: as its author wrote it, without the mention; not redacted; never empty.
    """

    text: str


@dataclass(frozen=True, slots=True)
class StatusOf:
    """Where is this task?"""

    task: int


@dataclass(frozen=True, slots=True)
class WhatDoing:
    """What are you doing?

    Attributes:
        mine: only what the asker gave is asked about.
    """

    mine: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalOf:
    """How does this approval stand?"""

    approval: int


@dataclass(frozen=True, slots=True)
class WaitsForMe:
    """Which approvals wait for my decision, and which of mine wait?"""


@dataclass(frozen=True, slots=True)
class Help:
    """What can be asked?"""


@dataclass(frozen=True, slots=True)
class ChitChat:
    """Nothing is asked; nothing is answered."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """None of ours, and no request either; or it can't be told."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One of ours, with a part that can't be read."""

    error: InvalidError


Ask: TypeAlias = (
    Failing
    | DiffRequest
    | Lessons
    | Review
    | OpenIncident
    | TaskRequest
    | StatusOf
    | WhatDoing
    | ApprovalOf
    | WaitsForMe
    | Help
    | ChitChat
    | Unclear
    | Unreadable
)
