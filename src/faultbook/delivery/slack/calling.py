"""One paced call of Slack's API, and what it means that it did not end well."""

from collections.abc import Awaitable, Callable

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from faultbook.base.slack_refusal import Refusal, read_refusal
from faultbook.delivery.slack.pace import Pace


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


class RefusedError(Exception):
    """Slack answered, and its answer is no."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.words)
        self.refusal = refusal


async def call(
    pace: Pace, method: str, send: Callable[[], Awaitable[AsyncSlackResponse]]
) -> AsyncSlackResponse:
    """Make a call if its tier allows it now.

    Raises:
        NotSentError: its tier is used up, or nobody knows what came of it.
        RefusedError: Slack refused it.
    """
    wait = pace.take(method)
    if wait:
        raise NotSentError(f"{method} rests", wait=wait, refused=True)
    try:
        return await send()
    except SlackApiError as error:
        raise RefusedError(read_refusal(error.response)) from error
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise NotSentError(f"{method}: {type(error).__name__}") from error


def not_sent(refusal: Refusal) -> NotSentError:
    """Tell what a refusal means for the attempt."""
    if refusal.is_limited:
        return NotSentError("ratelimited", wait=refusal.retry_after, refused=True)
    if refusal.is_unauthorized:
        # The token is the trouble: the message waits until somebody replaces it.
        return NotSentError(refusal.words, wait=60.0, refused=True)
    if refusal.is_passing:
        return NotSentError(refusal.words)
    return NotSentError(refusal.words, refused=True, permanent=True)
