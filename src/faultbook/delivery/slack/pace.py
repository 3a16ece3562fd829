"""How fast Slack may be called: a message a second to a channel, and each method's tier.

A notice's target names its lane: `C1` is for posts, `C1/cards` for repaints, `C1/reactions` for
reactions. Each lane of a channel rests by itself, and draws on a tier of its own.

https://docs.slack.dev/apis/web-api/rate-limits; tiers are counted a minute, per method and
workspace. Several replicas pace themselves apart; where they overdo it together, Slack's
Retry-After holds them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from faultbook.model.notice import CARDS, REACTIONS, lane_of

POSTING = "chat.postMessage"
UPDATING = "chat.update"
REACTING = "reactions.add"
UNREACTING = "reactions.remove"
CALLS_A_MINUTE = {
    POSTING: 300,  # "several hundred a minute" over all channels
    UPDATING: 50,
    REACTING: 50,
    UNREACTING: 20,
    "conversations.history": 50,
    "conversations.replies": 50,
}

_LANES = {"": POSTING, CARDS: UPDATING, REACTIONS: REACTING}


@dataclass(slots=True)
class _Bucket:
    most: float
    left: float
    at: float

    def fill(self, now: float) -> None:
        """Add what the time since the last look allows."""
        self.left = min(self.most, self.left + (now - self.at) * self.most / 60)
        self.at = now

    @property
    def wait(self) -> float:
        """Seconds until one more call is allowed."""
        return max(0.0, (1 - self.left) * 60 / self.most)


class Pace:
    """What rests until when; times are `time.monotonic()` seconds."""

    def __init__(
        self,
        channel_seconds: float = 1.0,
        calls_a_minute: Mapping[str, int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel_seconds = channel_seconds
        self._clock = clock
        self._resting: dict[str, float] = {}
        tiers = CALLS_A_MINUTE | dict(calls_a_minute or {})
        self._methods = {name: _Bucket(most, most, clock()) for name, most in tiers.items()}

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

    def rests(self, channel: str) -> bool:
        """Tell whether a channel rests now."""
        return self._resting.get(channel, 0.0) > self._clock()

    def resting(self) -> list[str]:
        """List the channels that rest now."""
        now = self._clock()
        self._resting = {name: until for name, until in self._resting.items() if until > now}
        return list(self._resting)

    def closed_lanes(self) -> list[str]:
        """List the lanes whose tier is used up for now."""
        return [lane for lane, method in _LANES.items() if self.left(method) < 1]

    def room(self) -> int:
        """Tell how many notices may go now, whichever of the open lanes they are in."""
        return min((left for method in _LANES.values() if (left := self.left(method))), default=0)

    @staticmethod
    def is_ours(target: str) -> bool:
        """Tell whether a target is a lane of a channel, and not somebody else's."""
        return lane_of(target) in _LANES

    def is_open(self, target: str) -> bool:
        """Tell whether a target's lane has calls left."""
        return self.left(_LANES[lane_of(target)]) >= 1

    def next_ready(self) -> float | None:
        """Tell in how many seconds a message may go that may not go now; None if all may.

        A rest that is over is nothing to wait for: counted as "in 0 s", it would have whoever
        waits look again at once, for ever.
        """
        now = self._clock()
        waits = [self._resting[channel] - now for channel in self.resting()]
        waits += [self._methods[_LANES[lane]].wait for lane in self.closed_lanes()]
        return min(waits, default=None)

    def left(self, method: str) -> int:
        """Tell how many calls of a method are allowed now."""
        bucket = self._methods[method]
        bucket.fill(self._clock())
        return int(bucket.left)

    def take(self, method: str) -> float:
        """Count a call of a method, and give 0; or count nothing and give the seconds to wait."""
        if self.left(method) < 1:
            return self._methods[method].wait
        self._methods[method].left -= 1
        return 0.0
