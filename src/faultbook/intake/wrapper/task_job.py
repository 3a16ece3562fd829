"""One attempt at a task: its command is run under the lease, verified, and the attempt closed.

The claim has opened the attempt's run. While the command runs, a thread of its own gives signs of
life and passes progress on; once the task is no longer this worker's, the command is ended and
nothing is closed. A place that can't be had meanwhile is asked again until it answers.
"""

import contextlib
import errno
import os
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbook.base.clock import seconds
from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.intake.wrapper.attempt import Attempt
from faultbook.intake.wrapper.command import Command
from faultbook.intake.wrapper.ending import end_document
from faultbook.intake.wrapper.group import KILL_AFTER_SECONDS
from faultbook.intake.wrapper.process import JobEnd
from faultbook.intake.wrapper.record import said
from faultbook.intake.wrapper.task_lock import alone
from faultbook.intake.wrapper.task_order import TaskOrder
from faultbook.intake.wrapper.watch import Found, Watch
from faultbook.intake.wrapper.work import ClaimedTask, ClosedTask, WorkSource
from faultbook.model.task import TaskState
from faultbook.model.verdict import FailureClass, Reason, Verdict

_LOOK_SECONDS = 0.5
"""How often the command's progress is looked at."""

_CHECK_SECONDS = 600.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_PROGRESS_BYTES = 4_096
# The command itself is wrong; anything else may pass: no memory, too many files.
_WRONG_COMMAND = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EPERM, errno.ENOEXEC, errno.EISDIR}
    | {errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.E2BIG}
)


@dataclass(frozen=True, slots=True)
class TaskEnd:
    """How an attempt went.

    Attributes:
        closed: what became of it; None where it was not closed by this worker.
        words: the same for people.
    """

    closed: ClosedTask | None
    words: str

    @property
    def passed(self) -> bool:
        """Tell whether the task is done."""
        return self.closed is not None and self.closed.state is TaskState.DONE


class TaskJob:
    """One claimed task; `run` it in a thread of its own, `stop` it from another."""

    def __init__(self, task: ClaimedTask, source: WorkSource, order: TaskOrder) -> None:
        self._task = task
        self._source = source
        self._order = order
        self._watch = Watch(order.promised(task), folder=order.folder)
        self._command: Command | None = None
        self._gone: FaultbookError | None = None
        self._over, self._stopping = threading.Event(), threading.Event()
        self._starting = threading.Lock()

    def run(self) -> TaskEnd:
        """Do the task, and tell how it went."""
        with contextlib.ExitStack() as stack:
            try:
                scratch = stack.enter_context(
                    tempfile.TemporaryDirectory(
                        prefix="faultbook-task-", ignore_cleanup_errors=True
                    )
                )
                progress = Path(scratch, "progress")
                keeper = threading.Thread(target=self._keep, args=(progress,), daemon=True)
                keeper.start()
                stack.callback(keeper.join)
                stack.callback(self._over.set)
                end = self._run_command(progress)
            except OSError as error:
                words = f"the worker can't begin: {error.strerror or error}"
                return self._close(_claim(Reason.UNCLASSIFIED, FailureClass.TRANSIENT, words), [])
            if end is None:
                return self._leave()
            return self._close(*self._told(end))

    def stop(self, kill_after: float) -> None:
        """End the command and give the task back; one that is being closed is closed."""
        self._stopping.set()
        self._end_command(kill_after)

    def _run_command(self, progress: Path) -> JobEnd | None:
        """Run the command to its own end; None when it was ended, or never begun."""
        Attempt(self._watch.look).wait(_CHECK_SECONDS, self._is_called_off)
        name = f"{self._source.target.replace(':', '-')}-{self._task.id}"
        with alone(self._order.locks / name) as lock:
            with self._starting:
                if self._is_called_off():
                    return None
                self._command = Command(self._order.line(self._task, progress, lock))
            timeout = self._task.timeout
            spent = time.monotonic() - self._task.claimed
            end = self._command.run(None if timeout is None else max(0.0, timeout - spent))
            return None if self._command.was_ended else end

    def _is_called_off(self) -> bool:
        return self._gone is not None or self._stopping.is_set()

    def _end_command(self, kill_after: float = KILL_AFTER_SECONDS) -> None:
        with self._starting:
            if self._command is not None:
                self._command.end(kill_after)

    def _told(self, end: JobEnd) -> tuple[dict[str, Any], list[Found]]:
        """Read the artifacts and describe the end."""
        promised = list(self._watch.promised) or None
        if end.failure is not None:
            return _not_started(self._order.command[0], end.failure), []
        checked = Attempt(self._watch.check)
        checked.wait(_CHECK_SECONDS, lambda: self._gone is not None)
        found = checked.result or []
        limit = self._task.timeout
        took = end.ended - self._task.claimed
        ended_at = self._task.started_at + seconds(took if limit is None else min(took, limit))
        return {**end_document(end, ended_at, found), **said({"promised": promised})}, found

    def _close(self, document: dict[str, Any], found: Sequence[Found]) -> TaskEnd:
        files = {each.artifact.name: each for each in found}
        pause, is_bare = _FIRST_PAUSE, False
        while True:
            try:
                return _closed(self._task, self._source.finish(self._task, document, files))
            except UnavailableError as error:
                if self._stopping.wait(pause):
                    return TaskEnd(None, f"{self._task.id} is not closed: {error.message}")
                pause = min(pause * 2, _LONGEST_PAUSE)
            except (ConflictError, ForbiddenError, NotFoundError) as error:
                return TaskEnd(None, error.message)
            except FaultbookError as error:
                if is_bare:
                    return TaskEnd(None, f"{self._task.id} is not closed: {error.message}")
                words = f"its end was refused: {error.message}"
                document = _claim(Reason.UNCLASSIFIED, FailureClass.PERSISTENT, words)
                files, is_bare = {}, True

    def _leave(self) -> TaskEnd:
        """Part from a task that is not this worker's any more, or give it back."""
        if self._gone is not None:
            return TaskEnd(None, self._gone.message)
        try:
            self._source.release(self._task)
        except FaultbookError as error:
            return TaskEnd(None, f"{self._task.id} was left: {error.message}")
        return TaskEnd(None, f"{self._task.id} went back to the queue")

    def _keep(self, progress: Path) -> None:
        """Give signs of life and pass progress on, until the attempt is over or taken away."""
        heard, told = time.monotonic(), ""
        while not self._over.wait(_LOOK_SECONDS):
            words = _last_line(progress)
            try:
                if words and words != told:
                    self._source.progress(self._task, words)
                    told = words
                elif time.monotonic() - heard < self._source.heartbeat_seconds:
                    continue
                else:
                    self._source.renew(self._task)
                heard = time.monotonic()
            except (ConflictError, ForbiddenError, NotFoundError) as error:
                self._gone = error
                self._end_command()
                return
            except FaultbookError:
                continue  # it can't be had now; what counts is whether the lease holds after that


def _last_line(path: Path) -> str:
    """Read the last line that says something."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _PROGRESS_BYTES))
            lines = file.read(_PROGRESS_BYTES).decode("utf-8", "replace").splitlines()
    except OSError:  # nothing was said yet, or it is no file any more
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _not_started(program: str, error: OSError) -> dict[str, Any]:
    words = f"`{program}` can't be started: {error.strerror or error}"
    if error.errno in _WRONG_COMMAND:
        return _claim(Reason.COMMAND_NOT_FOUND, FailureClass.MISCONFIG, words)
    return _claim(Reason.UNCLASSIFIED, FailureClass.TRANSIENT, words)


def _claim(reason: Reason, failure: FailureClass, words: str) -> dict[str, Any]:
    return {
        "verdict": Verdict.FAILED.value,
        "reason": reason.value,
        "failure_class": failure.value,
        "detail": cut(one_line(redact(words)), 500),
    }


def _closed(task: ClaimedTask, closed: ClosedTask) -> TaskEnd:
    receipt = closed.receipt
    again = " again" if closed.state is TaskState.QUEUED else ""
    verdict = "" if receipt.verdict == closed.state else f": {receipt.verdict}"
    detail = f": {receipt.detail}" if receipt.detail else ""
    why = f" ({receipt.reason}{detail})" if receipt.reason else ""
    return TaskEnd(closed, cut(one_line(f"{task.id} {closed.state}{again}{verdict}{why}"), 300))
