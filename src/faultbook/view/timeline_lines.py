"""The lines of a run's timeline, as the terminal and the modal show them."""

from collections.abc import Iterator
from dataclasses import dataclass

from faultbook.base.clock import SECOND, Instant, to_datetime
from faultbook.base.text import duration, one_line
from faultbook.model.run import RunEvent, RunRecord, RunState, RunType
from faultbook.model.timeline import Step, Timeline
from faultbook.view.lines import name, utc, version

_NOTABLE_OFFSET: Instant = SECOND // 2  # below it, a clock is as good as ours
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its number, the server's time, how long after the start, and what happened."""

    number: int
    time: str
    after: str
    kind: str
    words: str


def heading(timeline: Timeline) -> str:
    """Name the run: `invoice-sync · prod · main a1b2c3d · attempt 1 · 18 Nov 2026`."""
    start = timeline.run.start
    key = start.series
    commit = f" {version(start.code_version)}" if start.code_version else ""
    day = utc(start.started_at)[:-6]
    replay = [RunType.REPLAY.value] if start.run_type is RunType.REPLAY else []
    parts = [
        name(key.workflow),
        name(key.environment),
        f"{name(key.branch)}{commit}",
        f"attempt {start.attempt}",
        *replay,
        day,
    ]
    return " · ".join(parts)


def rows(timeline: Timeline) -> Iterator[Row]:
    """Give the lines in the server's order."""
    run = timeline.run
    for number, entry in enumerate(timeline.entries(), 1):
        moment = to_datetime(entry.at)
        clock = f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
        after = elapsed(entry.at - run.start.started_at)
        if isinstance(entry.what, RunEvent):
            kind = name(entry.what.kind, 20)
            yield Row(number, clock, after, kind, _event_words(entry.what))
        else:
            started = entry.what is Step.STARTED
            told = _start_words(run) if started else _close_words(run)
            yield Row(number, clock, after, entry.what.value, told)


def elapsed(micros: Instant) -> str:
    """Say how long after the start: `0 ms`, `1.20 s`, `2m 10s`, `1h 02m`."""
    sign, length = ("-", -micros) if micros < 0 else ("", micros)
    seconds = length / SECOND
    if seconds < 1:
        return f"{sign}{length // 1000} ms"
    if seconds < _MINUTE:
        return f"{sign}{seconds:.2f} s"
    whole = int(seconds)
    if whole < _HOUR:
        return f"{sign}{whole // _MINUTE}m {whole % _MINUTE:02d}s"
    return f"{sign}{whole // _HOUR}h {whole % _HOUR // _MINUTE:02d}m"


def _start_words(run: RunRecord) -> str:
    limit = run.start.contract.timeout_seconds
    parts = [
        name(run.start.agent_name) if run.start.agent_name else "",
        f"limit {limit:g} s" if limit is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _close_words(run: RunRecord) -> str:
    if run.verdict is None:
        return ""
    deciding = run.findings[0] if run.findings else None
    if deciding is None:
        return run.verdict.value
    detail = f", {one_line(deciding.detail)}" if deciding.detail else ""
    return f"{run.verdict.value}: {deciding.reason.value}{detail}"


def _event_words(event: RunEvent) -> str:
    told = ": ".join(one_line(part) for part in (event.name, event.text) if part)
    if event.duration_ms is None:
        return told
    return f"{told} ({elapsed(round(event.duration_ms * 1000))})".strip()


def footer(timeline: Timeline) -> list[str]:
    """Say by whose clock this is, and what is not shown."""
    offset = timeline.clock_offset
    clock = "UTC, server order"
    if abs(offset) >= _NOTABLE_OFFSET:
        way = "behind" if offset > 0 else "ahead"
        clock += f"; client clock {_offset(abs(offset))} {way}"
    lines = [clock]
    if timeline.more:
        lines.append(f"The first {len(timeline.events)} events; there are more.")
    if timeline.run.state is not RunState.CLOSED:
        lines.append(f"Not closed; its deadline is {utc(timeline.run.deadline_at)} UTC.")
    return lines


def _offset(micros: Instant) -> str:
    seconds = micros / SECOND
    return f"{seconds:.1f} s" if seconds < _MINUTE else duration(seconds)


def table(timeline: Timeline) -> list[str]:
    """Lay all rows out, in columns, under their heads."""
    found = list(rows(timeline))
    after = max(len("after"), *(len(row.after) for row in found))
    kind = max(len(row.kind) for row in found)
    number = max(2, len(str(len(found))))
    return [
        f"{'#':>{number}}  {'time':<12}  {'after':<{after}}  event",
        *(
            f"{row.number:>{number}}  {row.time}  {row.after:<{after}}"
            f"  {row.kind:<{kind}}  {row.words}".rstrip()
            for row in found
        ),
    ]
