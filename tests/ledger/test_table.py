"""The ledger's table: read and edited on every kind of file that people leave."""

from collections.abc import Callable

import pytest

from faultbook.base.errors import ConflictError, FaultbookError, InvalidError, NotFoundError
from faultbook.ledger.proof import prove_rows
from faultbook.ledger.source import Source
from faultbook.ledger.table import (
    append_row,
    link_incident,
    number_new_rows,
    read_ledger,
    retire_row,
    set_cell,
)

HEAD = "| # | What failed | Fix | One-rule lesson |\n|---|---|---|---|\n"
ROWS = "| 1 | first | mended | Pin images |\n| 2 | second | undone | Fail exports without rows |\n"
PLAIN = f"# Lessons\n\n{HEAD}{ROWS}"

# Each file, and what the row of lesson 2 is in it: its cell "Fix" is replaced by "better".
FIXTURES: dict[str, bytes] = {
    "plain": PLAIN.encode(),
    "CRLF": PLAIN.replace("\n", "\r\n").encode(),
    "lone CR": PLAIN.replace("\n", "\r").encode(),
    "byte order mark": b"\xef\xbb\xbf" + f"{HEAD}{ROWS}".encode(),
    "no final newline": PLAIN.rstrip().encode(),
    "mixed line ends": PLAIN.replace("mended", "x").replace("images |\n", "images |\r\n").encode(),
    "escaped pipes": PLAIN.replace("second", r"a \| b \\| c").encode(),
    "pipes in code": PLAIN.replace("second", r"`a \| b` and `c`").encode(),
    "ragged spacing": PLAIN.replace("| 2 | second |", "  |2|\tsecond    |").encode(),
    "short row before": PLAIN.replace("| mended | Pin images |", "|").encode(),
    "long row before": PLAIN.replace("| mended |", "| mended | and | more |").encode(),
    "wide characters": PLAIN.replace("first", "日本語 🧨 مرحبا").encode(),
    "several tables": f"| a | b |\n|---|---|\n| 2 | x |\n\n{PLAIN}\n| c |\n|---|\n| 2 |\n".encode(),
    "table in a list": f"- | # | x |\n  |---|---|\n  | 2 | y |\n\n{PLAIN}".encode(),
    "table in a quote": (
        "> " + HEAD.replace("\n", "\n> ", 1) + "> | 2 | a | b | c |\n\n" + PLAIN
    ).encode(),
    "table in a comment": f"<!--\n{HEAD}| 2 | a | b | c |\n-->\n\n{PLAIN}".encode(),
    "table in a fence": f"```\n{HEAD}| 2 | a | b | c |\n```\n\n{PLAIN}".encode(),
    "comment behind": f"{PLAIN}<!-- the end -->\n".encode(),
    "prose behind": f"{PLAIN}\nThe | end\n".encode(),
    "bold header": PLAIN.replace("What failed", "**What failed**").encode(),
    "aligned": PLAIN.replace("|---|---|---|---|", "|--:|:--|:-:| --- |").encode(),
    "no UTF-8": PLAIN.replace("first", "XX").encode().replace(b"XX", b"\xff\xfe\x80"),
    "odd white space": PLAIN.replace("first", "a\u2028b\x85c\x0cd\x0be").encode(),
    "link": PLAIN.replace("| 2 |", "| [2](incidents/2026-11-18-x.md) |").encode(),
}


@pytest.mark.parametrize("name", FIXTURES)
def test_a_cell_is_replaced_and_no_other_byte_changes(name: str) -> None:
    data = FIXTURES[name]
    assert data.count(b"undone") == 1
    assert set_cell(data, 2, "fix", "better", "undone") == data.replace(b"undone", b"better")


@pytest.mark.parametrize("name", FIXTURES)
def test_a_row_is_appended_and_no_other_byte_changes(name: str) -> None:
    data = FIXTURES[name]
    edited = append_row(data, "third", "redone", "Lock the file")
    last = data.index(b"Fail exports without rows |") + len(b"Fail exports without rows |")
    row = b"| 3 | third | redone | Lock the file |"
    ending = b"\r\n" if name == "CRLF" else b"\r" if name == "lone CR" else b"\n"
    at = last if name == "no final newline" else last + len(ending)
    piece = ending + row if name == "no final newline" else row + ending
    assert edited.data == data[:at] + piece + data[at:]
    assert edited.number == 3


@pytest.mark.parametrize("name", FIXTURES)
def test_a_row_is_retired_by_words_before_its_rule(name: str) -> None:
    data = FIXTURES[name]
    edited = retire_row(data, 2, 1, "it was too weak.")
    words = b"Retired: see 1, it was too weak. Was: "
    assert edited == data.replace(b"Fail exports", words + b"Fail exports")
    lesson = read_ledger(edited).find(2)
    assert lesson is not None
    assert (lesson.rule, lesson.retired, lesson.superseded_by) == (
        "Fail exports without rows",
        True,
        1,
    )


def test_ten_thousand_rows_are_edited_at_the_one_place() -> None:
    rows = "".join(f"| {n} | it failed {n} times | mended | Rule {n} |\n" for n in range(1, 10_001))
    data = f"{HEAD}{rows}".encode()
    assert append_row(data, "a", "b", "c").data == data + b"| 10001 | a | b | c |\n"
    changed = set_cell(data, 5000, "rule", "Lock the file")
    assert changed == data.replace(b"| Rule 5000 |", b"| Lock the file |")


def test_rows_are_read_with_their_lines_and_links() -> None:
    text = f"{PLAIN}| [new](incidents/2026-11-18-x.md) | a | b | Retired: no use. Was: `c` |\n"
    first, _, third = read_ledger(text.encode()).lessons
    assert (first.number, first.line, first.incident) == (1, 5, None)
    assert (third.number, third.line, third.incident) == (None, 7, "incidents/2026-11-18-x.md")
    assert (third.rule, third.retired, third.superseded_by) == ("`c`", True, None)


@pytest.mark.parametrize(
    ("cell", "rule", "superseded_by"),
    [
        ("Retired: see 14. Was: Old rule. It stays.", "Old rule. It stays.", 14),
        ("Retired: see 14, too weak. Really. Was: Old", "Old", 14),
        ("Retired: no longer sold. Was: Old", "Old", None),
        ("retired: see lesson #14. Old", "Old", 14),
        ("Retired: see 14", "", 14),
        ("Retired: see 14.", "", 14),
        ("Retired: gone. Was:", "", None),
        ("Retired: seen too often. Was: Old", "Old", None),
    ],
)
def test_the_forms_of_a_retired_rule_are_read(
    cell: str, rule: str, superseded_by: int | None
) -> None:
    lesson = read_ledger(f"{HEAD}| 1 | a | b | {cell} |\n".encode()).lessons[0]
    assert (lesson.retired, lesson.rule, lesson.superseded_by) == (True, rule, superseded_by)


def test_an_area_is_filled_where_the_table_has_the_column() -> None:
    head = "| # | What failed | Fix | One-rule lesson | Area |\n|---|---|---|---|---|\n"
    edited = append_row(head.encode(), "a", "b", "c", area="exports", number=7)
    assert edited.data == f"{head}| 7 | a | b | c | exports |\n".encode()
    assert read_ledger(edited.data).lessons[0].area == "exports"
    assert append_row(head.encode(), "a", "b", "c").data.endswith(b"| 1 | a | b | c |  |\n")
    assert append_row(PLAIN.encode(), "a", "b", "c", area="x").data.endswith(b"| a | b | c |\n")


def test_a_cell_that_a_short_row_lacks_is_added_with_those_before_it() -> None:
    data = f"{HEAD}| 1 | a |\n".encode()
    assert set_cell(data, 1, "rule", "x") == f"{HEAD}| 1 | a |  | x |\n".encode()
    assert set_cell(data, 1, "fix", "x") == f"{HEAD}| 1 | a | x |\n".encode()


def test_an_empty_cell_is_filled() -> None:
    for gap, filled in (("", " x "), (" ", " x "), ("   ", " x  "), ("\t\t", "\tx\t")):
        data = f"{HEAD}| 1 | a |{gap}| c |\n".encode()
        assert set_cell(data, 1, "fix", "x") == f"{HEAD}| 1 | a |{filled}| c |\n".encode()


def test_a_backslash_at_the_end_never_takes_the_pipe_with_it() -> None:
    data = f"{HEAD}|1|a|b|c|\n".encode()
    edited = set_cell(data, 1, "fix", "C:\\")
    assert edited == f"{HEAD}|1|a|C:\\\\ |c|\n".encode()
    lesson = read_ledger(edited).lessons[0]
    assert (lesson.fix, lesson.rule) == ("C:\\", "c")


def test_setting_what_is_there_changes_nothing() -> None:
    assert set_cell(PLAIN.encode(), 1, "fix", "mended") == PLAIN.encode()


def test_new_rows_are_numbered_from_top_to_bottom_and_keep_their_links() -> None:
    data = f"{PLAIN}| new | a | b | c |\n|[new](incidents/2026-11-18-x.md)|a|b|d|\n".encode()
    numbered = number_new_rows(data, 14)
    assert numbered.numbers == (14, 15)
    assert numbered.data == data.replace(b"| new |", b"| 14 |").replace(b"[new]", b"[15]")
    assert number_new_rows(numbered.data, 16) == (type(numbered))(numbered.data, ())


def test_a_number_links_to_an_incident_once() -> None:
    linked = link_incident(PLAIN.encode(), 2, "incidents/2026-11-18-x.md")
    assert linked == PLAIN.replace("| 2 |", "| [2](incidents/2026-11-18-x.md) |").encode()
    assert link_incident(linked, 2, "incidents/2026-11-18-x.md") == linked
    with pytest.raises(ConflictError) as caught:
        link_incident(linked, 2, "incidents/2026-11-19-y.md")
    assert caught.value.code == "already_linked"


@pytest.mark.parametrize(
    "link",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "incidents/../../x.md",
        "incidents/a/b.md",
        "incidents/x.md\n",
        "incidents/x.md) [y](http://evil.test",
        "http://evil.test/x.md",
        "incidents/x|y.md",
        "",
    ],
)
def test_a_link_never_leaves_the_folder(link: str) -> None:
    with pytest.raises(InvalidError) as caught:
        append_row(PLAIN.encode(), "a", "b", "c", incident=link)
    assert caught.value.code == "incident_path"


def test_a_changed_cell_is_a_conflict_that_shows_the_text() -> None:
    with pytest.raises(ConflictError) as caught:
        set_cell(PLAIN.encode(), 2, "fix", "better", expected="something else")
    assert caught.value.code == "cell_changed"
    assert "“undone”" in caught.value.message


@pytest.mark.parametrize(
    ("data", "code", "where"),
    [
        ("", "ledger_missing", "line 1"),
        ("prose\n", "ledger_missing", "line 1"),
        (f"{PLAIN}\n{HEAD}", "ledger_ambiguous", "line 8"),
        ("a\n\n| # | What failed | Fix | One-rule lesson |\n|---|\n", "ledger_missing", "line 3"),
        (f"<!--\n{HEAD}-->\n", "ledger_missing", "line 2"),
        ("- " + HEAD.replace("\n", "\n  "), "ledger_missing", "line 1"),
        ("| # | What broke | Fix | Rule |\n|---|---|---|---|\n", "ledger_missing", "line 1"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused_with_its_line(
    data: str, code: str, where: str
) -> None:
    with pytest.raises(InvalidError) as caught:
        append_row(data.encode(), "a", "b", "c")
    assert (caught.value.code, caught.value.where) == (code, where)
    assert caught.value.next_step


def test_a_missing_a_doubled_and_an_open_row_are_told_apart() -> None:
    doubled = PLAIN.replace("| 2 |", "| 1 |")
    bare = f"{HEAD}1 | a | b | c\n"
    with pytest.raises(NotFoundError) as unknown:
        set_cell(PLAIN.encode(), 9, "fix", "x")
    with pytest.raises(ConflictError) as twice:
        set_cell(doubled.encode(), 1, "fix", "x")
    with pytest.raises(InvalidError) as unpiped:
        set_cell(bare.encode(), 1, "fix", "x")
    with pytest.raises(InvalidError) as column:
        set_cell(PLAIN.encode(), 1, "area", "x")
    with pytest.raises(ConflictError) as taken:
        append_row(PLAIN.encode(), "a", "b", "c", number=2)
    with pytest.raises(ConflictError) as taken_later:
        number_new_rows(f"{PLAIN}| new | a | b | c |\n".encode(), 2)
    found = (unknown, twice, unpiped, column, taken, taken_later)
    assert [caught.value.code for caught in found] == [
        "lesson_unknown",
        "duplicate_number",
        "outer_pipes",
        "unknown_column",
        "duplicate_number",
        "duplicate_number",
    ]


def test_a_retired_lesson_is_neither_edited_nor_retired_again() -> None:
    data = retire_row(PLAIN.encode(), 1, 2, "")
    edits: list[Callable[[], object]] = [
        lambda: set_cell(data, 1, "rule", "x"),
        lambda: retire_row(data, 1, None, "again"),
    ]
    for edit in edits:
        with pytest.raises(ConflictError) as caught:
            edit()
        assert caught.value.code == "lesson_retired"
        assert caught.value.next_step == "Edit lesson 2 instead."
    assert set_cell(data, 1, "fix", "x") != data


def test_retiring_needs_a_reason_or_another_lesson_that_is_there() -> None:
    def code(superseded_by: int | None, why: str) -> str:
        with pytest.raises(FaultbookError) as caught:
            retire_row(PLAIN.encode(), 1, superseded_by, why)
        return caught.value.code

    assert code(None, " . ") == "why_missing"
    assert code(1, "why") == "supersedes_itself"
    assert code(9, "why") == "lesson_unknown"


def test_no_rule_is_written_that_would_read_as_retired() -> None:
    edits: list[Callable[[], object]] = [
        lambda: append_row(PLAIN.encode(), "a", "b", "Retired: see 1."),
        lambda: set_cell(PLAIN.encode(), 1, "rule", "retired: x"),
    ]
    for edit in edits:
        with pytest.raises(InvalidError) as caught:
            edit()
        assert caught.value.code == "rule_retired"


@pytest.mark.parametrize(
    "damage",
    [
        ("first", "FIRST"),
        ("| mended |", "| mended | more |"),
        ("| mended | Pin images |", "|"),
        ("| 2 |", "| 3 |"),
        ("| 1 | first | mended | Pin images |\n", ""),
        ("|---|---|---|---|", "|---|---|---|"),
        ("rows |\n", "rows |\n| 3 | a | b | c |\n"),
        ("better", "wo|rse"),
        ("better", "worse"),
        ("# Lessons\n", "# Lessons\n\n"),
    ],
)
def test_a_result_with_another_change_in_it_is_never_given(damage: tuple[str, str]) -> None:
    before = read_ledger(PLAIN.encode())
    wanted = {1: {2: "better"}}
    edited = PLAIN.replace("undone", "better")
    prove_rows(before, edited.encode(), wanted)
    assert damage[0] in edited
    with pytest.raises(FaultbookError) as caught:
        prove_rows(before, edited.replace(*damage).encode(), wanted)
    assert caught.value.code == "edit_unproven"


def test_lines_end_where_markdown_ends_them() -> None:
    source = Source.decode("a\u2028b\x85c\x0cd\r\ne\rf\n".encode())
    assert [line.text for line in source.lines] == ["a\u2028b\x85c\x0cd", "e", "f"]
    assert source.place(len(source.text) - 2) == (3, 1)
