"""Notices: side effects that are owed, written in the transaction of the fact that owes them."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from faultbook.base.clock import Instant

CARDS, REACTIONS = "cards", "reactions"
"""The lanes of a channel beside its posts: each is paced by itself."""

WEBHOOKS = "webhooks"
"""Where outcomes are owed that go over HTTP, `webhooks/A-7`; no channel of Slack's."""


def lane_of(target: str) -> str:
    """Tell which lane of a channel a target is; empty for its posts."""
    return target.partition("/")[2]


def channel_of(target: str) -> str:
    """Tell which channel a target is in."""
    return target.partition("/")[0]


class NoticeState(StrEnum):
    """Where a notice is."""

    OWED = "owed"
    SETTLED = "settled"
    DEAD = "dead"
    """Given up after its attempts; kept to be listed."""


class Priority(IntEnum):
    """Receipts and decisions go before repaints."""

    RECEIPT = 0
    ANSWER = 1
    REPAINT = 2


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A side effect to owe.

    Attributes:
        kind: which rendering it is for.
        target: what it is paced by: a channel's id, with `/` and a lane where it has one.
        payload: facts for the rendering; JSON values only.
    """

    kind: str
    target: str
    payload: dict[str, Any]
    priority: Priority = Priority.ANSWER


@dataclass(frozen=True, slots=True)
class DeadNotice:
    """A notice that was given up, and why.

    Attributes:
        subject: what it was to show, such as `T-41`; empty where it was about no one thing.
    """

    id: str
    kind: str
    target: str
    subject: str
    attempts: int
    owed_at: Instant
    given_up_at: Instant
    error: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A claimed notice.

    Attributes:
        attempts: how often it was claimed, this time included; above 1 it may have been sent.
        is_fresh: handed over by the commit that owed it, so that what its payload says still holds.
    """

    id: str
    kind: str
    target: str
    payload: dict[str, Any]
    attempts: int
    owed_at: Instant
    is_fresh: bool = False
