"""One message to Slack: sent, or found where an earlier attempt may have sent it already."""

from dataclasses import dataclass
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.slack_refusal import Refusal, read_refusal
from faultbook.delivery.slack.pace import Pace
from faultbook.operations.questions import ReplyTo
from faultbook.view.message import Message

EVENT_TYPE = "faultbook_notice"
_PAGES = 5
_A_PAGE = 200
# Slack refuses these for their blocks; the text alone says the same.
_BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})


class NotSentError(Exception):
    """An attempt that did not end with a message known to be there.

    Attributes:
        words: what happened, safe to store.
        wait: seconds to wait before another attempt; None where the queue's own schedule decides.
        refused: it was certainly not sent.
        permanent: it will never be.
    """

    def __init__(
        self,
        words: str,
        *,
        wait: float | None = None,
        refused: bool = False,
        permanent: bool = False,
    ) -> None:
        super().__init__(words)
        self.words = words
        self.wait = wait
        self.refused = refused
        self.permanent = permanent


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
        try:
            return await self._post(notice_id, to, message.text, message.blocks)
        except _BlocksRefusedError:
            # An answer without its blocks is better than none.
            receipt = await self._post(notice_id, to, message.text, [])
            return Receipt(receipt.channel, receipt.ts, text_only=True)

    async def find(self, notice_id: str, to: ReplyTo) -> Receipt | None:
        """Look for a message that an earlier attempt may have posted.

        Raises:
            NotSentError: Slack can't be asked now.
        """
        method = "conversations.replies" if to.thread_ts else "conversations.history"
        about: dict[str, Any] = {"ts": to.thread_ts} if to.thread_ts else {}
        cursor: str | None = None
        for _ in range(_PAGES):
            wait = self._pace.take(method)
            if wait:
                raise NotSentError(f"{method} rests", wait=wait, refused=True)
            try:
                page = await self._client.api_call(
                    method,
                    http_verb="GET",
                    params={
                        "channel": to.channel,
                        "oldest": to.after,
                        "inclusive": 1,
                        "include_all_metadata": 1,
                        "limit": _A_PAGE,
                        **about,
                        **({"cursor": cursor} if cursor else {}),
                    },
                )
            except SlackApiError as error:
                refusal = read_refusal(error.response)
                if refusal.is_limited or refusal.is_passing or refusal.is_unauthorized:
                    raise _not_sent(refusal) from error
                return None  # may not be looked at; a second answer is better than none
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise NotSentError(f"{method}: {type(error).__name__}") from error
            for message in page.get("messages") or []:
                if self._is_ours(message, notice_id):
                    return Receipt(to.channel, str(message["ts"]), found=True)
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
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
        self, notice_id: str, to: ReplyTo, text: str, blocks: list[dict[str, Any]]
    ) -> Receipt:
        try:
            answer = await self._client.chat_postMessage(
                channel=to.channel,
                text=text,
                blocks=blocks or None,
                thread_ts=to.thread_ts,
                parse="none",
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"notice_id": notice_id}},
            )
        except SlackApiError as error:
            refusal = read_refusal(error.response)
            if blocks and refusal.code in _BLOCKS_REFUSED:
                raise _BlocksRefusedError from error
            raise _not_sent(refusal) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NotSentError(f"chat.postMessage: {type(error).__name__}") from error
        return Receipt(str(answer["channel"]), str(answer["ts"]))


class _BlocksRefusedError(Exception):
    pass


def _not_sent(refusal: Refusal) -> NotSentError:
    if refusal.is_limited:
        return NotSentError("ratelimited", wait=refusal.retry_after, refused=True)
    if refusal.is_unauthorized:
        # The token is the trouble: the message waits until somebody replaces it.
        return NotSentError(refusal.words, wait=60.0, refused=True)
    if refusal.is_passing:
        return NotSentError(refusal.words)
    return NotSentError(refusal.words, refused=True, permanent=True)
