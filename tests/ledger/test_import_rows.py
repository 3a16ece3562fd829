"""Lessons from elsewhere: columns by name, and every row that can't be taken named by its line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.base.errors import InvalidError
from faultbook.ledger.import_rows import NewRow, read_rows_of


def test_columns_are_found_by_their_names_in_any_order() -> None:
    data = b"Lesson,Component,Resolution,Problem\r\nR,a,F,P\r\n"
    assert read_rows_of(data, "x.csv").rows == (NewRow("P", "F", "R", "a", 2),)


def test_a_cell_of_several_lines_counts_by_the_line_where_its_row_starts() -> None:
    data = b'problem,fix,rule\n"two\nlines",f,r\nonly,,\n'
    found = read_rows_of(data, "x.csv")
    assert found.rows == (NewRow("two lines", "f", "r", "", 2),)
    assert [(row.line, row.why) for row in found.left_out] == [(4, "it does not say a rule")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_that_of_the_header(delimiter: str) -> None:
    data = "\n".join(delimiter.join(row) for row in (("problem", "rule"), ("p", "r"))).encode()
    assert [row.rule for row in read_rows_of(data, "x.CSV").rows] == ["r"]


def test_the_first_markdown_table_with_the_columns_is_taken() -> None:
    data = (
        b"\xef\xbb\xbf| Who | When |\r\n|---|---|\r\n| a | b |\r\n\r\n"
        b"| **What failed** | `Fix` | One-rule lesson |\r\n|:--|---|--:|\r\n"
        b"| x \\| y | f | r |\r\n|  | f | r |\r\n| a | b | c | d |\r\n"
        b"| z | f | Retired: see 1. |\r\n"
    )
    found = read_rows_of(data, "old.md")
    assert found.rows == (NewRow("x | y", "f", "r", "", 7),)
    assert [(row.line, row.why[:22]) for row in found.left_out] == [
        (8, "it does not say what f"),
        (9, "4 cells under a header"),
        (10, "it is retired already"),
    ]


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"a,b\n1,2\n", "x.csv", "no_lesson_table"),
        (b"", "x.csv", "no_lesson_table"),
        (b"just prose\n", "x.md", "no_lesson_table"),
        (b'problem,rule\n"' + b"x" * 200_000, "x.csv", "broken_csv"),
        (b"\xff\xfe", "x.csv", "not_utf8"),
    ],
)
def test_what_is_no_table_of_lessons_is_refused(data: bytes, name: str, code: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read_rows_of(data, name)
    assert caught.value.code == code
    assert caught.value.next_step


def test_secrets_and_line_ends_do_not_come_along() -> None:
    token = "ghp_" + "a" * 36
    (row,) = read_rows_of(f"problem,rule\n{token} a\x07b,r\n".encode(), "x.csv").rows
    assert row.what_failed == "[REDACTED:github-pat] a\\u0007b"


_HEADERS = {"x.csv": b"problem,rule\n", "x.md": b"| problem | rule |\n|---|---|\n"}


@given(st.binary(max_size=300), st.sampled_from(sorted(_HEADERS)))
def test_any_bytes_are_read_or_refused(data: bytes, name: str) -> None:
    try:
        found = read_rows_of(_HEADERS[name] + data, name)
    except InvalidError:
        return
    assert all(row.what_failed and row.rule for row in found.rows)
