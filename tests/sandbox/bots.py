"""Bots on threads of their own, so that tests can act as people beside them.

`Bot` runs a real Bolt app; `RawBot` is a bare WebSocket whose acknowledgements a test decides.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from tests.sandbox.driver import Json, Workspace

Setup = Callable[[AsyncApp], None]


class Bot:
    """Runs a Bolt app against a workspace, over Socket Mode or HTTP, until the block ends."""

    def __init__(
        self, slack: Workspace, setup: Setup, *, http: bool = False, ping: float = 10
    ) -> None:
        self.slack = slack
        self.setup = setup
        self.http = http
        self.ping = ping
        self.url = ""
        self.seen: list[dict[str, Any]] = []
        self.handler: AsyncSocketModeHandler | None = None
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._main, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            self._loop.close()

    async def _run(self) -> None:
        client = AsyncWebClient(self.slack.bot_token, base_url=self.slack.api_url)
        app = AsyncApp(
            client=client,
            signing_secret=self.slack.signing_secret,
            process_before_response=True,
        )
        self.setup(app)
        if self.http:
            await self._serve(app)
        else:
            await self._connect(app)

    async def _connect(self, app: AsyncApp) -> None:
        self.handler = AsyncSocketModeHandler(app, self.slack.app_token, ping_interval=self.ping)
        await self.handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt has no types here
        self._ready.set()
        await self._stop.wait()
        with contextlib.suppress(Exception):
            await self.handler.close_async()  # type: ignore[no-untyped-call]  # slack_bolt has no types here

    async def _serve(self, app: AsyncApp) -> None:
        runner = web.AppRunner(app.web_app(path="/slack/events"))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()


class RawBot:
    """One WebSocket connection that records frames and acknowledges as told.

    Attributes:
        frames: What arrived.
        acks: Whether envelopes are acknowledged.
        answer: What acknowledgements carry.
        closed: Set when the workspace closed the connection.
    """

    def __init__(
        self, slack: Workspace, *, acks: bool = True, answer: Json | None = None, url: str = ""
    ) -> None:
        self.slack = slack
        self.acks = acks
        self.answer = answer
        self.url = url or str(slack.api("apps.connections.open", token=slack.app_token)["url"])
        self.frames: list[Json] = []
        self.pongs: list[bytes] = []
        self.closed = threading.Event()
        self.status = 101
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._thread = threading.Thread(target=self._main, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        self._thread.join(10)

    def close(self) -> None:
        """Closes the connection."""
        if self._ws is not None and not self.closed.is_set():
            with contextlib.suppress(RuntimeError):
                asyncio.run_coroutine_threadsafe(self._ws.close(), self._loop).result(20)
        self.closed.wait(5)

    def ping(self, payload: bytes) -> None:
        """Sends a ping."""
        assert self._ws is not None
        asyncio.run_coroutine_threadsafe(self._ws.ping(payload), self._loop).result(20)

    def send(self, frame: Json) -> None:
        """Sends a frame of the test's own."""
        assert self._ws is not None
        asyncio.run_coroutine_threadsafe(self._ws.send_json(frame), self._loop).result(20)

    def envelopes(self, kind: str = "events_api") -> list[Json]:
        """Lists the envelopes of a type that arrived."""
        return [one for one in self.frames if one["type"] == kind]

    def _main(self) -> None:
        try:
            self._loop.run_until_complete(self._run())
        finally:
            self._loop.close()

    async def _run(self) -> None:
        try:
            async with aiohttp.ClientSession() as session:
                self._ws = await session.ws_connect(self.url, autoping=False)
                self._ready.set()
                async for message in self._ws:
                    await self._read(message)
        except aiohttp.WSServerHandshakeError as refused:
            self.status = refused.status
        finally:
            self.closed.set()
            self._ready.set()

    async def _read(self, message: aiohttp.WSMessage) -> None:
        assert self._ws is not None
        if message.type is aiohttp.WSMsgType.PONG:
            self.pongs.append(bytes(message.data))
        if message.type is not aiohttp.WSMsgType.TEXT:
            return
        frame = json.loads(message.data)
        self.frames.append(frame)
        if self.acks and "envelope_id" in frame:
            ack: Json = {"envelope_id": frame["envelope_id"]}
            if self.answer is not None:
                ack["payload"] = self.answer
            await self._ws.send_json(ack)
