"""Slack's method tiers as token buckets: a minute's worth at once, then the tier's pace."""

import math
from dataclasses import dataclass

from faultbook.sandbox.clock import Clock
from faultbook.sandbox.errors import SlackError
from faultbook.sandbox.options import Options

_PER_MINUTE = {"t1": 1, "t2": 20, "t3": 50, "t4": 100, "t5": 600}
_CHANNEL_BURST = 4
_CHANNEL_PER_SECOND = 1.0


class RateLimitedError(SlackError):
    """HTTP 429.

    Attributes:
        retry_after: Whole seconds until another try makes sense.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float

    def take(self, now: float, *, burst: float, per_second: float) -> float:
        """Takes one, or tells how long to wait."""
        self.left = min(burst, self.left + (now - self.at) * per_second)
        self.at = now
        if self.left >= 1:
            self.left -= 1
            return 0.0
        return (1 - self.left) / per_second


class Limits:
    """All buckets of the one app in the one workspace."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def check(self, method: str, tier: str) -> None:
        """Counts one call of a method.

        Raises:
            RateLimitedError: If the tier is used up.
        """
        per_minute = _PER_MINUTE.get(tier)
        if per_minute is not None:
            self._take(method, burst=per_minute, per_second=per_minute / 60)

    def check_post(self, channel: str) -> None:
        """Counts one message to a channel.

        Raises:
            RateLimitedError: If the channel's pace of one a second is overdrawn.
        """
        self._take(f"post:{channel}", burst=_CHANNEL_BURST, per_second=_CHANNEL_PER_SECOND)

    def _take(self, key: str, *, burst: float, per_second: float) -> None:
        if not self._options.rate_limits:
            return
        now = self._clock.now()
        bucket = self._buckets.setdefault(key, _Bucket(burst, now))
        wait = bucket.take(now, burst=burst, per_second=per_second)
        if wait > 0:
            raise RateLimitedError(math.ceil(wait))
