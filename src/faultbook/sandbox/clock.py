"""Time and names: a clock tests can move, message timestamps, and Slack-shaped ids."""

import secrets
import time

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_MICRO = 1_000_000


class Clock:
    """Wall-clock time plus an offset that tests may move forward.

    Attributes:
        offset: Seconds added to the machine's own time.
    """

    def __init__(self) -> None:
        self.offset = 0.0
        self._last = 0

    def now(self) -> float:
        """Tells the time in seconds since the epoch."""
        return time.time() + self.offset

    def ts(self) -> str:
        """Makes a message timestamp, never the same twice and always rising."""
        self._last = max(self._last + 1, int(self.now() * _MICRO))
        return f"{self._last // _MICRO}.{self._last % _MICRO:06d}"

    def seen(self, ts: str) -> None:
        """Makes sure that later timestamps sort after this one."""
        self._last = max(self._last, micros(ts))


def micros(ts: str) -> int:
    """Reads a timestamp such as `1503435956.000247` as whole microseconds; -1 if it is none."""
    seconds, _, fraction = ts.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):  # noqa: PLR2004
        return -1
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        return -1
    return int(seconds) * _MICRO + int((fraction + "000000")[:6])


def new_id(prefix: str, length: int = 10) -> str:
    """Makes an id in Slack's alphabet, such as `U07ABCDEFGH`."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))
