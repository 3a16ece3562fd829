"""Holding a task: a thread that gives signs of life for as long as it is worked on."""

import logging
import threading
import time

from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from faultbook.client.http import HttpClient
from faultbook.client.words import written

GONE = (ConflictError, ForbiddenError, NotFoundError)
"""What the server answers once a task is not this worker's any more."""

_BEATS_A_LEASE = 3
_SOON_SECONDS = 1.0

_log = logging.getLogger("faultbook.client")


class Lease:
    """A lease on a task, kept by signs of life until it is let go or lost.

    Attributes:
        gone: why it is lost; None while it is held for all we know.
        held_until: until when it may still be held, by the monotonic clock, where the server hears
            nothing any more.
    """

    def __init__(self, http: HttpClient, task: str, identifier: str, seconds: float) -> None:
        self.id = identifier
        self.seconds = seconds
        self.gone: FaultbookError | None = None
        self.held_until = time.monotonic() + seconds
        self._http = http
        self._task = task
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=f"lease {task}", daemon=True)
        self._thread.start()

    def prolonged(self) -> None:
        """Note that the server just took a sign of life."""
        self.held_until = time.monotonic() + self.seconds

    def lose(self, error: FaultbookError) -> None:
        """Note that the task is not ours any more."""
        self.gone = self.gone or error
        self._ended.set()

    def end(self) -> None:
        """Give no more signs of life."""
        self._ended.set()

    def _keep(self) -> None:
        document = written({"lease": self.id, "lease_seconds": self.seconds})
        pause = self.seconds / _BEATS_A_LEASE
        wait = pause
        while not self._ended.wait(wait):
            wait = pause
            try:
                self._http.tell_task(self._task, "heartbeat", document)
                self.prolonged()
            except GONE as error:
                self.lose(error)
            except UnavailableError as error:
                _log.warning("%s: no sign of life could be given: %s", self._task, error)
                wait = min(pause, _SOON_SECONDS)
            except (FaultbookError, RuntimeError, OSError):  # this thread holds the lease
                if not self._ended.is_set():  # else the client was closed meanwhile
                    _log.exception("%s: no sign of life could be given", self._task)
