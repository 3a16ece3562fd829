"""Reactions on a message: set and taken away, whatever was there before."""

from slack_sdk.web.async_client import AsyncWebClient

from faultbook.delivery.slack.calling import RefusedError, call, not_sent
from faultbook.delivery.slack.pace import REACTING, UNREACTING, Pace

# The message is gone, or as it shall be: there is nothing more to do.
_FINE = frozenset({"already_reacted", "message_not_found", "no_reaction"})


class Reactions:
    """Sets and takes away the bot's own reactions."""

    def __init__(self, client: AsyncWebClient, pace: Pace) -> None:
        self._client = client
        self._pace = pace

    async def add(self, channel: str, ts: str, name: str) -> None:
        """Set a reaction.

        Raises:
            NotSentError: it was refused, or nobody knows.
        """
        await self._react(REACTING, channel, ts, name)

    async def remove(self, channel: str, ts: str, name: str) -> None:
        """Take a reaction away.

        Raises:
            NotSentError: it was refused, or nobody knows.
        """
        await self._react(UNREACTING, channel, ts, name)

    async def _react(self, method: str, channel: str, ts: str, name: str) -> None:
        sent = self._client.reactions_add if method == REACTING else self._client.reactions_remove
        try:
            await call(self._pace, method, lambda: sent(channel=channel, timestamp=ts, name=name))
        except RefusedError as error:
            if error.refusal.code not in _FINE:
                raise not_sent(error.refusal) from error
