"""Waiting for tasks and decisions: no thread, no transaction, no connection is held meanwhile."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from fastapi import Request

from faultbook.store.engine import Store


class Bell:
    """Wakes whoever waits once a commit of this process touched a topic of the store.

    Other processes' commits are not heard: who waits also looks by the clock.
    """

    def __init__(self, store: Store, topic: str) -> None:
        self._topic = topic
        self._waiting: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._is_rung = False
        self.is_closed = False
        self._unwatch = store.watch(self._hear)

    def close(self) -> None:
        """End every wait, now and from now on; called before the server is stopped."""
        if not self.is_closed:
            self.is_closed = True
            self._unwatch()
        self._ring()

    @contextlib.contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """Give an event that is set by each ring; whoever waits clears it."""
        event = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)

    def _hear(self, topics: frozenset[str]) -> None:
        """Pass it on to the loop; called in the thread that committed."""
        if self._topic in topics and self._waiting:
            self._ring()

    def _ring(self) -> None:
        if self._loop is None:
            return
        with self._lock:
            if self._is_rung:
                return
            self._is_rung = True
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop was closed: nobody waits any more
            self._is_rung = False

    def _wake(self) -> None:
        with self._lock:
            self._is_rung = False
        for event in self._waiting:
            event.set()


@dataclass(frozen=True, slots=True)
class Bells:
    """All that anybody waits for at this door."""

    queue: Bell
    approvals: Bell

    def close(self) -> None:
        """End every wait, now and from now on."""
        self.queue.close()
        self.approvals.close()


@contextlib.asynccontextmanager
async def until_gone(request: Request) -> AsyncIterator["asyncio.Task[None]"]:
    """Give a task that is done once the client has gone; its body must have been read."""
    gone = asyncio.create_task(_gone(request))
    try:
        yield gone
    finally:
        gone.cancel()
        await asyncio.wait({gone})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def ring_or_gone(rung: asyncio.Event, gone: "asyncio.Task[None]", seconds: float) -> bool:
    """Wait for a ring, for the client to go, or for so long; tells whether it rang."""
    waiting = asyncio.create_task(rung.wait())
    try:
        await asyncio.wait({waiting, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    return rung.is_set()
