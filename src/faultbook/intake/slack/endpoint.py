"""Slack over HTTP: one ASGI endpoint that lets signed requests through to Bolt.

In order: method, headers, size, signature, repeats, form. What fails early costs little, and no
request makes a 500: that would be repeated by Slack, and told a stranger that something broke.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import structlog

from faultbook.intake.slack.payloads import Json
from faultbook.intake.slack.signature import Signatures

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers: TypeAlias = dict[str, str]
Dispatch: TypeAlias = Callable[[Json, Headers], Awaitable[tuple[int, str, str]]]
"""Hands a body with its retry headers to Bolt; gives status, content type and body."""

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_OK = range(200, 300)
_ANSWERS = {
    400: "This is signed, but no payload of Slack's.",
    401: "The request's signature is missing, old, or not Slack's.",
    405: "POST only.",
    413: "This is larger than any payload of Slack's.",
    415: "Send plain JSON or a form, not compressed.",
    503: "The bot is not connected to Slack yet.",
}

log = structlog.get_logger("slack")


class RefusedError(Exception):
    """A request that gets no further; `status` is its answer."""

    def __init__(self, status: int) -> None:
        super().__init__(_ANSWERS[status])
        self.status = status


class Endpoint:
    """An ASGI application for Slack's request URL."""

    def __init__(self, signatures: Signatures, largest: int) -> None:
        self._signatures = signatures
        self._largest = largest
        self._dispatch: Dispatch | None = None

    def open(self, dispatch: Dispatch | None) -> None:
        """Let requests through; with None they are answered 503, and Slack sends them again."""
        self._dispatch = dispatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        try:
            status, kind, body = await self._answer(scope, receive)
        except RefusedError as refused:
            status, kind, body = refused.status, "text/plain; charset=utf-8", str(refused)
        await _send(send, status, kind, body)

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, str, str]:
        if scope["method"] != "POST":
            raise RefusedError(405)
        given = self._signatures.read(scope["headers"])
        if given is None:
            raise RefusedError(401)
        headers = _headers(scope)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise RefusedError(415)
        raw = await self._read(headers, receive)
        timestamp, signature = given
        if not self._signatures.fits(timestamp, signature, raw):
            raise RefusedError(401)
        if self._signatures.is_repeat(signature):
            return 200, "text/plain; charset=utf-8", ""
        answer = await self._let_in(headers, raw)
        if answer[0] in _OK:
            self._signatures.remember(signature)
        return answer

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length[:19]) > self._largest:
            raise RefusedError(413)
        raw = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise RefusedError(400)  # gone before it was through
            raw += message.get("body", b"")
            if len(raw) > self._largest:
                raise RefusedError(413)
            if not message.get("more_body"):
                return bytes(raw)

    async def _let_in(self, headers: Headers, raw: bytes) -> tuple[int, str, str]:
        body = _parse(headers.get("content-type", ""), raw)
        if body.get("type") == "url_verification":
            return 200, _JSON, json.dumps({"challenge": body.get("challenge")})
        if "ssl_check" in body:
            return 200, "text/plain; charset=utf-8", ""
        if self._dispatch is None:
            raise RefusedError(503)
        retry = {name: headers[name] for name in headers if name.startswith("x-slack-retry-")}
        return await self._dispatch(body, retry)


def _headers(scope: Scope) -> Headers:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _parse(content_type: str, raw: bytes) -> Json:
    """Read a body that is known to be Slack's own.

    Raises:
        RefusedError: it is none of the three forms that Slack sends.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == _FORM:
            form = dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=False))
            body = json.loads(form["payload"]) if "payload" in form else form
        else:
            body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400) from error
    if not isinstance(body, dict):
        raise RefusedError(400)
    return body


async def _send(send: Send, status: int, kind: str, body: str) -> None:
    content = body.encode()
    headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
