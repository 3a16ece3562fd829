"""`Client`: the four verbs of reporting, runs, tasks to work on, and approvals to ask for."""

import os
import secrets
from collections.abc import Collection, Generator, Mapping
from datetime import datetime
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from faultbook.base.errors import InvalidError
from faultbook.client.fields import CloseFields, StartFields, VerdictName
from faultbook.client.run import Result, Run, result_of
from faultbook.client.words import pieces, written

if TYPE_CHECKING:
    from faultbook.client.approvals import ApprovalFields, ApprovalRequest
    from faultbook.client.task import Task

# Eight seconds: a server that is restarted is back by then.
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)


class Client:
    """Reports runs to a Faultbook server, works on its tasks, and asks people for approvals.

    Where the server can't be had at the moment, or answers 503, each call tries again for about
    eight seconds. Every call may be repeated: nothing is recorded twice. One client may be used by
    several threads.

    Args:
        url: where the server is; FAULTBOOK_URL where left out.
        token: the agent's token; FAULTBOOK_TOKEN, or the file that FAULTBOOK_TOKEN_FILE names,
            where left out.
        seconds: how long an answer may take.

    Raises:
        InvalidError: there is no URL, or it is none.
    """

    def __init__(
        self, url: str | None = None, token: str | None = None, *, seconds: float = 10.0
    ) -> None:
        # Here, because httpx takes longer to import than all the rest.
        from faultbook.client.http import HttpClient  # noqa: PLC0415

        self.http = HttpClient(url or _url(), token or _token(), seconds, _PAUSES)

    def start_run(self, workflow: str, **fields: Unpack[StartFields]) -> str:
        """Open a run, and give its id; it counts as abandoned when no close comes in time.

        Raises:
            InvalidError: a field does not fit; `where` names it.
            ForbiddenError: the token may not do this.
            UnavailableError: the server can't be had.
        """
        document = written({"workflow": workflow, **fields})
        return str(self.http.start_run(document, _key())["run_id"])

    def record_event(
        self,
        run_id: str,
        kind: str,
        name: str = "",
        text: str = "",
        *,
        occurred_at: datetime | None = None,
        client_seq: int | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Record something that happened within an open run.

        Args:
            run_id: the run.
            kind: `tool`, `step`, `log`, …; tools are held against the run's `tool_allowlist`.
            name: what it was about: the tool that was called, the step that was taken.
            text: more of it.
            occurred_at: when; an aware datetime.
            client_seq: the reporter's own count.
            duration_ms: how long it took.

        Raises:
            NotFoundError: there is no such run.
            ConflictError: it is closed.
            UnavailableError: the server can't be had.
        """
        fields = {
            "kind": kind,
            "name": name,
            "text": text,
            "occurred_at": occurred_at,
            "client_seq": client_seq,
            "duration_ms": duration_ms,
        }
        self.http.record_event(run_id, written(fields), _key())

    def record_artifact(
        self,
        run_id: str,
        name: str,
        content: bytes | str | Path,
        *,
        media_type: str | None = None,
    ) -> dict[str, Any]:
        """Bring evidence of an open run: the server reads and judges the bytes.

        Args:
            run_id: the run.
            name: what it is called; promised artifacts are recognised by it.
            content: the bytes, or the path of a file.
            media_type: `application/junit+xml` has its tests counted.

        Returns:
            What reading it came to: `check`, `sha256`, `size`.

        Raises:
            OSError: the file can't be read.
            NotFoundError: there is no such run.
            ConflictError: it is closed.
            TooLargeError: it is over the server's limit.
            UnavailableError: the server can't be had.
        """
        return self.http.put_artifact(run_id, name, lambda: pieces(content), media_type)

    def close_run(
        self,
        run_id: str,
        verdict: VerdictName | None = None,
        **fields: Unpack[CloseFields],
    ) -> Result:
        """Close a run; the same close again gives the stored result.

        A verdict is a claim that can only worsen what the evidence says.

        Raises:
            InvalidError: a field does not fit, or nothing says how it ended.
            ConflictError: it was closed otherwise before.
            UnavailableError: the server can't be had.
        """
        return result_of(self.http.close_run(run_id, written({"verdict": verdict, **fields})))

    def run(self, workflow: str, **fields: Unpack[StartFields]) -> Run:
        """Open a run that is closed in any case, as a context manager.

        Raises:
            InvalidError: a field does not fit; `where` names it.
            ForbiddenError: the token may not do this.
            UnavailableError: the server can't be had.
        """
        return Run(self, self.start_run(workflow, **fields))

    def tasks(
        self,
        agent: str | None = None,
        *,
        routes: Collection[str] | None = None,
        worker: str | None = None,
        lease_seconds: float = 30.0,
        most: int | None = None,
        stop: Event | None = None,
    ) -> "Generator[Task, None, None]":
        """Claim tasks one after the other, and wait for them; each is held while it is worked on.

            for task in client.tasks("invoice-bot"):
                with task:
                    task.artifact("report.csv", export(task.text))

        A task is closed when the next one is asked for, if it was not closed before: its evidence
        decides, and without any it is not proven. `with task:` adds what a loop can't see: an
        exception closes it as failed, with its words, and the loop goes on. Without it an exception
        leaves the loop as any other does, and so do `break` and `return`: what was not closed by
        then (`task.done()`) is closed as inconclusive.

        While the server can't be had it is asked again, for as long as it takes. SIGTERM lets the
        present task be finished and then ends the loop, where nothing else handles that signal and
        the loop runs in the main thread; a second SIGTERM ends the process.

        Args:
            agent: whose tasks; it must be the token's own agent, which is taken where left out.
            routes: only tasks of these routes.
            worker: what this process is called, for people; host and process id where left out.
            lease_seconds: without a sign of life for so long (5 to 600) another worker gets the
                task; signs are given by a thread while the task is worked on.
            most: end after so many tasks.
            stop: ends the loop as SIGTERM does, once it is set.

        Raises:
            InvalidError: a route is not there, or no route is the agent's.
            ForbiddenError: the token may not work for it.
        """
        from faultbook.client.claiming import Claims  # noqa: PLC0415 - who only reports needs none

        claims = Claims(self.http, agent, routes, worker, lease_seconds)
        return claims.tasks(most, stop)

    def approve(
        self,
        kind: str,
        target: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        why: str,
        task: "Task | str | None" = None,
        **fields: Unpack["ApprovalFields"],
    ) -> "ApprovalRequest":
        """Ask people whether an action may run.

            request = client.approve("refund", "c_881", {"amount": "120.00"}, why="charged twice")
            request.wait().raise_if_denied()
            with request.execute() as action:
                refund(action.target, action.parameters["amount"])

        The same action that waits already, or is approved and has not run, is the same request.

        Args:
            kind: what policies know it by.
            target: what it is done to.
            parameters: all that it will run with. Decimals are strings (a Decimal is written so),
                secrets are `secret:NAME`.
            why: in words, for whoever decides.
            task: the task it belongs to; who gave that does not decide. Left out it is the run's,
                or the only one that the agent holds; an agent that holds several has to say it.
            fields: see `ApprovalFields`.

        Raises:
            InvalidError: a fraction, a secret, a field that does not fit; `where` names it.
            TooLargeError: the action is over its limit.
            ForbiddenError: no policy says who decides this, or the token may not ask.
            UnavailableError: the server can't be had, or this agent asks too often.
        """
        from faultbook.client.approvals import ask  # noqa: PLC0415 - who only reports needs none

        return ask(self.http, kind, target, parameters, why, task, fields)

    def approval(self, approval_id: str) -> "ApprovalRequest":
        """Take up a request of this agent again by its id, `A-7`, as after a restart.

        Raises:
            NotFoundError: there is none of that id.
            ForbiddenError: it is another agent's.
            UnavailableError: the server can't be had.
        """
        from faultbook.client.approvals import ApprovalRequest  # noqa: PLC0415 - see `approve`

        return ApprovalRequest(self.http, self.http.read_approval(approval_id))

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _key() -> str:
    return secrets.token_hex(16)


def _url() -> str:
    found = os.environ.get("FAULTBOOK_URL")
    if not found:
        raise InvalidError(
            "Nothing says where the server is.",
            code="no_url",
            next_step="Set FAULTBOOK_URL, or give `url`.",
            where="FAULTBOOK_URL",
        )
    return found


def _token() -> str | None:
    given, path = os.environ.get("FAULTBOOK_TOKEN"), os.environ.get("FAULTBOOK_TOKEN_FILE")
    if given or not path:
        return given or None
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidError(
            f"FAULTBOOK_TOKEN_FILE names {path}, and it can't be read.",
            code="bad_token_file",
            next_step="Correct the path, or set FAULTBOOK_TOKEN.",
            where="FAULTBOOK_TOKEN_FILE",
        ) from error
