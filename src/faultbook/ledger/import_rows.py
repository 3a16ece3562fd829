"""Lessons that a team kept elsewhere: a markdown table or a CSV file, read row by row.

Columns are found by their names, in any order. A row that can't be taken is told with its line and
the reason; nothing is guessed.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faultbook.base.errors import InvalidError
from faultbook.ledger.inert import words
from faultbook.ledger.retired import read_rule
from faultbook.ledger.rows import parse_blocks, scan
from faultbook.ledger.source import Source

_LARGEST_CELL = 20_000
_NAMES = {
    "what_failed": (
        *("what failed", "what happened", "failure", "problem", "issue", "incident", "symptom"),
        *("description", "what went wrong", "error", "bug"),
    ),
    "fix": ("fix", "resolution", "remedy", "solution", "mitigation", "how it was fixed", "action"),
    "rule": (
        *("one-rule lesson", "one rule lesson", "lesson", "rule", "prevention rule", "prevention"),
        *("lesson learned", "lessons learned", "takeaway"),
    ),
    "area": ("area", "component", "service", "system", "workflow", "team"),
}
_REQUIRED = {"what_failed": "what failed", "rule": "a rule"}


@dataclass(frozen=True, slots=True)
class NewRow:
    """A lesson that is to be added; `line` is where it was read, 0 where it was told."""

    what_failed: str
    fix: str
    rule: str
    area: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that can't be taken; lines are counted from 1."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds."""

    rows: tuple[NewRow, ...]
    left_out: tuple[LeftOut, ...]


def read_rows_of(data: bytes, name: str) -> Imported:
    """Read the lessons of a file; `name` tells a CSV file by its ending.

    Raises:
        InvalidError: it is no text, or no table in it has the columns of a lesson.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidError(
            f"{name} is no UTF-8 text, from byte {error.start} on.",
            code="not_utf8",
            next_step="Save it as UTF-8.",
            where=name,
        ) from error
    is_csv = name.casefold().endswith((".csv", ".tsv"))
    tables = _csv_tables(text) if is_csv else _markdown_tables(text)
    for line, header, rows in tables:
        columns = _columns(header)
        if _REQUIRED.keys() <= columns.keys():
            return _take(columns, len(header), rows)
        if is_csv:
            raise _no_columns(name, line)
    raise _no_columns(name, None)


def _no_columns(name: str, line: int | None) -> InvalidError:
    where = f"{name}:{line}" if line else name
    return InvalidError(
        f"{where}: no table has a column for what failed and one for the rule.",
        code="no_lesson_table",
        next_step="Name the columns: What failed, Fix, One-rule lesson, and, if you like, Area.",
        where=name,
    )


def _columns(header: Sequence[str]) -> dict[str, int]:
    """Find which column is which; the first that fits a name is taken."""
    titles = [" ".join(re.sub(r"[*_`:]", " ", title).casefold().split()) for title in header]
    found: dict[str, int] = {}
    for field, names in _NAMES.items():
        for name in names:
            if name in titles and titles.index(name) not in found.values():
                found[field] = titles.index(name)
                break
    return found


def _take(columns: dict[str, int], width: int, rows: Iterator[tuple[int, list[str]]]) -> Imported:
    taken: list[NewRow] = []
    left_out: list[LeftOut] = []
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        row = {field: words(cells[at]) if at < len(cells) else "" for field, at in columns.items()}
        why = _why_not(row, cells, width)
        if why:
            left_out.append(LeftOut(line, why))
        else:
            fix, area = row.get("fix", ""), row.get("area", "")
            taken.append(NewRow(row["what_failed"], fix, row["rule"], area, line))
    return Imported(tuple(taken), tuple(left_out))


def _why_not(row: dict[str, str], cells: Sequence[str], width: int) -> str:
    if len(cells) > width:
        return f"{len(cells)} cells under a header of {width}; is a pipe or a comma not escaped?"
    if any(len(cell) > _LARGEST_CELL for cell in cells):
        return f"a cell is longer than {_LARGEST_CELL} characters"
    if read_rule(row["rule"]).retired:
        return "it is retired already"
    missing = [told for field, told in _REQUIRED.items() if not row[field]]
    return f"it does not say {' nor '.join(missing)}" if missing else ""


def _markdown_tables(text: str) -> Iterator[tuple[int, list[str], Iterator[tuple[int, list[str]]]]]:
    source = Source.decode(text.encode())
    for token in parse_blocks(source.text):
        if token.type == "table_open" and token.level == 0 and token.map:
            start, end = token.map
            rows = (
                (line.number, _cells(source, line.number)) for line in source.lines[start + 2 : end]
            )
            yield start + 1, _cells(source, start + 1), rows


def _cells(source: Source, number: int) -> list[str]:
    return [cell.text for cell in scan(source.lines[number - 1]).cells]


def _csv_tables(text: str) -> Iterator[tuple[int, list[str], Iterator[tuple[int, list[str]]]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = next(reader, [])
        yield 1, header, _csv_rows(reader)
    except csv.Error as error:
        raise _broken(reader.line_num, error) from error


def _csv_rows(reader: "csv._reader") -> Iterator[tuple[int, list[str]]]:  # type: ignore[name-defined] # typeshed's own name
    while True:
        line = reader.line_num + 1  # a quoted cell may hold lines: the row starts here
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise _broken(line, error) from error
        if row is None:
            return
        yield line, row


def _broken(line: int, error: csv.Error) -> InvalidError:
    return InvalidError(
        f"Line {line} is no CSV: {error}.",
        code="broken_csv",
        next_step="Close the quotes in it.",
        where=f"line {line}",
    )
