"""`POST /v1/tasks:claim`: a task, a lease on it, and the run of its attempt; waits where asked to.

A claim whose answer is lost on its way is nobody's: its lease runs out, and the task is queued
again. With an Idempotency-Key the same claim comes back for as long as it is held.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request, Response

from faultbook.base.clock import iso
from faultbook.base.errors import ConflictError, ForbiddenError, UnavailableError
from faultbook.base.redaction import redact
from faultbook.intake.http.door import Answer, Door
from faultbook.intake.http.requests import idempotency_key, read_body
from faultbook.intake.http.waiting import Bell, ring_or_gone, until_gone
from faultbook.model.document_tasks import ClaimDocument, read_claim
from faultbook.model.route import Routes
from faultbook.model.task import Task
from faultbook.model.token import Scope, Token
from faultbook.operations import work
from faultbook.operations.recording import request_digest
from faultbook.operations.task_reporting import claimable_routes
from faultbook.operations.work import Claimer
from faultbook.store import idempotency, tasks
from faultbook.store.transaction import Transaction
from faultbook.view.documents import Document
from faultbook.view.task_documents import task_document

_LOOK_SECONDS = 1.0
"""Other processes' commits are not heard, nor that a task's time has come."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A claim as it was asked for.

    Attributes:
        key: its Idempotency-Key.
        digest: of the request, to tell it from another under the same key.
    """

    token: Token
    claimer: Claimer
    lease_seconds: float
    wait_seconds: float
    key: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class ClaimEndpoint:
    """The endpoint of workers that ask for work."""

    door: Door
    bell: Bell

    async def claim(self, request: Request) -> Response:
        """Claim the next task of the agent's routes; 204 when there is none after `wait_seconds`.

        By priority, then age. A claim whose answer is lost is nobody's: its lease runs out and the
        task is queued again. With an Idempotency-Key the same claim comes back while it is held.
        """
        token = await self.door.callers.identify(request, Scope.TASKS_WORK)
        body = await read_body(request, self.door.limits.body_bytes)
        asked = _asked(token, read_claim(body), self.door.routes, idempotency_key(request), body)
        answer = await self._wait(request, asked) if asked.wait_seconds else await self._try(asked)
        return Response(status_code=204) if answer is None else answer.response()

    async def _try(self, asked: _Asked) -> Answer | None:
        if self.bell.is_closed:
            raise UnavailableError(
                "Faultbook is stopping.",
                code="stopping",
                next_step="Ask again once it is back.",
                retry_after=1.0,
            )
        return await self.door.store.write_async(self._claim, asked)

    async def _wait(self, request: Request, asked: _Asked) -> Answer | None:
        """Try, and again by each ring, or once there is something by the clock."""
        now: Callable[[], float] = asyncio.get_running_loop().time
        end = now() + asked.wait_seconds
        with self.bell.listening() as rung:
            async with until_gone(request) as gone:
                answer = await self._try(asked)
                while answer is None and (left := end - now()) > 0 and not gone.done():
                    rings = await ring_or_gone(rung, gone, min(left, _LOOK_SECONDS))
                    if self.bell.is_closed or gone.done():
                        return None
                    rung.clear()
                    if rings or await self._is_something(asked):
                        answer = await self._try(asked)
                return answer

    async def _is_something(self, asked: _Asked) -> bool:
        """Look without the store's one writer, so that those who wait cost it nothing."""
        wanted = asked.claimer.routes or frozenset()
        return await self.door.store.read_async(tasks.has_queued, wanted)

    def _claim(self, tx: Transaction, asked: _Asked) -> Answer | None:
        door, scope = self.door, f"{asked.token.id} POST /v1/tasks:claim"
        if asked.key is not None:
            kept = idempotency.find(tx, scope, asked.key, asked.digest)
            if kept is not None:
                return self._again(tx, asked, kept)
        task = work.claim_task(tx, asked.claimer, asked.lease_seconds, door.policy, door.routes)
        if task is None or task.lease is None:
            return None
        if asked.key is not None:
            mine = {"task": task.number, "lease": task.lease.id}
            idempotency.keep(tx, scope, asked.key, asked.digest, mine)
        return Answer(200, _claim_document(task, door.routes))

    def _again(self, tx: Transaction, asked: _Asked, kept: Document) -> Answer:
        """Give a claim once more.

        Raises:
            ConflictError: it is not held any more.
        """
        number, lease, agent = kept["task"], kept["lease"], asked.token.agent
        try:
            task = work.renew_lease(tx, number, lease, agent, asked.lease_seconds)
        except ConflictError as error:
            raise ConflictError(
                error.message,
                code=error.code,
                next_step="Claim another task, with a new key.",
                where="Idempotency-Key",
            ) from error
        return Answer(200, _claim_document(task, self.door.routes))


def _asked(
    token: Token, document: ClaimDocument, routes: Routes, key: str | None, body: bytes
) -> _Asked:
    """Take a claim as a value.

    Raises:
        InvalidError: a route is not there, or the agent has none.
        ForbiddenError: another agent is named, or a route that the token may not work for.
    """
    if document.agent not in (None, token.agent):
        raise ForbiddenError(
            f"This token is {token.agent}'s; the document says another agent.",
            code="agent_mismatch",
            next_step="Leave agent out, or use that agent's own token.",
            where="agent",
        )
    wanted = claimable_routes(token, document.routes, routes)
    worker = redact(document.worker or token.agent)
    return _Asked(
        token,
        Claimer(token.agent, worker, wanted),
        document.lease_seconds,
        document.wait_seconds,
        key,
        request_digest(body),
    )


def _claim_document(task: Task, routes: Routes) -> Document:
    assert task.lease is not None  # noqa: S101 - a claimed task has one
    return {
        "task": task_document(task),
        "lease": {"id": task.lease.id, "until": iso(task.lease.until)},
        "run_id": task.run_id,
        "attempt": task.attempts,
        "timeout_seconds": routes.of(task.route).timeout_seconds,
    }
