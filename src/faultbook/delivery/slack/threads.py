"""What a thread is about, read from Slack for the answers that need it."""

from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.redaction import redact
from faultbook.delivery.slack.pace import Pace
from faultbook.operations.questions import Owed, ReplyTo

_METHOD = "conversations.replies"
_MESSAGES = 20
_TEXT = 3000

log = structlog.get_logger("courier")


class ThreadReader:
    """Adds a thread's first words, and what the bot said in it, to questions about the thread."""

    def __init__(self, client: AsyncWebClient, pace: Pace, bot_user_id: str) -> None:
        self._client = client
        self._pace = pace
        self._me = bot_user_id

    async def __call__(self, kind: str, payload: dict[str, Any], to: ReplyTo) -> dict[str, Any]:
        """Give the payload with `parent` and `said`, where it asks about its thread."""
        if kind != Owed.LESSONS or payload.get("words") or to.thread_ts is None:
            return payload
        return payload | await self._read(to)

    async def _read(self, to: ReplyTo) -> dict[str, Any]:
        if self._pace.take(_METHOD):
            return {}
        params = {"channel": to.channel, "ts": to.thread_ts, "limit": _MESSAGES}
        try:
            page = await self._client.api_call(_METHOD, http_verb="GET", params=params)
        except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
            # Then the answer asks for words, which is better than none.
            log.info("thread_not_read", why=type(error).__name__)
            return {}
        messages = page.get("messages") or []
        # The question itself says nothing of what it asks about.
        parent = messages[0] if messages and messages[0].get("ts") != to.after else {}
        ours = [str(one.get("text") or "") for one in messages if one.get("user") == self._me]
        return {"parent": _words(str(parent.get("text") or "")), "said": _words(" ".join(ours))}


def _words(text: str) -> str:
    plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return redact(plain)[:_TEXT]
