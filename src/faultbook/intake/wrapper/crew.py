"""A worker: claims tasks one after the other and has each done, several side by side."""

import threading
from collections.abc import Callable

from faultbook.base.errors import UnavailableError
from faultbook.intake.wrapper.task_job import TaskEnd, TaskJob
from faultbook.intake.wrapper.task_order import TaskOrder
from faultbook.intake.wrapper.work import ClaimedTask, WorkSource

_POLL_SECONDS = 2.0
"""How long one claim waits for a task, and a stop for that at most."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0

Say = Callable[[str], None]


class Crew:
    """Claims tasks from a source and runs their commands.

    Args:
        source: where tasks come from.
        order_of: what is to be done for one.
        say: told of each beginning and end, for people.
        most: how many run at once.
    """

    def __init__(
        self,
        source: WorkSource,
        order_of: Callable[[ClaimedTask], TaskOrder],
        say: Say,
        most: int = 1,
    ) -> None:
        self._source = source
        self._order_of = order_of
        self._say = say
        self._room = threading.Semaphore(most)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._jobs: dict[TaskJob, threading.Thread] = {}
        self._last: TaskEnd | None = None

    def run(self, *, once: bool = False) -> TaskEnd | None:
        """Work until it is closed, or for `once` on one task at most; gives the latest end.

        Raises:
            FaultbookError: the place refuses the worker; what runs was finished first.
        """
        try:
            while not self._closing.is_set():
                if not self._room.acquire(timeout=_POLL_SECONDS):
                    continue
                task = self._claim(0.0 if once else _POLL_SECONDS)
                if task is None:
                    self._room.release()
                else:
                    self._begin(task)
                if once:
                    break
        finally:
            for thread in self._threads():
                thread.join()
        return self._last

    def close(self) -> None:
        """Claim nothing more; what runs goes on."""
        self._closing.set()

    def end(self, kill_after: float) -> None:
        """Claim nothing more, end what runs and give its tasks back."""
        self._closing.set()
        with self._lock:
            jobs = list(self._jobs)
        for job in jobs:
            job.stop(kill_after)

    @property
    def is_working(self) -> bool:
        """Tell whether a command runs."""
        return bool(self._threads())

    def _threads(self) -> list[threading.Thread]:
        with self._lock:
            return list(self._jobs.values())

    def _claim(self, wait: float) -> ClaimedTask | None:
        pause = 0.0
        while not self._closing.wait(pause):
            try:
                return self._source.claim(wait)
            except UnavailableError as error:
                if not pause:
                    self._say(f"no task can be claimed: {error.message} I keep trying.")
                pause = min(max(pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
            except BaseException:
                self._room.release()
                raise
        return None

    def _begin(self, task: ClaimedTask) -> None:
        job = TaskJob(task, self._source, self._order_of(task))
        thread = threading.Thread(target=self._do, args=(job, task), name=f"task-{task.id}")
        with self._lock:
            self._jobs[job] = thread
        thread.start()
        if self._closing.is_set():  # it was closed while the claim was under way
            job.stop(0.0)

    def _do(self, job: TaskJob, task: ClaimedTask) -> None:
        try:
            self._say(f"{task.id} running, attempt {task.attempt}")
            self._last = job.run()
            self._say(self._last.words)
        finally:
            with self._lock:
                del self._jobs[job]
            self._room.release()
