"""Keeps one good Socket Mode connection: opens, watches, replaces.

When Slack asks for a connection to be left, the next one is opened first, so that no delivery finds
nobody. When one breaks or goes deaf, another is opened with a fresh ticket, at once for the first
time and then ever less often.
"""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.redaction import redact
from faultbook.base.slack_refusal import read_refusal
from faultbook.intake.slack.endpoint import Dispatch
from faultbook.intake.slack.line import Line, LineError

_BACKOFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
_SETTLED_SECONDS = 60.0
"""A connection that lasted so long was a good one; the next may be opened at once."""
_ACK_SECONDS = 3.0
_LINGER_SECONDS = 12.0
_WRONG_TOKEN_SECONDS = 60.0

log = structlog.get_logger("slack")


@dataclass(frozen=True, slots=True)
class LineStatus:
    """How the connection stands.

    Attributes:
        words: what to tell a person: connected, or what is wrong and what happens next.
        opened: how many connections were opened so far.
    """

    connected: bool
    words: str
    opened: int


class Supervisor:
    """Owns the connections of one bot to one app."""

    def __init__(
        self,
        client: AsyncWebClient,
        app_token: str,
        session: aiohttp.ClientSession,
        dispatch: Dispatch,
        *,
        ping_seconds: float = 10.0,
    ) -> None:
        self._client = client
        self._app_token = app_token
        self._session = session
        self._dispatch = dispatch
        self._ping_seconds = ping_seconds
        self._task: asyncio.Task[None] | None = None
        self._line: Line | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._words = "connecting to Slack"
        self._opened = 0
        self._connected = asyncio.Event()

    def start(self) -> None:
        """Begin to connect, and to stay connected."""
        self._task = asyncio.create_task(self._run(), name="slack-supervisor")

    async def wait_connected(self, seconds: float) -> bool:
        """Wait for a connection, and tell whether there is one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._connected.wait()
        return self._connected.is_set()

    def status(self) -> LineStatus:
        """Tell how the connection stands."""
        is_open = self._line is not None and self._line.is_open
        return LineStatus(is_open, self._words, self._opened)

    async def stop(self) -> None:
        """Take nothing new, acknowledge what is under way, and close."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._line is not None:
            await self._line.close(_ACK_SECONDS)
        for retirement in self._retiring:
            retirement.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        self._words = "stopped"

    async def _run(self) -> None:
        short_lives = 0
        while True:
            await self._wait(short_lives)
            try:
                fresh = await self._open()
            except _NotNowError as error:
                short_lives += 1
                self._connected.clear()
                self._words = str(error)
                log.warning("slack_not_connected", why=self._words)
                await asyncio.sleep(error.seconds)
                continue
            self._replace(fresh)
            since = time.monotonic()
            reason = await fresh.left()
            lasted = time.monotonic() - since
            short_lives = 0 if lasted >= _SETTLED_SECONDS else short_lives + 1
            self._words = f"reconnecting: {redact(reason)}"
            log.info("slack_reconnecting", why=reason, lasted_seconds=round(lasted, 1))
            if not fresh.is_open:
                self._connected.clear()

    async def _wait(self, short_lives: int) -> None:
        # The first replacement comes at once, however short the life before it was.
        step = min(max(short_lives - 1, 0), len(_BACKOFF_SECONDS) - 1)
        await asyncio.sleep(_BACKOFF_SECONDS[step] * random.uniform(0.8, 1.2))  # noqa: S311 - spreads retries, guards nothing

    async def _open(self) -> Line:
        """Get a ticket and connect with it.

        Raises:
            _NotNowError: it could not be had; says why and how long to wait at least.
        """
        try:
            answer = await self._client.apps_connections_open(app_token=self._app_token)
        except SlackApiError as error:
            raise _explain(error) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _NotNowError(
                f"Slack can't be reached ({type(error).__name__}); I keep trying"
            ) from error
        line = Line(self._session, self._dispatch, self._ping_seconds)
        try:
            await line.open(str(answer["url"]), self._client.proxy)
        except LineError as error:
            raise _NotNowError(f"{redact(str(error))}; I keep trying with a new ticket") from error
        return line

    def _replace(self, fresh: Line) -> None:
        old, self._line = self._line, fresh
        self._opened += 1
        self._words = "connected"
        self._connected.set()
        if old is not None:
            retirement = asyncio.create_task(_retire(old))
            self._retiring.add(retirement)
            retirement.add_done_callback(self._retiring.discard)


async def _retire(line: Line) -> None:
    try:
        await line.linger(_LINGER_SECONDS)
    finally:
        await line.close(_ACK_SECONDS)


class _NotNowError(Exception):
    def __init__(self, words: str, seconds: float = 0.0) -> None:
        super().__init__(words)
        self.seconds = seconds


def _explain(error: SlackApiError) -> _NotNowError:
    refusal = read_refusal(error.response)
    if refusal.retry_after is not None:
        wait = refusal.retry_after
        return _NotNowError(f"Slack limits connections; I try again in {wait:.0f} s", wait)
    if refusal.is_unauthorized or refusal.code == "missing_scope":
        return _NotNowError(
            f"Slack refuses SLACK_APP_TOKEN (`{refusal.code}`). It starts with xapp- and needs the "
            "scope connections:write.",
            _WRONG_TOKEN_SECONDS,
        )
    return _NotNowError(f"Slack gave no connection (`{redact(refusal.words)}`); I keep trying")
