"""`faultbook up`: one event loop with the HTTP server, the bot and the timers."""

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import structlog
import uvicorn
from pydantic import SecretStr
from sqlalchemy import make_url
from starlette.types import ASGIApp, Receive, Scope, Send

from faultbook.assembly.auditing import begin_audit, tell_heads
from faultbook.assembly.bot import Bot, start_bot
from faultbook.assembly.commands import start_commands
from faultbook.assembly.executing import (
    settings_say,
    start_execution,
    start_webhooks,
    sweep_due,
)
from faultbook.assembly.house import House, database_url, open_house, policies_of
from faultbook.assembly.ledger import start_ledger
from faultbook.assembly.samples import (
    sample_folders,
    start_sample_agents,
    start_sample_jobs,
    with_sample_policies,
    with_sample_routes,
)
from faultbook.assembly.workspace import Workspace, start_workspace, stop_workspace
from faultbook.base.errors import UnavailableError
from faultbook.base.settings import Settings
from faultbook.intake.http.app import build_app
from faultbook.intake.timer.clockwork import Clockwork
from faultbook.intake.wrapper.spool import deliver_spool
from faultbook.ledger.snapshot import LedgerAccess
from faultbook.operations.lessons import watch_repeats
from faultbook.operations.work import remind_unclaimed, sweep_tasks

log = structlog.get_logger()

_SPOOL_SECONDS = 60
_APPROVALS_SECONDS = 1
_WATCH_SECONDS = 30
_SWEEP_SECONDS, _UNCLAIMED_SECONDS = 2, 15
_SHUTDOWN_SECONDS = 3
_BACKLOG = 2048

SLACK_PATH = "/slack/events"
"""Slack's request URL in HTTP mode."""


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What `faultbook up` was asked for.

    Attributes:
        slack: connect to Slack, or to the local workspace where no token is set.
        workspace_port: where the local workspace's page is.
        samples: start the sample jobs.
    """

    slack: bool = True
    workspace_port: int = 8031
    samples: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """What is running, for the words that `faultbook up` prints.

    Attributes:
        advice: what should be set up better; None where nothing should.
    """

    api: str
    page: str | None
    team: str | None
    database: str
    ledger: str | None
    advice: str | None
    seconds: float


async def serve(settings: Settings, options: UpOptions, on_ready: Callable[[Ready], None]) -> None:
    """Run until a signal ends it; then stop in the reverse order of the start.

    Raises:
        UnavailableError: a port is taken, the database or the workspace does not answer.
        InvalidError: Slack's settings do not fit together, or Slack refuses the token.
    """
    began = time.monotonic()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listen(settings.http.host, settings.http.port))
        shows_tasks = options.samples and options.slack
        if shows_tasks:
            settings = with_sample_routes(settings)
        house = await asyncio.to_thread(open_house, settings)
        stack.push_async_callback(asyncio.to_thread, house.close)
        ledger = await start_ledger(house, stack, samples=options.samples)
        workspace = await _start_workspace(settings, options, stack)
        if workspace is not None and shows_tasks:
            told = await with_sample_policies(settings, workspace)
            house = replace(house, policies=policies_of(told))
        advice = await asyncio.to_thread(begin_audit, house)
        bot = await _start_bot(house, workspace, options, stack, ledger)
        memberships = bot.memberships if bot else settings_say
        api = build_app(
            house.store,
            house.policy,
            house.settings,
            house.routes,
            house.policies,
            memberships,
            has_slack=bot is not None,
        )
        await _start_server(_app(api, bot), listener, stack)
        stack.callback(api.state.stop_waiting)  # before the server, which would wait for them
        _start_timers(house, stack)
        address = _address(listener)
        start_commands(house, stack, sample_folders(settings) if shows_tasks else {})
        await start_webhooks(house, stack)
        await start_execution(house, stack, memberships)
        if options.samples:
            start_sample_jobs(house, stack)
        if shows_tasks:
            await start_sample_agents(house, address, stack, workspace)
        # What is loaded by now stays; collecting would look at all of it again and again.
        gc.collect()
        gc.freeze()
        database = make_url(database_url(settings)).render_as_string(hide_password=True)
        page, team = (workspace.page, None) if workspace else (None, bot.team if bot else None)
        remote, lasted = ledger.remote if ledger else None, time.monotonic() - began
        on_ready(Ready(address, page, team, database, remote, advice, lasted))
        await stop.wait()


async def _start_workspace(
    settings: Settings, options: UpOptions, stack: AsyncExitStack
) -> Workspace | None:
    """Start a local workspace where no Slack is set."""
    if not options.slack or settings.slack_bot_token is not None:
        return None
    home = settings.home.absolute() / "workspace"
    workspace = await start_workspace(home, options.workspace_port)
    stack.push_async_callback(stop_workspace, workspace)
    return workspace


async def _start_bot(
    house: House,
    workspace: Workspace | None,
    options: UpOptions,
    stack: AsyncExitStack,
    ledger: LedgerAccess | None,
) -> Bot | None:
    """Connect to the local workspace, or to the Slack that is set."""
    if not options.slack:
        return None
    settings = house.settings
    if workspace is not None:
        settings = settings.model_copy(
            update={
                "slack_bot_token": SecretStr(workspace.bot_token),
                "slack_app_token": SecretStr(workspace.app_token),
                "slack": settings.slack.model_copy(update={"api_url": workspace.api_url}),
            }
        )
    bot = await start_bot(replace(house, settings=settings), ledger=ledger)
    stack.push_async_callback(bot.stop)
    return bot


def _app(api: ASGIApp, bot: Bot | None) -> ASGIApp:
    slack = bot.asgi if bot is not None else None
    if slack is None:
        return api

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # In front of the framework: its part of a request costs a fifth of the whole ack.
        is_slacks = scope["type"] == "http" and scope["path"] == SLACK_PATH
        await (slack if is_slacks else api)(scope, receive, send)

    return app


async def _start_server(app: ASGIApp, listener: socket.socket, stack: AsyncExitStack) -> None:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    server = uvicorn.Server(config)
    # The signals are ours: this loop also owns the bot and the timers.
    task = asyncio.create_task(server._serve([listener]))  # noqa: SLF001 - serve() takes the signals
    while not server.started:  # uvicorn tells by this flag only
        if task.done():
            await task
        await asyncio.sleep(0.005)

    async def end() -> None:
        server.should_exit = True
        await task

    stack.push_async_callback(end)


def _start_timers(house: House, stack: AsyncExitStack) -> None:
    store, routes = house.store, house.routes
    clockwork = Clockwork(store)
    clockwork.every(
        "sweep-tasks", _SWEEP_SECONDS, lambda: store.write(sweep_tasks, house.policy, routes)
    )
    clockwork.every(
        "remind-unclaimed", _UNCLAIMED_SECONDS, lambda: store.write(remind_unclaimed, routes)
    )
    clockwork.every("sweep-approvals", _APPROVALS_SECONDS, lambda: sweep_due(house))
    clockwork.every("deliver-spool", _SPOOL_SECONDS, lambda: _deliver(house), at_once=True)
    channel = house.settings.ledger.channel
    if channel:
        clockwork.every(
            "watch-repeats",
            _WATCH_SECONDS,
            lambda: watch_repeats(house.store, house.policy, channel),
        )
    tell_heads(house, clockwork)
    clockwork.start()
    stack.callback(clockwork.stop)


def _deliver(house: House) -> None:
    report = deliver_spool(house)
    if report.words:
        log.warning("spool", delivered=report.delivered, refused=report.refused, why=report.words)


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else, so that a second bot ends before it did anything."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UnavailableError(
            f"{host}:{port} can't be used: {error.strerror}.",
            code="port_taken",
            next_step="Stop what holds it, or choose another: faultbook up --port 0.",
            where="port",
        ) from error
    listener.listen(_BACKLOG)
    return listener
