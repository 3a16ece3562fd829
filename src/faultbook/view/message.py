"""What a rendering comes to: blocks, and a plain text that says the same."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Block: TypeAlias = dict[str, Any]
"""One block of Slack's Block Kit."""


@dataclass(frozen=True, slots=True)
class Message:
    """A Slack message.

    Attributes:
        text: complete on its own: screen readers and notifications read it instead of the blocks.
    """

    text: str
    blocks: list[Block] = field(default_factory=list)
