"""The courier: claims what is owed, sends it at Slack's pace, and settles it.

A claim lasts longer than any attempt, so nothing is renewed: what was not settled when a claim ran
out belongs to a process that is gone, and is taken over. An attempt that may have been the second
looks for the first one's message before it sends.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from faultbook.base.clock import Instant, seconds
from faultbook.base.errors import UnavailableError
from faultbook.delivery.errands import Errands
from faultbook.delivery.slack.calling import NotSentError
from faultbook.delivery.slack.effects import Done, Effect, PostEffect, Prepare, Render, settle
from faultbook.delivery.slack.pace import Pace
from faultbook.delivery.slack.post import Post
from faultbook.model.notice import NewNotice, Notice, channel_of
from faultbook.operations.questions import Owed, ReplyTo, give_up_post, read_reply_to
from faultbook.store import notices
from faultbook.store.engine import Store

_POLL_SECONDS = 1.0
_GATHER_SECONDS = 0.005
_BACKOFF_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 900.0)

log = structlog.get_logger("courier")


@dataclass(frozen=True, slots=True)
class CourierLimits:
    """How the courier works.

    Attributes:
        at_once: messages on their way at the same time.
        attempts: after so many a message is given up.
        attempt_seconds: how long one attempt may take; less than the lease.
        lease_seconds: how long a claim lasts.
    """

    at_once: int = 8
    attempts: int = 8
    attempt_seconds: float = 8.0
    lease_seconds: float = 12.0


class Courier:
    """Sends the notices of one bot."""

    def __init__(
        self,
        store: Store,
        render: Render,
        post: Post,
        pace: Pace,
        limits: CourierLimits | None = None,
        prepare: Prepare | None = None,
        effects: Mapping[str, Effect] | None = None,
    ) -> None:
        self._store = store
        self._posting = PostEffect(store, render, post, prepare)
        self._effects = effects or {}
        self._pace = pace
        self._limits = limits or CourierLimits()
        self.lease: Instant = seconds(self._limits.lease_seconds)
        self._hearing: list[Callable[[], None]] = []
        self._woken = asyncio.Event()
        self._errands = Errands(store, self._woken)
        self.name = self._errands.name
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take over what a crashed bot of this machine had claimed, and begin."""
        await self._errands.take_over()
        loop = asyncio.get_running_loop()
        self._tell = loop.call_soon_threadsafe
        self._hearing = [self._store.watch(self._hear), self._store.hand_receipts_to(self)]
        self._loop = asyncio.create_task(self._run(), name="courier")

    def wake(self, target: str) -> None:
        """Say that something new is owed to a channel; one that rests is looked at in time."""
        if not self._pace.rests(target):
            self._woken.set()

    def can_take(self, target: str) -> bool:
        """Tell, in any thread, whether something for a target could be sent at once."""
        free = len(self._errands) < self._limits.at_once
        return free and self._pace.is_ours(target) and not self._pace.rests(target)

    def take(self, fresh: Sequence[Notice]) -> None:
        """Hear, in the thread that committed, of receipts that are claimed already."""
        with contextlib.suppress(RuntimeError):  # the loop was closed: their claims run out
            self._tell(self._start_fresh, tuple(fresh))

    def _start_fresh(self, fresh: Sequence[Notice]) -> None:
        if self._loop is None:
            return  # stopped: its claims are let go, or run out
        held_up = []
        for notice in fresh:
            if self._may_start(notice):
                self._start(notice)
            else:
                held_up.append(notice.id)
        if held_up:
            self._errands.begin(self._let_go(held_up), "letting go")

    def _may_start(self, notice: Notice) -> bool:
        return self.can_take(notice.target) and self._pace.is_open(notice.target)

    async def _let_go(self, ids: list[str]) -> None:
        await self._store.write_async(notices.let_go, ids, self.name)

    def _hear(self, topics: frozenset[str]) -> None:
        """Hear, in the thread that committed, of what is owed; what rests is looked at in time."""
        targets = [target for topic in topics if (target := notices.target_of(topic)) is not None]
        ready = [one for one in targets if self._pace.is_ours(one) and not self._pace.rests(one)]
        if ready:
            with contextlib.suppress(RuntimeError):  # the loop was closed
                self._tell(self._wake_for, ready)

    def _wake_for(self, targets: Sequence[str]) -> None:
        if any(self._pace.is_open(target) for target in targets):
            self._woken.set()

    async def stop(self, patience: float = 10.0) -> None:
        """Claim nothing more, and finish what is under way, for so many seconds at most."""
        for end in self._hearing:
            end()
        self._hearing = []
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None
        await self._errands.finish(patience)

    async def _run(self) -> None:
        look = True
        while True:
            try:
                claimed = await self._claim() if look else []
            except UnavailableError as error:
                log.warning("claim_failed", why=error.message)
                claimed = []
            for notice in claimed:
                self._start(notice)
            look = bool(claimed) or await self._rest()

    async def _claim(self) -> list[Notice]:
        free = min(self._limits.at_once, self._pace.room()) - len(self._errands)
        if free <= 0:
            return []
        until = self._store.clock() + self.lease
        resting, closed = self._pace.resting(), self._pace.closed_lanes()
        return await self._store.write_async(notices.claim, self.name, until, free, resting, closed)

    async def _rest(self) -> bool:
        """Wait for a reason to look again, and tell whether there may be something to claim."""
        ready = self._pace.next_ready()
        wait = _POLL_SECONDS if ready is None else min(_POLL_SECONDS, ready)
        try:
            # Not wait_for: until Python 3.12 it can swallow the cancellation that ends the courier.
            async with asyncio.timeout(wait):
                await self._woken.wait()
        except TimeoutError:
            return await self._is_due()
        if self._errands:
            await asyncio.sleep(_GATHER_SECONDS)  # several questions at once are claimed at once
        self._woken.clear()
        return True

    async def _is_due(self) -> bool:
        """Look without writing: other processes owe too, and an idle bot should cost nothing."""
        try:
            due = await self._store.read_async(notices.next_due)
        except UnavailableError as error:
            log.warning("store_unavailable", why=error.message)
            return False
        return due is not None and due <= self._store.clock()

    def _start(self, notice: Notice) -> None:
        # Held from now on, so that two messages never race for a channel.
        self._pace.hold(notice.target, self._limits.attempt_seconds)
        self._errands.begin(self._deliver(notice), f"notice {notice.id}")

    async def _deliver(self, notice: Notice) -> None:
        try:
            to = read_reply_to(notice.payload)
        except (KeyError, TypeError):
            log.exception("notice_unreadable", notice=notice.id, kind=notice.kind)
            self._pace.release(notice.target)
            await self._store.write_async(notices.give_up, notice.id, "unreadable")
            return
        try:
            async with asyncio.timeout(self._limits.attempt_seconds):
                effect = self._effects.get(notice.kind, self._posting)
                done = await effect.take_place(notice, to)
        except NotSentError as error:
            await self._not_sent(notice, to, error)
        except TimeoutError:
            await self._not_sent(notice, to, NotSentError("took too long"))
        except UnavailableError as error:
            await self._not_sent(notice, to, NotSentError(error.code, refused=True, wait=1.0))
        except Exception as error:  # the last boundary: a bug must not hold up the queue
            log.exception("attempt_failed", notice=notice.id)
            await self._not_sent(notice, to, NotSentError(type(error).__name__))
        else:
            await self._settle(notice, done)

    async def _settle(self, notice: Notice, done: Done) -> None:
        self._pace.release(notice.target)
        if done.posted:
            self._pace.posted(channel_of(notice.target))
        await self._store.write_async(settle, notice.id, done)

    async def _not_sent(self, notice: Notice, to: ReplyTo, error: NotSentError) -> None:
        self._pace.release(notice.target)
        self._pace.posted(notice.target)
        if error.permanent or (not error.refused and notice.attempts >= self._limits.attempts):
            log.error("notice_given_up", notice=notice.id, kind=notice.kind, why=error.words)
            owed = _word_of_it(notice, to, error) if error.permanent else None
            await self._store.write_async(give_up_post, notice.id, error.words, owed)
            return
        wait = error.wait if error.wait is not None else _backoff(notice.attempts)
        if error.refused and error.wait is not None:
            self._pace.hold(notice.target, wait)
        log.warning("notice_postponed", notice=notice.id, why=error.words, seconds=round(wait, 1))
        until = self._store.clock() + seconds(wait)
        await self._store.write_async(
            notices.postpone, notice.id, until, error.words, refused=error.refused
        )


def _backoff(attempts: int) -> float:
    return _BACKOFF_SECONDS[min(attempts, len(_BACKOFF_SECONDS)) - 1]


def _word_of_it(notice: Notice, to: ReplyTo, error: NotSentError) -> NewNotice | None:
    """Owe the person who asked for a post that was refused a direct word of it."""
    if not to.asked_here or notice.kind == Owed.NOT_POSTED:
        return None
    direct = replace(to, channel=to.user, thread_ts=None, asked_here=False)
    return direct.notice(Owed.NOT_POSTED, place=to.channel, why=error.words)
