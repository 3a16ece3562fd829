"""Bolt, set up for us: one listener a kind of payload, acknowledged after the commit.

Three of Bolt's ways are turned off on purpose. It acknowledges events before their listeners ran
(`process_before_response=True` ends that, and with it the polling of `ack` every 10 ms). It tries
listeners one after another, so there are seven, and tables of our own behind them. And it leaves
what no listener takes without an acknowledgement, so `dispatch` acknowledges that too.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.redaction import redact
from faultbook.intake.slack.payloads import Identity, Json

Handle: TypeAlias = Callable[[Json], Awaitable[Json | None]]
"""Takes one payload; what it gives is the acknowledgement's body."""
TakeEvent: TypeAlias = Callable[[Json, int], Awaitable[None]]
"""Takes one event and which redelivery it is; raises if Slack shall send it again."""

_ANY = re.compile("")  # found in every name, whatever characters it has
_UNHANDLED = 404
_TEXT = "text/plain; charset=utf-8"

log = structlog.get_logger("slack")
# Bolt logs payloads; ours are logged redacted, by us.
_bolt_log = logging.getLogger("faultbook.bolt")
_bolt_log.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Handlers:
    """What takes each kind of payload."""

    event: TakeEvent
    command: Handle
    click: Handle
    submission: Handle
    closing: Handle
    shortcut: Handle
    options: Handle


class Dispatcher:
    """Hands payloads of either mode through Bolt to the handlers."""

    def __init__(self, client: AsyncWebClient, me: Identity, handlers: Handlers) -> None:
        self.app = _make_app(client, me)
        _listen(self.app, handlers)

    async def __call__(self, body: Json, headers: dict[str, str]) -> tuple[int, str, str]:
        """Have a payload handled; gives status, content type and body of its acknowledgement.

        A status outside 2xx means that nothing was recorded and Slack may send it again.
        """
        try:
            request = AsyncBoltRequest(mode="socket_mode", body=body, headers=dict(headers))
            answer: BoltResponse = await self.app.async_dispatch(request)
        except Exception:  # Bolt reads payloads of odd shape beyond its own boundary
            log.exception("odd_payload", type=redact(str(body.get("type"))[:80]))
            return 400, _TEXT, ""
        if answer.status == _UNHANDLED:
            log.warning("payload_without_listener", type=redact(str(body.get("type"))[:80]))
            return 200, _TEXT, ""
        return answer.status, answer.headers["content-type"][0], answer.body or ""


def _make_app(client: AsyncWebClient, me: Identity) -> AsyncApp:
    token = client.token
    known = AuthorizeResult(
        enterprise_id=me.enterprise_id,
        team_id=me.team_id,
        bot_user_id=me.bot_user_id,
        bot_id=me.bot_id,
        bot_token=token,
    )

    async def authorize() -> AuthorizeResult:
        return known  # asked of Slack once, before any door opened

    # Signatures, ssl_check and url_verification are checked in front of Bolt, and the bot's own
    # events are told apart in `payloads`.
    return AsyncApp(
        name="faultbook",
        logger=_bolt_log,
        client=AsyncWebClient(
            base_url=client.base_url, session=client.session, logger=_bolt_log, retry_handlers=[]
        ),
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ssl_check_enabled=False,
        url_verification_enabled=False,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )


def _listen(app: AsyncApp, handlers: Handlers) -> None:
    async def on_event(request: AsyncBoltRequest) -> None:
        retry = request.headers.get("x-slack-retry-num", ["0"])[0]
        await handlers.event(request.body, int(retry) if retry.isdecimal() else 0)

    app.event(_ANY)(on_event)
    app.action(_ANY)(_answering(handlers.click))
    app.command(_ANY)(_answering(handlers.command))
    app.view_submission(_ANY)(_answering(handlers.submission))
    app.view_closed(_ANY)(_answering(handlers.closing))
    app.shortcut(_ANY)(_answering(handlers.shortcut))
    app.options(_ANY)(_answering(handlers.options))

    @app.error
    async def on_error(error: Exception, request: AsyncBoltRequest) -> BoltResponse:
        log.error("delivery_failed", type=str(request.body.get("type"))[:80], exc_info=error)
        return BoltResponse(status=500, body="")


def _answering(handle: Handle) -> Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]:
    async def listener(request: AsyncBoltRequest) -> BoltResponse:
        body = await handle(request.body)
        return BoltResponse(status=200, body=body or "")

    return listener
