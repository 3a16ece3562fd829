"""A run as its reporter holds it: told while it goes on, and always closed."""

import logging
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from faultbook.base.errors import FaultbookError
from faultbook.client.fields import CloseFields, FailureClassName, VerdictName
from faultbook.client.words import failure, left

if TYPE_CHECKING:
    from faultbook.client.client import Client

_log = logging.getLogger("faultbook.client")


@dataclass(frozen=True, slots=True)
class Result:
    """How a run was judged.

    Attributes:
        verdict: `passed`, `failed`, `blocked`, `degraded`, `skipped` or `inconclusive`.
        reason: the one that decided; None for a plain pass.
        failure_reason: the same in words.
        state: of the task the run was an attempt at; empty for other runs.
    """

    run_id: str
    verdict: str
    reason: str | None
    failure_reason: str
    state: str = ""


def result_of(document: dict[str, Any], state: str = "") -> Result:
    """Take how a run was judged from a server's answer."""
    reason = document.get("reason")
    return Result(
        str(document.get("run_id")),
        str(document.get("verdict")),
        None if reason is None else str(reason),
        str(document.get("failure_reason") or ""),
        state,
    )


class Run:
    """An open run; made by `Client.run`.

    As a context manager it is closed in any case: as it was said within (`close`, `fail`), as
    passed when nothing was said, as failed with the exception's words, as inconclusive when it was
    interrupted. `passed` is a claim: without verified evidence the server says otherwise.

    Attributes:
        id: the run's id.
        result: how it was judged; None while it is open.
    """

    def __init__(self, client: "Client", run_id: str) -> None:
        self.id = run_id
        self.result: Result | None = None
        self._client = client

    def event(self, kind: str, name: str = "", text: str = "", **more: Any) -> None:  # noqa: ANN401 - `Client.record_event`'s own
        """Record something that happened; see `Client.record_event`."""
        self._client.record_event(self.id, kind, name, text, **more)

    def artifact(
        self, name: str, content: bytes | str | Path, *, media_type: str | None = None
    ) -> dict[str, Any]:
        """Bring evidence; see `Client.record_artifact`."""
        return self._client.record_artifact(self.id, name, content, media_type=media_type)

    def fail(
        self,
        reason: str = "unclassified",
        detail: str = "",
        failure_class: FailureClassName = "persistent",
    ) -> Result:
        """Close it as failed; see `close`."""
        return self.close("failed", reason=reason, detail=detail, failure_class=failure_class)

    def close(
        self, verdict: VerdictName | None = "passed", **fields: Unpack[CloseFields]
    ) -> Result:
        """Close it; what is closed stays closed, and leaving the block adds nothing.

        Raises:
            InvalidError: a field does not fit.
            ConflictError: it was closed otherwise before.
            UnavailableError: the server can't be had.
        """
        self.result = self._client.close_run(self.id, verdict, **fields)
        return self.result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.result is not None:
            return
        if error is None:
            self.close()
            return
        told = failure(error) if isinstance(error, Exception) else left(_interrupted(error))
        try:
            self.close(**told)
        except FaultbookError as second:  # the first is what the caller has to see
            _log.warning("the run %s could not be closed: %s", self.id, second)


def _interrupted(error: BaseException) -> str:
    return f"interrupted: {type(error).__name__}"
