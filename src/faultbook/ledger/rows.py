r"""The ledger's one table as it stands in a file: which lines, which cells, what they say.

markdown-it-py's block rules say which lines are the table; a scanner finds the cells, since the
parser gives no columns: a cell ends at a pipe that no backslash precedes (GFM 4.10; the parser's
rule, and cmark-gfm's). Tables in lists, quotes and comments are not the ledger.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.common.utils import mdTrim
from markdown_it.token import Token

from faultbook.ledger.inert import plain_cell
from faultbook.ledger.retired import read_rule
from faultbook.ledger.source import Line, Problem, Source, storable
from faultbook.model.lesson import Lesson

LEDGER_NAME = "_ledger.md"
HEADER = "| # | What failed | Fix | One-rule lesson |"

_PIPE = re.compile(r"(?<!\\)\|")
_NUMBER = re.compile(r"(?:\[(new|[1-9][0-9]{0,8})\]\(([^\s()<>]+)\)|(new|[1-9][0-9]{0,8}))")
_DECORATION = re.compile(r"[*_`]")


class Column(StrEnum):
    """The table's columns, by the names of a lesson's fields, in their order."""

    NUMBER = "number"
    WHAT_FAILED = "what_failed"
    FIX = "fix"
    RULE = "rule"
    AREA = "area"

    @property
    def place(self) -> int:
        """Give its place in a row, counted from 0."""
        return _PLACES[self]


_PLACES = {column: place for place, column in enumerate(Column)}
_TITLES = ("#", "what failed", "fix", "one-rule lesson", "area")


class Cell(NamedTuple):
    """One cell: offsets of what stands between its pipes, and of its trimmed source."""

    left: int
    right: int
    start: int
    source: str

    @property
    def end(self) -> int:
        """Give the offset behind its trimmed source."""
        return self.start + len(self.source)

    @property
    def text(self) -> str:
        """Read what the cell says, as the person wrote it."""
        return storable(plain_cell(self.source))


class Row(NamedTuple):
    """One row of a table: its line, its cells, and whether pipes stand at both its ends."""

    line: Line
    cells: tuple[Cell, ...]
    piped: bool

    def text(self, column: Column) -> str:
        """Read a cell; empty where the row is too short to have it."""
        return self.cells[column.place].text if column.place < len(self.cells) else ""

    def number_cell(self) -> re.Match[str] | None:
        """Read the `#` cell: `14`, `new`, or a link whose text is one of them; None otherwise."""
        return _NUMBER.fullmatch(self.cells[0].source) if self.cells else None


@dataclass(frozen=True, slots=True)
class LedgerFile:
    """A ledger's file as read.

    Attributes:
        header: line of the table's header, counted from 1; 0 where there is no ledger table.
        columns: 4, or 5 with the column Area.
        rows: in the file's order, `lessons` beside them.
        problems: what keeps the file from being a ledger; empty for one that can be edited.
        loose: lines outside of any table that start with a pipe, counted from 1.
    """

    source: Source = field(repr=False)
    header: int = 0
    columns: int = 4
    rows: tuple[Row, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    problems: tuple[Problem, ...] = ()
    loose: tuple[int, ...] = ()

    def find(self, number: int) -> Lesson | None:
        """Give the lesson of a number, the first where several carry it; None where none does."""
        return next((lesson for lesson in self.lessons if lesson.number == number), None)

    @property
    def highest(self) -> int:
        """Give the highest number in the table; 0 where there is none."""
        return max((lesson.number or 0 for lesson in self.lessons), default=0)

    @property
    def end_of_table(self) -> Line:
        """Give the table's last line: its last row, or the line of dashes."""
        return self.rows[-1].line if self.rows else self.source.lines[self.header]


def parse_blocks(text: str) -> Sequence[Token]:
    """Parse markdown's blocks, tables among them, and leave the text within them alone."""
    return MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"]).parse(text)


def read_rows(source: Source, tokens: Sequence[Token]) -> LedgerFile:
    """Find the ledger among a file's blocks."""
    tables = [token for token in tokens if token.type == "table_open" and token.map]
    spans = [(token.level, *(token.map or [0, 0])) for token in tables]
    found = [
        (start, end)
        for level, start, end in spans
        if level == 0 and is_header(scan(source.lines[start]))
    ]
    if len(found) != 1:
        nested = next((start for level, start, _ in spans if level > 0), None)
        return LedgerFile(source, problems=(_unusable(source, found, nested),))
    start, end = found[0]
    columns = len(scan(source.lines[start]).cells)
    rows = tuple(scan(line) for line in source.lines[start + 2 : end])
    lessons = tuple(_lesson(row, has_area=columns > Column.AREA.place) for row in rows)
    loose = tuple(_loose(source, tokens))
    return LedgerFile(source, start + 1, columns, rows, lessons, loose=loose)


def scan(line: Line) -> Row:
    """Find a line's cells: outer blanks off, split at each pipe that no backslash precedes."""
    text = mdTrim(line.text)
    left = line.start + line.text.find(text)
    pieces = text.split("|") if "\\" not in text else _PIPE.split(text)
    opened = len(pieces) > 1 and not pieces[0]
    if opened:
        del pieces[0]
        left += 1
    closed = not pieces[-1] and bool(text)
    if closed:
        del pieces[-1]
    cells = []
    for piece in pieces:
        source = mdTrim(piece)
        right = left + len(piece)
        cells.append(Cell(left, right, left + (piece.find(source) if source else 0), source))
        left = right + 1
    return Row(line, tuple(cells), opened and closed)


def is_header(row: Row) -> bool:
    """Tell whether a row carries the ledger's column names; case and emphasis do not matter."""
    names = [" ".join(_DECORATION.sub("", cell.text).casefold().split()) for cell in row.cells]
    return len(names) in {4, 5} and names == list(_TITLES[: len(names)])


def parser_cells(tokens: Sequence[Token], line: int) -> list[str]:
    """Give a row's cells as the parser itself read them, by the row's line counted from 1."""
    where = [line - 1, line]
    return [token.content for token in tokens if token.type == "inline" and token.map == where]


def _lesson(row: Row, *, has_area: bool) -> Lesson:
    match = row.number_cell()
    digits = (match[1] or match[3]) if match else "new"
    rule = read_rule(row.text(Column.RULE))
    return Lesson(
        number=None if digits == "new" else int(digits),
        what_failed=row.text(Column.WHAT_FAILED),
        fix=row.text(Column.FIX),
        rule=rule.text,
        area=row.text(Column.AREA) or None if has_area else None,
        incident=match[2] if match else None,
        retired=rule.retired,
        superseded_by=rule.superseded_by,
        line=row.line.number,
    )


def _loose(source: Source, tokens: Sequence[Token]) -> Iterator[int]:
    """Find lines that look like rows and are shown as text, or not at all."""
    for token in tokens:
        if token.level or token.map is None or token.type not in {"paragraph_open", "html_block"}:
            continue
        if token.content.lstrip().startswith("<!--"):
            continue  # commented out, on purpose
        for line in source.lines[token.map[0] : token.map[1]]:
            if line.text.lstrip(" ").startswith("|"):
                yield line.number


def _unusable(source: Source, found: list[tuple[int, int]], nested: int | None) -> Problem:
    if found:
        first, second = found[0][0] + 1, found[1][0] + 1
        return Problem(
            second,
            1,
            "ledger-ambiguous",
            f"A second table with the ledger's header; the first is on line {first}.",
            "Keep one of them, with the rows of both.",
        )
    lines = (line for line in source.lines if "|" in line.text and is_header(scan(line)))
    header = next(lines, None)
    at = nested + 1 if nested is not None else header.number if header else 1
    if nested is not None and is_header(scan_quoted(source.lines[nested])):
        message = "The ledger's table stands inside a list or a quote."
        next_step = "Move it to the left margin, with a blank line before and after."
    elif header is not None:
        at = header.number
        message = "The ledger's header is here, but markdown reads no table."
        next_step = "Put a line of dashes with as many cells beneath it, outside of any comment."
    else:
        at, message = 1, "No table with the ledger's header."
        next_step = f"Add the header `{HEADER}` with a line of dashes beneath it."
    return Problem(at, 1, "ledger-missing", message, next_step)


def scan_quoted(line: Line) -> Row:
    """Scan a row that stands in a list or a quote, without the marks before its first pipe."""
    text = line.text
    before = max(text.find("|"), 0)
    return scan(line._replace(start=line.start + before, text=text[before:]))
