"""What the ledger says about itself: areas, repeats, how soon rules came, what holds them.

No time to repair is counted and no severity averaged: neither tells whether anything was learned.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from faultbook.model.incident import Enforcement, IncidentFields
from faultbook.model.lesson import Lesson

LAG_LIMIT_SECONDS = 24 * 3600
"""A rule is due a day after the failure."""

_HELD = (Enforcement.TEST, Enforcement.GATE)


@dataclass(frozen=True, slots=True)
class AreaCount:
    """How many lessons an area has, retired ones apart."""

    area: str | None
    in_force: int
    retired: int


@dataclass(frozen=True, slots=True)
class RuleLag:
    """How long an incident waited for its rule to be committed.

    Attributes:
        seconds: from the end of the incident's day, since no hour is known, in UTC; never less
            than 0. None while its file is not committed.
    """

    path: str
    lesson: int | None
    seconds: int | None

    @property
    def in_time(self) -> bool:
        """Tell whether the rule came within a day."""
        return self.seconds is not None and self.seconds <= LAG_LIMIT_SECONDS


@dataclass(frozen=True, slots=True)
class LedgerStats:
    """The ledger counted.

    Attributes:
        areas: the largest first.
        repeats: by lesson how often its failure came again: incidents that name a lesson which
            had one before, and repeats that the bot counted.
        lags: one for each incident whose date can be read.
        enforcement: by what holds the rule, how many lessons in force; None where nothing says it.
    """

    lessons: int
    retired: int
    areas: tuple[AreaCount, ...]
    repeats: Mapping[int, int]
    lags: tuple[RuleLag, ...]
    enforcement: Mapping[Enforcement | None, int]

    @property
    def held(self) -> int:
        """How many rules in force a test or a gate holds."""
        return sum(self.enforcement.get(by, 0) for by in _HELD)

    @property
    def in_force(self) -> int:
        """How many lessons are in force."""
        return self.lessons - self.retired


def count_ledger(
    lessons: Iterable[Lesson],
    incidents: Mapping[str, IncidentFields],
    committed_at: Mapping[str, int],
    counted: Mapping[int, int],
    names_test: Callable[[str], bool],
) -> LedgerStats:
    """Count a ledger.

    Args:
        lessons: its rows, with the areas of their incidents.
        incidents: its incident files, by path.
        committed_at: when each file was first committed, in seconds since the epoch.
        counted: repeats that the bot counted, by lesson.
        names_test: tells of a rule whether it names a test that is there; that counts where the
            lesson has no incident file.
    """
    rows = list(lessons)
    return LedgerStats(
        lessons=len(rows),
        retired=sum(lesson.retired for lesson in rows),
        areas=_areas(rows),
        repeats=_repeats(incidents.values(), counted),
        lags=tuple(_lags(incidents, committed_at)),
        enforcement=_enforcement(rows, incidents.values(), names_test),
    )


def _areas(rows: Iterable[Lesson]) -> tuple[AreaCount, ...]:
    in_force: Counter[str | None] = Counter()
    retired: Counter[str | None] = Counter()
    for lesson in rows:
        (retired if lesson.retired else in_force)[lesson.area or None] += 1
    found = [AreaCount(area, in_force[area], retired[area]) for area in {*in_force, *retired}]
    return tuple(sorted(found, key=lambda one: (-one.in_force, one.area is None, one.area or "")))


def _repeats(incidents: Iterable[IncidentFields], counted: Mapping[int, int]) -> dict[int, int]:
    told = Counter(fields.lesson for fields in incidents if fields.lesson is not None)
    by_files = {lesson: count - 1 for lesson, count in told.items() if count > 1}
    # The bot counts a repeat that was opened as an incident, too: the larger number holds both.
    every = {*by_files, *(lesson for lesson, count in counted.items() if count)}
    found = {lesson: max(by_files.get(lesson, 0), counted.get(lesson, 0)) for lesson in every}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _lags(
    incidents: Mapping[str, IncidentFields], committed_at: Mapping[str, int]
) -> Iterable[RuleLag]:
    for path, fields in sorted(incidents.items()):
        try:
            day = date.fromisoformat(fields.date)
        except ValueError:
            continue
        end = datetime.combine(day + timedelta(days=1), time(), UTC).timestamp()
        committed = committed_at.get(path)
        seconds = None if committed is None else max(0, int(committed - end))
        yield RuleLag(path, fields.lesson, seconds)


def _enforcement(
    rows: Iterable[Lesson],
    incidents: Iterable[IncidentFields],
    names_test: Callable[[str], bool],
) -> dict[Enforcement | None, int]:
    strongest: dict[int, Enforcement] = {}
    order = list(Enforcement)
    for fields in incidents:
        if fields.lesson is not None:
            before = strongest.get(fields.lesson, Enforcement.NONE)
            strongest[fields.lesson] = max(before, fields.enforcement, key=order.index)
    counts: Counter[Enforcement | None] = Counter()
    for row in rows:
        if not row.retired:
            by = strongest.get(row.number or 0)
            counts[Enforcement.TEST if by is None and names_test(row.rule) else by] += 1
    return {by: counts[by] for by in (*order, None) if counts[by]}
