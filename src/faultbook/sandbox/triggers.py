"""Trigger ids and response URLs: short-lived permissions that an interaction hands out."""

import secrets
from dataclasses import dataclass

from faultbook.sandbox.clock import Clock
from faultbook.sandbox.errors import SlackError
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.options import Options

_MOST_KEPT = 5000


@dataclass(slots=True)
class Trigger:
    """The right to open one view for one person.

    Attributes:
        user: Who acted.
        view: The modal the person acted in, if any.
        made: When.
        used: Whether it was exchanged already.
    """

    user: str
    view: str
    made: float
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """The right to answer one interaction a few times.

    Attributes:
        user: Who acted.
        channel: Where.
        made: When.
        message_ts: The message acted on; empty for a slash command.
        thread_ts: The thread of that message.
        ephemeral: Whether that message is visible to the actor only.
        uses: How often it was used.
    """

    user: str
    channel: str
    made: float
    message_ts: str = ""
    thread_ts: str = ""
    ephemeral: bool = False
    uses: int = 0


class Triggers:
    """All permissions handed out since the start; a restart voids them."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._triggers: dict[str, Trigger] = {}
        self._urls: dict[str, ResponseUrl] = {}

    def trigger(self, user: str, view: str = "") -> str:
        """Makes a trigger id."""
        number = secrets.randbelow(10**12) + 10**12
        key = f"{number}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[key] = Trigger(user, view, self._clock.now())
        _trim(self._triggers)
        return key

    def exchange(self, key: object) -> Trigger:
        """Uses a trigger id.

        Raises:
            SlackError: `invalid_trigger_id`, `exchanged_trigger_id` or `expired_trigger_id`.
        """
        trigger = self._triggers.get(key) if isinstance(key, str) else None
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self._clock.now() - trigger.made > self._options.trigger_seconds:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger

    def url(self, given: ResponseUrl) -> str:
        """Keeps a response URL and gives its last part."""
        key = secrets.token_urlsafe(24)
        self._urls[key] = given
        _trim(self._urls)
        return key

    def use_url(self, key: str) -> ResponseUrl:
        """Counts one use of a response URL.

        Raises:
            SlackError: `invalid_url`, `expired_url` or `used_url`.
        """
        given = self._urls.get(key)
        if given is None:
            raise SlackError("invalid_url")
        if self._clock.now() - given.made > self._options.response_url_seconds:
            raise SlackError("expired_url")
        if given.uses >= self._options.response_url_uses:
            raise SlackError("used_url")
        given.uses += 1
        return given


def _trim(kept: dict[str, Trigger] | dict[str, ResponseUrl] | dict[str, Json]) -> None:
    while len(kept) > _MOST_KEPT:
        del kept[next(iter(kept))]
