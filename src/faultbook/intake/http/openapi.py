"""What `/openapi.json` says beyond what the framework sees: bodies, answers, problems, the token.

Bodies are read as bytes for speed, so their schemas are named here, from the very documents that
validate them.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from faultbook.intake.http.problems import PROBLEM
from faultbook.model.documents import (
    CloseDocument,
    EventDocument,
    RecordDocument,
    StartDocument,
)
from faultbook.model.verdict import FailureClass, Verdict

_SCHEMAS = "#/components/schemas/"
_JSON_LINES = "application/x-ndjson"

_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body is answered with the first result, for 48 h.",
    "schema": {"type": "string", "maxLength": 200},
}
_DIGEST = {
    "name": "Content-Digest",
    "in": "header",
    "required": False,
    "description": "RFC 9530, sha-256; other bytes are judged a mismatch.",
    "schema": {"type": "string"},
}


def _query(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }


def _path(name: str, description: str) -> dict[str, Any]:
    parameter = _query(name, description)
    return parameter | {"in": "path", "required": True}


_RUN_ID = _path("run_id", "The run's id; for reading, its last 8 characters are enough.")


def _takes(schema: str, media_type: str = "application/json") -> dict[str, Any]:
    content = {media_type: {"schema": {"$ref": _SCHEMAS + schema}}}
    return {"requestBody": {"required": True, "content": content}}


def _gives(status: str, schema: str, words: str, media_type: str = "application/json") -> Any:  # noqa: ANN401 - a piece of OpenAPI
    content = {media_type: {"schema": {"$ref": _SCHEMAS + schema}}}
    return {status: {"description": words, "content": content}}


BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/v1/runs"): {
        **_takes("StartDocument"),
        "parameters": [_KEY],
        "responses": _gives("201", "OpenedRun", "The run is open."),
    },
    ("POST", "/v1/runs/{run_id}/events"): {
        **_takes("EventDocument"),
        "parameters": [_RUN_ID, _KEY],
        "responses": _gives("201", "Noted", "The event is recorded."),
    },
    ("PUT", "/v1/runs/{run_id}/artifacts/{name}"): {
        "requestBody": {
            "required": True,
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        },
        "parameters": [
            _RUN_ID,
            _path("name", "What the artifact is called; a name, never opened as a path."),
            _query("sha256", "The digest that the bytes must have."),
            _query("uri", "Where people find it; shown, never opened."),
            _DIGEST,
            _KEY,
        ],
        "responses": _gives("200", "CheckedArtifact", "The bytes were read and judged."),
    },
    ("POST", "/v1/runs/{run_id}/close"): {
        **_takes("CloseDocument"),
        "parameters": [_RUN_ID, _KEY],
        "responses": {
            **_gives("200", "Run", "The run is closed; `outcome` says closed or repeated."),
            **_gives("409", "Problem", "`late_close`: it was closed otherwise before.", PROBLEM),
        },
    },
    ("POST", "/v1/runs:record"): {
        **_takes("RecordDocument"),
        "parameters": [_KEY],
        "responses": _gives("201", "JudgedRun", "The run is recorded and judged."),
    },
    ("POST", "/v1/runs:batch"): {
        **_takes("RecordDocument", _JSON_LINES),
        "parameters": [_KEY],
        "responses": _gives(
            "200", "BatchResult", "A result a line: a judged run, or a problem.", _JSON_LINES
        ),
    },
    ("GET", "/v1/runs/{run_id}"): {
        "parameters": [_RUN_ID],
        "responses": _gives("200", "Run", "The run with its evidence and events."),
    },
    ("GET", "/v1/failing"): {
        "responses": _gives("200", "Failing", "What is failing, and how fresh that is."),
    },
    ("GET", "/healthz"): {
        "responses": {
            **_gives("200", "Health", "A verdict was written and read back just now."),
            **_gives("503", "Problem", "What failed.", PROBLEM),
        },
    },
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
    documents = (StartDocument, CloseDocument, RecordDocument, EventDocument)
    _, definitions = models_json_schema(
        [(document, "validation") for document in documents], ref_template=_SCHEMAS + "{model}"
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
    operation["responses"] = told | _gives("default", "Problem", "A problem (RFC 9457).", PROBLEM)
    if path != "/healthz":
        operation["security"] = [{"token": []}]


def _object(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


_TEXT: dict[str, Any] = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_TIME = {"type": "string", "format": "date-time"}
_VERDICT = {"type": ["string", "null"], "enum": [*(verdict.value for verdict in Verdict), None]}
_CLASS = {"type": ["string", "null"], "enum": [*(known.value for known in FailureClass), None]}
_JUDGED: dict[str, Any] = {
    "run_id": _TEXT,
    "verdict": _VERDICT,
    "reason": _TEXT_OR_NULL,
    "failure_class": _CLASS,
    "failure_reason": _TEXT,
}
_SERIES_KEY: dict[str, Any] = {"workflow": _TEXT, "environment": _TEXT, "branch": _TEXT}
_OBJECTS = {"type": "array", "items": {"type": "object"}}

_ANSWERS: dict[str, dict[str, Any]] = {
    "Problem": _object(
        ("type", "title", "status", "detail", "code", "failure_class", "retryable"),
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer"},
        detail=_TEXT,
        instance=_TEXT,
        code=_TEXT,
        failure_class=_CLASS,
        retryable={"type": "boolean"},
        next_step=_TEXT,
        field=_TEXT,
        run_id=_TEXT,
        error_id=_TEXT,
    ),
    "OpenedRun": _object(
        ("run_id", "state"),
        run_id=_TEXT,
        state=_TEXT,
        started_at=_TIME,
        deadline_at=_TIME,
        **_SERIES_KEY,
    ),
    "Noted": _object(("run_id",), run_id=_TEXT, recorded={"type": "boolean"}),
    "CheckedArtifact": _object(
        ("run_id", "name", "check"),
        run_id=_TEXT,
        name=_TEXT,
        check=_TEXT,
        sha256=_TEXT_OR_NULL,
        size={"type": ["integer", "null"]},
        media_type=_TEXT_OR_NULL,
        detail=_TEXT,
    ),
    "JudgedRun": _object(("run_id", "verdict"), **_JUDGED),
    "BatchResult": _object(
        ("line",), line={"type": "integer"}, problem={"$ref": _SCHEMAS + "Problem"}, **_JUDGED
    ),
    "Run": _object(
        ("run_id", "state", "verdict"),
        state=_TEXT,
        outcome=_TEXT,
        started_at=_TIME,
        findings=_OBJECTS,
        artifacts=_OBJECTS,
        events=_OBJECTS,
        more_events={"type": "boolean"},
        **_JUDGED,
        **_SERIES_KEY,
    ),
    "Failing": _object(
        ("headline", "as_of", "series"),
        headline=_TEXT,
        exit_code={"type": "integer"},
        as_of=_TIME,
        newest_record_at={"type": ["string", "null"], "format": "date-time"},
        branch=_TEXT_OR_NULL,
        counts={"type": "object"},
        other_branches={"type": "integer"},
        late_drafts={
            "type": "array",
            "items": _object(
                ("title", "due_at"), title=_TEXT, due_at=_TIME, owner=_TEXT, **_SERIES_KEY
            ),
        },
        series={
            "type": "array",
            "items": _object(
                ("workflow", "environment", "branch", "standing"),
                standing=_TEXT,
                silent_since=_TEXT_OR_NULL,
                verdict=_VERDICT,
                failure_class=_CLASS,
                reason=_TEXT_OR_NULL,
                since=_TEXT_OR_NULL,
                streak={"type": "integer"},
                first_bad_run={"type": ["object", "null"]},
                last_good_run={"type": ["object", "null"]},
                evidence=_OBJECTS,
                newest_record_at=_TEXT_OR_NULL,
                fingerprint=_TEXT_OR_NULL,
                known_lesson={"type": ["integer", "null"]},
                known_incident=_TEXT_OR_NULL,
                happened_again={"type": "boolean"},
                repeats={"type": "integer"},
                **_SERIES_KEY,
            ),
        },
    ),
    "Health": _object(("status",), status=_TEXT, verdict_written_at=_TIME),
}
