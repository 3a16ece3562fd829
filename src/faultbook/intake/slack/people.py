"""People's names: asked of Slack once, since payloads carry ids and short names only."""

import asyncio
from typing import Any

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.person import Person

_SECONDS = 1.0
"""A name is never worth a missed acknowledgement: the short name does."""
_KEPT = 5000
_LENGTH = 80
_PAGES, _A_PAGE = 5, 200

log = structlog.get_logger("slack")


class People:
    """The names of one workspace's people; they rarely change, so a restart reads them anew."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._names: dict[str, str] = {}

    def known(self, user_id: str, short_name: str = "") -> Person:
        """Name a person without asking: where nothing is known of them, by their id."""
        return Person(user_id, self._names.get(user_id) or _fit(short_name) or user_id)

    async def person(self, user_id: str, short_name: str = "") -> Person:
        """Name a person: as others read it, else the short name, else the id."""
        known = self._names.get(user_id)
        if known is None:
            known = await self._ask(user_id)
        return Person(user_id, known or _fit(short_name) or user_id)

    async def warm(self) -> None:
        """Read the names of a workspace's first people, so that receipts need not do without."""
        cursor = ""
        for _ in range(_PAGES):
            try:
                page = await self._client.users_list(limit=_A_PAGE, cursor=cursor or None)
            except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
                log.info("names_not_read", why=type(error).__name__)
                return
            for user in page.get("members") or []:
                self._keep(str(user.get("id") or ""), user)
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                return

    async def _ask(self, user_id: str) -> str:
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._client.users_info(user=user_id)
        except (SlackApiError, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.info("name_not_read", why=type(error).__name__)
            return ""
        return self._keep(user_id, answer.get("user") or {})

    def _keep(self, user_id: str, user: dict[str, Any]) -> str:
        named = called(user)
        if len(self._names) >= _KEPT:
            self._names.clear()
        self._names[user_id] = named
        return named


def called(user: dict[str, Any]) -> str:
    """Name a person as Slack describes them; empty where it gives no name."""
    profile = user.get("profile") or {}
    # The whole name: the ledger in git is read by people who are not in Slack.
    found = profile.get("real_name") or user.get("real_name") or profile.get("display_name")
    return _fit(str(found or user.get("name") or ""))


def _fit(name: str) -> str:
    return cut(one_line(redact(name)), _LENGTH)
