"""What happened within one run, in order."""

from dataclasses import dataclass
from enum import StrEnum

from faultbook.base.clock import Instant
from faultbook.model.run import RunEvent, RunRecord

LATE_CLOSE = "late_close"
"""The kind of the event that a close leaves on a run that was closed before."""


class Step(StrEnum):
    """The steps that every run has, beside the events that it reports."""

    STARTED = "started"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline.

    Attributes:
        at: on the server's clock.
    """

    at: Instant
    what: Step | RunEvent


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run with its events in the server's order.

    Attributes:
        more: there are further events that were not read.
    """

    run: RunRecord
    events: tuple[RunEvent, ...] = ()
    more: bool = False

    @property
    def clock_offset(self) -> Instant:
        """How far the client's clock is behind ours; negative when it is ahead."""
        start = self.run.start
        return 0 if start.occurred_at is None else start.started_at - start.occurred_at

    def entries(self) -> list[Entry]:
        """Put start, events and close in their order.

        An event's own time is the client's, so it is moved by the offset of its clock; the order
        stays the server's.
        """
        run = self.run
        closed = run.closed_at
        before = [e for e in self.events if closed is None or not _is_after(e, closed)]
        entries = [Entry(run.start.started_at, Step.STARTED)]
        entries += [Entry(self._at(event), event) for event in before]
        if closed is not None:
            ended = closed if run.ended_at is None else run.ended_at
            entries.append(Entry(ended, Step.CLOSED))
            after = [event for event in self.events if _is_after(event, closed)]
            entries += [Entry(self._at(event), event) for event in after]
        return entries

    def _at(self, event: RunEvent) -> Instant:
        if event.occurred_at is None:
            return event.received_at
        return event.occurred_at + self.clock_offset


def _is_after(event: RunEvent, closed: Instant) -> bool:
    return event.kind == LATE_CLOSE or event.received_at > closed
