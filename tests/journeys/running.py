"""A real bot beside a test: on a thread with its own event loop, or as a process of its own."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Route

from faultbook.assembly.bot import Bot, BotOptions, start_bot
from faultbook.assembly.house import House, open_house
from faultbook.assembly.ledger import start_ledger
from faultbook.base.clock import Clock, system_clock
from faultbook.base.settings import Settings, SlackSettings
from tests.sandbox.driver import Workspace

T = TypeVar("T")

QUICK = BotOptions(channel_seconds=0.0, posts_a_minute=60_000, ping_seconds=0.4)
"""Without the pace of a message a second, and quick to find a deaf connection."""


def settings_for(workspace: Workspace, home: Path, *, http: bool = False) -> Settings:
    """Point a bot at a workspace."""
    tokens: dict[str, Any] = {"slack_bot_token": SecretStr(workspace.bot_token)}
    if http:
        tokens["slack_signing_secret"] = SecretStr(workspace.signing_secret)
    else:
        tokens["slack_app_token"] = SecretStr(workspace.app_token)
    return Settings(home=home, slack=SlackSettings(api_url=workspace.api_url), **tokens)


@dataclass
class RunningBot:
    """A bot on a thread."""

    house: House
    bot: Bot
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    url: str = ""

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 30) -> T:
        """Run a coroutine in the bot's loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)


@contextlib.contextmanager
def running_bot(
    settings: Settings, options: BotOptions = QUICK, clock: Clock = system_clock
) -> Iterator[RunningBot]:
    """Start a bot, with its ledger where one is set; in HTTP mode with a server of its own."""
    house = open_house(settings, clock)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="bot")
    thread.start()

    def run(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    stack = contextlib.AsyncExitStack()

    async def start() -> Bot:
        ledger = await start_ledger(house, stack)
        return await start_bot(house, options, ledger)

    try:
        bot = run(start())
        try:
            running = RunningBot(house, bot, loop, thread)
            with _served(running) if bot.asgi else contextlib.nullcontext():
                yield running
        finally:
            run(bot.stop())
    finally:
        run(stack.aclose())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
        house.close()


@contextlib.contextmanager
def _served(running: RunningBot) -> Iterator[None]:
    assert running.bot.asgi is not None
    app = Starlette(routes=[Route("/slack/events", running.bot.asgi, methods=["POST"])])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    running.url = f"http://127.0.0.1:{listener.getsockname()[1]}/slack/events"
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.run_coroutine_threadsafe(server._serve([listener]), running.loop)
    Workspace.wait_for(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        serving.result(10)
        listener.close()


@dataclass
class BotProcess:
    """A bot as a process of its own, which a test may kill."""

    process: "subprocess.Popen[str]"
    ready: dict[str, Any]

    @classmethod
    def start(
        cls, workspace: Workspace, home: Path, *, die_at: str = "", database_url: str = ""
    ) -> "BotProcess":
        """Start one; `die_at` names the point at which it kills itself, once."""
        environ = {
            **{name: value for name, value in os.environ.items() if "SLACK" not in name},
            **workspace.environment,
            "FAULTBOOK_HOME": str(home),
            "PYTHONPATH": f"{Path.cwd() / 'src'}:{Path.cwd()}",
        }
        if database_url:
            environ["FAULTBOOK_DATABASE_URL"] = database_url
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.journeys.launcher", die_at],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the bot did not start: exit code {process.wait()}")
        return cls(process, json.loads(line))

    def wait_killed(self, timeout: float = 20) -> None:
        """Wait until it killed itself."""
        code = self.process.wait(timeout)
        self._close()
        assert code == -signal.SIGKILL, f"it ended by itself with {code}"

    def stop(self) -> None:
        """Stop it in order."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        self.process.wait(15)
        self._close()

    def _close(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()
