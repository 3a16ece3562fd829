"""Messages read again: one that became a task may change or go without a word to us.

A mention that is edited comes again as an event; one whose mention was taken out, and one that was
deleted in a channel, do not. So the messages of the tasks that start next are looked at in turn.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.errors import UnavailableError
from faultbook.base.slack_refusal import read_refusal
from faultbook.intake.slack.heard import edit_of, is_gone
from faultbook.intake.slack.payloads import Identity, Json
from faultbook.intake.slack.task_messages import edit_key, task_text
from faultbook.model.task import Task
from faultbook.operations.task_people import list_to_reread
from faultbook.operations.tasks import edit_task, offer_cancel
from faultbook.store.engine import Store

HISTORY, REPLIES = "conversations.history", "conversations.replies"
_LOOK_SECONDS = 3.0
"""Between two messages: 20 calls a minute of the 50 that Slack allows."""
_EACH_SECONDS = 12.0
"""Between two looks at the same message."""
_IN_TURN = 20

Take = Callable[[str], float]
"""Counts a call of a method and gives 0, or gives the seconds to wait first."""

log = structlog.get_logger("slack")


async def read_message(
    client: AsyncWebClient, channel: str, ts: str, thread_ts: str | None
) -> Json | None:
    """Read one message as it is now; None where it is gone.

    Raises:
        SlackApiError: Slack does not show it.
        aiohttp.ClientError, OSError, TimeoutError: Slack can't be reached.
    """
    within: dict[str, Any] = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": 1}
    method = method_for(ts, thread_ts)
    if method == REPLIES:
        within["ts"] = thread_ts
    try:
        page = await client.api_call(method, http_verb="GET", params={**within, "limit": 2})
    except SlackApiError as error:
        if read_refusal(error.response).code == "thread_not_found":
            return None
        raise
    # A thread comes with its first message, whatever was asked for.
    found: list[Json] = page.get("messages") or []
    message = next((one for one in found if one.get("ts") == ts), None)
    return None if message is None or is_gone(message) else message


def method_for(ts: str, thread_ts: str | None) -> str:
    """Name the method that shows a message: those within threads are no part of history."""
    return REPLIES if thread_ts and thread_ts != ts else HISTORY


class Rereader:
    """Looks at the messages of queued tasks, until it is stopped."""

    def __init__(self, store: Store, client: AsyncWebClient, me: Identity, take: Take) -> None:
        self._store = store
        self._client = client
        self._me = me
        self._take = take
        self._looked: dict[int, float] = {}
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._loop = asyncio.create_task(self._run(), name="rereading")

    async def stop(self) -> None:
        """End; a message that was being read is read by the next bot."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look()
            except UnavailableError as error:
                log.warning("store_unavailable", why=error.message)
            except Exception:  # the last boundary: one odd message must not end all looking
                log.exception("rereading_failed")

    async def _look(self) -> None:
        waiting = await self._store.read_async(list_to_reread, _IN_TURN)
        now = time.monotonic()
        self._looked = {task.number: self._looked.get(task.number, 0.0) for task in waiting}
        # Of those never looked at, the one that starts first.
        task = min(waiting, key=lambda one: self._looked[one.number], default=None)
        if task is None or now - self._looked[task.number] < _EACH_SECONDS:
            return
        if not self._take(method_for(task.origin.ts, task.origin.thread_ts)):
            self._looked[task.number] = now
            await self._reread(task)

    async def _reread(self, task: Task) -> None:
        origin = task.origin
        try:
            message = await read_message(
                self._client, origin.channel, origin.ts, origin.thread_ts or None
            )
        except SlackApiError as error:
            refusal = read_refusal(error.response)
            log.info("message_not_reread", task=task.id, why=refusal.words)
            if refusal.retry_after is not None:
                await asyncio.sleep(refusal.retry_after)
            return
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            log.info("message_not_reread", task=task.id, why=type(error).__name__)
            return
        await self._compare(task, message)

    async def _compare(self, task: Task, message: Json | None) -> None:
        place = (task.origin.team, task.origin.channel, task.origin.ts)
        if message is None:
            await self._store.write_async(offer_cancel, place)
            return
        edited_ts = edit_of(message)
        if edited_ts > task.edited_ts:
            text = task_text(str(message.get("text") or ""), self._me.mention)
            key = edit_key(*place, edited_ts)
            await self._store.write_async(edit_task, key, place, text, edited_ts)
