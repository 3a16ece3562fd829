"""Where a task's card can go: Slack lets people use commands and shortcuts where the bot is not."""

import asyncio

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from faultbook.base.redaction import redact
from faultbook.base.slack_refusal import read_refusal
from faultbook.intake.slack.desk import Desk

_SECONDS = 1.0
"""Asked before the acknowledgement, twice at most."""
_OUTSIDE = frozenset({"not_in_channel", "channel_not_found", "is_archived"})

log = structlog.get_logger("slack")


async def is_inside(desk: Desk, channel: str) -> bool:
    """Tell whether the bot is in a conversation; where Slack does not say, it is taken to be."""
    try:
        async with asyncio.timeout(_SECONDS):
            # Unlike conversations.info it needs no right of its own for direct conversations.
            await desk.client.conversations_history(channel=channel, limit=1)
    except SlackApiError as error:
        return read_refusal(error.response).code not in _OUTSIDE
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        log.info("channel_not_read", why=type(error).__name__)
    return True


async def direct_of(desk: Desk, user: str) -> str:
    """Name a person's conversation with the bot; where Slack does not say, by the person's id.

    Messages arrive by that, too; only what was posted can't be looked for.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            answer = await desk.client.conversations_open(users=user)
    except SlackApiError as error:
        log.warning("direct_not_opened", why=redact(read_refusal(error.response).words))
        return user
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        log.warning("direct_not_opened", why=type(error).__name__)
        return user
    found = answer.get("channel") or {}
    return str(found.get("id") or user)
