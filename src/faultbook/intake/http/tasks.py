"""Endpoints about tasks: given, listed, read, cancelled, retried, reported on, closed."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request, Response
from pydantic import ValidationError
from pydantic_core import to_json

from faultbook.base.clock import SECOND, iso
from faultbook.base.errors import ConflictError
from faultbook.intake.http.door import Answer, Door, off_the_loop
from faultbook.intake.http.parameters import TaskParameters
from faultbook.intake.http.problems import instance_of, problem_document
from faultbook.intake.http.requests import read_body
from faultbook.intake.http.runs import told_end
from faultbook.model.document_errors import explain_document
from faultbook.model.document_tasks import (
    LEASE_SECONDS,
    CloseTaskDocument,
    HeartbeatDocument,
    NewTaskDocument,
    read_heartbeat,
    read_new_task,
    read_nothing,
    read_progress,
    read_release,
    read_task_close,
)
from faultbook.model.document_text import plain
from faultbook.model.person import Person
from faultbook.model.route import Routes
from faultbook.model.run import RunEnd
from faultbook.model.task import OPEN, NewTask, Task, TaskLink, TaskSource, TaskState
from faultbook.model.token import Scope, Token
from faultbook.operations import task_reporting, work
from faultbook.operations.task_reporting import TaskReport
from faultbook.operations.tasks import find_task, parse_task_id
from faultbook.operations.work import ClosedAttempt
from faultbook.store.tasks import TaskFilter
from faultbook.store.transaction import Transaction
from faultbook.view.documents import Document
from faultbook.view.task_documents import task_document, whole_task_document

_Change = Callable[[Transaction, Token, int, Routes], TaskReport]


@dataclass(frozen=True, slots=True)
class TaskEndpoints:
    """The endpoints of those who give tasks, and of the workers that hold them."""

    door: Door

    async def add(self, request: Request) -> Response:
        """Take a task; it waits in the queue of the route that takes it."""
        door = self.door
        token = await door.callers.identify(request, Scope.TASKS_WRITE)
        body = await read_body(request, door.limits.body_bytes)
        new = _new_task(read_new_task(body), token)

        def operation(tx: Transaction) -> Answer:
            added = task_reporting.add_task(tx, token, new, door.routes)
            document = task_document(added.task, added.place)
            return Answer(201, document, location=f"/v1/tasks/{added.task.id}")

        return await door.write_once(request, token, body, operation)

    async def list_some(self, request: Request) -> Response:
        """List tasks: the open ones in the queue's order, others the newest first."""
        door = self.door
        token = await door.callers.identify(request, Scope.TASKS_READ)
        wanted = _wanted(request)
        found = await door.store.read_async(task_reporting.list_tasks, token, wanted, door.routes)
        return _answer({"tasks": [task_document(each.task, each.place) for each in found]})

    async def read(self, request: Request) -> Response:
        """Read a task with its timeline, and the run of its latest attempt with its evidence."""
        door, number = self.door, _number_of(request)
        token = await door.callers.identify(request, Scope.TASKS_READ)
        found = await door.store.read_async(task_reporting.read_task, token, number, door.routes)
        return _answer(whole_task_document(found.task, found.events, found.run, found.place))

    async def cancel(self, request: Request) -> Response:
        """Cancel an open task; what its worker has done may have had effects."""
        return await self._change(request, task_reporting.cancel_task)

    async def retry(self, request: Request) -> Response:
        """Queue a task again that failed, was lost or cancelled, with one more attempt."""
        return await self._change(request, task_reporting.retry_task)

    async def _change(self, request: Request, change: _Change) -> Response:
        door, number = self.door, _number_of(request)
        token = await door.callers.identify(request, Scope.TASKS_WRITE)
        body = await read_body(request, door.limits.body_bytes)
        read_nothing(body)

        def operation(tx: Transaction) -> Answer:
            changed = change(tx, token, number, door.routes)
            return Answer(200, task_document(changed.task, changed.place))

        return await door.write_once(request, token, body, operation)

    async def heartbeat(self, request: Request) -> Response:
        """Give a sign of life: the lease holds for another while."""
        door, number = self.door, _number_of(request)
        token = await door.callers.identify(request, Scope.TASKS_WORK)
        document = read_heartbeat(await read_body(request, door.limits.body_bytes))

        def operation(tx: Transaction) -> Answer:
            lasting = _lasting(tx, number, document)
            task = work.renew_lease(tx, number, document.lease, token.agent, lasting)
            return Answer(200, _held(task))

        return (await door.store.write_async(operation)).response()

    async def progress(self, request: Request) -> Response:
        """Say how far an attempt is, on the task's card; a sign of life as well."""
        door, number = self.door, _number_of(request)
        token = await door.callers.identify(request, Scope.TASKS_WORK)
        body = await read_body(request, door.limits.body_bytes)
        document = read_progress(body)
        text = plain(document.text)

        def operation(tx: Transaction) -> Answer:
            lasting, lease = _lasting(tx, number, document), document.lease
            task = work.report_progress(tx, number, lease, token.agent, text, lasting)
            return Answer(200, _held(task))

        return await door.write_once(request, token, body, operation)

    async def release(self, request: Request) -> Response:
        """Give a task back to the queue: its worker stops, and another may have it at once."""
        door, number = self.door, _number_of(request)
        token = await door.callers.identify(request, Scope.TASKS_WORK)
        body = await read_body(request, door.limits.body_bytes)
        document = read_release(body)

        def operation(tx: Transaction) -> Answer:
            task = work.release_task(tx, number, document.lease, token.agent, door.routes)
            return Answer(200, task_document(task))

        return await door.write_once(request, token, body, operation)

    async def close(self, request: Request) -> Response:
        """Close an attempt: its evidence is judged, and the task is done only if it passed.

        The same close again is answered with the stored result; one by a worker that lost its lease
        changes nothing.
        """
        door, number = self.door, _number_of(request)
        token = await door.callers.identify(request, Scope.TASKS_WORK)
        body = await read_body(request, door.limits.body_bytes)
        lease, end, digest = await off_the_loop(body, lambda: self._read_close(body, token))
        instance = instance_of(request.scope)

        def operation(tx: Transaction) -> Answer:
            return _closed(
                task_reporting.close_attempt(
                    tx, token, number, lease, end, door.policy, door.routes, digest
                ),
                instance,
            )

        return await door.write_once(request, token, body, operation)

    def _read_close(self, body: bytes, token: Token) -> tuple[str, RunEnd, str]:
        document: CloseTaskDocument = read_task_close(body)
        return document.lease, *told_end(document, self.door.reception(token, body))


def _number_of(request: Request) -> int:
    return parse_task_id(str(request.path_params["task_id"]))


def _new_task(document: NewTaskDocument, token: Token) -> NewTask:
    return NewTask(
        text=plain(document.text),
        requester=Person("", document.requester or token.agent),
        source=TaskSource.HTTP,
        links=tuple(TaskLink(link.name, link.url) for link in document.links),
        route=document.route,
        priority=document.priority,
    )


def _wanted(request: Request) -> TaskFilter:
    """Read what a list is limited to.

    Raises:
        InvalidError: a parameter is unknown, or does not fit.
    """
    try:
        asked = TaskParameters.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise explain_document(error, TaskParameters) from None
    states = {"open": OPEN, "all": None}
    found = states[asked.state] if asked.state in states else frozenset({TaskState(asked.state)})
    return TaskFilter(states=found, route=asked.route, limit=asked.limit)


def _lasting(tx: Transaction, number: int, document: HeartbeatDocument) -> float:
    """Tell for how many seconds the lease shall hold: as said, else no shorter than it does."""
    if document.lease_seconds is not None:
        return document.lease_seconds
    lease = find_task(tx, number).lease
    left = 0.0 if lease is None else (lease.until - tx.now) / SECOND
    return max(left, LEASE_SECONDS)


def _held(task: Task) -> Document:
    assert task.lease is not None  # noqa: S101 - it was renewed
    return {"lease": {"id": task.lease.id, "until": iso(task.lease.until)}}


def _closed(closed: ClosedAttempt, instance: str) -> Answer:
    """Answer a close: how the attempt was judged, or that it came past its time limit."""
    run = closed.run
    worst = run.findings[0] if run.findings else None  # the worst comes first
    document: Document = {
        "task": task_document(closed.task),
        "run": {
            "run_id": run.run_id,
            "verdict": run.verdict.value if run.verdict else None,
            "reason": worst.reason.value if worst else None,
            "failure_reason": worst.detail if worst else "",
        },
    }
    if not closed.late:
        return Answer(200, {"outcome": "repeated" if closed.repeated else "closed", **document})
    error = ConflictError(
        f"The attempt at {closed.task.id} was past its time limit; this result was not used.",
        code="late_close",
        next_step="Claim another task; give the route a longer timeout_seconds if it needs one.",
    )
    return Answer(409, problem_document(error, instance) | document)


def _answer(document: Document) -> Response:
    return Response(to_json(document), media_type="application/json")
