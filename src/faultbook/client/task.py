"""A task as its worker holds it."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from faultbook.base.errors import ConflictError, FaultbookError, InvalidError, UnavailableError
from faultbook.client.fields import CloseFields, FailureClassName, VerdictName
from faultbook.client.http import HttpClient
from faultbook.client.lease import GONE, Lease
from faultbook.client.run import Result, result_of
from faultbook.client.words import failure, left, pieces, written

if TYPE_CHECKING:
    from faultbook.client.approvals import ApprovalFields, ApprovalRequest

_log = logging.getLogger("faultbook.client")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0


class TaskGone(ConflictError):  # noqa: N818 - what happened, as the worker's code reads it
    """The task is not this worker's any more: cancelled, ended, or given to another."""


class Task:
    """A claimed task; `Client.tasks` gives them.

    `with task:` closes it as what became of the block: as done when it was left normally, as failed
    with the exception's words, which are logged, and then the block is left as if nothing had
    happened, so that the worker's loop goes on. TaskGone is passed over in the same way. Ctrl-C
    gives the task back to the queue.

    Attributes:
        id: `T-41`.
        text: what is to be done.
        route: the route it came by.
        requester: for whom it is, as people read it.
        links: files and pages that came with it, as (name, address).
        attempt: counted from 1.
        run_id: the run of this attempt.
        timeout_seconds: how long the attempt may take.
        document: all that the server said of it.
        result: how it was judged, with the task's state; None until it is closed.
    """

    def __init__(self, http: HttpClient, answer: dict[str, Any], lease_seconds: float) -> None:
        self.document: dict[str, Any] = answer["task"]
        self.id = str(self.document["id"])
        self.text = str(self.document["text"])
        self.route: str | None = self.document["route"]
        self.requester = str(self.document["requester"])
        self.links = tuple((str(one["name"]), str(one["url"])) for one in self.document["links"])
        self.attempt = int(answer["attempt"])
        self.run_id = str(answer["run_id"])
        self.timeout_seconds = float(answer["timeout_seconds"])
        self.result: Result | None = None
        self._http = http
        self._lease = Lease(http, self.id, str(answer["lease"]["id"]), lease_seconds)
        self._is_over = False

    @property
    def cancelled(self) -> bool:
        """Tell whether it is not this worker's any more, as far as the last sign of life told.

        Work that takes long without telling progress looks here from time to time.
        """
        return self._lease.gone is not None

    def progress(self, text: str) -> None:
        """Say how far it is; people read it on the task's card, in one line of 500 characters.

        Where the server can't be had this is passed over: work goes on.

        Raises:
            TaskGone: the task is not this worker's any more.
            InvalidError: there is no text.
        """
        self._check_held()
        document = {"lease": self._lease.id, "lease_seconds": self._lease.seconds, "text": text}
        try:
            self._http.tell_task(self.id, "progress", written(document))
            self._lease.prolonged()
        except GONE as error:
            raise self._lost(error) from error
        except UnavailableError as error:
            _log.warning("%s: progress could not be told: %s", self.id, error)

    def artifact(
        self, name: str, content: bytes | str | Path, *, media_type: str | None = None
    ) -> dict[str, Any]:
        """Bring evidence: the server reads and judges the bytes.

        Args:
            name: what it is called.
            content: the bytes, or the path of a file.
            media_type: `application/junit+xml` has its tests counted.

        Returns:
            What reading it came to: `check`, `sha256`, `size`.

        Raises:
            TaskGone: the task is not this worker's any more.
            OSError: the file can't be read.
            TooLargeError: it is over the server's limit.
            UnavailableError: the server can't be had.
        """
        self._check_held()
        try:
            return self._http.put_artifact(self.run_id, name, lambda: pieces(content), media_type)
        except ConflictError as error:
            if error.code != "run_closed":
                raise
            raise self._lost(error) from error

    def approve(
        self,
        kind: str,
        target: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        why: str,
        **fields: Unpack["ApprovalFields"],
    ) -> "ApprovalRequest":
        """Ask people whether an action may run, for this task; see `Client.approve`.

        The task waits meanwhile; it is still held by this worker's signs of life.

        Raises:
            TaskGone: the task is not this worker's any more.
        """
        from faultbook.client.approvals import ask  # noqa: PLC0415 - few tasks need one

        self._check_held()
        return ask(self._http, kind, target, parameters, why, self, fields, self._check_held)

    def done(self, **fields: Unpack[CloseFields]) -> Result:
        """Close it as done; the evidence decides, and without any it is not proven. See `close`."""
        return self.close("passed", **fields)

    def fail(
        self,
        reason: str = "unclassified",
        detail: str = "",
        failure_class: FailureClassName = "persistent",
    ) -> Result:
        """Close it as failed.

        Args:
            reason: one of the registry, `session_expired`, `rate_limited`, …
            detail: the same in words.
            failure_class: `transient` may be tried again, by the route's settings.

        Raises:
            InvalidError: the reason or the class is none.
            TaskGone: the task is not this worker's any more; nothing was changed.
        """
        return self.close("failed", reason=reason, detail=detail, failure_class=failure_class)

    def close(self, verdict: VerdictName | None = None, **fields: Unpack[CloseFields]) -> Result:
        """Close it; what is closed stays closed, and leaving the loop's body adds nothing.

        While the server can't be had it is told again, until the lease has certainly run out.

        Raises:
            InvalidError: a field does not fit, or nothing says how it ended.
            TaskGone: the task is not this worker's any more; nothing was changed.
        """
        if self.result is not None:
            return self.result
        self._check_held()
        return self._close({"verdict": verdict, **fields})

    def release(self) -> None:
        """Give it back to the queue, where another worker may have it at once.

        Raises:
            TaskGone: the task is not this worker's any more.
            UnavailableError: the server can't be had; the lease will run out.
        """
        self._end()
        try:
            self._http.tell_task(self.id, "release", written({"lease": self._lease.id}))
        except GONE as error:
            raise self._lost(error) from error

    def finish(self) -> None:
        """Close it as done if it was not closed before; called as the next task is asked for."""
        self._settle({"verdict": "passed"})

    def leave(self) -> None:
        """Close it as inconclusive if it was not closed before; called as the loop is left."""
        self._settle(left("the worker left its loop before the task was done"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None:
            self.finish()
        elif isinstance(error, TaskGone):
            _log.warning("%s: %s", self.id, error)
        elif isinstance(error, KeyboardInterrupt):
            self._give_back()
        else:
            _log.error("%s failed", self.id, exc_info=error)
            self._settle(failure(error))
        return isinstance(error, Exception)

    def _give_back(self) -> None:
        if not self._is_over and not self.cancelled:
            try:
                self.release()
            except FaultbookError as error:
                _log.warning("%s could not be given back: %s", self.id, error)

    def _settle(self, document: dict[str, Any]) -> None:
        """Close it unless that was done; what stands in the way is logged, and is nobody's."""
        if self._is_over:
            return
        try:
            self._close(document)
        except FaultbookError as error:
            self._end()
            _log.warning("%s was not closed: %s", self.id, error)

    def _close(self, document: dict[str, Any]) -> Result:
        body, pause = written({"lease": self._lease.id, **document}), _FIRST_PAUSE
        while True:
            # Signs of life may be refused because an earlier try was taken and its answer lost:
            # only the answer to this tells.
            try:
                answer = self._http.tell_task(self.id, "close", body)
                break
            except GONE as error:
                raise self._lost(error) from error
            except UnavailableError as error:
                if time.monotonic() >= self._lease.held_until:
                    raise self._lost(error) from error
                _log.warning("%s: its close is told again: %s", self.id, error)
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        self._end()
        self.result = result_of(answer["run"], state=str(answer["task"]["state"]))
        return self.result

    def _check_held(self) -> None:
        if self.result is None and self._lease.gone is not None:
            raise self._lost(self._lease.gone)
        if self._is_over:
            raise InvalidError(
                f"{self.id} is closed already.",
                code="task_closed",
                next_step="Tell all of a task before it is closed.",
            )

    def _end(self) -> None:
        self._is_over = True
        self._lease.end()

    def _lost(self, error: FaultbookError) -> TaskGone:
        self._lease.lose(error)
        self._end()
        return TaskGone(
            error.message, code=error.code, next_step=error.next_step, where=error.where
        )
