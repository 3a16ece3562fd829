"""Endpoints of agents that ask for approvals, wait for them, and run what was approved."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from faultbook.base.clock import SECOND, iso
from faultbook.base.errors import UnavailableError
from faultbook.intake.http.door import Answer, Door, kept_answer, off_the_loop
from faultbook.intake.http.parameters import ApprovalParameters, WaitParameters
from faultbook.intake.http.requests import idempotency_key, read_body
from faultbook.intake.http.waiting import Bell, ring_or_gone, until_gone
from faultbook.model.approval import (
    Approval,
    ApprovalState,
    Decision,
)
from faultbook.model.approval_policy import ApprovalPolicies, ApprovalPolicy, Memberships
from faultbook.model.document_approvals import (
    read_execute,
    read_new_approval,
    read_report,
)
from faultbook.model.document_errors import explain_document
from faultbook.model.document_tasks import read_nothing
from faultbook.model.person import Person
from faultbook.model.token import Scope, Token
from faultbook.operations import approval_reporting as reporting
from faultbook.operations.approval_requests import request_approval
from faultbook.operations.approval_steps import Refusal, find_approval
from faultbook.operations.execution import Grant, begin_execution
from faultbook.operations.execution_rules import deciding_votes
from faultbook.operations.recording import request_digest
from faultbook.store import idempotency
from faultbook.store.approvals import ApprovalFilter
from faultbook.store.transaction import Transaction
from faultbook.view.approval_documents import approval_document
from faultbook.view.documents import Document

M = TypeVar("M", bound=BaseModel)

_LOOK_SECONDS = 1.0
"""Other processes' commits are not heard, nor that an approval's time is over."""

_RUNNING = frozenset({ApprovalState.APPROVED, ApprovalState.EXECUTING})


@dataclass(frozen=True, slots=True)
class ApprovalDoor:
    """What the endpoints of approvals work with beside the door.

    Attributes:
        memberships: what Slack says of people; asked outside every transaction.
        bell: rung when an approval moved on.
        has_slack: people decide there, by their member ids.
    """

    door: Door
    policies: ApprovalPolicies
    memberships: Memberships
    bell: Bell
    has_slack: bool = False

    def document(self, asked: Approval) -> Document:
        """Show an approval as JSON."""
        return approval_document(asked, self.policies)

    def policies_of(self, asked: Approval) -> Collection[ApprovalPolicy]:
        """Give the policy that an approval comes under; none where that is no more."""
        policy = self.policies.of(asked)
        return [] if policy is None else [policy]

    async def write(
        self,
        request: Request,
        token: Token,
        body: bytes,
        operation: Callable[[Transaction], Answer | Refusal],
    ) -> Response:
        """Run a writing operation, once for each Idempotency-Key; a refusal is kept under none.

        Raises:
            FaultbookError: what was refused, once its audit entry is durable.
        """
        key = idempotency_key(request)
        scope = f"{token.id} {request.method} {request.url.path}"
        done = await self.door.store.write_async(_once, scope, key, request_digest(body), operation)
        if isinstance(done, Refusal):
            raise done.error
        return done.response()


@dataclass(frozen=True, slots=True)
class ApprovalEndpoints:
    """The endpoints of those who ask, look and execute."""

    own: ApprovalDoor

    async def ask(self, request: Request) -> Response:
        """Ask for a decision about an action; 200 with the one that waits where it was asked for.

        Another action of the same kind on the same target, for the same task or run, supersedes
        what waited.
        """
        own, door = self.own, self.own.door
        token = await door.callers.identify(request, Scope.APPROVALS_REQUEST)
        body = await read_body(request, door.limits.body_bytes)
        environment = door.policy.default_environment
        new = await off_the_loop(
            body, lambda: reporting.new_approval(read_new_approval(body), environment, token)
        )

        def operation(tx: Transaction) -> Answer | Refusal:
            asked = request_approval(tx, new, own.policies, has_slack=own.has_slack)
            if isinstance(asked, Refusal):
                return asked
            status = 201 if reporting.was_asked_now(tx, asked) else 200
            return Answer(status, own.document(asked), location=f"/v1/approvals/{asked.id}")

        return await own.write(request, token, body, operation)

    async def list_some(self, request: Request) -> Response:
        """List approvals: those that wait, the soonest to expire first; others the newest first."""
        token = await self._reader(request)
        asked = _parameters(request, ApprovalParameters)
        states = None if asked.state == "all" else frozenset({ApprovalState(asked.state)})
        wanted = ApprovalFilter(states=states, agent=asked.agent, limit=asked.limit)
        found = await self.own.door.store.read_async(reporting.list_reported, token, wanted)
        return _answer({"approvals": [self.own.document(each) for each in found]})

    async def read(self, request: Request) -> Response:
        """Read an approval; with `wait`, once it is decided, or after so many seconds.

        One that Faultbook executes itself is waited for until it has ended.
        """
        token, number = await self._reader(request), number_of(request)
        seconds = _parameters(request, WaitParameters).wait
        if seconds:
            return _answer(self.own.document(await self._wait(request, token, number, seconds)))
        return _answer(self.own.document(await self._look(token, number)))

    async def _wait(self, request: Request, token: Token, number: int, seconds: float) -> Approval:
        """Look, and again by each ring and each second, until there is nothing to wait for."""
        bell, now = self.own.bell, asyncio.get_running_loop().time
        end = now() + seconds
        with bell.listening() as rung:
            async with until_gone(request) as gone:
                asked = await self._look(token, number)
                while self._goes_on(asked) and (left := end - now()) > 0:
                    if bell.is_closed or gone.done():
                        break
                    await ring_or_gone(rung, gone, min(left, _LOOK_SECONDS))
                    rung.clear()
                    asked = await self._look(token, number)
                return asked

    async def _look(self, token: Token, number: int) -> Approval:
        """Read it as it is by now: what waited too long is ended first."""
        store = self.own.door.store
        asked, is_overdue = await store.read_async(_read_with_time, token, number)
        return await store.write_async(reporting.settled, number) if is_overdue else asked

    def _goes_on(self, asked: Approval) -> bool:
        if asked.state in _RUNNING:
            policy = self.own.policies.of(asked)
            return policy is not None and policy.executor is not None
        return asked.state is ApprovalState.PENDING

    async def _reader(self, request: Request) -> Token:
        callers = self.own.door.callers
        others = (Scope.APPROVALS_REQUEST, Scope.APPROVALS_DECIDE)
        return await callers.identify(request, Scope.APPROVALS_READ, *others)

    async def execute(self, request: Request) -> Response:
        """Get the leave to run an approved action: once, for exactly what was approved.

        Run the `action` of the answer, and report before `until`; what nobody reports by then is
        unknown, and is not repeated.
        """
        own, number = self.own, number_of(request)
        token = await own.door.callers.identify(request, Scope.APPROVALS_REQUEST)
        body = await read_body(request, own.door.limits.body_bytes)
        digest = read_execute(body).digest
        asked = await own.door.store.read_async(find_approval, number)
        approvers = _approvers(asked) if asked.agent == token.agent else []
        people = await own.memberships(approvers, own.policies_of(asked)) if approvers else {}

        def operation(tx: Transaction) -> Answer | Refusal:
            if asked.agent == token.agent:
                _check_same(find_approval(tx, number), approvers)
            grant = begin_execution(tx, number, digest, token.agent, people, own.policies)
            return grant if isinstance(grant, Refusal) else Answer(200, _granted(tx, grant))

        return await own.write(request, token, body, operation)

    async def executed(self, request: Request) -> Response:
        """Report that what was approved has been done."""
        return await self._report(request, worked=True)

    async def failed(self, request: Request) -> Response:
        """Report that what was approved was tried and did not happen."""
        return await self._report(request, worked=False)

    async def _report(self, request: Request, *, worked: bool) -> Response:
        own, number = self.own, number_of(request)
        token = await own.door.callers.identify(request, Scope.APPROVALS_REQUEST)
        body = await read_body(request, own.door.limits.body_bytes)
        told = read_report(body)

        def operation(tx: Transaction) -> Answer | Refusal:
            done = reporting.report_own(
                tx, token, number, told.grant, worked=worked, words=told.words
            )
            return done if isinstance(done, Refusal) else Answer(200, own.document(done))

        return await own.write(request, token, body, operation)

    async def cancel(self, request: Request) -> Response:
        """Take a request back that nobody has decided."""
        own, number = self.own, number_of(request)
        callers, decide = own.door.callers, Scope.APPROVALS_DECIDE
        token = await callers.identify(request, Scope.APPROVALS_REQUEST, decide)
        body = await read_body(request, own.door.limits.body_bytes)
        read_nothing(body)

        def operation(tx: Transaction) -> Answer | Refusal:
            done = reporting.cancel_own(tx, token, number)
            return done if isinstance(done, Refusal) else Answer(200, own.document(done))

        return await own.write(request, token, body, operation)


def number_of(request: Request) -> int:
    """Take the approval's number from the path.

    Raises:
        InvalidError: it is none.
    """
    return reporting.parse_approval_id(str(request.path_params["approval_id"]))


def _read_with_time(tx: Transaction, token: Token, number: int) -> tuple[Approval, bool]:
    asked = reporting.read_reported(tx, token, number)
    return asked, reporting.is_overdue(tx, asked)


def _approvers(asked: Approval) -> list[Person]:
    """List those who are asked about at execution: who approved, or who broke the glass."""
    return [one.voter for one in deciding_votes(asked) if one.decision is Decision.APPROVE]


def _check_same(asked: Approval, approvers: list[Person]) -> None:
    """Hold that nobody voted since it was asked who may: they would seem to be gone.

    Raises:
        UnavailableError: somebody did.
    """
    if _approvers(asked) != approvers:
        raise UnavailableError(
            f"{asked.id} was decided just now.",
            code="just_decided",
            next_step="Try again.",
            retry_after=0.2,
        )


def _granted(tx: Transaction, grant: Grant) -> Document:
    asked = grant.approval
    return {
        "id": asked.id,
        "grant": grant.id,
        "until": iso(grant.until),
        "seconds": (grant.until - tx.now) / SECOND,
        "digest": asked.digest,
        "action": asked.action.as_json(),
    }


def _once(
    tx: Transaction,
    scope: str,
    key: str | None,
    digest: str,
    operation: Callable[[Transaction], Answer | Refusal],
) -> Answer | Refusal:
    """Run an operation unless its key was used; what was refused may be asked for again.

    Raises:
        ConflictError: the grant that is kept under the key was used.
        UnavailableError: the same request is under way.
    """
    if key is None:
        return operation(tx)
    kept = idempotency.find(tx, scope, key, digest)
    if kept is not None:
        document = kept["document"]
        if "grant" in document:
            number = reporting.parse_approval_id(document["id"])
            reporting.check_grant(tx, number, document["grant"])
        return kept_answer(kept)
    answer = operation(tx)
    if not isinstance(answer, Refusal):
        idempotency.keep(tx, scope, key, digest, answer.kept())
    return answer


def _parameters(request: Request, model: type[M]) -> M:
    """Read what stands behind the `?`.

    Raises:
        InvalidError: a parameter is unknown, or does not fit.
    """
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise explain_document(error, model) from None


def _answer(document: Document) -> Response:
    return Response(to_json(document), media_type="application/json")
