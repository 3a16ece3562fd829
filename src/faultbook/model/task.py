"""Tasks: what a person asked for in chat, from its receipt to its end; each attempt is a run."""

from dataclasses import dataclass
from enum import StrEnum

from faultbook.base.clock import Instant
from faultbook.model.person import Person
from faultbook.model.verdict import Verdict

LONGEST_TEXT = 12_000
"""Characters of a task; three of Slack's longest messages."""


class TaskState(StrEnum):
    """Where a task is."""

    RECEIVED = "received"
    """Taken from a message that is still to be read again before it is queued."""
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    """For an approval."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def is_ended(self) -> bool:
        """Tell whether nothing more comes of it by itself."""
        return self in ENDED


ENDED = frozenset({TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED, TaskState.LOST})
OPEN = frozenset(TaskState) - ENDED
UNDER_WAY = frozenset({TaskState.RUNNING, TaskState.WAITING})
"""Somebody has it: a worker keeps its lease while a person decides what it asked."""


CANCELLED_WAITING = "cancelled_waiting"
"""The reason of a task that was cancelled while it only waited for an approval."""


class TaskSource(StrEnum):
    """How a task was given."""

    MENTION = "mention"
    DIRECT = "direct"
    COMMAND = "command"
    SHORTCUT = "shortcut"
    BUTTON = "button"
    """An unclear message that somebody made a task, or Home's "New task"."""
    CLI = "cli"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class TaskLink:
    """A file or page that came with a task."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class TaskOrigin:
    """Where a task was given in Slack; empty where nowhere.

    Attributes:
        ts: the message, which carries the reaction; empty for a slash command.
        thread_ts: the thread of the card; empty where the card is a plain message.
    """

    team: str = ""
    channel: str = ""
    ts: str = ""
    thread_ts: str = ""

    @property
    def key(self) -> str | None:
        """What makes the same message one task, however often it is told."""
        return f"{self.team}:{self.channel}:{self.ts}" if self.ts else None


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to take.

    Attributes:
        route: a route by name; None leaves it to the routes' own conditions.
        priority: the higher the sooner.
    """

    text: str
    requester: Person
    source: TaskSource
    origin: TaskOrigin = TaskOrigin()
    links: tuple[TaskLink, ...] = ()
    route: str | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Lease:
    """Whose an attempt is, and until when without a sign of life.

    Attributes:
        id: known to its worker alone.
        agent: the token's agent, or the command line's.
        worker: which of its processes.
    """

    id: str
    agent: str
    worker: str
    until: Instant


@dataclass(frozen=True, slots=True)
class Card:
    """Where a task's card is."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it stands in the store.

    Attributes:
        route: the name of the route it took; None while nobody is set to take it.
        attempts: how many were begun.
        lapses: how many of them ended with their worker going quiet.
        lease: of the attempt that runs.
        run_id: of the latest attempt.
        verdict: what the latest closed attempt came to, with its reason and words.
        taken_by: the person who took it in hand.
        worker: who had the latest attempt, for people.
        heard_at: the latest sign of life of a worker.
        revision: counts the changes that the card shows; `painted` is the one it shows.
        reaction: the one that is on the message now.
    """

    number: int
    text: str
    requester: Person
    source: TaskSource
    origin: TaskOrigin
    links: tuple[TaskLink, ...]
    state: TaskState
    route: str | None
    priority: int
    received_at: Instant
    not_before: Instant
    attempts: int = 0
    lapses: int = 0
    lease: Lease | None = None
    run_id: str | None = None
    verdict: Verdict | None = None
    reason: str = ""
    detail: str = ""
    taken_by: Person | None = None
    worker: str = ""
    started_at: Instant | None = None
    ended_at: Instant | None = None
    heard_at: Instant | None = None
    progress: str = ""
    progress_at: Instant | None = None
    cancelled_by: str = ""
    edited_ts: str = ""
    card: Card | None = None
    revision: int = 0
    painted: int = -1
    painted_at: Instant | None = None
    reaction: str = ""

    @property
    def id(self) -> str:
        """What people call it."""
        return f"T-{self.number}"


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """One line of a task's timeline.

    Attributes:
        kind: `received`, `edited`, `claimed`, `progress`, `closed`, `lapsed`, `cancelled`, …
        by: who or what did it.
    """

    kind: str
    text: str
    by: str
    at: Instant


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where a queued task stands in its route's queue.

    Attributes:
        before: how many are taken before it.
        running: how many of its route run now.
    """

    before: int
    running: int
