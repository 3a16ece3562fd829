"""Answers as text for a terminal or a pipe: signs with words, columns, UTC.

Colour tints the sign and its word only. Lines are cut to the width on a terminal, never in a pipe.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from faultbook.base.clock import SECOND
from faultbook.base.ids import short_id
from faultbook.base.text import cut, duration, one_line
from faultbook.model.answer import FailingAnswer, SeriesAnswer
from faultbook.model.diff import Change, VerdictDiff
from faultbook.model.draft import LateDraft
from faultbook.model.standing import RunMark, Standing
from faultbook.model.timeline import Timeline
from faultbook.view import diff_lines, failing_lines, timeline_lines
from faultbook.view.lines import Line, age, name, plain, safe_url, utc, version

_SIGNS = {
    "failing": "✗",
    "blocked": "⊘",
    "degraded": "!",
    "unproven": "?",
    "silent": "~",
    "unknown": "·",
    "passing": "✓",
    "late": "⧗",
    "undelivered": "!",
    "queued": "·",
    "running": "▸",
    "waiting": "?",
    "done": "✓",
    "failed": "✗",
    "lost": "!",
    "cancelled": "-",
}
_ASCII_SIGNS = _SIGNS | {
    "failing": "x",
    "blocked": "#",
    "unknown": ".",
    "passing": "+",
    "late": "%",
    "queued": ".",
    "running": ">",
    "done": "+",
    "failed": "x",
}
_RED, _YELLOW, _GREEN = "31", "33", "32"  # ECMA-48, SGR
_TINTS = {
    "failing": _RED,
    "blocked": _RED,
    "degraded": _YELLOW,
    "unproven": _YELLOW,
    "silent": _YELLOW,
    "late": _YELLOW,
    "undelivered": _YELLOW,
    "passing": _GREEN,
    "waiting": _YELLOW,
    "done": _GREEN,
    "failed": _RED,
    "lost": _RED,
}
_PERIODS = {60: "every minute", 3600: "hourly", 86_400: "daily", 604_800: "weekly"}
_NARROWEST, _WIDEST = 60, 100
_NAME = 40


@dataclass(frozen=True, slots=True)
class Look:
    """What the output can show.

    Attributes:
        width: columns of the terminal; None for a pipe, where nothing is cut.
        unicode: the output's encoding holds every sign.
    """

    width: int | None = None
    color: bool = False
    unicode: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One entry: the sign of a standing or of a task's state, its word, and lines in columns."""

    standing: str
    word: str
    workflow: str
    place: str
    lines: Sequence[str]


def failing_text(answer: FailingAnswer, look: Look = Look()) -> str:
    """Answer "what's failing?" as text; every series is shown."""
    now = answer.as_of
    told = [_series_row(s, answer) for found in _grouped(answer) for s in found]
    opening = [plain(line, now) for line in _opening(answer)]
    text = ["", *laid_out(told, look)] if told else []
    if answer.late_drafts:
        text += ["", *(_late(draft, answer, look) for draft in answer.late_drafts)]
    if answer.undelivered:
        text += ["", _undelivered(answer, look)]
    if answer.other_branches:
        text.append(f"Other branches: {answer.other_branches} failing (--all-branches)")
    text.append(_freshness(answer))
    next_run = next((s.basis_run for s in answer.series if s.basis_run), None)
    if next_run is not None:
        text.append(f"Next: faultbook timeline {short_id(next_run.run_id)}")
    return finished(opening, text, look)


def _late(draft: LateDraft, answer: FailingAnswer, look: Look) -> str:
    told = plain(failing_lines.late_draft(draft, 10_000), answer.as_of)
    sign = (_SIGNS if look.unicode else _ASCII_SIGNS)["late"]
    head = f"{sign} draft late"
    line = f"{head}  {_without_zone(told)}, owner {name(draft.owner, _NAME)}"
    return _tinted(_cut(line, look), len(head), "late", look)


def _undelivered(answer: FailingAnswer, look: Look) -> str:
    head = f"{_SIGNS['undelivered']} undelivered"
    line = f"{head}  {plain(failing_lines.undelivered(answer), answer.as_of)}"
    return _tinted(_cut(line, look), len(head), "undelivered", look)


def _opening(answer: FailingAnswer) -> list[Line]:
    return [line for line in (failing_lines.headline(answer), failing_lines.shared(answer)) if line]


def _grouped(answer: FailingAnswer) -> Iterable[list[SeriesAnswer]]:
    return failing_lines.grouped(answer.series).values()


def _series_row(series: SeriesAnswer, answer: FailingAnswer) -> Row:
    word = failing_lines.group_of(series)
    place = name(series.key.environment, _NAME)
    if answer.branch is None:
        place += f" {name(series.key.branch, _NAME)}"
    lines = {
        Standing.FAILING.value: _failing_lines,
        Standing.UNPROVEN.value: _unproven_lines,
        "silent": _silent_lines,
    }.get(word, _other_lines)
    told = lines(series, answer)
    return Row(word, word, name(series.key.workflow, _NAME), place, told)


def _failing_lines(series: SeriesAnswer, answer: FailingAnswer) -> list[str]:
    now = answer.as_of
    first = _runs(series)
    if series.since is not None:
        first += f" since {utc(series.since, now)}"
        first += f" ({duration((now - series.since) / SECOND)})"
    if series.silent_since is not None:
        first += f", and silent since {utc(series.silent_since, now)}"
    again = failing_lines.happened_again(series)
    lines = [first, *([f"{plain(again, now)}."] if again else [])]
    if series.reason is not None:
        detail = f": {one_line(series.detail)}" if series.detail else ""
        lines.append(f"{series.reason.value}{detail}")
    more = (failing_lines.newest_unproven(series), failing_lines.running(series))
    lines += [_without_zone(plain(line, now)) for line in more if line]
    return [*lines, "   ".join(_where_it_broke(series, answer))]


def _runs(series: SeriesAnswer) -> str:
    return "1 run" if series.streak == 1 else f"{series.streak} runs"


def _where_it_broke(series: SeriesAnswer, answer: FailingAnswer) -> Iterable[str]:
    if series.first_bad is not None:
        yield f"first bad {_mark(series.first_bad)}"
    yield f"last good {_mark(series.last_good)}" if series.last_good else "never passed"
    if series.evidence:
        ref = series.evidence[0]
        yield f"evidence {safe_url(ref.uri) or name(ref.name)}"
    elif safe_url(series.url):
        yield f"evidence {safe_url(series.url)}"
    known = failing_lines.known_as(series)
    if known:
        yield plain(known, answer.as_of)


def _mark(run: RunMark) -> str:
    return version(run.code_version) if run.code_version else short_id(run.run_id)


def _unproven_lines(series: SeriesAnswer, answer: FailingAnswer) -> list[str]:
    del answer
    why = f" ({series.reason.value})" if series.reason else ""
    return [f"{_runs(series)}: nothing verified{why}"]


def _silent_lines(series: SeriesAnswer, answer: FailingAnswer) -> list[str]:
    parts = [_period(series.every_seconds) if series.every_seconds else "overdue"]
    if series.newest_record_at is not None:
        parts.append(f"last heard {utc(series.newest_record_at, answer.as_of)}")
    if series.standing is not Standing.PASSING:
        parts.append(f"{series.standing.value} then")
    return [", ".join(parts)]


def _period(seconds: float) -> str:
    return _PERIODS.get(int(seconds)) or f"every {duration(seconds)}"


def _other_lines(series: SeriesAnswer, answer: FailingAnswer) -> list[str]:
    told = failing_lines.what_it_came_to(series, length=10_000)
    return [_without_zone(plain(told, answer.as_of))]


def _without_zone(text: str) -> str:
    """Leave out the zone: the footer names it once."""
    return text.replace(" UTC", "")


def _freshness(answer: FailingAnswer) -> str:
    aged = ""
    if answer.newest_record_at is not None:
        aged = f"; newest record {age(answer.newest_record_at, answer.as_of)}"
    return f"As of {utc(answer.as_of, answer.as_of)} UTC{aged}"


def diff_text(diff: VerdictDiff, look: Look = Look()) -> str:
    """Answer "what changed?" as text; every change is shown."""
    rows = [
        _change_row(change, group, diff)
        for group in diff_lines.groups(diff)
        for change in group.changes
    ]
    opening = [plain(diff_lines.headline(diff), diff.as_of)]
    text = ["", *laid_out(rows, look)] if rows else []
    text.append(diff_lines.counts(diff))
    aged = ""
    if diff.newest_record_at is not None:
        aged = f"; newest record {age(diff.newest_record_at, diff.as_of)}"
    text.append(f"As of {utc(diff.as_of, diff.as_of)} UTC{aged}")
    return finished(opening, text, look)


def _change_row(change: Change, group: diff_lines.Group, diff: VerdictDiff) -> Row:
    place = name(change.place.environment, _NAME)
    if change.after.branch != diff.branch:
        place += f" {name(change.after.branch, _NAME)}"
    told = plain(diff_lines.what_changed(change, group.word, 10_000), diff.as_of)
    workflow = name(change.place.workflow, _NAME)
    return Row(group.standing, group.word, workflow, place, [_without_zone(told)])


def timeline_text(timeline: Timeline, look: Look = Look()) -> str:
    """Show a run's events in order."""
    heading = timeline_lines.heading(timeline)
    lines = [*timeline_lines.table(timeline), *timeline_lines.footer(timeline)]
    return finished([heading], lines, look)


def laid_out(rows: Sequence[Row], look: Look) -> Iterable[str]:
    """Put rows into columns; further lines of a row stand under its workflow."""
    signs = _SIGNS if look.unicode else _ASCII_SIGNS
    word = max(len(row.word) for row in rows)
    workflow = max(len(row.workflow) for row in rows)
    place = max(len(row.place) for row in rows)
    for row in rows:
        head = f"{signs[row.standing]} {row.word:<{word}}"
        first, *further = row.lines
        told = f"  {row.workflow:<{workflow}}  {row.place:<{place}}   {first}"
        shown = _cut(head + told, look)
        yield _tinted(shown, len(head), row.standing, look)
        yield from (_cut(f"{' ' * (len(head) + 2)}{line}", look) for line in further)


def _tinted(line: str, length: int, standing: str, look: Look) -> str:
    tint = _TINTS.get(standing)
    if not look.color or tint is None:
        return line
    head = line[:length].rstrip()
    return f"\x1b[{tint}m{head}\x1b[0m{line[len(head) :]}"


def _cut(line: str, look: Look) -> str:
    if look.width is None:
        return line.rstrip()
    return cut(line.rstrip(), columns(look.width))


def columns(width: int) -> int:
    """Tell how much of a terminal's width is written to."""
    return min(max(width, _NARROWEST), _WIDEST)


def finished(opening: Sequence[str], lines: Iterable[str], look: Look) -> str:
    """Put the text together; the opening is never cut, since it may be a command to copy."""
    told = (line if "\x1b" in line else _cut(line, look) for line in lines)
    text = "\n".join((*opening, *told))
    if not look.unicode:
        text = text.replace("·", "|").replace("…", "...")
        text = text.encode("ascii", "backslashreplace").decode()
    return f"{text}\n"
