"""People, as Slack and the command line know them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who asks, decides or owns.

    Attributes:
        id: Slack's; empty for someone who is known by name only.
        name: as others read it.
    """

    id: str
    name: str
