"""Operations on the ledger in git: durable before any git work, applied exactly once."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from faultbook.base.clock import Instant


class LedgerVerb(StrEnum):
    """What an operation does; its payload's keys are named here.

    An expected old text that is no longer there means that a person changed it: nothing is
    written, and the person who asked is shown both. `expected_sha256` is that of the text which
    "apply mine" was said to, and goes before `expected`.
    """

    ADD_LESSON = "add_lesson"
    """what_failed, fix, rule, area?"""
    SET_CELL = "set_cell"
    """number, column, expected, text"""
    RETIRE_LESSON = "retire_lesson"
    """number, superseded_by?, why"""
    OPEN_INCIDENT = "open_incident"
    """the fields of `IncidentFields`, repeats? (the number of the lesson it repeats),
    enforcement_change?"""
    CLOSE_INCIDENT = "close_incident"
    """path, verification"""
    NUMBER_NEW_ROWS = "number_new_rows"
    """no keys: rows that say `new` get their numbers"""


class LedgerOperationState(StrEnum):
    """Where an operation is."""

    WAITING = "waiting"
    PUSHED = "pushed"
    ON_BRANCH = "on_branch"
    """Main is protected: it was pushed to a branch of its own, to be merged by a person."""
    CONFLICT = "conflict"
    """A person changed what it would change; it waits for a choice."""
    REFUSED = "refused"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class NewLedgerOperation:
    """A change to owe; made by `operations.ledger.prepare_operation`, which redacts it.

    Attributes:
        id: the same for the same request, so that one that comes twice is owed once.
    """

    id: str
    verb: LedgerVerb
    payload: dict[str, Any]
    requester_id: str
    requester_name: str
    channel: str = ""
    thread_ts: str = ""


@dataclass(frozen=True, slots=True)
class LedgerOperation:
    """One change that is to reach git.

    Attributes:
        id: in the commit's `Ledger-Op` trailer, which recognises a push whose reply was lost.
        requester_id, requester_name: the person in Slack who asked; named in a trailer.
        channel, thread_ts: where it was asked, and where its outcome is said.
        result: what came of it: commit, number, path, branch, or both texts of a conflict.
    """

    id: str
    verb: LedgerVerb
    payload: dict[str, Any]
    requester_id: str
    requester_name: str
    created_at: Instant
    channel: str = ""
    thread_ts: str = ""
    state: LedgerOperationState = LedgerOperationState.WAITING
    attempts: int = 0
    error: str = ""
    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LedgerQueue:
    """What waits for git, and why; for Home, the doctor and messages.

    Attributes:
        waiting: operations that are saved and not pushed.
        conflicts: operations that wait for a person's choice.
        waiting_since: when the oldest waiting one was asked for.
        error: why nothing can be pushed now; empty when the remote answered last.
        commit: the head that was seen last; None before the first fetch.
        highest_number: the highest number that a lesson ever had.
    """

    waiting: int
    conflicts: int
    waiting_since: Instant | None
    error: str
    commit: str | None
    fetched_at: Instant | None
    highest_number: int


@dataclass(frozen=True, slots=True)
class PushedFinding:
    """A problem in a file that a person pushed by hand.

    Attributes:
        line, column: counted from 1.
        code: the rule's name, as `faultbook ledger check` prints it.
        who: the author of the commit that brought it.
    """

    path: str
    line: int
    column: int
    code: str
    message: str
    next_step: str
    who: str
