"""How fast Slack may be called: a message a second to a channel, and each method's tier.

https://docs.slack.dev/apis/web-api/rate-limits; tiers are counted a minute, per method and
workspace. Several replicas pace themselves apart; where they overdo it together, Slack's
Retry-After holds them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

CALLS_A_MINUTE = {
    "chat.postMessage": 300,  # "several hundred a minute" over all channels
    "conversations.history": 50,
    "conversations.replies": 50,
}


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Pace:
    """What rests until when; times are `time.monotonic()` seconds."""

    def __init__(
        self, channel_seconds: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._channel_seconds = channel_seconds
        self._clock = clock
        self._resting: dict[str, float] = {}
        self._methods: dict[str, _Bucket] = {}

    def posted(self, channel: str) -> None:
        """Let a channel rest for its second after a message."""
        self.hold(channel, self._channel_seconds)

    def hold(self, channel: str, seconds: float) -> None:
        """Let a channel rest at least so long."""
        until = self._clock() + seconds
        self._resting[channel] = max(until, self._resting.get(channel, 0.0))

    def release(self, channel: str) -> None:
        """End a channel's rest."""
        self._resting.pop(channel, None)

    def resting(self) -> list[str]:
        """List the channels that rest now."""
        now = self._clock()
        self._resting = {name: until for name, until in self._resting.items() if until > now}
        return list(self._resting)

    def next_ready(self) -> float | None:
        """Tell in how many seconds the next resting channel is ready."""
        until = min(self._resting.values(), default=None)
        return None if until is None else max(0.0, until - self._clock())

    def take(self, method: str) -> float:
        """Count a call of a method, and give 0; or count nothing and give the seconds to wait."""
        most = CALLS_A_MINUTE[method]
        now = self._clock()
        bucket = self._methods.setdefault(method, _Bucket(most, now))
        bucket.left = min(most, bucket.left + (now - bucket.at) * most / 60)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0.0
        return (1 - bucket.left) * 60 / most
