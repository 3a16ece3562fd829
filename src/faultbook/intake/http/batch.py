"""`POST /v1/runs:batch`: JSON lines in, a result for each line out.

A line that does not fit is its own error and harms no other. Lines are written in chunks, each in
one transaction; with an Idempotency-Key each chunk is written once, so that a batch that was cut
off can be sent again whole.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from fastapi import Request, Response
from pydantic_core import to_json

from faultbook.base.errors import FaultbookError, InvalidError
from faultbook.intake.http.answers import verdict_document
from faultbook.intake.http.door import Door
from faultbook.intake.http.problems import problem_document, unexpected_document
from faultbook.intake.http.requests import idempotency_key, read_body
from faultbook.intake.http.runs import read_whole
from faultbook.model.run import WholeRun
from faultbook.model.token import Scope, Token
from faultbook.operations.recording import record_runs, request_digest
from faultbook.store import idempotency
from faultbook.store.transaction import Transaction

LINES_A_CHUNK = 500
_INSTANCE = "/v1/runs:batch"
_MEDIA_TYPE = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class _Line:
    """One line as it was read.

    Attributes:
        run: None where the line does not fit.
        result: what it is answered with; a run's id is added once it has one.
    """

    run: WholeRun | None
    result: dict[str, Any]


@dataclass(frozen=True, slots=True)
class BatchEndpoint:
    """The endpoint for many runs at once."""

    door: Door

    async def batch(self, request: Request) -> Response:
        """Record many whole runs, one JSON document a line; the answer has a result a line."""
        token = await self.door.callers.identify(request, Scope.RUNS_WRITE)
        key = idempotency_key(request)
        body = await read_body(request, self.door.limits.body_bytes)
        lines = _numbered(body)
        scope = f"{token.id} {request.method} {request.url.path}"
        digest = request_digest(body) if key is not None else ""
        results: list[bytes] = []
        for index, chunk in enumerate(_chunks(lines)):
            read = await asyncio.to_thread(self._read, token, chunk)
            name = None if key is None else f"{key}#{index}"
            results.append(_written(await self._write(read, scope, name, digest)))
        if not results:
            raise InvalidError(
                "There is no line in the batch.",
                code="empty_batch",
                next_step="Send one JSON document a line.",
                where="body",
            )
        return Response(b"".join(results), media_type=_MEDIA_TYPE)

    def _read(self, token: Token, chunk: Sequence[tuple[int, bytes]]) -> list[_Line]:
        return [self._read_line(token, number, line) for number, line in chunk]

    def _read_line(self, token: Token, number: int, line: bytes) -> _Line:
        instance = f"{_INSTANCE}#{number}"
        try:
            run = read_whole(self.door, token, line)
        except FaultbookError as error:
            return _Line(None, {"line": number, "problem": problem_document(error, instance)})
        except Exception as error:  # noqa: BLE001 - a line must not take the others with it
            return _Line(None, {"line": number, "problem": unexpected_document(error, instance)})
        return _Line(run, {"line": number, **verdict_document(run.judgement)})

    async def _write(
        self, lines: Sequence[_Line], scope: str, key: str | None, digest: str
    ) -> list[dict[str, Any]]:
        """Write a chunk in one transaction, and give the result of each line."""
        store = self.door.store

        def operation(tx: Transaction) -> dict[str, Any]:
            run_ids = record_runs(tx, [line.run for line in lines if line.run is not None])
            return {"results": _with_ids(lines, run_ids)}

        kept = await store.write_async(idempotency.once, scope, key, digest, operation)
        results: list[dict[str, Any]] = kept["results"]
        return results


def _with_ids(lines: Sequence[_Line], run_ids: Sequence[str]) -> list[dict[str, Any]]:
    waiting = iter(run_ids)
    return [
        line.result if line.run is None else {"run_id": next(waiting), **line.result}
        for line in lines
    ]


def _written(results: Sequence[dict[str, Any]]) -> bytes:
    return b"".join(to_json(result) + b"\n" for result in results)


def _numbered(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the lines that hold anything, with their numbers."""
    for number, line in enumerate(body.split(b"\n"), start=1):
        stripped = line.strip()
        if stripped:
            yield number, stripped


def _chunks(lines: Iterator[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    while chunk := list(islice(lines, LINES_A_CHUNK)):
        yield chunk
