"""From an HTTP request to a method and back: arguments, tokens, scopes, tiers, faults."""

import asyncio
import json
from typing import Any

from aiohttp import web

from faultbook.sandbox.api import chat, conversations, files, people, views
from faultbook.sandbox.api.call import METHODS, Call, Method
from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.errors import SlackError, read_object
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.limits import RateLimitedError

MODULES = (chat, conversations, files, people, views)


async def read_args(request: web.Request) -> tuple[Json, bool]:
    """Reads arguments from query, form and JSON body; the body wins.

    Returns:
        The arguments, and whether the body was JSON.

    Raises:
        SlackError: `invalid_json`, `json_not_object` or `invalid_form_data`.
    """
    args: dict[str, Any] = dict(request.query)
    if not request.body_exists:
        return args, False
    if request.content_type == "application/json":
        text = await request.text()
        return {**args, **read_object(text if text.strip() else "{}")}, True
    try:
        form = await request.post()
    except (ValueError, UnicodeDecodeError) as error:
        raise SlackError("invalid_form_data") from error
    args.update({key: value for key, value in form.items() if isinstance(value, str)})
    return args, False


def _token(request: web.Request, args: Json) -> str:
    header = request.headers.get("Authorization", "")
    kind, _, token = header.partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return str(args.get("token") or "")


def _authorize(sandbox: Sandbox, method: Method, token: str) -> None:
    identity = sandbox.identity
    if not method.key:
        return
    if not token:
        raise SlackError("not_authed")
    if token not in {identity.bot_token, identity.app_token}:
        raise SlackError("invalid_auth")
    expected = identity.app_token if method.key == "app" else identity.bot_token
    if token != expected:
        raise SlackError("not_allowed_token_type")
    granted = sandbox.manifest.scopes
    if method.scopes and method.key == "bot" and not set(method.scopes) & set(granted):
        raise SlackError("missing_scope", needed=method.scopes[0], provided=",".join(granted))


class Api:
    """The handler of `/api/{method}`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one call."""
        name = request.match_info["method"]
        started = self._sandbox.clock.now()
        status, headers = 200, dict[str, str]()
        args: Json = {}
        try:
            args, is_json = await read_args(request)
            await self._misbehave(name)
            call = Call(self._sandbox, name, args, is_json)
            answer = self._run(call, _token(request, args))
        except RateLimitedError as limit:
            answer, status = limit.answer(), 429
            headers["Retry-After"] = str(limit.retry_after)
        except _BrokenError as broken:
            answer, status = {"ok": False, "error": "internal_error"}, broken.status
        except SlackError as error:
            answer = error.answer()
        body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
        self._log(name, args, answer, status, started)
        if status == 200 and self._sandbox.faults.take("drop_response", name):  # noqa: PLR2004
            if request.transport is not None:
                request.transport.abort()
            raise web.HTTPInternalServerError
        headers["x-oauth-scopes"] = ",".join(self._sandbox.manifest.scopes)
        return web.Response(
            body=body, status=status, headers=headers, content_type="application/json"
        )

    def _run(self, call: Call, token: str) -> Json:
        method = METHODS.get(call.method)
        if method is None:
            raise SlackError("unknown_method", req_method=call.method)
        _authorize(self._sandbox, method, token)
        self._sandbox.limits.check(call.method, method.tier)
        with self._sandbox.store.transaction():
            return {"ok": True, **method.run(call)}

    async def _misbehave(self, name: str) -> None:
        faults = self._sandbox.faults
        slow = faults.take("slow", name)
        if slow is not None:
            await asyncio.sleep(slow.ms / 1000)
        limit = faults.take("rate_limit", name)
        if limit is not None:
            raise RateLimitedError(limit.retry_after)
        broken = faults.take("http_status", name)
        if broken is not None:
            raise _BrokenError(broken.status)
        refused = faults.take("error", name)
        if refused is not None:
            raise SlackError(refused.error)

    def _log(self, name: str, args: Json, answer: Json, status: int, started: float) -> None:
        self._sandbox.wire.note(
            "in",
            "api",
            name,
            body=json.dumps({"args": args, "answer": answer}, ensure_ascii=False),
            status=status,
            ok=answer["ok"],
            error=answer.get("error", ""),
            ms=round((self._sandbox.clock.now() - started) * 1000, 1),
        )


class _BrokenError(SlackError):
    """An HTTP failure that a fault switch asked for."""

    def __init__(self, status: int) -> None:
        super().__init__("internal_error")
        self.status = status
