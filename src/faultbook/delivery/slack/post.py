"""One message to Slack: sent, changed, or found where an earlier attempt may have sent it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from faultbook.delivery.slack.calling import RefusedError, call, not_sent
from faultbook.delivery.slack.pace import POSTING, UPDATING, Pace
from faultbook.operations.questions import ReplyTo
from faultbook.view.message import Block, Message

EVENT_TYPE = "faultbook_notice"
_PAGES = 5
_A_PAGE = 200
# Slack refuses these for their blocks; the text alone says the same.
_BLOCKS_REFUSED = frozenset(
    {"block_mismatch", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"}
)
_CHANGED_NO_MORE = frozenset(
    {"cant_update_message", "edit_window_closed", "is_inactive", "message_not_found"}
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message that is there."""

    channel: str
    ts: str
    found: bool = False
    text_only: bool = False

    def as_json(self) -> dict[str, Any]:
        """Show what is kept of it."""
        kept: dict[str, Any] = {"channel": self.channel, "ts": self.ts}
        for name in ("found", "text_only"):
            if getattr(self, name):
                kept[name] = True
        return kept


class Post:
    """Posts messages with the id of their notice in the metadata."""

    def __init__(self, client: AsyncWebClient, pace: Pace, bot_user_id: str) -> None:
        self._client = client
        self._pace = pace
        self._me = bot_user_id

    async def send(self, notice_id: str, to: ReplyTo, message: Message) -> Receipt:
        """Post a message.

        Raises:
            NotSentError: it was refused, or nobody knows.
        """

        async def post(blocks: list[Block], *, text_only: bool) -> Receipt:
            answer = await self._post(notice_id, to, message.text, blocks)
            return Receipt(answer[0], answer[1], text_only=text_only)

        return await _with_or_without_blocks(post, message)

    async def change(self, channel: str, ts: str, message: Message) -> Receipt | None:
        """Put a message in the place of an earlier one; None if that one is there no more.

        Its metadata stays, since none is given.

        Raises:
            NotSentError: it was refused, or nobody knows.
        """

        async def update(blocks: list[Block], *, text_only: bool) -> Receipt:
            try:
                await self._update(channel, ts, message.text, blocks)
            except RefusedError as error:
                if error.refusal.code in _CHANGED_NO_MORE:
                    raise _ChangedNoMoreError from error
                raise
            return Receipt(channel, ts, text_only=text_only)

        try:
            return await _with_or_without_blocks(update, message)
        except _ChangedNoMoreError:
            return None

    async def find(self, notice_id: str, to: ReplyTo) -> Receipt | None:
        """Look for a message that an earlier attempt may have posted.

        Raises:
            NotSentError: Slack can't be asked now.
        """
        method = "conversations.replies" if to.thread_ts else "conversations.history"
        about: dict[str, Any] = {"ts": to.thread_ts} if to.thread_ts else {}
        asked = {
            "channel": to.channel,
            "oldest": to.after,
            "inclusive": 1,
            "include_all_metadata": 1,
            "limit": _A_PAGE,
            **about,
        }
        for _ in range(_PAGES):
            try:
                page = await call(
                    self._pace,
                    method,
                    lambda: self._client.api_call(method, http_verb="GET", params=dict(asked)),
                )
            except RefusedError as error:
                refusal = error.refusal
                if refusal.is_limited or refusal.is_passing or refusal.is_unauthorized:
                    raise not_sent(refusal) from error
                return None  # may not be looked at; a second answer is better than none
            for message in page.get("messages") or []:
                if self._is_ours(message, notice_id):
                    return Receipt(to.channel, str(message["ts"]), found=True)
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
            asked["cursor"] = cursor
        return None

    def _is_ours(self, message: dict[str, Any], notice_id: str) -> bool:
        metadata = message.get("metadata") or {}
        payload = metadata.get("event_payload") or {}
        return (
            message.get("user") == self._me
            and metadata.get("event_type") == EVENT_TYPE
            and payload.get("notice_id") == notice_id
        )

    async def _post(
        self, notice_id: str, to: ReplyTo, text: str, blocks: list[Block]
    ) -> tuple[str, str]:
        answer = await call(
            self._pace,
            POSTING,
            lambda: self._client.chat_postMessage(
                channel=to.channel,
                text=text,
                blocks=blocks or None,
                thread_ts=to.thread_ts,
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"notice_id": notice_id}},
            ),
        )
        return str(answer["channel"]), str(answer["ts"])

    async def _update(self, channel: str, ts: str, text: str, blocks: list[Block]) -> None:
        await call(
            self._pace,
            UPDATING,
            lambda: self._client.chat_update(
                channel=channel,
                ts=ts,
                text=text,
                blocks=blocks,  # left out, they would stay or go as Slack pleases
                parse="none",
                link_names=False,
            ),
        )


class _ChangedNoMoreError(Exception):
    pass


async def _with_or_without_blocks(
    send: Callable[..., Awaitable[Receipt]], message: Message
) -> Receipt:
    """Send a message whole, or, where Slack refuses its blocks, its text: better than none."""
    try:
        return await send(message.blocks, text_only=False)
    except RefusedError as error:
        if not message.blocks or error.refusal.code not in _BLOCKS_REFUSED:
            raise not_sent(error.refusal) from error
    try:
        return await send([], text_only=True)
    except RefusedError as error:
        raise not_sent(error.refusal) from error
