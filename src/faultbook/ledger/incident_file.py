"""Incident files: made from a template, read as fields and sections, changed by a splice.

Where a file lies is decided here, too: always in the folder `incidents/` beside the ledger, under a
name made of letters, digits and hyphens.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date as calendar_date
from enum import StrEnum
from typing import TypeVar

from faultbook.base.errors import ConflictError, InvalidError
from faultbook.base.text import cut, one_line
from faultbook.ledger.front_matter import FrontMatter, read_front_matter, set_field
from faultbook.ledger.inert import block, paragraphs
from faultbook.ledger.sections import SECTIONS, Section, read_sections
from faultbook.ledger.source import Problem, Source, unproven
from faultbook.ledger.template import render_incident
from faultbook.model.incident import Enforcement, IncidentFields, IncidentStatus, Severity

__all__ = [
    "SECTIONS",
    "IncidentFile",
    "incident_path",
    "is_day",
    "read_incident",
    "render_incident",
    "set_field",
    "set_section",
]

_NAME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-[a-z0-9]+(?:-[a-z0-9]+)*\.md")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")
_SLUG_BYTES = 100
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class IncidentFile:
    """An incident's file as read.

    Attributes:
        path: from the repository's root.
        fields: what it says, as far as it can be read; a severity, an enforcement or a status that
            is none counts as medium, none and open, and lint tells of it.
        matter: its front matter, with lines and problems.
        sections: what stands beneath its headings, by the names of `SECTIONS`.
    """

    path: str
    fields: IncidentFields
    matter: FrontMatter = field(repr=False)
    sections: Mapping[str, Section] = field(repr=False, default_factory=dict)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Tell what keeps its front matter from being read."""
        return self.matter.problems


def read_incident(data: bytes, path: str) -> IncidentFile:
    """Read an incident's file, whatever it holds."""
    matter = read_front_matter(data)
    sections = read_sections(matter.source, matter.body)
    said = {name: section.text for name, section in sections.items()}
    lesson = matter.text("lesson")
    related = matter.values.get("related", ())
    fields = IncidentFields(
        title=matter.text("title"),
        date=matter.text("date"),
        severity=_member(Severity, matter, "severity", Severity.MEDIUM),
        area=matter.text("area"),
        owner=matter.text("owner"),
        prevention_rule=matter.text("prevention_rule"),
        rule_author=matter.text("rule_author"),
        what_failed=said.get("what_failed", ""),
        enforcement=_member(Enforcement, matter, "enforcement", Enforcement.NONE),
        enforcement_ref=matter.text("enforcement_ref"),
        related=(related,) if isinstance(related, str) and related else tuple(related),
        lesson=int(lesson) if _NUMBER.fullmatch(lesson) else None,
        status=_member(IncidentStatus, matter, "status", IncidentStatus.OPEN),
        fingerprint=matter.text("fingerprint"),
        why_linked=matter.text("why_linked"),
        impact=said.get("impact", ""),
        root_cause=said.get("root_cause", ""),
        fix=said.get("fix", ""),
        verification=said.get("verification", ""),
    )
    return IncidentFile(path, fields, matter, sections)


def set_section(data: bytes, name: str, text: str, expected: str | None = None) -> bytes:
    """Write what stands beneath one heading, and nothing else.

    Args:
        data: the file.
        name: the heading (`Verification`), or its name among the fields (`verification`).
        text: secrets taken out, made inert; a section that is missing is added at the end.
        expected: what the section said when the change was asked for; None takes what is there.

    Raises:
        InvalidError: no such section (`unknown_section`).
        ConflictError: the section says something else by now (`section_changed`).
    """
    key = _section(name)
    before = read_incident(data, "")
    source = before.matter.source
    found = before.sections.get(key)
    old = found.text if found else ""
    if expected is not None and old not in (expected, paragraphs(expected)):
        raise ConflictError(
            f"“{SECTIONS[key]}” was changed meanwhile: “{cut(one_line(old), 120)}”.",
            code="section_changed",
            next_step="Read it again, then apply your change or drop it.",
            where=key,
        )
    written = block(text).replace("\n", source.ending)
    edited = _with_section(source, found, SECTIONS[key], written)
    after = read_incident(edited, "")
    others = {name: section.text for name, section in before.sections.items() if name != key}
    said = {name: section.text for name, section in after.sections.items() if name != key}
    now = after.sections.get(key)
    is_as_wanted = now is not None and now.text == paragraphs(text)
    if not is_as_wanted or said != others or after.matter.values != before.matter.values:
        raise unproven(f"“{SECTIONS[key]}”", key)
    return edited


def incident_path(
    date: str, title: str, *, folder: str = "lessons", taken: Collection[str] = ()
) -> str:
    """Name an incident's file, `<folder>/incidents/YYYY-MM-DD-slug.md`.

    Args:
        date: the day it happened, `YYYY-MM-DD`.
        title: its letters and digits make the slug of at most 100 bytes; whatever else is in it,
            the file stays in its folder.
        folder: the ledger's.
        taken: paths that exist; a number is put behind a slug that is among them.

    Raises:
        InvalidError: the date is no day of the calendar (`incident_date`).
    """
    if not is_day(date):
        raise InvalidError(
            f"“{cut(one_line(date), 40)}” is no date.",
            code="incident_date",
            next_step="Write the day it happened like 2026-11-18.",
            where="date",
        )
    slug = _slug(title)
    others = {path.casefold() for path in taken}
    path, count = f"{folder}/incidents/{date}-{slug}.md", 1
    while path.casefold() in others:
        count += 1
        path = f"{folder}/incidents/{date}-{slug}-{count}.md"
    return path


def is_day(text: str) -> bool:
    """Tell whether text is a day of the calendar, written `YYYY-MM-DD`."""
    if _DAY.fullmatch(text) is None:
        return False
    try:
        calendar_date.fromisoformat(text)
    except ValueError:
        return False
    return True


def named_day(path: str) -> str | None:
    """Give the day that a file's name starts with; None where the name has another form."""
    match = _NAME.fullmatch(path.rpartition("/")[2])
    return match[1] if match else None


def _slug(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title.casefold())
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    words = [word for word in _NOT_IN_SLUGS.split(bare) if word]
    slug = "-".join(words)[: _SLUG_BYTES + 1]
    if len(slug) > _SLUG_BYTES:
        # Cut where a word ends, unless that leaves next to nothing.
        whole = slug.rpartition("-")[0]
        slug = whole if len(whole) > _SLUG_BYTES // 2 else slug[:_SLUG_BYTES]
    return slug.strip("-") or "incident"


def _section(name: str) -> str:
    for key, heading in SECTIONS.items():
        if name.casefold() in (key, heading.casefold()):
            return key
    raise InvalidError(
        f"An incident has no section “{cut(one_line(name), 60)}”.",
        code="unknown_section",
        next_step=f"Sections are {', '.join(SECTIONS.values())}.",
        where="section",
    )


def _with_section(source: Source, found: Section | None, heading: str, written: str) -> bytes:
    line_end = source.ending
    if found is None:
        at = len(source.text)
        before = line_end if source.text.endswith(("\n", "\r")) else line_end * 2
        piece = f"{before}## {heading}{line_end}{line_end}{written}{line_end}"
        return source.splice((at, at, piece))
    if found.start < found.end:
        return source.splice((found.start, found.end, written))
    # Nothing is beneath the heading: a blank line each sets the text off.
    blank = line_end if found.heading_ended else line_end * 2
    after = "" if found.is_last else line_end
    return source.splice((found.start, found.start, f"{blank}{written}{line_end}{after}"))


def _member(kind: type[_E], matter: FrontMatter, name: str, otherwise: _E) -> _E:
    value = matter.text(name)
    return kind(value) if value in list(kind) else otherwise
