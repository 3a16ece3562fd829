"""Endpoints about one run: start, event, close, record, read."""

from dataclasses import dataclass

from fastapi import Request, Response
from pydantic_core import to_json

from faultbook.intake.http import answers
from faultbook.intake.http.door import Answer, Door, off_the_loop, run_id_of
from faultbook.intake.http.problems import instance_of
from faultbook.intake.http.recorder import Recorder
from faultbook.intake.http.requests import idempotency_key, read_body
from faultbook.model.document_runs import Reception, to_end, to_event, to_run, to_start
from faultbook.model.documents import (
    CloseDocument,
    read_close,
    read_event,
    read_record,
    read_start,
)
from faultbook.model.run import RunEnd, WholeRun
from faultbook.model.token import Scope, Token
from faultbook.operations import recording, reporting
from faultbook.store.transaction import Transaction
from faultbook.view.documents import timeline_document


@dataclass(frozen=True, slots=True)
class RunEndpoints:
    """The endpoints of one run's life."""

    door: Door
    recorder: Recorder

    async def start(self, request: Request) -> Response:
        """Open a run; it counts as abandoned when no close comes by its deadline."""
        door = self.door
        token = await door.callers.identify(request, Scope.RUNS_WRITE)
        body = await read_body(request, door.limits.body_bytes)
        document = read_start(body)
        reporting.check_workflow(token, document.workflow)
        start = to_start(document, door.reception(token, body))

        def operation(tx: Transaction) -> Answer:
            return answers.started(recording.start_run(tx, start, door.policy))

        return await door.write_once(request, token, body, operation)

    async def event(self, request: Request) -> Response:
        """Record something that happened within an open run."""
        door, run_id = self.door, run_id_of(request)
        token = await door.callers.identify(request, Scope.RUNS_WRITE)
        body = await read_body(request, door.limits.body_bytes)
        event = to_event(read_event(body), door.reception(token, body))

        def operation(tx: Transaction) -> Answer:
            return answers.noted(reporting.report_event(tx, token, run_id, event))

        return await door.write_once(request, token, body, operation)

    async def close(self, request: Request) -> Response:
        """Close a run: its evidence is judged into a verdict, which never changes."""
        door, run_id = self.door, run_id_of(request)
        token = await door.callers.identify(request, Scope.RUNS_WRITE)
        body = await read_body(request, door.limits.body_bytes)
        end, digest = await off_the_loop(body, lambda: self._read_close(body, token))
        instance = instance_of(request.scope)

        def operation(tx: Transaction) -> Answer:
            result = reporting.report_close(tx, token, run_id, end, door.policy, digest)
            return answers.closed(result, instance)

        return await door.write_once(request, token, body, operation)

    def _read_close(self, body: bytes, token: Token) -> tuple[RunEnd, str]:
        return told_end(read_close(body), self.door.reception(token, body))

    async def record(self, request: Request) -> Response:
        """Record a whole run in one call."""
        door = self.door
        token = await door.callers.identify(request, Scope.RUNS_WRITE)
        body = await read_body(request, door.limits.body_bytes)
        whole = await off_the_loop(body, lambda: read_whole(door, token, body))
        if idempotency_key(request) is None:
            run_id = await self.recorder.record(whole)
            return answers.recorded(run_id, whole.judgement).response()

        def operation(tx: Transaction) -> Answer:
            [run_id] = recording.record_runs(tx, [whole])
            return answers.recorded(run_id, whole.judgement)

        return await door.write_once(request, token, body, operation)

    async def read(self, request: Request) -> Response:
        """Read a run with its evidence and its events, by its id or the end of it."""
        run_id = run_id_of(request)
        token = await self.door.callers.identify(request, Scope.RUNS_READ)
        timeline = await self.door.store.read_async(reporting.read_reported, token, run_id)
        return Response(to_json(timeline_document(timeline)), media_type="application/json")


def told_end(document: CloseDocument, reception: Reception) -> tuple[RunEnd, str]:
    """Take a close as a value, with the digest by which the same close again is recognised.

    Raises:
        InvalidError: it does not fit; `where` names the field.
    """
    # What a repeated close says again is the same but for the clock it was sent by.
    told = document.model_dump_json(exclude={"sent_at"}, exclude_defaults=True)
    return to_end(document, reception), recording.request_digest(told.encode())


def read_whole(door: Door, token: Token, body: bytes) -> WholeRun:
    """Read a whole run from JSON and judge it.

    Raises:
        InvalidError: it does not fit; `where` names the field.
        ForbiddenError: the token may not report this workflow, or another agent is named.
    """
    document = read_record(body)
    reporting.check_workflow(token, document.workflow)
    start, end, events = to_run(document, door.reception(token, body))
    return recording.prepare_whole(start, end, door.policy, events)
