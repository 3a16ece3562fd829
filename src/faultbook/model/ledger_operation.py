"""Operations on the ledger in git: durable before any git work, applied exactly once."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from faultbook.base.clock import Instant


class LedgerVerb(StrEnum):
    """What an operation does; its payload's keys are named here.

    An expected old text that is no longer there means that a person changed it: nothing is
    written, and the person who asked is shown both.
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
