"""Handing owed receipts to who sends them, within the commit that owes them.

A receipt that somebody waits for would else need a second commit, its claim, before it may go out.
"""

from collections.abc import Sequence
from typing import Protocol

from faultbook.base.clock import Instant
from faultbook.model.notice import Notice


class Taker(Protocol):
    """Who sends the receipts of this process."""

    @property
    def name(self) -> str:
        """Whose claims they are."""

    @property
    def lease(self) -> Instant:
        """How long such a claim lasts, in microseconds."""

    def can_take(self, target: str) -> bool:
        """Tell, in any thread, whether something for a target could be sent at once."""

    def take(self, fresh: Sequence[Notice]) -> None:
        """Hear, in the thread that committed, of receipts that are claimed already."""
