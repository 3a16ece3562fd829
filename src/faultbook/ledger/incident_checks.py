"""What is checked of incident files: their fields, their rule, their links with the ledger."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from faultbook.base.errors import InvalidError
from faultbook.base.text import cut
from faultbook.ledger.incident_file import SECTIONS, IncidentFile, is_day, named_day
from faultbook.ledger.inert import words
from faultbook.ledger.rule import check_known
from faultbook.ledger.similar import KnownRules
from faultbook.ledger.source import Problem
from faultbook.model.incident import Enforcement, IncidentStatus, Severity
from faultbook.model.lesson import Lesson

KEYS = (
    *("title", "date", "severity", "area", "owner", "prevention_rule", "rule_author"),
    *("enforcement", "enforcement_ref", "related", "lesson", "status", "fingerprint"),
    "why_linked",
)
"""The front matter's keys, in the template's order."""
_REQUIRED = ("title", "date", "severity", "area", "owner", "enforcement", "status")
_KINDS: Mapping[str, type[StrEnum]] = {
    "severity": Severity,
    "enforcement": Enforcement,
    "status": IncidentStatus,
}
_LESSON = re.compile(r"lesson #?([1-9][0-9]{0,8})", re.IGNORECASE)
_SHOWN = 60


def incident_problems(
    incident: IncidentFile, known: KnownRules, template: str, linked_by: Sequence[Lesson]
) -> Iterator[Problem]:
    """Find what is wrong with an incident's file.

    Args:
        incident: as read.
        known: the ledger's rules.
        template: the incident template, whose words are no rule.
        linked_by: the lessons whose number links to this file.
    """
    yield from incident.matter.source.problems()
    yield from incident.problems
    if incident.problems:
        return
    yield from _keys(incident)
    yield from _values(incident)
    yield from _rule(incident, known, template)
    yield from _sections(incident)
    yield from _links(incident, known.lessons, linked_by)


def _keys(incident: IncidentFile) -> Iterator[Problem]:
    matter = incident.matter
    for key in _REQUIRED:
        if key not in matter.entries:
            yield Problem(
                1,
                1,
                "key-missing",
                f"`{key}` is missing.",
                f"Add a line `{key}: …` to the front matter.",
            )
        elif not matter.text(key).strip():
            yield Problem(
                matter.line(key), 1, "key-empty", f"`{key}` is empty.", f"Say what its {key} is."
            )
    for key, entry in matter.entries.items():
        near = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.8)
        if key not in KEYS and near and near[0] not in matter.entries:
            yield Problem(
                entry.line,
                1,
                "key-unknown",
                f"`{cut(words(key), _SHOWN)}` is no field that I know.",
                f"Nearest: `{near[0]}`.",
            )


def _values(incident: IncidentFile) -> Iterator[Problem]:
    matter = incident.matter
    for key, kind in _KINDS.items():
        said = matter.text(key)
        if said and said not in list(kind):
            yield Problem(
                matter.line(key),
                1,
                f"bad-{key}",
                f"`{cut(words(said), _SHOWN)}` is no {key}.",
                f"Use one of {', '.join(kind)}.",
            )
    said = matter.text("date")
    if said and not is_day(said):
        yield Problem(
            matter.line("date"),
            1,
            "bad-date",
            f"`{cut(words(said), _SHOWN)}` is no date.",
            "Write the day it happened like 2026-11-18.",
        )
    elif said and named_day(incident.path) != said:
        yield Problem(
            matter.line("date"),
            1,
            "file-name",
            "The file's name does not start with this date, or holds more than a-z, 0-9 and `-`.",
            f"Name it like {said}-what-failed.md, and mend the links to it.",
            warning=True,
        )
    if incident.fields.enforcement is not Enforcement.NONE and not matter.text("enforcement_ref"):
        yield Problem(
            matter.line("enforcement"),
            1,
            "enforcement-ref-missing",
            f"Nothing says where this {incident.fields.enforcement} is.",
            "Name it in `enforcement_ref`: a path, or a check's name.",
        )


def _rule(incident: IncidentFile, known: KnownRules, template: str) -> Iterator[Problem]:
    fields = incident.fields
    # An incident that repeats a lesson names it among its related ones.
    repeated = [_LESSON.fullmatch(item.strip()) for item in fields.related]
    try:
        check_known(
            fields.prevention_rule,
            author=fields.rule_author,
            template_words=template,
            known=known,
            besides={fields.lesson, *(int(match[1]) for match in repeated if match)},
        )
    except InvalidError as error:
        key = error.where
        yield Problem(
            incident.matter.line(key),
            1,
            error.code.replace("_", "-"),
            error.message,
            error.next_step,
        )


def _sections(incident: IncidentFile) -> Iterator[Problem]:
    for name, heading in SECTIONS.items():
        if name not in incident.sections:
            yield Problem(
                incident.matter.source.lines[-1].number,
                1,
                "section-missing",
                f"There is no section “{heading}”.",
                f"Add a line `## {heading}`.",
            )
    what = incident.sections.get("what_failed")
    if what is not None and not what.text:
        next_step = "Say it in a sentence or two."
        yield Problem(what.line, 1, "section-empty", "Nothing says what failed.", next_step)
    closed = incident.fields.status is IncidentStatus.CLOSED
    if closed and not incident.fields.verification.strip():
        verification = incident.sections.get("verification")
        yield Problem(
            verification.line if verification else incident.matter.line("status"),
            1,
            "closed-unverified",
            "It is closed, and nothing shows that the fix works.",
            "Name a run that passed after the fix, or an artifact.",
        )


def _links(
    incident: IncidentFile, lessons: Sequence[Lesson], linked_by: Sequence[Lesson]
) -> Iterator[Problem]:
    matter = incident.matter
    line = matter.line("lesson")
    said = matter.text("lesson")
    number = incident.fields.lesson
    if said and number is None:
        yield Problem(
            line,
            1,
            "bad-lesson",
            f"`{cut(words(said), _SHOWN)}` is no lesson's number.",
            "Write the number of its row in the ledger.",
        )
    elif number is not None:
        yield from _named_lesson(line, number, lessons, linked_by)
    elif not linked_by:
        yield Problem(
            line,
            1,
            "lesson-missing",
            "No lesson belongs to this incident.",
            "Add a row to the ledger that links to it.",
            warning=True,
        )
    if linked_by and not incident.fields.why_linked.strip():
        yield Problem(
            matter.line("why_linked"),
            1,
            "why-linked-missing",
            "Nothing says why the ledger links here.",
            "Say in `why_linked` how this detail changes what somebody does next time.",
        )


def _named_lesson(
    line: int, number: int, lessons: Sequence[Lesson], linked_by: Sequence[Lesson]
) -> Iterator[Problem]:
    named = [lesson for lesson in lessons if lesson.number == number]
    if not named:
        yield Problem(
            line,
            1,
            "lesson-unknown",
            f"The ledger has no lesson {number}.",
            "Write the number of its row in the ledger.",
        )
    elif not linked_by and not named[0].incident:
        yield Problem(
            line,
            1,
            "link-one-sided",
            f"Lesson {number} does not link here.",
            f"Let its number link to this file, on line {named[0].line} of the ledger.",
            warning=True,
        )
