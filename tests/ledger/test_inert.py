"""Outside text is inert in markdown, and comes back as it was."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from faultbook.ledger.inert import (
    block,
    cell,
    inline,
    paragraphs,
    plain_block,
    plain_cell,
    plain_inline,
    words,
)
from tests.ledger.made_files import hostile

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_PLAIN = {"text", "code_inline", "softbreak"}
_LISTS = {"bullet_list", "ordered_list", "list_item", "paragraph"}
long_hostile = st.lists(hostile, max_size=4).map("\n".join)


def live(markdown: str) -> set[str]:
    """Name whatever is more than text, code and lists."""
    found = set()
    for token in MARKDOWN.parse(markdown):
        inner = {child.type for child in token.children or []}
        kind = token.type.removesuffix("_open").removesuffix("_close")
        found |= inner - _PLAIN
        if kind not in _LISTS | {"inline", "fence"}:
            found.add(kind)
    return found


@settings(max_examples=600, deadline=None)
@given(hostile)
def test_a_line_is_inert_and_comes_back(text: str) -> None:
    line = words(text)
    assert live(f"x {inline(line)}") == set()
    assert plain_inline(inline(line)) == line
    assert plain_cell(cell(line)) == line


@settings(max_examples=600, deadline=None)
@given(long_hostile)
def test_paragraphs_are_inert_and_come_back(text: str) -> None:
    told = paragraphs(text)
    assert live(block(text)) == set()
    assert plain_block(block(text)) == told
    assert paragraphs(told) == told


@pytest.mark.parametrize(
    "text",
    [
        "# heading",
        "---",
        "- - -",
        "* * *",
        "+ # a heading in a list",
        "1. > a quote in a list",
        "===",
        "> quote",
        "```\nnever closed",
        "~~~\ncode\n~~~",
        "    indented",
        "\tindented",
        "| a | b |\n|---|---|\n| c | d |",
        "[a]: http://x.test",
        "![pixel](http://x.test/a.png)",
        "[good](http://evil.test)",
        "<details>\n</details>",
        "<!-- hidden",
        "<script>alert(1)</script>",
        "<http://x.test>",
        "<!channel> <@U123> <#C1|x>",
        "&lt;b&gt; &#60;b&#62; &copy;",
        "**bold** _em_ ~~gone~~ *a*b*",
        "ends with a backslash\\",
        "a \\| b \\` c \\\\",
        "unbalanced ` and `` here `",
        "{{ config }} {% raw %} {{{ x",
        "text\n---\ntext\n===",
        "@ana and ana@example.test",
        "right-to-left \u202e mark, NUL \x00, bell \x07",
    ],
)
def test_markdown_in_outside_text_stays_text(text: str) -> None:
    assert live(block(text)) == set()
    assert plain_block(block(text)) == paragraphs(text)
    assert live(f"x {inline(words(text))}") == set()


def test_text_that_is_harmless_is_left_as_it_is() -> None:
    for text in (
        "The wrapper fails any export without report.pdf (tests/test_export.py).",
        "Use `a_b` and snake_case_names, 2 * 3 < 7, C:\\x, 50 % & more",
        "See https://example.test/a?b=c#d",
        "- first\n- second\n\n1. third",
        "Before\n```python\nif a | b: # **x**\n    pass\n```\nafter",
        "日本語 🧨 مرحبا",
    ):
        assert block(text) == text


def test_hidden_characters_are_made_visible() -> None:
    assert words("a\u202eb\x00c") == r"a\u202eb\u0000c"
    assert paragraphs("a\u2028b\x85c") == "a\nb\nc"


def test_secrets_are_taken_out() -> None:
    token = "ghp_" + "a1" * 18
    assert token not in words(f"the token {token}")
    assert token not in block(f"first\n{token}")


def test_what_people_wrote_by_hand_is_read_as_they_see_it() -> None:
    assert plain_cell(r"a \| b `c \| d` &lt;x&gt; \*") == "a | b `c | d` <x> *"
    assert plain_block("~~~\n\\*\n~~~\n\\*") == "~~~\n\\*\n~~~\n*"
