"""What is checked of the ledger's table: its shape, its numbers, its rules."""

import re
from collections import defaultdict
from collections.abc import Iterator

from faultbook.base.text import cut
from faultbook.ledger.inert import words
from faultbook.ledger.promises import is_promise
from faultbook.ledger.rows import Cell, Column, LedgerFile, Row, scan
from faultbook.ledger.similar import likeness
from faultbook.ledger.source import Line, Problem
from faultbook.ledger.table import read_ledger
from faultbook.model.lesson import Lesson

FIX = "faultbook ledger check --fix"
_SHOWN = 60
_MARKER = re.compile(r"(?:<{7}|={7}|>{7}|\|{7})(?: |$)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_SENTENCE_END = re.compile(
    r"(?<![.\s]{2})(?<!\b[a-z])(?<!\betc)(?<!\bvs)[.!?][\"”')\]]*\s+(?=[A-Z“\"])"
)
_OTHER_MEANING = 0.2


def table_problems(
    ledger: LedgerFile, base: bytes | None = None, highest: int = 0
) -> Iterator[Problem]:
    """Find what is wrong with a ledger.

    Args:
        ledger: as read.
        base: the file where it left the main branch, to tell which numbers are taken; None where
            that is not known.
        highest: the highest number that was ever used on the main branch.
    """
    yield from ledger.source.problems()
    yield from ledger.problems
    if ledger.problems:
        return
    for row, lesson in zip(ledger.rows, ledger.lessons, strict=True):
        yield from _row(row, lesson, ledger.columns)
    yield from _loose(ledger)
    yield from _duplicates(ledger, base)
    yield from _repeated_rules(ledger)
    yield from _superseded(ledger)
    if base is not None:
        yield from _against_base(ledger, base, highest)


def added_rows(ledger: LedgerFile, base: bytes | None) -> set[int]:
    """Give the indexes of rows that are not on the base under their number, by what they say."""
    if base is None:
        return set()
    known = defaultdict(list)
    for lesson in read_ledger(base).lessons:
        known[lesson.number].append(lesson)
    return {
        index
        for index, lesson in enumerate(ledger.lessons)
        if not any(_same_failure(lesson, old) for old in known.get(lesson.number, ()))
    }


def _row(row: Row, lesson: Lesson, columns: int) -> Iterator[Problem]:
    count = len(row.cells)
    if not row.piped and _MARKER.match(row.line.text):
        return  # a merge was left unfinished, which is told already
    if not row.piped and count <= 1:
        yield Problem(
            row.line.number,
            1,
            "stray-line",
            "This line follows the table directly, which makes it a row.",
            "Put a blank line before it.",
        )
        return
    yield from _shape(row, columns)
    yield from _number(row)
    yield from _breaks(row)
    if count == columns and not lesson.retired:
        yield from _rule(row, lesson)


def _shape(row: Row, columns: int) -> Iterator[Problem]:
    line = row.line.number
    count = len(row.cells)
    if count > columns:
        extra = row.cells[columns]
        yield Problem(
            line,
            _column(row.line, extra),
            "row-too-long",
            f"This row has {count} cells, the header {columns}: the rest is not shown.",
            r"Write a pipe within a cell as `\|`, in code too.",
        )
    elif count < columns:
        yield Problem(
            line,
            1,
            "row-too-short",
            f"This row has {count} {'cell' if count == 1 else 'cells'}, the header {columns}.",
            "Add the missing cells.",
        )
    if not row.piped:
        yield Problem(
            line,
            1,
            "outer-pipes",
            "This row does not start and end with a pipe.",
            FIX if count == columns else "Put a pipe at both its ends.",
            fixable=count == columns,
        )


def _number(row: Row) -> Iterator[Problem]:
    match = row.number_cell()
    if match is None:
        said = row.cells[0].source if row.cells else ""
        yield Problem(
            row.line.number,
            _column(row.line, row.cells[0]) if row.cells else 1,
            "bad-number",
            f"`{cut(words(said), _SHOWN)}` is no lesson's number."
            if said
            else "A number is missing.",
            "Write `new`; the number follows when the row is on the main branch.",
        )
    elif "new" in (match[1], match[3]):
        yield Problem(
            row.line.number,
            _column(row.line, row.cells[0]),
            "new-number",
            "This lesson has no number yet.",
            "Leave it; the number follows when the row is on the main branch.",
            warning=True,
        )


def _breaks(row: Row) -> Iterator[Problem]:
    for cell in row.cells if "<" in row.line.text else ():
        found = _BREAK.search(cell.source)
        if found and "\\" not in cell.source[: found.start()][-1:]:
            yield Problem(
                row.line.number,
                _column(row.line, cell) + found.start(),
                "line-break",
                "A cell is one line: `<br>` hides a second one.",
                "Move the details to an incident file, and link it.",
            )


def _rule(row: Row, lesson: Lesson) -> Iterator[Problem]:
    cell = row.cells[Column.RULE.place]
    place = (row.line.number, _column(row.line, cell))
    if not any(char.isalnum() for char in lesson.rule):
        next_step = "Write one sentence a stranger can check: when X, do Y, held by Z."
        yield Problem(*place, "rule-missing", "This lesson has no rule.", next_step)
    elif is_promise(lesson.rule):
        said = cut(words(lesson.rule), _SHOWN)
        next_step = "Say what stops it, and where."
        yield Problem(*place, "rule-vacuous", f"“{said}” can't be checked.", next_step)
    elif _SENTENCE_END.search(lesson.rule):
        yield Problem(
            *place,
            "rule-sentences",
            "A rule is one sentence; this is more.",
            "Keep the one that can be checked, move the rest to an incident file.",
            warning=True,
        )


def _loose(ledger: LedgerFile) -> Iterator[Problem]:
    """Find rows that a blank line, a comment or a limit has cut off the table; a run is one."""
    before = 0
    for number in ledger.loose:
        line = ledger.source.lines[number - 1]
        row = scan(line)
        if number == before + 1 or len(row.cells) != ledger.columns:
            before = number if number == before + 1 else before
            continue
        before = number
        yield Problem(
            number,
            1,
            "orphaned-row",
            "This row is outside of the table, and shown as text.",
            "Remove what stands between it and the table: a blank line or a comment.",
        )


def _duplicates(ledger: LedgerFile, base: bytes | None) -> Iterator[Problem]:
    places: dict[int, list[int]] = defaultdict(list)
    for index, lesson in enumerate(ledger.lessons):
        if lesson.number is not None:
            places[lesson.number].append(index)
    doubled = {number: found for number, found in places.items() if len(found) > 1}
    if not doubled:
        return
    added = added_rows(ledger, base)
    for number, found in doubled.items():
        rest = sorted(found, key=lambda index: (index in added, index))
        first = ledger.rows[rest[0]].line.number
        for index in rest[1:]:
            row = ledger.rows[index]
            fixable = index in added and rest[0] not in added
            yield Problem(
                row.line.number,
                _column(row.line, row.cells[0]),
                "duplicate-number",
                f"{number} is also on line {first}.",
                FIX if fixable else "Write `new` in the row that came later.",
                fixable=fixable,
            )


def _repeated_rules(ledger: LedgerFile) -> Iterator[Problem]:
    seen: dict[str, Lesson] = {}
    for row, lesson in zip(ledger.rows, ledger.lessons, strict=True):
        said = " ".join(lesson.rule.casefold().split()).rstrip(".")
        if lesson.retired or not said:
            continue
        first = seen.setdefault(said, lesson)
        if first is not lesson:
            yield Problem(
                row.line.number,
                _column(row.line, row.cells[Column.RULE.place]),
                "rule-copy",
                f"Line {first.line} says this.",
                "Record a repeat of that lesson, or say what it missed.",
            )


def _superseded(ledger: LedgerFile) -> Iterator[Problem]:
    numbers = {lesson.number for lesson in ledger.lessons}
    for row, lesson in zip(ledger.rows, ledger.lessons, strict=True):
        other = lesson.superseded_by
        if other is not None and (other not in numbers or other == lesson.number):
            yield Problem(
                row.line.number,
                _column(row.line, row.cells[Column.RULE.place]),
                "superseded-by-unknown",
                f"There is no other lesson {other} to see.",
                "Name the lesson that takes its place, or say why it is retired.",
            )


def _against_base(ledger: LedgerFile, base: bytes, highest: int) -> Iterator[Problem]:
    """Compare with the base: numbers neither vanish nor change their meaning, nor come again."""
    if base == ledger.source.encode():
        return
    old = read_ledger(base)
    now: dict[int | None, list[Lesson]] = defaultdict(list)
    for lesson in ledger.lessons:
        now[lesson.number].append(lesson)
    before = {lesson.number: lesson for lesson in old.lessons}
    for number, lesson in before.items():
        if number is None:
            continue
        if number not in now:
            yield Problem(
                ledger.header,
                1,
                "number-vanished",
                f"Lesson {number} is on the main branch, but not here.",
                f"Put its row back; to take it out of use: faultbook ledger retire {number}",
            )
        elif not any(_same_failure(found, lesson) for found in now[number]):
            yield Problem(
                now[number][0].line,
                1,
                "number-repurposed",
                f"Lesson {number} is about another failure on the main branch.",
                "Put the old row back, and write `new` in the row of this failure.",
            )
    for row, lesson in zip(ledger.rows, ledger.lessons, strict=True):
        number = lesson.number
        if number is not None and number not in before and number <= max(highest, old.highest):
            yield Problem(
                row.line.number,
                _column(row.line, row.cells[0]),
                "number-reused",
                f"{number} was a lesson's number before.",
                FIX,
                fixable=True,
            )


def _same_failure(one: Lesson, other: Lesson) -> bool:
    """Tell whether two rows are about one failure: a wording may change, not all of them."""
    if (one.what_failed, one.fix, one.rule) == (other.what_failed, other.fix, other.rule):
        return True
    pairs = (
        (one.what_failed, other.what_failed),
        (one.rule, other.rule),
        (one.fix, other.fix),
    )
    return any(a == b or likeness(a, b) >= _OTHER_MEANING for a, b in pairs if a or b)


def _column(line: Line, cell: Cell) -> int:
    return cell.start - line.start + 1
