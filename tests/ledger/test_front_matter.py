"""Front matter: read as the text it is, refused where it can't be trusted, changed by a splice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbook.base.errors import ConflictError, FaultbookError, InvalidError
from faultbook.ledger.front_matter import read_front_matter, set_field
from faultbook.ledger.inert import words
from tests.ledger.made_files import hostile

BODY = "\n# Title\n\n---\ntext: not a field\n---\n"


def matter(fields: str, body: str = BODY) -> bytes:
    return f"---\n{fields}---\n{body}".encode()


@pytest.mark.parametrize(
    "written",
    ["no", "yes", "1e3", "12:30", "1.10", "0755", "2026-01-01", "0x1F", "1_000", ".inf", "True"],
)
def test_a_scalar_is_the_text_that_stands_there(written: str) -> None:
    found = read_front_matter(matter(f"title: {written}\n"))
    assert found.problems == ()
    assert found.values == {"title": written}


def test_values_of_all_styles_are_read() -> None:
    fields = (
        "a: \"x: \\u00e9\"\nb: 'it''s'\nc: |\n  one\n  two\nd: >-\n  one\n  two\n"
        "e: [x, 'y, z']\nf:\n  - x\n  - y # why\ng:\nh: # nothing\ni: ~\nj: 'null'\nk: {m: 1}\n"
    )
    assert read_front_matter(matter(fields)).values == {
        "a": "x: é",
        "b": "it's",
        "c": "one\ntwo\n",
        "d": "one two",
        "e": ("x", "y, z"),
        "f": ("x", "y"),
        "g": "",
        "h": "",
        "i": "",
        "j": "null",
    }


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        ("", "front-matter-missing", 1),
        ("# Title\n", "front-matter-missing", 1),
        ("\n---\na: b\n---\n", "front-matter-missing", 1),
        ("---\na: b\n\ntext\n", "front-matter-unclosed", 1),
        ("---\na: b\na: c\n---\n", "duplicate-key", 3),
        ("---\na: b\n'a': c\n---\n", "duplicate-key", 3),
        ("---\na: &x b\nc: *x\n---\n", "yaml-anchor", 2),
        ("---\na: b\nc: *x\n---\n", "yaml-anchor", 3),
        ("---\na: !!python/object:os.system x\n---\n", "yaml-tag", 2),
        ("---\na: !x b\n---\n", "yaml-tag", 2),
        ("---\na: b\n2024: c\n---\n", "yaml-key", 3),
        ("---\nyes: c\n---\n", "yaml-key", 2),
        ("---\n<<: c\n---\n", "yaml-key", 2),
        ("---\n? [a, b]\n: c\n---\n", "yaml-key", 2),
        ("---\na:\n\tb: c\n---\n", "yaml-tab", 3),
        ("---\na: @bob\n---\n", "yaml", 2),
        ("---\na: b: c\n---\n", "yaml", 2),
        ("---\n- a\n- b\n---\n", "yaml-no-fields", 2),
        ("---\njust words\n---\n", "yaml-no-fields", 2),
        (f"---\na: {'[' * 20}{']' * 20}\n---\n", "yaml-too-deep", 2),
        (f"---\na: {'[' * 30_000}\n---\n", "yaml-too-deep", 2),
        (f"---\na: {'x' * 70_000}\n---\n", "front-matter-too-large", 1),
    ],
)
def test_what_can_not_be_trusted_is_named_with_its_line(data: str, code: str, line: int) -> None:
    found = read_front_matter(data.encode())
    assert [(problem.code, problem.line) for problem in found.problems] == [(code, line)]
    assert found.problems[0].next_step
    assert found.values == {}
    with pytest.raises(InvalidError) as caught:
        set_field(data.encode(), "title", "x")
    assert caught.value.code == code.replace("-", "_")


def test_anchors_that_would_fill_the_memory_are_never_expanded() -> None:
    levels = [f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)]
    found = read_front_matter(matter("x0: &a0 [lol]\n" + "".join(levels)))
    assert [problem.code for problem in found.problems] == ["yaml-anchor"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_a_value_is_replaced_and_no_other_byte_changes(ending: str, bom: bytes) -> None:
    text = '# by hand\ntitle:   "Old"  # kept\nstatus: open # kept, too\nlist: [a, b] # kept\n'
    data = bom + matter(text).decode().replace("\n", ending).encode()
    for name, value, old, new in (
        ("title", "New: # one", b'"Old"', b'"New: # one"'),
        ("status", "closed", b"open", b"closed"),
        ("status", "no", b"open", b'"no"'),
        ("status", "@ana", b"open", b'"@ana"'),
        ("list", ["c, d"], b"[a, b]", b'["c, d"]'),
        ("title", None, b'"Old"', b""),
        ("title", 14, b'"Old"', b"14"),
    ):
        assert set_field(data, name, value) == data.replace(old, new)


def test_an_empty_value_is_filled_before_its_comment() -> None:
    data = matter("a: x\nlesson: # its row\nb:\n")
    assert set_field(data, "lesson", 14) == data.replace(b"lesson:", b"lesson: 14")
    assert set_field(data, "b", "x") == data.replace(b"b:", b'b: "x"')


def test_values_of_several_lines_are_replaced_whole() -> None:
    block = matter("a: | # kept\n  one\n  two\n\n# by hand\nb: c\n")
    listed = matter("a: # kept\n  - one # goes\n  - two\n# by hand\nb: c\n")
    folded = matter("a: one\n  two\n# by hand\nb: c\n")
    rest = "# by hand\nb: c\n"
    assert set_field(block, "a", "x") == matter(f'a: "x" # kept\n\n{rest}')
    assert set_field(listed, "a", ["x"]) == matter(f'a: ["x"] # kept\n{rest}')
    assert set_field(folded, "a", "x") == matter(f"a: x\n{rest}")


def test_a_key_that_is_missing_is_added_at_the_end() -> None:
    data = matter("a: b\n").replace(b"\n", b"\r\n")
    assert set_field(data, "lesson", 14) == data.replace(b"a: b\r\n", b"a: b\r\nlesson: 14\r\n")
    for name in ("a b", "", "x: y\nz", "--", "Ü"):
        with pytest.raises(InvalidError) as caught:
            set_field(data, name, "x")
        assert caught.value.code == "field_name"


def test_a_changed_field_is_a_conflict_that_shows_the_text() -> None:
    with pytest.raises(ConflictError) as caught:
        set_field(matter("status: closed\n"), "status", "open", expected="open")
    assert caught.value.code == "field_changed"
    assert "“closed”" in caught.value.message
    data = matter("status: open\n")
    assert set_field(data, "status", "closed", expected="open") != data


_styles = st.sampled_from(['"{}"', "'{}'", "{}", "|\n  {}", ">-\n  {}\n  more", "[{}]", "\n  - {}"])


@settings(max_examples=300, deadline=None)
@given(_styles, st.sampled_from(["a", "x y", "1", "é日"]), hostile, st.sampled_from(["", " # why"]))
def test_any_text_is_written_so_that_it_reads_as_itself(
    style: str, old: str, text: str, comment: str
) -> None:
    comment = "" if "\n" in style else comment
    before, after = "first: '1' # one\n", '# between\nlast: "2"\n'
    data = matter(f"{before}name: {style.format(old)}{comment}\n{after}")
    edited = set_field(data, "name", text)
    assert edited.startswith(f"---\n{before}name: ".encode())
    assert edited.endswith(f"{comment}\n{after}---\n{BODY}".encode())
    values = read_front_matter(edited).values
    assert values == {"first": "1", "name": words(text), "last": "2"}


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="ab:-#|>[]{}&*!%@`'\"?, \n\t\\0", max_size=60))
def test_whatever_stands_between_the_fences_is_read_or_refused(fields: str) -> None:
    data = matter(f"{fields}\n")
    found = read_front_matter(data)
    try:
        edited = set_field(data, "name", "x")
    except FaultbookError:
        return
    assert not found.problems
    assert read_front_matter(edited).values == {**found.values, "name": "x"}
