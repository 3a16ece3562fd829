"""What `/openapi.json` says beyond what the framework sees: bodies, answers, problems, the token.

Bodies are read as bytes for speed, so their schemas are named here, from the very documents that
validate them.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from faultbook.intake.http.openapi_approvals import APPROVAL_ANSWERS, APPROVAL_BODIES
from faultbook.intake.http.openapi_parts import (
    CLASS,
    JSON_LINES,
    KEY,
    OBJECTS,
    SCHEMAS,
    TEXT,
    TEXT_OR_NULL,
    TIME,
    VERDICT,
    an_object,
    gives,
    path_part,
    query,
    takes,
)
from faultbook.intake.http.openapi_tasks import TASK_ANSWERS, TASK_BODIES
from faultbook.intake.http.problems import PROBLEM
from faultbook.model.document_approvals import (
    DecisionDocument,
    ExecuteDocument,
    NewApprovalDocument,
    OutcomeDocument,
    ReportDocument,
    ReviewDocument,
)
from faultbook.model.document_tasks import (
    ClaimDocument,
    CloseTaskDocument,
    HeartbeatDocument,
    NewTaskDocument,
    NothingDocument,
    ProgressDocument,
    ReleaseDocument,
)
from faultbook.model.documents import (
    CloseDocument,
    EventDocument,
    RecordDocument,
    StartDocument,
)

_DIGEST = {
    "name": "Content-Digest",
    "in": "header",
    "required": False,
    "description": "RFC 9530, sha-256; other bytes are judged a mismatch.",
    "schema": {"type": "string"},
}
_RUN_ID = path_part("run_id", "The run's id; for reading, its last 8 characters are enough.")
_DOCUMENTS = (
    StartDocument,
    CloseDocument,
    RecordDocument,
    EventDocument,
    NewTaskDocument,
    ClaimDocument,
    HeartbeatDocument,
    ProgressDocument,
    ReleaseDocument,
    CloseTaskDocument,
    NothingDocument,
    NewApprovalDocument,
    DecisionDocument,
    ReviewDocument,
    OutcomeDocument,
    ExecuteDocument,
    ReportDocument,
)

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/runs"): {
        **takes("StartDocument"),
        "parameters": [KEY],
        "responses": gives("201", "OpenedRun", "The run is open."),
    },
    ("POST", "/v1/runs/{run_id}/events"): {
        **takes("EventDocument"),
        "parameters": [_RUN_ID, KEY],
        "responses": gives("201", "Noted", "The event is recorded."),
    },
    ("PUT", "/v1/runs/{run_id}/artifacts/{name}"): {
        "requestBody": {
            "required": True,
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        },
        "parameters": [
            _RUN_ID,
            path_part("name", "What the artifact is called; a name, never opened as a path."),
            query("sha256", "The digest that the bytes must have."),
            query("uri", "Where people find it; shown, never opened."),
            _DIGEST,
            KEY,
        ],
        "responses": gives("200", "CheckedArtifact", "The bytes were read and judged."),
    },
    ("POST", "/v1/runs/{run_id}/close"): {
        **takes("CloseDocument"),
        "parameters": [_RUN_ID, KEY],
        "responses": {
            **gives("200", "Run", "The run is closed; `outcome` says closed or repeated."),
            **gives("409", "Problem", "`late_close`: it was closed otherwise before.", PROBLEM),
        },
    },
    ("POST", "/v1/runs:record"): {
        **takes("RecordDocument"),
        "parameters": [KEY],
        "responses": gives("201", "JudgedRun", "The run is recorded and judged."),
    },
    ("POST", "/v1/runs:batch"): {
        **takes("RecordDocument", JSON_LINES),
        "parameters": [KEY],
        "responses": gives(
            "200", "BatchResult", "A result a line: a judged run, or a problem.", JSON_LINES
        ),
    },
    ("GET", "/v1/runs/{run_id}"): {
        "parameters": [_RUN_ID],
        "responses": gives("200", "Run", "The run with its evidence and events."),
    },
    ("GET", "/v1/failing"): {
        "responses": gives("200", "Failing", "What is failing, and how fresh that is."),
    },
    ("GET", "/healthz"): {
        "responses": {
            **gives("200", "Health", "A verdict was written and read back just now."),
            **gives("503", "Problem", "What failed.", PROBLEM),
        },
    },
    **TASK_BODIES,
    **APPROVAL_BODIES,
}


def describe(app: FastAPI) -> None:
    """Make the app describe itself whole; the description is made once, when it is asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _complete(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend it


def _complete(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title, version=app.version, summary=app.summary, routes=app.routes
    )
    _, definitions = models_json_schema(
        [(document, "validation") for document in _DOCUMENTS], ref_template=SCHEMAS + "{model}"
    )
    components = schema.setdefault("components", {})
    components["schemas"] = {
        **components.get("schemas", {}),
        **definitions.get("$defs", {}),
        **_ANSWERS,
    }
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            told = BODIES.get((method.upper(), path), {})
            _complete_operation(path, operation, told.get("responses", {}))
    return schema


def _complete_operation(path: str, operation: dict[str, Any], told: dict[str, Any]) -> None:
    # What the framework guesses of answers is not what this door gives.
    operation["responses"] = told | gives("default", "Problem", "A problem (RFC 9457).", PROBLEM)
    if path != "/healthz":
        operation["security"] = [{"token": []}]


_JUDGED: dict[str, Any] = {
    "run_id": TEXT,
    "verdict": VERDICT,
    "reason": TEXT_OR_NULL,
    "failure_class": CLASS,
    "failure_reason": TEXT,
}
_SERIES_KEY: dict[str, Any] = {"workflow": TEXT, "environment": TEXT, "branch": TEXT}
_ANSWERS: dict[str, dict[str, Any]] = {
    "Problem": an_object(
        ("type", "title", "status", "detail", "code", "failure_class", "retryable"),
        type=TEXT,
        title=TEXT,
        status={"type": "integer"},
        detail=TEXT,
        instance=TEXT,
        code=TEXT,
        failure_class=CLASS,
        retryable={"type": "boolean"},
        next_step=TEXT,
        field=TEXT,
        run_id=TEXT,
        error_id=TEXT,
    ),
    "OpenedRun": an_object(
        ("run_id", "state"),
        run_id=TEXT,
        state=TEXT,
        started_at=TIME,
        deadline_at=TIME,
        **_SERIES_KEY,
    ),
    "Noted": an_object(("run_id",), run_id=TEXT, recorded={"type": "boolean"}),
    "CheckedArtifact": an_object(
        ("run_id", "name", "check"),
        run_id=TEXT,
        name=TEXT,
        check=TEXT,
        sha256=TEXT_OR_NULL,
        size={"type": ["integer", "null"]},
        media_type=TEXT_OR_NULL,
        detail=TEXT,
    ),
    "JudgedRun": an_object(("run_id", "verdict"), **_JUDGED),
    "BatchResult": an_object(
        ("line",), line={"type": "integer"}, problem={"$ref": SCHEMAS + "Problem"}, **_JUDGED
    ),
    "Run": an_object(
        ("run_id", "state", "verdict"),
        state=TEXT,
        outcome=TEXT,
        started_at=TIME,
        findings=OBJECTS,
        artifacts=OBJECTS,
        events=OBJECTS,
        more_events={"type": "boolean"},
        **_JUDGED,
        **_SERIES_KEY,
    ),
    "Failing": an_object(
        ("headline", "as_of", "series"),
        headline=TEXT,
        exit_code={"type": "integer"},
        as_of=TIME,
        newest_record_at={"type": ["string", "null"], "format": "date-time"},
        branch=TEXT_OR_NULL,
        counts={"type": "object"},
        other_branches={"type": "integer"},
        late_drafts={
            "type": "array",
            "items": an_object(
                ("title", "due_at"), title=TEXT, due_at=TIME, owner=TEXT, **_SERIES_KEY
            ),
        },
        undelivered={"type": "integer"},
        series={
            "type": "array",
            "items": an_object(
                ("workflow", "environment", "branch", "standing"),
                standing=TEXT,
                silent_since=TEXT_OR_NULL,
                verdict=VERDICT,
                failure_class=CLASS,
                reason=TEXT_OR_NULL,
                since=TEXT_OR_NULL,
                streak={"type": "integer"},
                first_bad_run={"type": ["object", "null"]},
                last_good_run={"type": ["object", "null"]},
                evidence=OBJECTS,
                newest_record_at=TEXT_OR_NULL,
                fingerprint=TEXT_OR_NULL,
                known_lesson={"type": ["integer", "null"]},
                known_incident=TEXT_OR_NULL,
                happened_again={"type": "boolean"},
                repeats={"type": "integer"},
                **_SERIES_KEY,
            ),
        },
    ),
    "Health": an_object(("status",), status=TEXT, verdict_written_at=TIME),
    **TASK_ANSWERS,
    **APPROVAL_ANSWERS,
}
