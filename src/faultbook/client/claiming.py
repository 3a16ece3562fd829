"""The loop of a worker: claim, hand out, close, and again."""

import contextlib
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Collection, Generator, Iterator
from types import FrameType

from faultbook.base.errors import ConflictError, FaultbookError, UnavailableError
from faultbook.client.http import HttpClient
from faultbook.client.task import Task
from faultbook.client.words import written

# The server is asked to wait so long, so that a worker that is told to stop soon hears of it.
_WAIT_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_SLICE_SECONDS = 0.2

_log = logging.getLogger("faultbook.client")


class _Stop:
    """Whether to stop; set by a signal or by another thread.

    A plain attribute: the lock of an Event may be held by the very thread that a signal interrupts.
    """

    def __init__(self, event: threading.Event | None) -> None:
        self._event = event
        self.asked = False

    def __bool__(self) -> bool:
        return self.asked or (self._event is not None and self._event.is_set())

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is time to stop."""
        end = time.monotonic() + seconds
        while not self and (rest := end - time.monotonic()) > 0:
            time.sleep(min(rest, _SLICE_SECONDS))


class Claims:
    """Claims the tasks of an agent, one after the other."""

    def __init__(
        self,
        http: HttpClient,
        agent: str | None,
        routes: Collection[str] | None,
        worker: str | None,
        lease_seconds: float,
    ) -> None:
        self._http = http
        self._lease_seconds = lease_seconds
        self._document = written(
            {
                "agent": agent,
                "worker": worker or f"{socket.gethostname()[:80]}-{os.getpid()}",
                "routes": None if routes is None else sorted(routes),
                "lease_seconds": lease_seconds,
                "wait_seconds": _WAIT_SECONDS,
            }
        )
        self._key = secrets.token_hex(16)
        self._pause = _FIRST_PAUSE

    def tasks(
        self, most: int | None, stop_event: threading.Event | None
    ) -> Generator[Task, None, None]:
        """Give tasks; each is closed when the next one is asked for, or the loop is left."""
        stop, given = _Stop(stop_event), 0
        with _stopping_at_sigterm(stop):
            while not stop and (most is None or given < most):
                task = self._claim(stop)
                if task is None:
                    continue
                given += 1
                try:
                    yield task
                except BaseException:  # GeneratorExit: break, return, or an exception outside
                    task.leave()
                    raise
                task.finish()

    def _claim(self, stop: _Stop) -> Task | None:
        """Claim a task, None where there was none yet or the server can't be had.

        Raises:
            FaultbookError: the server refuses this worker.
        """
        try:
            answer = self._http.claim_task(self._document, self._key, _WAIT_SECONDS)
        except UnavailableError as error:
            # Asked again by the same key: a claim whose answer was lost comes back.
            _log.warning("no task could be claimed: %s", error)
            stop.wait(self._pause)
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return None
        except ConflictError:  # it came back too late, and is another's by now
            self._key = secrets.token_hex(16)
            return None
        self._pause = _FIRST_PAUSE
        if answer is None:
            return None
        self._key = secrets.token_hex(16)
        task = Task(self._http, answer, self._lease_seconds)
        if not stop:
            return task
        with contextlib.suppress(FaultbookError):  # nobody began it: its lease runs out at worst
            task.release()
        return None


@contextlib.contextmanager
def _stopping_at_sigterm(stop: _Stop) -> Iterator[None]:
    """Let the first SIGTERM end the loop, where nothing else handles it."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop.asked = True
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the second one ends the process

    signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        # A generator may be finalised in another thread, which may not touch signals.
        with contextlib.suppress(ValueError):
            if signal.getsignal(signal.SIGTERM) is handle:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
