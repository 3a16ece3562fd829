"""Ledgers as people leave them: made up by hypothesis, odd in every way that is allowed."""

from dataclasses import dataclass

from hypothesis import strategies as st
from markdown_it import MarkdownIt

HEADER = "| # | What failed | Fix | One-rule lesson |"

# What is outside of the ledger's table; none of it is one.
_AROUND = (
    "# What failed",
    "Prose with a | pipe and `code | with one`.",
    "- a list\n  with two lines",
    "- | # | What failed | Fix | One-rule lesson |\n  |---|---|---|---|\n  | 1 | in | a | list |",
    "> | # | What failed | Fix | One-rule lesson |\n> |---|---|---|---|\n> | 1 | in | a | quote |",
    "```\n| # | What failed | Fix | One-rule lesson |\n|---|---|---|---|\n| 1 | a | b | c |\n```",
    "<!--\n| # | What failed | Fix | One-rule lesson |\n|---|---|---|---|\n| 1 | a | b | c |\n-->",
    "| name | owner |\n|:--|--:|\n| a\\|b | Ana |\n| c | |",
    "| # | What failed | Fix | One-rule lesson |\n|---|---|\n| 1 | no | table | at all |",
    "日本語の文章 🧨 مرحبا",
    "Line separators \u2028 and \x0c and \x85 end no line.",
    "<!-- a comment -->",
    "***",
)
_PIECES = (
    *(
        "a",
        "Zoë",
        "x y",
        "\\|",
        "`a\\|b`",
        "`code`",
        "**bold**",
        "日本",
        "🧨",
        "\\\\",
        "\\`",
        "&lt;",
        "<b>",
    ),
    *(
        "[text](http://x.test/)",
        "\\*",
        "é",
        "1",
        ".",
        "(tests/a.py)",
        "--",
        "\u202e",
        "\u2028",
        "C:\\x",
    ),
)
cells = st.lists(st.sampled_from(_PIECES), max_size=4).map(" ".join)
hostile = st.text(
    alphabet=st.sampled_from(
        list("ab1 \\`*_~[]()<>!|@{}%&#;-+=.:\n\r\t/x\"'$^é日🧨\u202e\u2028\x00\x85")
    ),
    max_size=30,
)
_padding = st.sampled_from(["", " ", "  ", "\t", "      "])
_endings = st.sampled_from(["\n", "\r\n", "\r"])


@dataclass(frozen=True)
class Made:
    """A ledger and what is known of it without reading it."""

    data: bytes
    numbers: tuple[int, ...]
    has_area: bool


@st.composite
def ledgers(draw: st.DrawFn) -> Made:
    """Make a ledger with a row or more, and whatever else is in such files."""
    has_area = draw(st.booleans())
    count = 5 if has_area else 4
    numbers = draw(st.lists(st.integers(1, 40), min_size=1, max_size=5, unique=True))
    header = HEADER + (" Area |" if has_area else "")
    if draw(st.booleans()):
        header = header.replace(" ", "  ").upper()
    align = st.sampled_from(["---", ":--", "--:", ":-:", "-", " ----- "])
    dashes = "|".join(draw(align) for _ in range(count))
    rows = [_row(draw, str(number), count) for number in numbers]
    lines = [header, f"|{dashes}|", *rows]
    before = draw(st.lists(st.sampled_from(_AROUND), max_size=3))
    after = draw(st.lists(st.sampled_from(_AROUND), max_size=3))
    text = "\n\n".join([*before, "\n".join(lines), *after])
    if draw(st.booleans()):
        text += "\n"
    return Made(_encoded(draw, text), tuple(numbers), has_area)


def _row(draw: st.DrawFn, number: str, count: int) -> str:
    if draw(st.booleans()):
        number = f"[{number}](incidents/2026-11-18-x.md)"
    wanted = count + draw(st.sampled_from([0, 0, 0, 0, -1, 1]))
    sources = [number, *(draw(cells) for _ in range(wanted - 1))]
    padded = [_padded(draw, source) for source in sources]
    return f"|{'|'.join(padded)}|"


def _padded(draw: st.DrawFn, source: str) -> str:
    after = draw(_padding)
    # A pipe right behind a backslash would be part of the cell.
    return draw(_padding) + source + (after or " " if source.endswith("\\") else after)


def _encoded(draw: st.DrawFn, text: str) -> bytes:
    common = draw(_endings)
    mixed = draw(st.booleans())
    lines = text.split("\n")
    joined = lines[0]
    for line in lines[1:]:
        ending = draw(_endings) if mixed else common
        # CR LF where CR and LF stood apart would be one line end instead of two.
        joined += ("\r\n" if joined.endswith("\r") and ending == "\n" else ending) + line
    bom = b"\xef\xbb\xbf" if draw(st.booleans()) else b""
    return bom + joined.encode()


def parsed_tables(data: bytes) -> list[list[list[str]]]:
    """Read all top-level tables by the parser alone: rows of cells, pipes unescaped."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode()
    tables: list[list[list[str]]] = []
    is_inside = False
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type in {"table_open", "table_close"} and token.level == 0:
            is_inside = token.type == "table_open"
            tables += [[]] if is_inside else []
        elif is_inside and token.type == "tr_open":
            tables[-1].append([])
        elif is_inside and token.type == "inline":
            tables[-1][-1].append(token.content)
    return tables


def ledger_table(data: bytes) -> list[list[str]]:
    """Give the rows of the one table that is the ledger, by the parser alone, header left out."""
    found = [
        table
        for table in parsed_tables(data)
        if " ".join(table[0][1].casefold().split()) == "what failed" and len(table[0]) >= 4
    ]
    assert len(found) == 1
    return found[0][1:]
