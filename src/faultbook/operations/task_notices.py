"""What Slack is owed for a task: a reaction on its message, one card, and word of its end."""

from enum import StrEnum
from typing import Any

from faultbook.base.clock import MINUTE, SECOND, Instant
from faultbook.model.notice import CARDS, REACTIONS, NewNotice, Priority
from faultbook.model.task import Card, Task, TaskState
from faultbook.operations.questions import ReplyTo
from faultbook.store import notices, tasks
from faultbook.store.transaction import Transaction

REPAINT_EVERY: Instant = 3 * SECOND
"""A card that keeps changing is painted so often at most; endings are painted at once."""
QUIET_END: Instant = 60 * SECOND
"""A good end that comes sooner needs no message of its own."""

_REACTIONS = {
    TaskState.RECEIVED: "eyes",
    TaskState.QUEUED: "eyes",
    TaskState.RUNNING: "eyes",
    TaskState.WAITING: "raised_hand",
    TaskState.DONE: "white_check_mark",
    TaskState.FAILED: "x",
    TaskState.LOST: "warning",
    TaskState.CANCELLED: "",
}

EVERY_REACTION = frozenset(_REACTIONS.values()) - {""}
"""All that a task's message may ever have carried."""


class TaskNotice(StrEnum):
    """The kinds of notices that tasks owe; each names its task."""

    REACTION = "task.reaction"
    CARD = "task.card"
    REPLY = "task.reply"
    """`told` says of what: `ended`."""
    WAITS = "task.waits"
    DELETED = "task.deleted"


def wanted_reaction(task: Task) -> str:
    """Name the reaction that a task's message shall carry; empty for none."""
    return _REACTIONS[task.state]


def owe_paint(tx: Transaction, task: Task) -> None:
    """Owe whatever a task's message and card do not show yet; nothing for one without a place."""
    if not task.origin.channel:
        return
    channel = task.origin.channel
    if task.origin.ts and task.reaction != wanted_reaction(task):
        facts = {"ts": task.origin.ts, "is": task.reaction, "wanted": wanted_reaction(task)}
        lane = f"{channel}/{REACTIONS}"
        owed = _notice(tx, task, TaskNotice.REACTION, lane, Priority.RECEIPT, **facts)
        notices.append_once(tx, owed, task.id)
    if task.painted == task.revision:
        return
    first = task.card is None
    target = channel if first else f"{channel}/{CARDS}"
    priority = Priority.RECEIPT if first or task.state.is_ended else Priority.REPAINT
    rested = None if task.painted_at is None else task.painted_at + REPAINT_EVERY
    not_before = None if task.state.is_ended else rested
    owed = _notice(tx, task, TaskNotice.CARD, target, priority)
    notices.append_once(tx, owed, task.id, not_before)


def owe_word(tx: Transaction, task: Task, kind: TaskNotice, **facts: Any) -> None:  # noqa: ANN401 - JSON values of any kind
    """Owe a reply in a task's thread."""
    if task.origin.channel:
        notices.append(tx, _notice(tx, task, kind, task.origin.channel, Priority.ANSWER, **facts))


def owe_end(tx: Transaction, task: Task) -> None:
    """Owe the one message about a task's end, where it is bad or came late."""
    good = task.state in {TaskState.DONE, TaskState.CANCELLED}
    if good and (task.ended_at or tx.now) - task.received_at <= QUIET_END:
        return
    if task.state is not TaskState.CANCELLED:  # whoever cancelled knows
        owe_word(tx, task, TaskNotice.REPLY, told="ended")


def card_painted(tx: Transaction, number: int, revision: int, card: Card) -> None:
    """Record what a card shows now; a task that moved on meanwhile is owed another paint.

    Run in the transaction that settles the notice, after it is settled.
    """
    task = tasks.put_painted(tx, number, revision, card)
    if task is not None:
        owe_paint(tx, task)


def reaction_set(tx: Transaction, number: int, reaction: str) -> None:
    """Record which reaction a task's message carries now; the same for one that moved on."""
    task = tasks.put_reaction(tx, number, reaction)
    if task is not None:
        owe_paint(tx, task)


def _notice(
    tx: Transaction,
    task: Task,
    kind: TaskNotice,
    target: str,
    priority: Priority,
    **facts: Any,  # noqa: ANN401 - JSON values of any kind
) -> NewNotice:
    origin = task.origin
    to = ReplyTo(
        channel=origin.channel,
        user=task.requester.id,
        # The servers' clocks may differ a little.
        after=origin.ts or f"{(tx.now - MINUTE) // SECOND}.000000",
        thread_ts=origin.thread_ts or None,
    )
    owed = to.notice(kind, task=task.number, **facts)
    return NewNotice(owed.kind, target, owed.payload, priority)
