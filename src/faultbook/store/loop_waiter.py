"""Answers to an event loop: those of one commit wake it once, not once each."""

import asyncio
import contextlib
import threading
from collections import deque
from typing import Any
from weakref import WeakKeyDictionary

_Answer = tuple["asyncio.Future[Any]", Any, BaseException | None]


class LoopWaiter:
    """An asyncio future that another thread answers."""

    def __init__(self, inbox: "Inbox") -> None:
        self.future: asyncio.Future[Any] = inbox.loop.create_future()
        self._inbox = inbox
        self._answered = False

    def set_running_or_notify_cancel(self) -> bool:
        """Begin; what was cancelled before is not run."""
        return not self.future.cancelled()

    def set_result(self, result: Any, /) -> None:  # noqa: ANN401 - any operation's
        """Answer."""
        self._answered = True
        self._inbox.put((self.future, result, None))

    def set_exception(self, exception: BaseException | None, /) -> None:
        """Answer with a failure."""
        self._answered = True
        self._inbox.put((self.future, None, exception))

    def done(self) -> bool:
        """Tell whether it was answered."""
        return self._answered


class Inbox:
    """What a loop has not been told yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._answers: deque[_Answer] = deque()
        self._lock = threading.Lock()
        self._is_called = False

    def put(self, answer: _Answer) -> None:
        """Hand an answer over, from any thread; one that nobody is there to hear is dropped."""
        with self._lock:
            self._answers.append(answer)
            if self._is_called:
                return
            self._is_called = True
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
            self.loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        with self._lock:
            answers, self._answers = self._answers, deque()
            self._is_called = False
        for future, result, failure in answers:
            if future.done():
                continue  # whoever asked went away
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)


class Inboxes:
    """One inbox a loop."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[asyncio.AbstractEventLoop, Inbox] = WeakKeyDictionary()

    def waiter(self) -> LoopWaiter:
        """Make a waiter for the running loop."""
        loop = asyncio.get_running_loop()
        found = self._known.get(loop)
        if found is None:
            found = self._known[loop] = Inbox(loop)
        return LoopWaiter(found)
