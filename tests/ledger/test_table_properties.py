"""Edits over made-up files: only the intended bytes change, and the parser reads what was meant."""

from collections.abc import Callable

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from faultbook.base.errors import FaultbookError
from faultbook.ledger.inert import words
from faultbook.ledger.table import (
    Column,
    append_row,
    number_new_rows,
    read_ledger,
    retire_row,
    set_cell,
)
from tests.ledger.made_files import Made, hostile, ledger_table, ledgers

QUICK = settings(max_examples=150, deadline=None)
_COLUMNS = [Column.WHAT_FAILED, Column.FIX, Column.RULE]


def only_change(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """Give what was taken out at the one place where bytes differ, and what was put in."""
    start = next(
        (n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b),
        min(len(before), len(after)),
    )
    rest = min(len(before), len(after)) - start
    end = next(
        (n for n in range(rest) if before[-1 - n] != after[-1 - n]),
        rest,
    )
    return before[start : len(before) - end], after[start : len(after) - end]


def rendered(source: str) -> str:
    """Read a cell's text as a page shows it; nothing but text and code may be in it."""
    inline = MarkdownIt("commonmark").enable("strikethrough").parseInline(source)[0]
    shown = ""
    for child in inline.children or []:
        assert child.type in {"text", "code_inline"}, child.type
        mark = child.markup if child.type == "code_inline" else ""
        shown += f"{mark}{child.content}{mark}"
    return shown


def without_blanks(text: str) -> str:
    # Code spans lose a blank at each end where both are there; NUL is shown as a sign.
    return "".join(text.split()).replace("`", "")


@QUICK
@given(ledgers())
def test_the_cells_are_those_that_the_parser_reads(made: Made) -> None:
    ledger = read_ledger(made.data)
    assert ledger.problems == ()
    assert tuple(lesson.number for lesson in ledger.lessons) == made.numbers
    ours = [[cell.source.replace("\\|", "|") for cell in row.cells] for row in ledger.rows]
    for mine, parsed in zip(ours, ledger_table(made.data), strict=True):
        padded = mine + [""] * (len(parsed) - len(mine))
        assert padded[: len(parsed)] == parsed


@QUICK
@given(ledgers(), hostile, hostile, hostile)
def test_an_appended_row_is_the_only_change(made: Made, what: str, fix: str, rule: str) -> None:
    assume(not words(rule).casefold().startswith("retired:"))
    edited = append_row(made.data, what, fix, rule, area="exports")
    taken, put = only_change(made.data, edited.data)
    assert taken == b""
    assert put.strip(b"\r\n").count(b"\n") == 0
    assert edited.number == max(made.numbers) + 1
    before, after = ledger_table(made.data), ledger_table(edited.data)
    assert after[:-1] == before
    told = [str(edited.number), words(what), words(fix), words(rule)]
    told += ["exports"] if made.has_area else []
    assert [without_blanks(rendered(cell)) for cell in after[-1]] == [
        without_blanks(text) for text in told
    ]
    lesson = read_ledger(edited.data).lessons[-1]
    assert [lesson.what_failed, lesson.fix, lesson.rule] == told[1:4]


@QUICK
@given(ledgers(), st.data(), hostile)
def test_a_cell_is_the_only_change(made: Made, data: st.DataObject, text: str) -> None:
    number = data.draw(st.sampled_from(made.numbers))
    column = data.draw(st.sampled_from(_COLUMNS))
    assume(not words(text).casefold().startswith("retired:"))
    place = made.numbers.index(number)
    edited = set_cell(made.data, number, column, text)
    taken, put = only_change(made.data, edited)
    assert b"\n" not in taken + put
    assert b"\r" not in taken + put
    before, after = ledger_table(made.data), ledger_table(edited)
    assert without_blanks(rendered(after[place][column.place])) == without_blanks(words(text))
    before[place][column.place] = after[place][column.place]
    assert after == before
    assert read_ledger(edited).rows[place].text(column) == words(text)


@QUICK
@given(ledgers(), st.data(), hostile)
def test_retiring_puts_words_before_the_rule_and_changes_nothing_else(
    made: Made, data: st.DataObject, why: str
) -> None:
    number = data.draw(st.sampled_from(made.numbers))
    other = data.draw(st.sampled_from([None, *(n for n in made.numbers if n != number)]))
    assume(other is not None or any(char.isalnum() for char in words(why)))
    old = read_ledger(made.data).find(number)
    edited = retire_row(made.data, number, other, why)
    taken, _ = only_change(made.data, edited)
    assert taken == b""
    new = read_ledger(edited).find(number)
    assert old is not None
    assert new is not None
    assert (new.retired, new.superseded_by) == (True, other)
    assert new.rule == old.rule
    rest = [n for n in made.numbers if n != number]
    assert [read_ledger(edited).find(n) for n in rest] == [
        read_ledger(made.data).find(n) for n in rest
    ]


@QUICK
@given(ledgers(), st.data())
def test_new_rows_get_numbers_and_nothing_else_changes(made: Made, data: st.DataObject) -> None:
    number = data.draw(st.sampled_from(made.numbers))
    row = read_ledger(made.data).rows[made.numbers.index(number)]
    offset = len(made.data) - len(made.data.removeprefix(b"\xef\xbb\xbf"))
    text = made.data[offset:].decode()
    at = text.index(str(number), row.cells[0].start)
    with_new = (text[:at] + "new" + text[at + len(str(number)) :]).encode()
    numbered = number_new_rows(made.data[:offset] + with_new, 41)
    assert numbered.numbers == (41,)
    expected = text[:at] + "41" + text[at + len(str(number)) :]
    assert numbered.data == made.data[:offset] + expected.encode()


@settings(max_examples=400, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(alphabet="|-#\\` \n\rWhatfiledFxOn-ruso1", max_size=200).map(str.encode)
)
def test_whatever_bytes_come_they_are_read_or_refused(data: bytes) -> None:
    ledger = read_ledger(data)
    assert ledger.source.encode() == data
    codes = set()
    edits: list[Callable[[], bytes]] = [
        lambda: append_row(data, "a", "b", "c").data,
        lambda: set_cell(data, 1, "fix", "x"),
        lambda: retire_row(data, 1, None, "old"),
    ]
    for edit in edits:
        try:
            edited = edit()
        except FaultbookError as error:
            codes.add(error.code)
        else:
            assert edited != data
    assert codes <= {"ledger_missing", "ledger_ambiguous", "lesson_unknown"}
