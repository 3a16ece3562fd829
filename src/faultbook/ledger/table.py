"""Edits of the ledger's table: one splice each, proven by reading the result again.

Every function takes a file's bytes and gives new ones in which exactly the intended cell or row
differs. Where the proof fails, the error `edit_unproven` is raised and nothing is returned.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.base.text import cut
from faultbook.ledger.inert import cell as written_cell
from faultbook.ledger.inert import words
from faultbook.ledger.pause import collector_paused
from faultbook.ledger.proof import prove_rows
from faultbook.ledger.retired import read_rule, retired_words
from faultbook.ledger.rows import (
    Column,
    LedgerFile,
    Row,
    parse_blocks,
    read_rows,
)
from faultbook.ledger.source import Source
from faultbook.model.lesson import Lesson

_LINK = re.compile(r"incidents/[0-9A-Za-z][0-9A-Za-z._-]{0,180}\.md")
_SHOWN = 120

__all__ = [
    "Column",
    "Edited",
    "LedgerFile",
    "Numbered",
    "append_row",
    "link_incident",
    "number_new_rows",
    "read_ledger",
    "retire_row",
    "set_cell",
]


@dataclass(frozen=True, slots=True)
class Edited:
    """A file with a new row, and the row's number."""

    data: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Numbered:
    """A file whose `new` rows have numbers, and those numbers from top to bottom."""

    data: bytes
    numbers: tuple[int, ...]


@lru_cache(maxsize=2)  # one command asks the same bytes several times, and those it started from
def read_ledger(data: bytes) -> LedgerFile:
    """Read a ledger's file, whatever it holds; what keeps it from being one is in `problems`."""
    source = Source.decode(data)
    with collector_paused(len(source.text)):
        return read_rows(source, parse_blocks(source.text))


def append_row(
    data: bytes,
    what: str,
    fix: str,
    rule: str,
    area: str | None = None,
    incident: str | None = None,
    number: int | None = None,
) -> Edited:
    """Add a lesson behind the last row.

    Args:
        data: the file.
        what: what failed; like the other texts put on one line, secrets taken out, made inert.
        fix: what was done about it.
        rule: the one-rule lesson.
        area: written where the table has the column, left out otherwise.
        incident: the link of the `#` cell, relative to the ledger's folder (`incidents/x.md`).
        number: above every number that was ever used; by default one above the table's highest.

    Raises:
        InvalidError: the file is no ledger that can be edited, the link leaves its folder, or
            the rule starts like a retired one.
        ConflictError: a row has this number already.
    """
    ledger = _editable(data)
    number = ledger.highest + 1 if number is None else number
    if ledger.find(number) is not None:
        raise ConflictError(
            f"Lesson {number} is there already.",
            code="duplicate_number",
            next_step=f"The next free number is {ledger.highest + 1}.",
            where="number",
        )
    _check_not_retiring(rule)
    texts = [words(text) for text in (what, fix, rule, area or "")][: ledger.columns - 1]
    cells = [_number_cell(str(number), incident), *(written_cell(text) for text in texts)]
    last = ledger.end_of_table
    ending = last.ending or ledger.source.ending
    row = "".join(f"| {written} " for written in cells) + "|"
    at = last.end + len(last.ending)
    piece = row + last.ending if last.ending else ending + row
    proof = dict(enumerate([cells[0], *texts]))
    edited = ledger.source.splice((at, at, piece))
    prove_rows(ledger, edited, {len(ledger.rows): proof}, added=1)
    return Edited(edited, number)


def set_cell(data: bytes, number: int, column: str, new: str, expected: str | None = None) -> bytes:
    """Write another text into one cell.

    Args:
        data: the file.
        number: the lesson's.
        column: `what_failed`, `fix`, `rule` or `area`.
        new: put on one line, secrets taken out, made inert.
        expected: what the cell said when the change was asked for; None takes whatever is there.

    Raises:
        InvalidError: no such column, a row without outer pipes, or a file that is no ledger.
        NotFoundError: no such lesson.
        ConflictError: the cell says something else by now (`cell_changed`), the lesson is
            retired and its rule with it (`lesson_retired`), or two rows have this number.
    """
    ledger = _editable(data)
    wanted = _column(column, ledger)
    index, row, lesson = _row(ledger, number)
    if lesson.retired and wanted is Column.RULE:
        raise _retired(lesson)
    _check_unchanged(number, row.text(wanted), expected)
    if wanted is Column.RULE:
        _check_not_retiring(new)
    text = words(new)
    if text == row.text(wanted):
        return data
    edited = ledger.source.splice(_replacement(row, wanted.place, written_cell(text)))
    prove_rows(ledger, edited, {index: {wanted.place: text}})
    return edited


def retire_row(data: bytes, number: int, superseded_by: int | None, why: str) -> bytes:
    """Retire a lesson: its row stays, and its rule says what superseded it, or why.

    Raises:
        InvalidError: neither a lesson nor a reason is given, or the file is no ledger.
        NotFoundError: one of the lessons is not there.
        ConflictError: it is retired already, or two rows have this number.
    """
    ledger = _editable(data)
    index, row, lesson = _row(ledger, number)
    reason = words(why)
    if lesson.retired:
        raise _retired(lesson)
    if superseded_by is None and not any(char.isalnum() for char in reason):
        raise InvalidError(
            f"Nothing says why lesson {number} is retired.",
            code="why_missing",
            next_step="Name the lesson that takes its place, or give a reason.",
            where="why",
        )
    if superseded_by is not None:
        if superseded_by == number:
            raise InvalidError(
                f"Lesson {number} can't supersede itself.",
                code="supersedes_itself",
                next_step="Name another lesson, or give a reason only.",
                where="superseded_by",
            )
        _row(ledger, superseded_by)
    opening = retired_words(superseded_by, reason)
    rule = Column.RULE.place
    old = row.cells[rule] if rule < len(row.cells) else None
    source = written_cell(opening.strip()) + (f" {old.source}" if old and old.source else "")
    edited = ledger.source.splice(_replacement(row, rule, source))
    prove_rows(ledger, edited, {index: {rule: f"{opening}{row.text(Column.RULE)}".strip()}})
    return edited


def link_incident(data: bytes, number: int, incident: str) -> bytes:
    """Let a lesson's number link to an incident file, `incidents/x.md`.

    Raises:
        InvalidError: the link leaves the folder, or the file is no ledger.
        NotFoundError: no such lesson.
        ConflictError: it links to another file already (`already_linked`), or two rows have
            this number.
    """
    ledger = _editable(data)
    index, row, lesson = _row(ledger, number)
    if lesson.incident == incident:
        return data
    if lesson.incident is not None:
        raise ConflictError(
            f"Lesson {number} links to {cut(lesson.incident, _SHOWN)} already.",
            code="already_linked",
            next_step="Name that file among the related ones instead.",
            where="incident",
        )
    source = _number_cell(str(number), incident)
    edited = ledger.source.splice(_replacement(row, 0, source))
    prove_rows(ledger, edited, {index: {0: source}})
    return edited


def number_new_rows(data: bytes, first: int) -> Numbered:
    """Give rows that say `new` their numbers, from top to bottom.

    Args:
        data: the file.
        first: the first number to give; above every number that was ever used.

    Raises:
        InvalidError: the file is no ledger.
        ConflictError: a row has one of the numbers already.
    """
    ledger = _editable(data)
    pieces: list[tuple[int, int, str]] = []
    proof: dict[int, dict[int, str]] = {}
    number = first
    for index, row in enumerate(ledger.rows):
        match = row.number_cell()
        if match is None or "new" not in (match[1], match[3]):
            continue
        if ledger.find(number) is not None:
            raise ConflictError(
                f"Lesson {number} is there already.",
                code="duplicate_number",
                next_step=f"Start at {ledger.highest + 1}.",
                where="first",
            )
        source = _number_cell(str(number), match[2])
        start = row.cells[0].start
        pieces.append((start, row.cells[0].end, source))
        proof[index] = {0: source}
        number += 1
    edited = ledger.source.splice(*pieces)
    prove_rows(ledger, edited, proof)
    return Numbered(edited, tuple(range(first, number)))


def _editable(data: bytes) -> LedgerFile:
    ledger = read_ledger(data)
    for problem in ledger.problems:
        raise InvalidError(
            problem.message,
            code=problem.code.replace("-", "_"),
            next_step=problem.next_step,
            where=f"line {problem.line}",
        )
    return ledger


def _row(ledger: LedgerFile, number: int) -> tuple[int, Row, Lesson]:
    found = [n for n, lesson in enumerate(ledger.lessons) if lesson.number == number]
    if not found:
        raise NotFoundError(
            f"The ledger has no lesson {number}.",
            code="lesson_unknown",
            next_step="Search for it: `faultbook ledger search WORDS`.",
            where="number",
        )
    lines = [ledger.lessons[n].line for n in found]
    if len(found) > 1:
        raise ConflictError(
            f"Lesson {number} is on lines {lines[0]} and {lines[1]}.",
            code="duplicate_number",
            next_step="Give one of them another number: `faultbook ledger check` says how.",
            where=f"line {lines[1]}",
        )
    row = ledger.rows[found[0]]
    if not row.piped:
        raise InvalidError(
            f"The row of lesson {number} does not start and end with a pipe.",
            code="outer_pipes",
            next_step="Run `faultbook ledger check --fix`.",
            where=f"line {lines[0]}",
        )
    return found[0], row, ledger.lessons[found[0]]


def _column(name: str, ledger: LedgerFile) -> Column:
    known = list(Column)[1 : ledger.columns]
    if name not in known:
        raise InvalidError(
            f"`{cut(words(name), _SHOWN)}` is no column that can be set.",
            code="unknown_column",
            next_step=f"Columns are {', '.join(f'`{column}`' for column in known)}.",
            where="column",
        )
    return Column(name)


def _check_unchanged(number: int, found: str, expected: str | None) -> None:
    if expected is None or found in (expected, words(expected)):
        return
    raise ConflictError(
        f"Lesson {number} was changed meanwhile: “{cut(found, _SHOWN)}”.",
        code="cell_changed",
        next_step="Read it again, then apply your change or drop it.",
        where="expected",
    )


def _check_not_retiring(rule: str) -> None:
    if read_rule(words(rule)).retired:
        raise InvalidError(
            "A rule can't start with “Retired:”, which is how a lesson says that it is retired.",
            code="rule_retired",
            next_step="Retire the lesson, or start the rule with another word.",
            where="rule",
        )


def _retired(lesson: Lesson) -> ConflictError:
    see = f"Edit lesson {lesson.superseded_by} instead." if lesson.superseded_by else ""
    return ConflictError(
        f"Lesson {lesson.number} is retired.",
        code="lesson_retired",
        next_step=see or "Add a new lesson instead.",
        where="number",
    )


def _number_cell(number: str, incident: str | None) -> str:
    if incident is None:
        return number
    if _LINK.fullmatch(incident) is None:
        raise InvalidError(
            "An incident's link names a file in `incidents/` beside the ledger.",
            code="incident_path",
            next_step="Write it like `incidents/2026-11-18-no-pdf.md`.",
            where="incident",
        )
    return f"[{number}]({incident})"


def _replacement(row: Row, index: int, source: str) -> tuple[int, int, str]:
    """Give the splice that writes a cell's source, and the cells a short row lacks before it."""
    if index >= len(row.cells):
        at = row.cells[-1].right + 1
        return at, at, " " + " | " * (index - len(row.cells)) + f"{source} |"
    cell = row.cells[index]
    # A backslash at the end would take the pipe behind it into the cell.
    guard = " " if source.endswith("\\") and cell.end == cell.right else ""
    if cell.source:
        return cell.start, cell.end, source + guard
    blank = cell.right - cell.left
    if not blank:
        return cell.left, cell.right, f" {source} "
    return cell.left + 1, cell.left + 1, f"{source} " if blank == 1 else source + guard
