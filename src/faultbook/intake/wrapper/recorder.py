"""What takes records: a server, or the store itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from faultbook.intake.wrapper.record import Record
from faultbook.intake.wrapper.watch import Found


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a record."""

    run_id: str
    verdict: str
    reason: str | None = None
    detail: str = ""


class Recorder(Protocol):
    """Takes records; each call may be made again with the same record."""

    @property
    def place(self) -> str:
        """What people call it."""
        ...

    @property
    def target(self) -> str:
        """What records that belong there are marked with."""
        ...

    def start(self, record: Record) -> str:
        """Open the record's run, and give its id.

        Raises:
            UnavailableError: it can't be had now.
            FaultbookError: it refuses the record.
        """
        ...

    def finish(self, record: Record, files: Mapping[str, Found]) -> Receipt:
        """Record how the run ended, opening it first where its start may have got lost.

        `files` are artifacts whose bytes may be fetched from this host, by their names.

        Raises:
            UnavailableError: it can't be had now.
            ConflictError: the run was closed otherwise before.
            FaultbookError: it refuses the record.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...
