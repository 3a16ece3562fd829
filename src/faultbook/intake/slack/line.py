"""One Socket Mode connection, from its ticket to its end.

The SDK's client reconnects by itself: it closes the old socket before it has a new one, and after a
refused handshake it tries the same one-use ticket for ever. A line never reconnects. It says why it
should be left or has ended, and the supervisor opens another one before it lets this one go.
"""

import asyncio
import contextlib
import json
import time
from typing import Any

import aiohttp
import structlog

from faultbook.intake.slack.endpoint import Dispatch
from faultbook.intake.slack.payloads import Json

_HELLO_SECONDS = 10
_HANDSHAKE_SECONDS = 10
_LARGEST_FRAME = 16_000_000

log = structlog.get_logger("slack")


class LineError(Exception):
    """A connection that could not be made."""


class Line:
    """An open connection.

    Attributes:
        last_heard: `time.monotonic()` of the last frame.
    """

    def __init__(
        self, session: aiohttp.ClientSession, dispatch: Dispatch, ping_seconds: float
    ) -> None:
        self._session = session
        self._dispatch = dispatch
        self._ping_seconds = ping_seconds
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        self._hello: asyncio.Future[None] = loop.create_future()
        self._left: asyncio.Future[str] = loop.create_future()
        self.last_heard = time.monotonic()

    async def open(self, url: str, proxy: str | None) -> None:
        """Connect with a ticket and wait for the greeting.

        Raises:
            LineError: refused, silent, or closed at once.
        """
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                # Pings go out every `heartbeat` seconds; half of that without any frame ends it.
                self._socket = await self._session.ws_connect(
                    url, heartbeat=self._ping_seconds, proxy=proxy, max_msg_size=_LARGEST_FRAME
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise LineError(
                f"the connection was refused: {error or type(error).__name__}"
            ) from error
        self._reader = asyncio.create_task(self._read(self._socket), name="slack-line")
        signs: set[asyncio.Future[Any]] = {self._hello, self._left}
        await asyncio.wait(signs, timeout=_HELLO_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if not self._hello.done():
            await self.close(0)
            raise LineError("the connection opened, but Slack did not say hello")

    @property
    def is_open(self) -> bool:
        """Tell whether frames can still come and go."""
        return self._socket is not None and not self._socket.closed

    async def left(self) -> str:
        """Wait until this line should be left or has ended, and say why."""
        return await asyncio.shield(self._left)

    async def linger(self, seconds: float) -> None:
        """Go on reading until Slack closes, for so many seconds at most.

        Slack may still send over a connection that it asked to be left.
        """
        if self._reader is not None:
            await asyncio.wait({self._reader}, timeout=seconds)

    async def close(self, seconds: float) -> None:
        """Acknowledge what is under way, for so many seconds at most, and close."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=seconds)
        for task in self._under_way:
            task.cancel()
        if self._reader is not None:
            self._reader.cancel()
        if self._socket is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(2):
                    await self._socket.close()
        everything = [*self._under_way, *([self._reader] if self._reader else [])]
        await asyncio.gather(*everything, return_exceptions=True)
        self._leave("closed by us")

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        reason = "the connection ended"
        try:
            async for message in socket:
                self.last_heard = time.monotonic()
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(socket, message.data)
                elif message.type is aiohttp.WSMsgType.ERROR:
                    reason = "the connection broke"
            if isinstance(socket.exception(), TimeoutError):
                reason = "the connection went deaf: no answer to pings"
        finally:
            self._leave(reason)

    def _take(self, socket: aiohttp.ClientWebSocketResponse, text: str) -> None:
        try:
            frame = json.loads(text)
        except (ValueError, RecursionError):
            log.warning("unreadable_frame", size=len(text))
            return
        kind = frame.get("type") if isinstance(frame, dict) else None
        if kind == "hello":
            if not self._hello.done():
                self._hello.set_result(None)
        elif kind == "disconnect":
            self._leave(f"Slack asked for it: {frame.get('reason', 'no reason given')}")
        elif isinstance(frame, dict) and frame.get("envelope_id"):
            task = asyncio.create_task(self._answer(socket, frame))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _answer(self, socket: aiohttp.ClientWebSocketResponse, frame: Json) -> None:
        payload = frame.get("payload")
        retry = {"x-slack-retry-num": str(frame.get("retry_attempt") or 0)}
        status, kind, body = await self._dispatch(
            payload if isinstance(payload, dict) else {}, retry
        )
        if status >= 300:  # noqa: PLR2004 - HTTP's own classes
            return  # without an acknowledgement Slack sends it again
        ack: dict[str, Any] = {"envelope_id": frame["envelope_id"]}
        if body and frame.get("accepts_response_payload"):
            ack["payload"] = (
                json.loads(body) if kind.startswith("application/json") else {"text": body}
            )
        try:
            await socket.send_str(json.dumps(ack))
        except (ConnectionError, aiohttp.ClientError):
            # Slack sends it again over the next line, and it is known by its keys.
            log.info("ack_not_sent", type=str(frame.get("type"))[:40])

    def _leave(self, reason: str) -> None:
        if not self._left.done():
            self._left.set_result(reason)
