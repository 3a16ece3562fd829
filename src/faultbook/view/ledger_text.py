"""Lessons, incidents and what the ledger says about itself, as text for a terminal or a pipe.

Outside text is shown on one line each, its control characters made visible.
"""

from collections.abc import Iterable, Mapping, Sequence

from faultbook.base.clock import Instant, to_datetime
from faultbook.base.text import duration, one_line
from faultbook.ledger.incident_file import IncidentFile
from faultbook.ledger.search import Match
from faultbook.ledger.stats import LAG_LIMIT_SECONDS, LedgerStats
from faultbook.model.incident import IncidentFields
from faultbook.model.known_failure import Repeats
from faultbook.model.lesson import Lesson

_NO_REPEATS = Repeats()
_LABEL = 13


def lesson_text(lesson: Lesson, incident: IncidentFile | None, repeats: Repeats) -> str:
    """Show one lesson whole, with its incident where there is one."""
    facts = [
        ("what failed", lesson.what_failed),
        ("fix", lesson.fix),
        ("area", lesson.area or ""),
        ("repeats", _repeats(repeats)),
    ]
    if incident is not None:
        fields = incident.fields
        facts += [
            ("incident", incident.path),
            ("", f"{fields.severity}, {fields.status}, owner {fields.owner}, {fields.date}"),
            ("held by", _held_by(fields)),
            ("why linked", fields.why_linked),
        ]
    told = [f"    {label:<{_LABEL}}{one_line(value)}" for label, value in facts if one_line(value)]
    return "\n".join([_headed(lesson), *told]) + "\n"


def lessons_text(lessons: Iterable[Lesson], repeats: Mapping[int, Repeats]) -> str:
    """Show lessons, the rule first, two lines each."""
    lines: list[str] = []
    for lesson in lessons:
        counted = repeats.get(lesson.number or 0, _NO_REPEATS)
        facts = (lesson.what_failed, lesson.area or "", _repeats(counted))
        lines.append(_headed(lesson))
        lines.append("    " + " · ".join(one_line(fact) for fact in facts if fact))
    return "".join(f"{line}\n" for line in lines)


def matches_text(matches: Sequence[Match], repeats: Mapping[int, Repeats], words: str) -> str:
    """Show what a search found, retired lessons last, saying so."""
    if not matches:
        return "No lesson matches. Try fewer words.\n"
    count = "1 lesson matches" if len(matches) == 1 else f"{len(matches)} lessons match"
    told = lessons_text((match.lesson for match in matches), repeats)
    return f"{count} `{one_line(words)}`\n{told}"


def _headed(lesson: Lesson) -> str:
    number = "new" if lesson.number is None else str(lesson.number)
    retired = ""
    if lesson.retired:
        see = f", see {lesson.superseded_by}" if lesson.superseded_by else ""
        retired = f"retired{see}: "
    return f"{number:<3} {retired}{one_line(lesson.rule)}"


def _repeats(repeats: Repeats) -> str:
    if not repeats.count:
        return ""
    count = "1 repeat" if repeats.count == 1 else f"{repeats.count} repeats"
    return count if repeats.last_at is None else f"{count}, last {_day(repeats.last_at)}"


def _day(instant: Instant) -> str:
    return to_datetime(instant).strftime("%-d %b %Y")


def _held_by(fields: IncidentFields) -> str:
    where = f": {fields.enforcement_ref}" if fields.enforcement_ref else ""
    return f"{fields.enforcement}{where}"


def incidents_text(incidents: Iterable[IncidentFile]) -> str:
    """List incidents, a line each."""
    rows = [
        (
            file.fields.date,
            file.fields.status.value,
            file.fields.severity.value,
            f"lesson {file.fields.lesson}" if file.fields.lesson else "no lesson",
            f"{one_line(file.fields.title)} ({file.path})",
        )
        for file in incidents
    ]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(4)]
    return "".join(
        "  ".join([*(f"{cell:<{widths[at]}}" for at, cell in enumerate(row[:4])), row[4]]) + "\n"
        for row in rows
    )


def stats_text(stats: LedgerStats) -> str:
    """Show the ledger's counts."""
    lines = [f"{stats.in_force} lessons in force, {stats.retired} retired", "", "By area"]
    for area in stats.areas:
        retired = f", {area.retired} retired" if area.retired else ""
        lines.append(f"  {one_line(area.area or 'none given')}: {area.in_force}{retired}")
    lines += ["", f"Held by a test or a gate: {stats.held} of {stats.in_force}"]
    for by, count in stats.enforcement.items():
        lines.append(f"  {by.value if by else 'not said'}: {count}")
    lines += ["", *_repeats_lines(stats), "", *_lag_lines(stats)]
    return "\n".join(lines) + "\n"


def _repeats_lines(stats: LedgerStats) -> list[str]:
    total = sum(stats.repeats.values())
    if not total:
        return ["Repeats after a rule: none counted"]
    told = [f"  lesson {lesson}: {count}" for lesson, count in stats.repeats.items()]
    return [f"Repeats after a rule: {total}", *told]


def _lag_lines(stats: LedgerStats) -> list[str]:
    if not stats.lags:
        return ["Rules within 24 h: no incident files yet"]
    timed = [lag for lag in stats.lags if lag.seconds is not None]
    in_time = sum(lag.in_time for lag in timed)
    lines = [f"Rules within 24 h of the incident's day: {in_time} of {len(timed)}"]
    lines += [
        f"  late by {duration((lag.seconds or 0) - LAG_LIMIT_SECONDS)}: {lag.path}"
        for lag in timed
        if not lag.in_time
    ]
    waiting = len(stats.lags) - len(timed)
    return [*lines, f"  not committed yet: {waiting}"] if waiting else lines
