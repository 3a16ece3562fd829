"""The bot, put together: who it is, its door in either mode, and its courier."""

import asyncio
import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
import structlog
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.assembly.house import House
from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.settings import Settings
from faultbook.base.slack_refusal import read_refusal
from faultbook.delivery.slack.courier import Courier, CourierLimits
from faultbook.delivery.slack.effects import approval_effects, task_effects
from faultbook.delivery.slack.pace import CALLS_A_MINUTE, POSTING, Pace
from faultbook.delivery.slack.post import Post
from faultbook.delivery.slack.reactions import Reactions
from faultbook.delivery.slack.rendering import Renderer
from faultbook.delivery.slack.rendering_approvals import ApprovalRenderer
from faultbook.delivery.slack.rendering_tasks import TaskRenderer
from faultbook.delivery.slack.threads import ThreadReader
from faultbook.intake.slack.bolt import Dispatcher
from faultbook.intake.slack.desk import Desk
from faultbook.intake.slack.door import open_door
from faultbook.intake.slack.endpoint import Endpoint
from faultbook.intake.slack.membership import MembershipLookup
from faultbook.intake.slack.payloads import Identity
from faultbook.intake.slack.people import People
from faultbook.intake.slack.rereading import Rereader
from faultbook.intake.slack.signature import Signatures
from faultbook.intake.slack.supervisor import Supervisor
from faultbook.intake.slack.tasks import Tasks
from faultbook.ledger.snapshot import LedgerAccess

_CALL_SECONDS = 10
_RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_DRAIN_SECONDS = 5.0
_FIRST_CONNECTION_SECONDS = 1.5

Mode = Literal["socket", "http"]

log = structlog.get_logger("slack")
_sdk_log = logging.getLogger("faultbook.slack_sdk")
_sdk_log.setLevel(logging.CRITICAL)  # it logs payloads; what matters is logged by us, redacted


@dataclass(frozen=True, slots=True)
class BotStatus:
    """How the bot stands with Slack.

    Attributes:
        words: what to tell a person.
    """

    connected: bool
    mode: Mode
    words: str


@dataclass(frozen=True, slots=True)
class BotOptions:
    """What only tests change.

    Attributes:
        channel_seconds: how long a channel rests after a message.
        posts_a_minute: how many messages go out over all channels.
        ping_seconds: how often a Socket Mode connection is asked for a sign of life.
    """

    channel_seconds: float = 1.0
    posts_a_minute: int = CALLS_A_MINUTE[POSTING]
    ping_seconds: float = 10.0
    limits: CourierLimits = field(default_factory=CourierLimits)


class Bot:
    """A running bot; made by `start_bot`.

    Attributes:
        asgi: the endpoint for Slack's request URL in HTTP mode, POST only; None in Socket Mode.
        mode: how Slack reaches it.
        memberships: says who people are, for whoever lets them decide.
    """

    def __init__(
        self,
        house: House,
        options: BotOptions,
        session: aiohttp.ClientSession,
        ledger: LedgerAccess | None = None,
    ) -> None:
        settings = house.settings
        self._house = house
        self._options = options
        self._ledger = ledger
        self._session = session
        self._client = _make_client(settings, session)
        self.mode: Mode = choose_mode(settings)
        self.asgi = _endpoint(house) if self.mode == "http" else None
        self._tasks = Tasks()
        self._me: Identity | None = None
        self.memberships = MembershipLookup(self._client, lambda: self._me)
        self._words = "asking Slack who I am"
        self._supervisor: Supervisor | None = None
        self._courier: Courier | None = None
        self._rereader: Rereader | None = None
        self._opening: asyncio.Task[None] | None = None

    @property
    def team(self) -> str | None:
        """The workspace's name; None before Slack told."""
        return self._me.team if self._me else None

    def status(self) -> BotStatus:
        """Tell how the bot stands with Slack."""
        if self._supervisor is not None:
            line = self._supervisor.status()
            return BotStatus(line.connected, self.mode, line.words)
        return BotStatus(self._me is not None, self.mode, self._words)

    async def start(self) -> None:
        """Ask Slack who we are, then open the door; goes on by itself while Slack is away.

        Raises:
            InvalidError: Slack refuses the token.
        """
        try:
            await self._open(await self._identify())
        except _NotNowError as error:
            self._words = str(error)
            log.warning("slack_not_reached", why=self._words)
            self._opening = asyncio.create_task(self._keep_opening(), name="slack-opening")

    async def stop(self) -> None:
        """Take nothing new, finish what is under way, and close; once is enough."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self.asgi is not None:
            self.asgi.open(None)
        if self._supervisor is not None:
            await self._supervisor.stop()
        if self._rereader is not None:
            await self._rereader.stop()
        await self._tasks.drain(_DRAIN_SECONDS)
        if self._courier is not None:
            await self._courier.stop()
        await self._session.close()
        self._words = "stopped"

    async def _identify(self) -> Identity:
        try:
            told = await self._client.auth_test()
        except SlackApiError as error:
            refusal = read_refusal(error.response)
            if refusal.is_passing:
                raise _NotNowError(f"Slack does not answer ({redact(refusal.words)})") from error
            raise InvalidError(
                f"Slack refuses SLACK_BOT_TOKEN (`{redact(refusal.words)}`).",
                code="slack_token_refused",
                next_step="Set the Bot User OAuth Token (xoxb-…) of the installed app.",
                where="SLACK_BOT_TOKEN",
            ) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _NotNowError(f"Slack can't be reached ({type(error).__name__})") from error
        return Identity(
            team_id=str(told["team_id"]),
            bot_user_id=str(told["user_id"]),
            bot_id=str(told.get("bot_id") or ""),
            name=str(told.get("user") or "faultbook"),
            enterprise_id=told.get("enterprise_id"),
            team=str(told.get("team") or ""),
        )

    async def _keep_opening(self) -> None:
        attempt = 0
        while True:
            await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
            attempt += 1
            try:
                await self._open(await self._identify())
            except _NotNowError as error:
                self._words = f"{error}; I keep trying"
            except InvalidError as error:
                self._words = f"{error.message} {error.next_step}"
                log.error("slack_token_refused", why=error.message)  # noqa: TRY400 - no bug of ours
            else:
                return

    async def _open(self, me: Identity) -> None:
        house = self._house
        pace = Pace(self._options.channel_seconds, {POSTING: self._options.posts_a_minute})
        render = Renderer(house.store, house.policy, self._ledger, house.routes, house.policies)
        post = Post(self._client, pace, me.bot_user_id)
        prepare = ThreadReader(self._client, pace, me.bot_user_id)
        paint = TaskRenderer(house.store, house.routes).card
        effects = task_effects(house.store, paint, post, Reactions(self._client, pace))
        approvals = ApprovalRenderer(house.store, house.policies)
        effects |= approval_effects(house.store, approvals.card, approvals.aloud, post)
        self._courier = Courier(
            house.store, render, post, pace, self._options.limits, prepare, effects
        )
        await self._courier.start()
        people = People(self._client)
        self._tasks.start("names", people.warm)
        dispatch = open_door(
            Desk(
                store=house.store,
                policy=house.policy,
                me=me,
                client=self._client,
                session=self._session,
                tasks=self._tasks,
                render=render,
                wake=self._courier.wake,
                connection=lambda: f"Slack: {self.status().words}",
                people=people,
                ledger=self._ledger,
                routes=house.routes,
                file_bytes=house.settings.limits.artifact_bytes,
                policies=house.policies,
                memberships=self.memberships,
            )
        )
        self._rereader = Rereader(house.store, self._client, me, pace.take)
        self._rereader.start()
        self._me, self._words = me, "connected"
        await self._connect(dispatch)

    async def _connect(self, dispatch: Dispatcher) -> None:
        if self.asgi is not None:
            self.asgi.open(dispatch)
            return
        self._supervisor = Supervisor(
            self._client,
            _reveal(self._house.settings.slack_app_token),
            self._session,
            dispatch,
            ping_seconds=self._options.ping_seconds,
        )
        self._supervisor.start()
        await self._supervisor.wait_connected(_FIRST_CONNECTION_SECONDS)


async def start_bot(
    house: House, options: BotOptions | None = None, ledger: LedgerAccess | None = None
) -> Bot:
    """Start the bot that the settings describe; stop it with `Bot.stop`.

    `ledger` is the one in git, kept up to date elsewhere; None where no remote is set.

    Raises:
        InvalidError: a token is missing or refused; names the variable.
    """
    timeout = aiohttp.ClientTimeout(total=_CALL_SECONDS)
    async with AsyncExitStack() as begun:
        session = await begun.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        bot = Bot(house, options or BotOptions(), session, ledger)
        begun.push_async_callback(bot.stop)
        await bot.start()
        begun.pop_all()
        return bot


def choose_mode(settings: Settings) -> Mode:
    """Tell how Slack shall reach the bot: Socket Mode where both are possible and none is set.

    Raises:
        InvalidError: a variable is missing; names it.
    """
    if not _reveal(settings.slack_bot_token):
        raise _missing("SLACK_BOT_TOKEN", "the Bot User OAuth Token (xoxb-…)")
    app, secret = _reveal(settings.slack_app_token), _reveal(settings.slack_signing_secret)
    mode = settings.slack.mode
    if mode == "socket" or (mode == "auto" and app):
        if not app:
            raise _missing("SLACK_APP_TOKEN", "an app-level token (xapp-…) with connections:write")
        return "socket"
    if mode == "http" or secret:
        if not secret:
            raise _missing("SLACK_SIGNING_SECRET", "the signing secret, under Basic Information")
        return "http"
    raise _missing(
        "SLACK_APP_TOKEN",
        "an app-level token (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP",
    )


def _make_client(settings: Settings, session: aiohttp.ClientSession) -> AsyncWebClient:
    url = settings.slack.api_url
    client = AsyncWebClient(
        token=_reveal(settings.slack_bot_token),
        base_url=url if url.endswith("/") else f"{url}/",
        timeout=_CALL_SECONDS,
        session=session,
        logger=_sdk_log,
        retry_handlers=[],  # a post that is repeated blindly is a second message
    )
    if urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}:
        client.proxy = None  # the SDK took the environment's, which leads away from this machine
    return client


def _endpoint(house: House) -> Endpoint:
    secret = _reveal(house.settings.slack_signing_secret)
    return Endpoint(Signatures(secret, house.clock), house.settings.limits.body_bytes)


def _missing(variable: str, what: str) -> InvalidError:
    return InvalidError(
        f"{variable} is not set.",
        code="slack_setting_missing",
        next_step=f"Set it to {what}.",
        where=variable,
    )


def _reveal(secret: SecretStr | None) -> str:
    return "" if secret is None else secret.get_secret_value().strip()


class _NotNowError(Exception):
    pass
