"""Asking people: a request, its outcome as a type, and the one execution of what was approved."""

import copy
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypedDict

from faultbook.base.errors import ConflictError, FaultbookError, ForbiddenError, UnavailableError
from faultbook.base.redaction import redact
from faultbook.base.text import cut
from faultbook.client.http import HttpClient
from faultbook.client.task import Task, TaskGone
from faultbook.client.words import written

_log = logging.getLogger("faultbook.client")

# Within a task it is looked more often whether the task is still ours.
_ROUND_SECONDS, _TASK_ROUND_SECONDS = 25.0, 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_AT_ONCE_SECONDS = 0.2
_LONGEST_WORDS = 1_000
_MAY_RUN = frozenset({"approved", "executed"})
_NOT_ALLOWED = frozenset({"denied", "cancelled", "superseded"})


class ApprovalFields(TypedDict, total=False):
    """What a request says besides; the API's own names and meanings.

    `evidence` are names and addresses; `supersedes` is the id of the request it replaces.
    """

    environment: str
    effect: str
    evidence: Iterable[tuple[str, str]]
    run_id: str
    ttl_seconds: float
    supersedes: str
    webhook: str


class OutcomeUnknown(Exception):  # noqa: N818 - what happened, as the agent's code reads it
    """Raised within `execute()` by an agent that can't tell whether it happened.

    A call that timed out may have been heard all the same. Nothing is reported then: the grant runs
    out, and a person finds out.
    """


# A task that is gone says nothing of what was done for it.
_SAYS_NOTHING = (OutcomeUnknown, TaskGone)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request. It is true only where the action may run now, or has been done.

    Attributes:
        state: `pending`, `approved`, `denied`, `expired`, `cancelled`, `superseded`, `executing`,
            `executed`, `execution_failed` or `execution_unknown`.
        decision: `approved`, `denied`, `cancelled` or `superseded`; None while nobody decided.
        executed: None where nobody knows.
        reason: in the words of who decided.
        words: how the execution ended.
        document: all that the server said.
    """

    id: str
    state: str
    decision: str | None
    executed: bool | None
    reason: str
    decided_by: str | None
    words: str
    document: dict[str, Any] = field(repr=False)

    def __bool__(self) -> bool:
        return self.decision == "approved" and self.state in _MAY_RUN

    @property
    def is_open(self) -> bool:
        """Tell whether there is still something to wait for."""
        by_faultbook = self.document.get("executed_by") == "faultbook"
        return self.decision is None or (by_faultbook and self.state in {"approved", "executing"})

    @property
    def is_denied(self) -> bool:
        """Tell whether it may not run, by a decision, by its end, or by another request."""
        return self.decision in _NOT_ALLOWED

    def raise_if_denied(self) -> Self:
        """Give itself where it is true; nothing else passes.

        Raises:
            Denied: it may not run.
            UnavailableError: nobody has decided yet, or it has not ended.
            ConflictError: it ran and failed, or nobody knows what became of it.
        """
        if self:
            return self
        if self.is_denied:
            raise Denied(self)
        if self.is_open or self.state == "executing":
            raise UnavailableError(
                f"{self.id} is {self.state}: nothing may run on it yet.",
                code=f"approval_{self.state}",
                next_step="Wait for it.",
            )
        raise ConflictError(
            f"{self.id} was approved, and is {self.state}: {self.words or 'no words'}.",
            code=f"approval_{self.state}",
            next_step="Look at it before it is asked for again.",
        )


class Denied(ForbiddenError):  # noqa: N818 - what happened, as the agent's code reads it
    """People, or the end of its time, said no. Nothing ran.

    Attributes:
        outcome: all of it.
    """

    code = "denied"

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(_denial(outcome), next_step="Don't do it. Ask for something else.")
        self.outcome = outcome


@dataclass(slots=True)
class ApprovedAction:
    """The action as it is stored and was shown: run this, and nothing else.

    Attributes:
        outcome: what came of it, for people; set it before the block is left.
    """

    kind: str
    target: str
    environment: str
    parameters: dict[str, Any]
    outcome: str = ""


class ApprovalRequest:
    """A request that people decide about; `Client.approve` and `Task.approve` make it.

    Attributes:
        id: `A-7`.
        digest: of exactly what was asked.
        outcome: what is known of it so far.
    """

    def __init__(
        self, http: HttpClient, document: dict[str, Any], check: Callable[[], None] | None = None
    ) -> None:
        self.id = str(document["id"])
        self.digest = str(document["digest"])
        self.outcome = _outcome_of(document)
        self._http = http
        self._check = check

    def wait(self, timeout: float | None = None) -> Outcome:
        """Wait until it is decided; one that Faultbook runs itself, until it has ended.

        A decision taken before is found at once. While the server can't be had it is asked again.

        Args:
            timeout: seconds; then the outcome is given as far as it is known: pending, and false.

        Raises:
            TaskGone: it was asked for within a task, which is not this worker's any more.
            FaultbookError: the server refuses this agent.
        """
        end = None if timeout is None else time.monotonic() + timeout
        longest = _ROUND_SECONDS if self._check is None else _TASK_ROUND_SECONDS
        pause, left = _FIRST_PAUSE, longest
        while True:
            if self._check is not None:
                self._check()
            if end is not None:
                left = max(0.0, end - time.monotonic())
            began = time.monotonic()
            pause = self._look(min(left, longest), pause)
            if not self.outcome.is_open or (end is not None and time.monotonic() >= end):
                return self.outcome
            if time.monotonic() - began < _AT_ONCE_SECONDS:  # the server stops, or is away
                time.sleep(pause if end is None else min(pause, max(0.0, end - time.monotonic())))

    def _look(self, seconds: float, pause: float) -> float:
        """Ask once, for at most so long; gives the pause before the next time."""
        try:
            document = self._http.read_approval(self.id, seconds)
        except UnavailableError as error:
            _log.warning("%s: its outcome could not be read: %s", self.id, error)
            return min(pause * 2, _LONGEST_PAUSE)
        self.outcome = _outcome_of(document)
        return _FIRST_PAUSE

    def execute(self) -> "Execution":
        """Run what was approved, once.

            with request.execute() as action:
                action.outcome = refund(action.target, action.parameters["amount"])

        The block gets the stored action. Left normally it is reported as executed; by an exception,
        as failed with its words, and the exception goes on. What is interrupted, or raises
        `OutcomeUnknown`, is not reported: its grant runs out, and people look what happened.

        Raises (on entering the block):
            Denied: it may not run.
            ConflictError: it is not approved yet, or somebody else runs it or has run it.
            UnavailableError: the server can't be had, or Slack did not say who may still decide.
        """
        return Execution(self, self._http)

    def cancel(self) -> Outcome:
        """Take it back.

        Raises:
            ConflictError: it was decided before.
        """
        self.outcome = _outcome_of(self._http.tell_approval(self.id, "cancel", b"{}", _key()))
        return self.outcome


class Execution:
    """The one execution of an approved action; made by `ApprovalRequest.execute`."""

    def __init__(self, request: ApprovalRequest, http: HttpClient) -> None:
        self._request = request
        self._http = http
        self._grant = ""
        self._until = 0.0
        self._action = ApprovedAction("", "", "", {})

    def __enter__(self) -> ApprovedAction:
        request = self._request
        began = time.monotonic()
        try:
            body = written({"digest": request.digest})
            answer = self._http.tell_approval(request.id, "execute", body, _key())
        except (ConflictError, ForbiddenError) as error:
            outcome = request.outcome = _outcome_of(self._http.read_approval(request.id))
            if outcome.is_denied:
                raise Denied(outcome) from error
            raise
        told = answer["action"]
        self._grant, self._until = str(answer["grant"]), began + float(answer["seconds"])
        self._action = ApprovedAction(
            told["kind"], told["target"], told["environment"], copy.deepcopy(told["parameters"])
        )
        return self._action

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        name = self._request.id
        if error is None:
            self._report("executed", self._action.outcome)
        elif isinstance(error, _SAYS_NOTHING) or not isinstance(error, Exception):
            _log.error("%s: nobody knows whether it happened: %s", name, type(error).__name__)
        else:
            words = f"{type(error).__name__}: {error}".removesuffix(": ")
            try:
                self._report("failed", words)
            except FaultbookError as second:  # the first is what the caller has to see
                _log.warning("%s: its failure could not be reported: %s", name, second)

    def _report(self, verb: str, words: str) -> None:
        """Report until the grant runs out.

        Raises:
            ConflictError: it counts as unknown by now; a person records what happened.
            UnavailableError: the server could not be had in time.
        """
        request, pause = self._request, _FIRST_PAUSE
        told = cut(redact(words), _LONGEST_WORDS)
        body = written({"grant": self._grant, "words": told})
        while True:
            try:
                document = self._http.tell_approval(request.id, verb, body)
                break
            except UnavailableError as error:
                if time.monotonic() + pause >= self._until:
                    raise
                _log.warning("%s: its report is told again: %s", request.id, error)
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        request.outcome = _outcome_of(document)


def ask(
    http: HttpClient,
    kind: str,
    target: str,
    parameters: Mapping[str, Any] | None,
    why: str,
    task: Task | str | None,
    fields: ApprovalFields,
    check: Callable[[], None] | None = None,
) -> ApprovalRequest:
    """Ask for approval; see `Client.approve`."""
    evidence = [{"name": name, "url": url} for name, url in fields.get("evidence", ())]
    document = {
        "kind": kind,
        "target": target,
        "parameters": dict(parameters or {}),
        "why": why,
        "task": task if task is None or isinstance(task, str) else task.id,
        **fields,
        "evidence": evidence,
    }
    return ApprovalRequest(http, http.ask_approval(written(document), _key()), check)


def _outcome_of(document: dict[str, Any]) -> Outcome:
    decision, by = document["decision"], document.get("decided_by")
    return Outcome(
        id=str(document["id"]),
        state=str(document["state"]),
        decision=None if decision is None else str(decision),
        executed=document["executed"],
        reason=str(document.get("reason") or ""),
        decided_by=None if by is None else str(by),
        words=str(document.get("outcome") or ""),
        document=document,
    )


def _denial(outcome: Outcome) -> str:
    replaced = outcome.document.get("superseded_by")
    said = {
        "expired": f"{outcome.id} expired unanswered, which denies it.",
        "cancelled": f"{outcome.id} was taken back by {outcome.decided_by}.",
        "superseded": f"{outcome.id} was superseded by {replaced}.",
    }.get(outcome.state)
    if said is None:
        reason = f": {outcome.reason}" if outcome.reason else ""
        said = f"{outcome.id} was denied by {outcome.decided_by}{reason.rstrip('.')}."
    return f"{said} Nothing ran."


def _key() -> str:
    return secrets.token_hex(16)
