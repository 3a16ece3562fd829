"""Lessons: rows of the ledger in git, as values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lesson:
    """One row of `lessons/_ledger.md`.

    Attributes:
        number: permanent once on the main branch; None where the row still says `new`.
        rule: the cell "One-rule lesson", without the words that retire it.
        area: from an optional fifth column, or from the incident file; None where neither says.
        incident: the link of the `#` cell, relative to the ledger's folder.
        superseded_by: the lesson that a retired one points to.
        line: its line in the file, counted from 1.
    """

    number: int | None
    what_failed: str
    fix: str
    rule: str
    area: str | None = None
    incident: str | None = None
    retired: bool = False
    superseded_by: int | None = None
    line: int = 0
