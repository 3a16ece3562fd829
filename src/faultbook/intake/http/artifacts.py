"""Uploads: an artifact's bytes are read as they arrive, judged, and not kept."""

import asyncio
from dataclasses import dataclass, replace

from fastapi import Request, Response
from pydantic import ValidationError

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact, redact_or_none
from faultbook.base.text import cut, one_line
from faultbook.intake.http import answers
from faultbook.intake.http.door import LONG_BODY, Answer, Door, run_id_of
from faultbook.intake.http.problems import UnsupportedBodyError
from faultbook.intake.http.requests import announced_sha256, stream_body
from faultbook.model.artifact_bytes import ArtifactReader
from faultbook.model.document_artifacts import is_junit
from faultbook.model.document_errors import explain_document
from faultbook.model.documents import JUNIT_MEDIA_TYPE, ArtifactDocument
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import TestCounts
from faultbook.model.junit import count_tests, is_report, may_be_report
from faultbook.model.token import Scope
from faultbook.operations import reporting
from faultbook.store.transaction import Transaction

_PARAMETERS = frozenset({"sha256", "uri"})
# What clients send where nobody said a type.
_NO_TYPE = frozenset({"", "application/octet-stream", "application/x-www-form-urlencoded"})


@dataclass(frozen=True, slots=True)
class ArtifactEndpoints:
    """The endpoint for evidence."""

    door: Door

    async def put(self, request: Request) -> Response:
        """Bring an artifact's bytes; they are judged, and only their start is kept."""
        door, run_id = self.door, run_id_of(request)
        token = await door.callers.identify(request, Scope.RUNS_WRITE, Scope.TASKS_WORK)
        announced = _announced(request)
        artifact, tests = await self._read(request, announced)

        def operation(tx: Transaction) -> Answer:
            run = reporting.report_artifact(tx, token, run_id, artifact, tests)
            return answers.checked(run, artifact)

        identity = f"{announced.model_dump_json()}{artifact.sha256}".encode()
        return await door.write_once(request, token, identity, operation)

    async def _read(
        self, request: Request, announced: ArtifactDocument
    ) -> tuple[Artifact, TestCounts | None]:
        limits, report = self.door.limits, is_junit(announced.media_type)
        limit = min(limits.artifact_bytes, limits.junit_bytes) if report else limits.artifact_bytes
        keep = report or may_be_report(announced.name, announced.media_type)
        reader = ArtifactReader(
            redact(announced.name),
            announced.media_type,
            redact_or_none(announced.uri),
            announced.sha256,
        )
        kept = bytearray()
        async for chunk in stream_body(request, limit):
            reader.feed(chunk)
            if keep:
                kept += chunk
        artifact, data = reader.finish(), bytes(kept)
        if not report and is_report(announced.name, announced.media_type, data):
            report, artifact = True, replace(artifact, media_type=JUNIT_MEDIA_TYPE)
        if not report or artifact.check is Check.EMPTY:
            return artifact, None
        if len(data) > LONG_BODY:
            return artifact, await asyncio.to_thread(count_tests, data, limits.junit_bytes)
        return artifact, count_tests(data, limits.junit_bytes)


def _announced(request: Request) -> ArtifactDocument:
    """Read what is said of the bytes before they come.

    Raises:
        InvalidError: the name, a parameter or a header does not fit.
        UnsupportedBodyError: a form is sent where the bytes themselves belong.
    """
    parameters = request.query_params
    for name in set(parameters) - _PARAMETERS:
        shown = cut(one_line(redact(name)), 80)
        raise InvalidError(
            f"`{shown}` is no parameter here.",
            code="unknown_parameter",
            next_step="Known are sha256 and uri.",
            where=shown,
        )
    media_type = request.headers.get("content-type", "").strip()
    if media_type.lower().startswith("multipart/"):
        raise UnsupportedBodyError(
            "A form is sent where the artifact's own bytes belong.",
            next_step="Send the file as the body: curl --upload-file.",
            where="Content-Type",
        )
    try:
        return ArtifactDocument(
            name=request.path_params["name"],
            uri=parameters.get("uri"),
            media_type=None if media_type.lower() in _NO_TYPE else media_type,
            sha256=announced_sha256(request) or parameters.get("sha256"),
        )
    except ValidationError as error:
        raise explain_document(error, ArtifactDocument) from None
