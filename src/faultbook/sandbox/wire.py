"""The wire log: what went between bot and workspace, newest last, tokens never kept."""

import itertools
import re
from collections import deque
from collections.abc import Callable

from faultbook.sandbox.kinds import Json

_KEEP = 1000
_BODY = 20_000
_SECRET = re.compile(r"(xoxb|xapp)-[A-Za-z0-9-]+")


class Wire:
    """A ring of entries: time, direction, kind, name, summary, body."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._numbers = itertools.count(1)
        self.entries: deque[Json] = deque(maxlen=_KEEP)
        self.watch: Callable[[Json], None] | None = None

    def note(self, direction: str, kind: str, name: str, *, body: str = "", **more: object) -> None:
        """Adds an entry.

        Args:
            direction: `in` from the bot, `out` to the bot, or `note`.
            kind: Such as `api`, `socket`, `http`, `fault`.
            name: The method, envelope type or fault.
            body: What went over the wire.
            **more: Further fields, such as `status` or `ms`.
        """
        entry: Json = {
            "n": next(self._numbers),
            "at": self._now(),
            "dir": direction,
            "kind": kind,
            "name": name,
            "body": body[:_BODY],
            **more,
        }
        self.entries.append(entry)
        if self.watch is not None:
            self.watch(shown(entry))

    def read(self, *, after: int = 0, name: str = "") -> list[Json]:
        """Lists entries after a number, of one name or all."""
        return [
            shown(one)
            for one in self.entries
            if one["n"] > after and (not name or one["name"] == name)
        ]


def shown(entry: Json) -> Json:
    """Gives an entry with its tokens blotted out."""
    return {**entry, "body": _SECRET.sub(r"\1-…", entry["body"])}
