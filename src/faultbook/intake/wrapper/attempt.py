"""Work that may fail or hang without holding up the job it is about."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.05


class Attempt(Generic[T]):
    """One piece of work in a thread of its own, which nobody has to wait for.

    Attributes:
        result: what it gave; None while it is at work, or when it failed.
        error: what it failed with.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.result: T | None = None
        self.error: Exception | None = None
        # A daemon, so that the wrapper can end while this still hangs.
        self._thread = threading.Thread(target=self._run, daemon=True, name="attempt")
        self._thread.start()

    def wait(self, timeout: float, unless: Callable[[], bool] = lambda: False) -> bool:
        """Wait for its end, `timeout` seconds at most; tells whether it has come.

        `unless` is asked now and then, and ends the waiting early.
        """
        left = timeout
        while left > 0 and not unless():
            self._thread.join(min(left, _LOOK_SECONDS))
            if self.is_over:
                break
            left -= _LOOK_SECONDS
        return self.is_over

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended, well or not."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except Exception as error:  # noqa: BLE001 - whatever it is, the job and its exit code go on
            self.error = error
