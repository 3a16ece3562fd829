"""Looking into a run: its record and its events."""

from collections.abc import Iterable

from faultbook.model.timeline import Timeline
from faultbook.operations.recording import read_run
from faultbook.store import runs
from faultbook.store.transaction import Transaction

_EVENTS = 1000


def read_timeline(tx: Transaction, run_id: str) -> Timeline:
    """Read a run by its id, or by the end of it, with its events.

    Raises:
        NotFoundError: there is no such run.
        ConflictError: several runs end so.
    """
    run = read_run(tx, run_id)
    events = runs.list_events(tx, run.sequence, limit=_EVENTS + 1)
    return Timeline(run, tuple(events[:_EVENTS]), more=len(events) > _EVENTS)


def read_timelines(tx: Transaction, run_ids: Iterable[str], events: int) -> dict[str, Timeline]:
    """Read several runs by their whole ids, each with so many of its first events."""
    found: dict[str, Timeline] = {}
    for run_id in run_ids:
        run = runs.find_run(tx, run_id)
        if run is not None:
            known = runs.list_events(tx, run.sequence, limit=events + 1)
            found[run_id] = Timeline(run, tuple(known[:events]), more=len(known) > events)
    return found
