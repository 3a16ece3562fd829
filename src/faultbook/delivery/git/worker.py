"""The one worker of a ledger's repository: fetches at its times, pushes what waits, in order.

Git runs in a thread of the worker's own; the event loop only waits for reasons to look again.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog

from faultbook.base.errors import FaultbookError, UnavailableError
from faultbook.delivery.claimer import claimers_that_are_gone, name_claimer
from faultbook.delivery.git.clone import LedgerClone, LedgerOptions
from faultbook.delivery.git.pusher import Pusher
from faultbook.delivery.git.tagger import HeadTagger
from faultbook.ledger.git import GitError
from faultbook.ledger.repository import Repository
from faultbook.ledger.snapshot import LedgerSnapshot
from faultbook.store import ledger
from faultbook.store.engine import Store

T = TypeVar("T")

_POLL_SECONDS = 1.0
_AFTER_A_BUG_SECONDS = 5.0
_PATIENCE_SECONDS = 5.0

log = structlog.get_logger("ledger")


class LedgerWorker:
    """Keeps one clone up to date and takes operations to its remote; start and stop it once."""

    def __init__(self, store: Store, repository: Repository, options: LedgerOptions) -> None:
        self._store = store
        self._options = options
        self._repository = repository
        self._clone = LedgerClone(store, repository, options)
        self._name = name_claimer()
        self._pusher = Pusher(store, self._clone, self._name)
        self._tagger = HeadTagger(store, repository)
        self._woken = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._loop: asyncio.Task[None] | None = None

    def snapshot(self) -> LedgerSnapshot:
        """Give the newest known state of the ledger; from any thread, at no cost."""
        return self._clone.snapshot

    def wake(self) -> None:
        """Say that an operation was owed; call it on the event loop."""
        self._woken.set()

    async def start(self) -> None:
        """Take over what a crashed bot of this machine had claimed, and begin."""
        await self._store.write_async(ledger.forget_other_heads, self._repository.name)
        if not self._store.is_postgresql:  # there the names of machines may be shared
            held = await self._store.read_async(ledger.list_claimers)
            gone = claimers_that_are_gone(held)
            if gone:
                await self._store.write_async(ledger.release, gone)
        self._loop = asyncio.create_task(self._run(), name="ledger")

    async def stop(self) -> None:
        """Begin nothing more, and end what is under way; what was not settled stays owed."""
        self._pusher.stopping.set()
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        ended = asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await asyncio.shield(ended)
        except TimeoutError:
            self._repository.git.interrupt()
            await ended
        with contextlib.suppress(UnavailableError):
            await self._store.write_async(ledger.release, [self._name])

    async def _run(self) -> None:
        next_fetch = 0.0
        while True:
            try:
                if time.monotonic() >= next_fetch:
                    next_fetch = time.monotonic() + self._options.fetch_seconds
                    await self._in_thread(self._fetch)
                if not await self._in_thread(self._pusher.push_waiting):
                    await self._rest(next_fetch)
            except FaultbookError as error:  # the store, or the lock: both come back
                log.warning("ledger_worker_waits", why=error.message)
                await asyncio.sleep(_POLL_SECONDS)
            except Exception:  # the last boundary: a bug must not end the worker
                log.exception("ledger_worker_failed")
                await asyncio.sleep(_AFTER_A_BUG_SECONDS)

    async def _rest(self, next_fetch: float) -> None:
        """Wait until something may be pushed, or until it is time to fetch."""
        while time.monotonic() < next_fetch:
            left = next_fetch - time.monotonic()
            try:
                async with asyncio.timeout(min(_POLL_SECONDS, max(0.0, left))):
                    await self._woken.wait()
            except TimeoutError:
                # Other processes owe operations too.
                due = await self._store.read_async(ledger.next_due)
                if due is not None and due <= self._store.clock():
                    return
            else:
                self._woken.clear()
                return

    async def _in_thread(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)

    def _fetch(self) -> None:
        try:
            with self._repository.lock():
                self._clone.fetch()
                self._clone.observe()
                self._tagger.tag_due()
        except UnavailableError as error:
            log.warning("ledger_not_fetched", why=error.message)
            self._store.write(ledger.note_trouble, self._repository.name, error.message)
        except GitError as error:
            self._clone.heal(error)
            log.warning("ledger_not_fetched", why=error.words)
