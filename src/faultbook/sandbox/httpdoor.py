"""Signed requests to the bot over HTTP: events, interactivity, slash commands."""

import asyncio
import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import aiohttp

from faultbook.sandbox.kinds import Json
from faultbook.sandbox.options import Options
from faultbook.sandbox.sockets import Ack
from faultbook.sandbox.wire import Wire

_AT_ONCE = 20
_MOST_REDIRECTS = 2
_GOOD = range(200, 300)


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Computes Slack's v0 signature of a request body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


class HttpDoor:
    """Posts to the bot's request URL as Slack does."""

    def __init__(self, options: Options, wire: Wire, signing_secret: str) -> None:
        self._options = options
        self._wire = wire
        self._secret = signing_secret
        self._session: aiohttp.ClientSession | None = None
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    async def event(self, body: Json, *, attempt: int = 0, reason: str = "") -> Ack:
        """Posts one event; attempts after the first carry the retry headers."""
        retry = {"x-slack-retry-num": str(attempt), "x-slack-retry-reason": reason}
        return await self._post(
            "events_api",
            json.dumps(body, ensure_ascii=False).encode(),
            {"Content-Type": "application/json", **(retry if attempt else {})},
        )

    async def interactive(self, payload: Json) -> Ack:
        """Posts an interactivity payload."""
        form = urlencode({"payload": json.dumps(payload, ensure_ascii=False)})
        return await self._post("interactive", form.encode(), _FORM)

    async def slash(self, fields: Json) -> Ack:
        """Posts a slash command."""
        form = urlencode({key: str(value) for key, value in fields.items()})
        return await self._post("slash_commands", form.encode(), _FORM)

    async def verify_url(self, token: str) -> bool:
        """Asks the request URL to echo a challenge, as Slack does when it is set up."""
        challenge = hashlib.sha256(str(time.time_ns()).encode()).hexdigest()
        body = {"token": token, "challenge": challenge, "type": "url_verification"}
        ack = await self.event(body)
        echoed = (ack.payload or {}).get("challenge", (ack.payload or {}).get("text"))
        return ack.good and echoed == challenge

    async def _post(self, kind: str, body: bytes, headers: dict[str, str]) -> Ack:
        stamp = str(int(time.time()))
        signed = {
            **headers,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(self._secret, stamp, body),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        self._wire.note("out", "http", kind, body=body.decode())
        async with self._gate:
            ack = await self._send(body, signed)
        shown = json.dumps(ack.payload) if ack.payload is not None else ""
        self._wire.note("in", "http", kind, body=shown, outcome=ack.outcome)
        return ack

    async def _send(self, body: bytes, headers: dict[str, str]) -> Ack:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        try:
            async with self._session.post(
                self._options.bot_url,
                data=body,
                headers=headers,
                max_redirects=_MOST_REDIRECTS,
                timeout=aiohttp.ClientTimeout(total=self._options.ack_seconds),
            ) as response:
                text = await response.text()
                if response.status not in _GOOD:
                    wants_more = response.headers.get("x-slack-no-retry") != "1"
                    return Ack("http_error", retry=wants_more)
                return Ack("acked", _payload(text))
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError) as error:
            return Ack(next(reason for kind, reason in _REASONS if isinstance(error, kind)))


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "http_timeout"),
    (aiohttp.TooManyRedirects, "too_many_redirects"),
    (aiohttp.ClientSSLError, "ssl_error"),
    (aiohttp.ClientConnectionError, "connection_failed"),
    (Exception, "unknown_error"),
)
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def _payload(text: str) -> Json | None:
    if not text:
        return None
    try:
        body = json.loads(text)
    except ValueError:
        return {"text": text}
    return body if isinstance(body, dict) else {"text": text}
