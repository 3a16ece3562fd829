"""What the courier can do about a notice: post a message, paint a card, set a reaction.

An effect makes its calls and says what is to be recorded with the notice's settling, so that both
stand in the store or neither does.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from faultbook.delivery.slack.post import Post, Receipt
from faultbook.delivery.slack.reactions import Reactions
from faultbook.model.approval_sight import ApprovalSight
from faultbook.model.notice import Notice
from faultbook.model.task import Card, Task
from faultbook.operations import approval_notices
from faultbook.operations.approval_notices import ApprovalNotice
from faultbook.operations.questions import ReplyTo
from faultbook.operations.task_notices import (
    EVERY_REACTION,
    TaskNotice,
    card_painted,
    reaction_set,
    wanted_reaction,
)
from faultbook.operations.tasks import find_task
from faultbook.store import notices
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction
from faultbook.view.message import Message

Render = Callable[[str, dict[str, Any]], Message]
"""Makes the message that a kind and its payload owe; runs in the store's threads."""
Prepare = Callable[[str, dict[str, Any], ReplyTo], Awaitable[dict[str, Any]]]
"""Adds to a payload what has to be read from Slack before its message can be made."""
Paint = Callable[[int], tuple[Message, Task]]
"""Makes a task's card, with the task that it shows; runs in the store's threads."""
PaintApproval = Callable[[int], tuple[Message, ApprovalSight]]
"""The same of an approval."""


class PaintAloud(Protocol):
    """Makes the loud message about a bypass, with the approval that it shows."""

    def __call__(self, number: int, *, is_due: bool) -> tuple[Message, ApprovalSight]:
        """Make it, or the reminder; runs in the store's threads."""


@dataclass(frozen=True, slots=True)
class Done:
    """An effect that took place.

    Attributes:
        posted: a new message stands in the channel, which rests for it.
        record: what is recorded with the settling.
    """

    receipt: dict[str, Any]
    posted: bool = False
    record: Callable[[Transaction], None] | None = None


class Effect(Protocol):
    """One kind of thing that is done in Slack."""

    async def take_place(self, notice: Notice, to: ReplyTo) -> Done:
        """Do it once more, as if it may have been done before where `attempts` is above one.

        Raises:
            NotSentError: it did not take place, or nobody knows.
        """


@dataclass(frozen=True, slots=True)
class PostEffect:
    """A message, made at the moment of sending."""

    store: Store
    render: Render
    post: Post
    prepare: Prepare | None = None

    async def take_place(self, notice: Notice, to: ReplyTo) -> Done:
        """Post the message, unless an earlier attempt did."""
        if notice.attempts > 1:
            found = await self.post.find(notice.id, to)
            if found is not None:
                return Done(found.as_json())
        payload = notice.payload
        if self.prepare is not None:
            payload = await self.prepare(notice.kind, payload, to)
        message = await self.store.in_thread(self.render, notice.kind, payload)
        receipt = await self.post.send(notice.id, to, message)
        return Done(receipt.as_json(), posted=True)


@dataclass(frozen=True, slots=True)
class Painted:
    """A card as it is to be shown.

    Attributes:
        card: where it is; None while there is none.
        record: what is recorded once it shows this.
        may_post: it is posted where there is none; else it is left alone.
    """

    message: Message
    card: Card | None
    record: Callable[[Transaction, Card], None]
    may_post: bool = True


@dataclass(frozen=True, slots=True)
class CardEffect:
    """A record's one card: posted where there is none, else painted anew.

    `paint` makes it for what a notice's payload names; it runs in the store's threads.
    """

    store: Store
    paint: Callable[[dict[str, Any]], Painted]
    post: Post

    async def take_place(self, notice: Notice, to: ReplyTo) -> Done:
        """Show the record as it is now; a card that was deleted is posted again."""
        painted = await self.store.in_thread(self.paint, notice.payload)
        message, card = painted.message, painted.card
        if card is not None:
            receipt = await self.post.change(card.channel, card.ts, message)
            if receipt is not None:
                return self._done(receipt, painted, posted=False)
        if not painted.may_post:
            return Done({"gone": True})
        if notice.attempts > 1 and (found := await self.post.find(notice.id, to)) is not None:
            receipt = await self.post.change(found.channel, found.ts, message)
            if receipt is not None:
                return self._done(receipt, painted, posted=False)
        sent = await self.post.send(notice.id, to, message)
        return self._done(sent, painted, posted=True)

    def _done(self, receipt: Receipt, painted: Painted, *, posted: bool) -> Done:
        def record(tx: Transaction) -> None:
            painted.record(tx, Card(receipt.channel, receipt.ts))

        return Done(receipt.as_json(), posted, record)


@dataclass(frozen=True, slots=True)
class ReactionEffect:
    """The one reaction of ours that a task's message carries."""

    store: Store
    reactions: Reactions

    async def take_place(self, notice: Notice, to: ReplyTo) -> Done:
        """Take away what is there, then set what the task's state asks for.

        In this order, so that a reaction that nobody recorded is left by an attempt of unknown
        outcome only; the next attempt then takes away whatever it can have left.
        """
        number, ts = int(notice.payload["task"]), str(notice.payload["ts"])
        there, wanted = str(notice.payload["is"]), str(notice.payload["wanted"])
        if not notice.is_fresh:
            task = await self.store.read_async(find_task, number)
            there, wanted = task.reaction, wanted_reaction(task)
        old = {there} if notice.attempts == 1 else {there, *EVERY_REACTION}
        for name in sorted(old - {"", wanted}):
            await self.reactions.remove(to.channel, ts, name)
        if wanted:
            await self.reactions.add(to.channel, ts, wanted)

        def record(tx: Transaction) -> None:
            notices.forget_dead(tx, TaskNotice.REACTION, f"T-{number}")
            reaction_set(tx, number, wanted)

        return Done({"reaction": wanted}, record=record)


def task_effects(store: Store, paint: Paint, post: Post, reactions: Reactions) -> dict[str, Effect]:
    """Name the effects of tasks by their kinds."""

    def painted(payload: dict[str, Any]) -> Painted:
        message, task = paint(int(payload["task"]))

        def record(tx: Transaction, card: Card) -> None:
            notices.forget_dead(tx, TaskNotice.CARD, task.id)
            card_painted(tx, task.number, task.revision, card)

        return Painted(message, task.card, record)

    return {
        TaskNotice.CARD.value: CardEffect(store, painted, post),
        TaskNotice.REACTION.value: ReactionEffect(store, reactions),
    }


def approval_effects(
    store: Store, paint: PaintApproval, aloud: PaintAloud, post: Post
) -> dict[str, Effect]:
    """Name the effects of approvals by their kinds."""

    def painted(payload: dict[str, Any]) -> Painted:
        message, sight = paint(int(payload["approval"]))
        shown = sight.approval

        def record(tx: Transaction, card: Card) -> None:
            notices.forget_dead(tx, ApprovalNotice.CARD, shown.id)
            approval_notices.card_painted(tx, shown.number, shown.revision, card)

        return Painted(message, sight.card, record)

    def said(payload: dict[str, Any]) -> Painted:
        number, is_due = int(payload["approval"]), bool(payload.get("review_due"))
        message, sight = aloud(number, is_due=is_due)
        was_reviewed = sight.approval.review_due_at is None

        def record(tx: Transaction, _: Card) -> None:
            approval_notices.aloud_painted(tx, number, is_due=is_due, was_reviewed=was_reviewed)

        card = store.read(approval_notices.find_aloud, number, is_due=is_due)
        return Painted(message, card, record, may_post="again" not in payload)

    return {
        ApprovalNotice.CARD.value: CardEffect(store, painted, post),
        ApprovalNotice.BYPASS.value: CardEffect(store, said, post),
    }


def settle(tx: Transaction, notice_id: str, done: Done) -> None:
    """Settle a notice and record what its effect came to, in one transaction."""
    notices.settle(tx, notice_id, done.receipt)
    if done.record is not None:
        done.record(tx)
