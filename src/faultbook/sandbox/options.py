"""What can be set while the workspace runs: times, limits, subscriptions."""

from dataclasses import asdict, dataclass, field, fields

from faultbook.sandbox.errors import bad_arguments
from faultbook.sandbox.kinds import Json

DEFAULT_EVENTS = (
    "app_home_opened",
    "app_mention",
    "member_joined_channel",
    "message.im",
    "reaction_added",
)


@dataclass(slots=True)
class Options:
    """The settings of a running workspace; the control API changes them.

    Attributes:
        ack_seconds: How long the bot has for an acknowledgement.
        trigger_seconds: How long a trigger id lives.
        response_url_seconds: How long a response URL lives.
        response_url_uses: How often a response URL may be used.
        retry_delays: Seconds before the first, second, … redelivery of an event.
        status_seconds: How long an assistant status is shown.
        rate_limits: Whether method tiers are enforced.
        subscriptions: The bot's event subscriptions.
        bot_url: Where events go over HTTP while no socket is open; empty for nowhere.
    """

    ack_seconds: float = 3.0
    trigger_seconds: float = 3.0
    response_url_seconds: float = 1800.0
    response_url_uses: int = 5
    retry_delays: list[float] = field(default_factory=lambda: [0.2, 60.0, 300.0])
    status_seconds: float = 120.0
    rate_limits: bool = True
    subscriptions: list[str] = field(default_factory=lambda: list(DEFAULT_EVENTS))
    bot_url: str = ""

    def change(self, changes: Json) -> None:
        """Sets the named options, refusing unknown names and wrong types.

        Raises:
            SlackError: `invalid_arguments`, naming the option.
        """
        known = {one.name for one in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise bad_arguments(f"no such option: {name}; known: {', '.join(sorted(known))}")
            setattr(self, name, _fitting(name, value, getattr(self, name)))

    def as_json(self) -> Json:
        """Shows every option."""
        return asdict(self)


def _fitting(name: str, value: object, old: object) -> object:
    if isinstance(old, bool):
        good = isinstance(value, bool)
    elif isinstance(old, int | float):
        good = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    else:
        good = isinstance(value, type(old))
    if not good:
        raise bad_arguments(f"option {name} has the wrong type: {value!r}")
    return value
