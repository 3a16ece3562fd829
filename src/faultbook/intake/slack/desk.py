"""What every handler of the door works with, and the ways it speaks past the queue."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.errors import InvalidError, UnavailableError
from faultbook.base.redaction import redact
from faultbook.base.slack_refusal import read_refusal
from faultbook.intake.slack.membership import MembershipLookup, unconfirmed
from faultbook.intake.slack.payloads import Click, Identity
from faultbook.intake.slack.people import People
from faultbook.intake.slack.tasks import Tasks
from faultbook.ledger.snapshot import LedgerAccess
from faultbook.model.answer import FailingAnswer, FailingQuery
from faultbook.model.approval_policy import ApprovalPolicies, ApprovalPolicy, Membership
from faultbook.model.notice import NewNotice
from faultbook.model.policy import Policy
from faultbook.model.route import Routes
from faultbook.operations.failing import ask_failing
from faultbook.operations.questions import accept
from faultbook.store.engine import Store
from faultbook.view.message import Block, Message
from faultbook.view.slack_words import refusal_message

_LATE = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"})

_TOO_LATE = UnavailableError(
    "I was too slow to open that, so nothing happened.",
    code="too_late",
    next_step="Press it again.",
)

log = structlog.get_logger("slack")


class Renderer(Protocol):
    """Makes the message that a kind and its payload owe."""

    def __call__(self, kind: str, payload: dict[str, Any], *, private: bool = False) -> Message:
        """Make it; runs off the event loop."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One bot's store, client and running work.

    Attributes:
        wake: tells the courier that something is owed to a channel.
        connection: says how the connection to Slack stands, in words.
        people: their names.
        ledger: the ledger in git; None where no remote is set.
        routes: who does which task.
        file_bytes: how large a file may be that is read as evidence.
        policies: who decides about which actions.
        memberships: who people are; None where nobody can be asked.
    """

    store: Store
    policy: Policy
    me: Identity
    client: AsyncWebClient
    session: aiohttp.ClientSession
    tasks: Tasks
    render: Renderer
    wake: Callable[[str], None]
    connection: Callable[[], str]
    people: People
    ledger: LedgerAccess | None = None
    routes: Routes = field(default_factory=Routes)
    file_bytes: int = 25_000_000
    policies: ApprovalPolicies = field(default_factory=ApprovalPolicies)
    memberships: MembershipLookup | None = None

    async def accept(self, keys: Sequence[str], owed: NewNotice | None) -> bool:
        """Take a delivery once, with what it owes; durable when it returns.

        Raises:
            UnavailableError: nothing was recorded.
        """
        is_new = await self.store.write_async(accept, keys, owed)
        if is_new and owed is not None:
            self.wake(owed.target)
        return is_new

    def need_ledger(self) -> LedgerAccess:
        """Give the ledger in git.

        Raises:
            InvalidError: none is set.
        """
        if self.ledger is None:
            raise InvalidError(
                "No ledger is set, so nothing happened.",
                code="ledger_not_set",
                next_step="Set `remote` under `[ledger]` in faultbook.toml, and start me again.",
            )
        return self.ledger

    async def ask(self, query: FailingQuery) -> FailingAnswer:
        """Ask what is failing, off the event loop."""
        return await self.store.in_thread(ask_failing, self.store, query, self.policy)

    async def made(self, owed: NewNotice, *, private: bool) -> Message:
        """Make an owed message now."""
        return await self.store.in_thread(
            lambda: self.render(owed.kind, owed.payload, private=private)
        )

    async def member(self, user: str, policies: Collection[ApprovalPolicy]) -> Membership:
        """Say what Slack knows of a person, as far as these policies need it."""
        if self.memberships is None:
            return unconfirmed(user)
        return await self.memberships.of(user, policies)

    def whisper(self, response_url: str, message: Message, thread_ts: str | None = None) -> None:
        """Show a message to who acted alone; it may be lost, so it is never the only trace."""
        if response_url:
            self.tasks.start("whisper", lambda: self._respond(response_url, message, thread_ts))

    async def _respond(self, response_url: str, message: Message, thread_ts: str | None) -> None:
        body: dict[str, Any] = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": message.text,
            "blocks": message.blocks,
        }
        if thread_ts:
            body["thread_ts"] = thread_ts
        try:
            async with self.session.post(
                response_url, json=body, proxy=self.client.proxy
            ) as answer:
                if not answer.ok:
                    log.warning("whisper_refused", status=answer.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("whisper_lost", why=type(error).__name__)

    async def tell(self, channel: str, user: str, thread_ts: str | None, message: Message) -> None:
        """Show a message to one person where there is no response URL.

        Raises:
            SlackApiError, aiohttp.ClientError, OSError: it could not be shown.
        """
        async with asyncio.timeout(2):
            await self.client.chat_postEphemeral(
                channel=channel,
                user=user,
                thread_ts=thread_ts,
                text=message.text,
                blocks=message.blocks,
            )

    async def show(self, click: Click, view: Block, *, instead: bool = False) -> None:
        """Open a modal on a click: on top of the one it is in, or `instead` of that."""
        try:
            if click.view_type == "modal" and instead:
                await self.client.views_update(
                    view_id=click.view_id, hash=click.view_hash or None, view=view
                )
            elif click.view_type == "modal":
                await self.client.views_push(trigger_id=click.trigger_id, view=view)
            else:
                await self.client.views_open(trigger_id=click.trigger_id, view=view)
        except SlackApiError as error:
            code = read_refusal(error.response).words
            log.warning("modal_refused", why=redact(code), action=click.action_id)
            if code in _LATE:
                self.whisper(click.response_url, refusal_message(_TOO_LATE), click.thread_ts)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("modal_lost", why=type(error).__name__, action=click.action_id)
