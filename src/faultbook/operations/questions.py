"""Questions from chat: each delivery is taken once, and what it owes is written with it.

Nothing else is stored about a question: what was asked lives in the notice that owes the answer,
and what was not understood leaves its delivery's key only.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from faultbook.model.answer import FailingQuery
from faultbook.model.diff import Commit, Moment, Point
from faultbook.model.notice import NewNotice, Priority
from faultbook.store import notices, seen
from faultbook.store.transaction import Transaction


class Owed(StrEnum):
    """The kinds of notices that a chat owes."""

    FAILING = "failing"
    DIFF = "diff"
    HELP = "help"
    UNCLEAR = "unclear"
    UNREADABLE = "unreadable"
    """The question was ours, but a part of it can't be read; the payload says which."""
    ARRIVAL = "arrival"
    LESSONS = "lesson.search"
    """`words`, or none: then the thread's own, which the courier adds as `parent` and `said`."""
    REVIEW = "lesson.review"
    """`area`."""
    SUGGESTION = "lesson.suggestion"
    """`fingerprint`, `lessons`, `run`, `series` and `what` failed."""
    REPEAT = "lesson.repeat"
    """`lesson` and `series`."""
    OFFER_INCIDENT = "incident.offer"
    TASK_STATUS = "task.status"
    """`task`, its number."""
    TASK_LIST = "task.list"
    """`user`, and `mine` where only theirs are asked for."""
    APPROVAL_STATUS = "approval.status"
    """`approval`, its number."""
    APPROVAL_LIST = "approval.list"
    """`user`, `name`, and `member`: what Slack says of them; None where it said nothing."""
    NOT_POSTED = "not_posted"
    """A person asked for a post that Slack refused; they are told where they can read it."""


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where an answer goes.

    Attributes:
        channel: the conversation, which the answer is also paced by.
        user: who asked.
        after: Slack's time of the question; the answer is found in history after it.
        thread_ts: the thread; None for a plain message.
        asked_here: a person asked for this very post, so that they are told if it fails.
    """

    channel: str
    user: str
    after: str
    thread_ts: str | None = None
    asked_here: bool = False

    def notice(self, kind: StrEnum, **facts: Any) -> NewNotice:  # noqa: ANN401 - JSON values of any kind
        """Owe a message of a kind in this place."""
        to = {name: getattr(self, name) for name in _REPLY_TO}
        payload = {"to": to, **facts}
        return NewNotice(kind.value, self.channel, payload, Priority.ANSWER)


_REPLY_TO = tuple(field.name for field in fields(ReplyTo))
_QUERY = tuple(field.name for field in fields(FailingQuery))


def owed_answer(to: ReplyTo, query: FailingQuery) -> NewNotice:
    """Owe the answer to "what's failing?"; it is made from the store when it is sent."""
    asked = {name: getattr(query, name) for name in _QUERY if getattr(query, name)}
    return to.notice(Owed.FAILING, query=asked)


def owed_diff(to: ReplyTo, before: Point, after: Point | None) -> NewNotice:
    """Owe the answer to "what changed?"."""
    return to.notice(Owed.DIFF, before=_write_point(before), after=_write_point(after))


def read_points(payload: dict[str, Any]) -> tuple[Point, Point | None]:
    """Take back what is compared from a notice's payload."""
    before = _read_point(payload["before"])
    if before is None:
        raise ValueError("a comparison without a first point")
    return before, _read_point(payload["after"])


def _write_point(point: Point | None) -> dict[str, Any] | None:
    return None if point is None else asdict(point)


def _read_point(values: dict[str, Any] | None) -> Point | None:
    if values is None:
        return None
    return Commit(**values) if "version" in values else Moment(**values)


def read_reply_to(payload: dict[str, Any]) -> ReplyTo:
    """Take back where an answer goes from a notice's payload."""
    return ReplyTo(**payload["to"])


def read_failing_query(payload: dict[str, Any]) -> FailingQuery:
    """Take back the question from a notice's payload."""
    return FailingQuery(**payload["query"])


def accept(tx: Transaction, keys: Sequence[str], owed: NewNotice | None) -> bool:
    """Take a delivery by its keys, once, and owe what it asks for; tells whether it was new.

    The first key is the delivery's own. The others name what it is about, such as the message that
    two events tell of: whichever comes second owes nothing.
    """
    if not seen.take_all(tx, keys):
        return False
    if owed is not None:
        notices.append(tx, owed)
    return True


def accept_arrival(tx: Transaction, key: str, owed: NewNotice) -> bool:
    """Owe the greeting of a channel, once per channel; tells whether it was owed now."""
    if not seen.take(tx, key) or notices.was_owed(tx, owed.kind, owed.target):
        return False
    notices.append(tx, owed)
    return True


def give_up_post(tx: Transaction, notice_id: str, error: str, owed: NewNotice | None) -> None:
    """Give a message up, and owe whoever asked for it word of that."""
    notices.give_up(tx, notice_id, error)
    if owed is not None:
        notices.append(tx, owed)
