"""Every error as an RFC 9457 problem: what happened, its class, whether to retry, what to do next.

One place maps the branches of our errors, and the framework's own, to HTTP. Nothing leaves here
with a traceback; what was not expected gets a number that stands in the log beside it.
"""

import secrets
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.intake.http.parameters import FailingParameters
from faultbook.model.approval_policy import LOOKUP_FAILED
from faultbook.model.document_errors import explain_field
from faultbook.model.verdict import FailureClass

log = structlog.get_logger("http")

PROBLEM = "application/problem+json"
_TYPE = "urn:faultbook:problem:"
_LONGEST_INSTANCE = 300

# The first branch that fits decides, so the narrower ones stand before their parents.
_BRANCHES: tuple[tuple[type[FaultbookError], HTTPStatus, str, FailureClass], ...] = (
    (
        TooLargeError,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "Too large",
        FailureClass.PERSISTENT,
    ),
    (InvalidError, HTTPStatus.UNPROCESSABLE_ENTITY, "Does not fit", FailureClass.PERSISTENT),
    (
        UnauthenticatedError,
        HTTPStatus.UNAUTHORIZED,
        "Credentials required",
        FailureClass.AUTH,
    ),
    (ForbiddenError, HTTPStatus.FORBIDDEN, "Not allowed", FailureClass.AUTH),
    (NotFoundError, HTTPStatus.NOT_FOUND, "Not found", FailureClass.PERSISTENT),
    (ConflictError, HTTPStatus.CONFLICT, "Decided before", FailureClass.PERSISTENT),
    (
        UnavailableError,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Not available now",
        FailureClass.TRANSIENT,
    ),
)
_FRAMEWORK = {
    HTTPStatus.NOT_FOUND: ("not_found", "Nothing is at this address.", "Look at /openapi.json."),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "method_not_allowed",
        "This address does not take that method.",
        "Look at /openapi.json.",
    ),
}


class UnsupportedBodyError(InvalidError):
    """The body comes in a form that is not read here."""

    code = "unsupported_body"


def problem_document(error: FaultbookError, instance: str = "") -> dict[str, Any]:
    """Describe an expected error as a problem."""
    status, title, failure_class = _branch(error)
    document: dict[str, Any] = {
        "type": f"{_TYPE}{error.code}",
        "title": title,
        "status": int(status),
        "detail": error.message,
        "instance": instance,
        "code": error.code,
        "failure_class": failure_class.value,
        "retryable": failure_class is FailureClass.TRANSIENT,
        "next_step": error.next_step,
    }
    if error.where:
        document["field"] = error.where
    return document


# What passes by itself, whatever branch it is of.
_BY_CODE = {
    "approval_rate_limited": (HTTPStatus.TOO_MANY_REQUESTS, "Asked too often"),
    LOOKUP_FAILED: (HTTPStatus.SERVICE_UNAVAILABLE, "Not available now"),
}


def _branch(error: FaultbookError) -> tuple[HTTPStatus, str, FailureClass]:
    if error.code in _BY_CODE:
        return *_BY_CODE[error.code], FailureClass.TRANSIENT
    if isinstance(error, UnsupportedBodyError):
        status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        return status, "Not a kind of body that is read", FailureClass.PERSISTENT
    if isinstance(error, UnauthenticatedError) and error.code == "auth_rejected":
        return HTTPStatus.UNAUTHORIZED, "Credentials rejected", FailureClass.AUTH
    for branch, status, title, failure_class in _BRANCHES:
        if isinstance(error, branch):
            return status, title, failure_class
    return HTTPStatus.UNPROCESSABLE_ENTITY, "Does not fit", FailureClass.PERSISTENT


def problem_response(
    document: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with a problem."""
    return Response(
        to_json(document),
        status_code=document["status"],
        media_type=PROBLEM,
        headers=dict(headers or {}),
    )


def answer_error(error: FaultbookError, instance: str) -> Response:
    """Answer an expected error, with the headers that belong to it."""
    headers: dict[str, str] = {}
    if isinstance(error, UnauthenticatedError):
        rejected = ', error="invalid_token"' if error.code == "auth_rejected" else ""
        headers["WWW-Authenticate"] = f'Bearer realm="faultbook"{rejected}'  # RFC 6750, 3
    if isinstance(error, UnavailableError) and error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return problem_response(problem_document(error, instance), headers)


def instance_of(scope: Scope) -> str:
    """Name the request by its path, made fit to show; the query may hold what nobody should see."""
    raw = scope.get("raw_path") or scope["path"].encode()
    return cut(one_line(redact(raw.decode("ascii", "replace"))), _LONGEST_INSTANCE)


def install_problems(app: FastAPI) -> None:
    """Answer every error of the app, of the framework and of nobody as a problem."""
    app.add_exception_handler(FaultbookError, _of_ours)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(RequestValidationError, _of_parameters)
    app.add_middleware(_Unexpected)


async def _of_ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, FaultbookError)  # noqa: S101 - what it is installed for
    return answer_error(error, instance_of(request.scope))


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is installed for
    status = HTTPStatus(error.status_code)
    default = (status.name.lower(), f"{status.phrase}.", "Look at /openapi.json.")
    code, detail, next_step = _FRAMEWORK.get(status, default)
    document = {
        "type": f"{_TYPE}{code}",
        "title": status.phrase.capitalize(),
        "status": int(status),
        "detail": detail,
        "instance": instance_of(request.scope),
        "code": code,
        "failure_class": FailureClass.PERSISTENT.value,
        "retryable": False,
        "next_step": next_step,
    }
    return problem_response(document, error.headers)


async def _of_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is installed for
    ours = explain_field(error.errors()[0], FailingParameters, above=1)
    return answer_error(ours, instance_of(request.scope))


class _Unexpected:
    """The last boundary: what nobody expected is logged under a number and answered by it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            log.info("client_gone", path=instance_of(scope))
        except Exception as error:  # noqa: BLE001 - the last boundary of this door
            response = answer_unexpected(error, instance_of(scope))
            if not started:
                await response(scope, receive, send)


def unexpected_document(error: Exception, instance: str) -> dict[str, Any]:
    """Log an error that nobody expected under a new number, and describe it by that."""
    number = f"E-{secrets.token_hex(3)}"
    trace = redact("".join(traceback.format_exception(error)))
    log.error("unexpected_error", number=number, path=instance, trace=trace)
    return {
        "type": f"{_TYPE}unexpected",
        "title": "Faultbook failed",
        "status": int(HTTPStatus.INTERNAL_SERVER_ERROR),
        "detail": f"Faultbook failed ({number}). This is a bug; nothing was recorded.",
        "instance": instance,
        "code": "unexpected",
        "failure_class": FailureClass.TRANSIENT.value,
        "retryable": True,
        "next_step": f"Send it again later; tell your operator {number}.",
        "error_id": number,
    }


def answer_unexpected(error: Exception, instance: str) -> Response:
    """Answer an error that nobody expected."""
    return problem_response(unexpected_document(error, instance))
