r"""Outside text made inert in markdown, and read back as the person wrote it.

Whatever would become live is escaped by a backslash (CommonMark 2.4), so that it renders as the
plain text it was: links, images, HTML, emphasis, headings, rules, tables, unbalanced backticks,
entities, mentions, template braces. What stays as it is, since nothing can hide in it: code spans
and fenced blocks that are closed, list items, and bare addresses, which show where they lead.

`plain_*` undoes it: `plain_inline(inline(text)) == text` for every text of one line.
"""

import html
import re
from html.entities import html5

from faultbook.base.redaction import redact
from faultbook.base.text import one_line, visible

_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
_SPECIAL = re.compile(rf"`+|\*+|_+|~+|[\\\[<|@]|(?<=\{{)[{{%]|{_ENTITY}")
_ESCAPED = re.compile(rf"\\([!-/:-@\[-`{{-~])|(`+)|({_ENTITY})")
_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_LINE_END = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_FENCE = re.compile(r"(`{3,})[\w+. -]*")
_READ_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)")
_BULLET = re.compile(r"[-+*](?= |$)|[0-9]{1,9}[.)](?= |$)")
_RULE_LIKE = re.compile(r"-[- ]*|=+")


def words(text: str) -> str:
    """Put outside text on one line, as it is written to a cell or a field: secrets taken out."""
    return one_line(redact(text))


def inline(text: str) -> str:
    """Escape one line of text so that it renders as itself, in a paragraph or a table's cell.

    Pipes come out escaped outside of code spans only; `cell` escapes those within, too.
    """
    parts: list[str] = []
    at = 0
    for start, end in _specials(text):
        parts += [text[at:start], _written(text, start, end)]
        at = end
    return "".join([*parts, text[at:]])


def cell(text: str) -> str:
    """Escape one line of text for a cell of a table.

    A table's cells are split before anything else is read, so that a pipe is escaped in code too.
    """
    parts: list[str] = []
    at = 0
    for start, end in _specials(text):
        written = _written(text, start, end)
        is_code = text[start] == "`" and written == text[start:end]
        parts += [text[at:start], written.replace("|", r"\|") if is_code else written]
        at = end
    return "".join([*parts, text[at:]])


def plain_inline(source: str) -> str:
    """Read text back from a line of markdown: escapes and entities undone, code left as it is."""
    if "\\" not in source and "&" not in source:
        return source
    parts: list[str] = []
    at = 0
    while (match := _ESCAPED.search(source, at)) is not None:
        parts.append(source[at : match.start()])
        at = match.end()
        if match[1] is not None:
            parts.append(match[1])
        elif match[2] is not None:
            closing = _code_end(source, match.start(), match.end())
            at = closing or match.end()
            parts.append(source[match.start() : at])
        else:
            parts.append(_entity(match[3]))
    return "".join([*parts, source[at:]])


def plain_cell(source: str) -> str:
    """Read text back from a cell's source."""
    if "\\" not in source and "&" not in source:
        return source
    return plain_inline(source.replace(r"\|", "|"))


def paragraphs(text: str) -> str:
    """Bring outside text of several lines to the form in which `block` writes it.

    Lines lose their outer and doubled blanks, outer blank lines go; a fenced block that is closed
    keeps its lines as they are.
    """
    lines = [visible(line) for line in _LINE_END.split(redact(text))]
    done: list[str] = []
    at = 0
    while at < len(lines):
        closing = _fence_end(lines, at)
        if closing is None:
            done.append(one_line(lines[at]))
            at += 1
        else:
            inner = [line.rstrip() for line in lines[at + 1 : closing]]
            done += [lines[at].strip(), *inner, lines[closing].strip()]
            at = closing + 1
    return "\n".join(done).strip("\n")


def block(text: str) -> str:
    """Escape text of several lines so that each renders as itself, with no structure of its own."""
    lines = paragraphs(text).split("\n")
    done: list[str] = []
    at = 0
    while at < len(lines):
        closing = _fence_end(lines, at)
        if closing is None:
            done.append(_start_of_line(lines[at]))
            at += 1
        else:
            done += lines[at : closing + 1]
            at = closing + 1
    return "\n".join(done)


def plain_block(source: str) -> str:
    """Read text back from lines of markdown; fenced blocks are left as they are."""
    done: list[str] = []
    fence = ""
    for line in source.split("\n"):
        match = _READ_FENCE.fullmatch(line)
        if fence:
            done.append(line)
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match:
            fence = match[1]
            done.append(line)
        else:
            done.append(plain_inline(line))
    return "\n".join(done)


def _specials(text: str) -> list[tuple[int, int]]:
    """Find the spans that need a look; a closed code span is one of them, whole."""
    found: list[tuple[int, int]] = []
    at = 0
    while (match := _SPECIAL.search(text, at)) is not None:
        at = match.end()
        if match[0][0] == "`":
            at = _code_end(text, match.start(), match.end()) or at
        found.append((match.start(), at))
    return found


def _written(text: str, start: int, end: int) -> str:
    piece = text[start:end]
    first = piece[0]
    if first == "`" and _code_end(text, start, start + _run(text, start)) == end:
        return piece
    if first in "`*_~" and not _stands_apart(text, start, end):
        return "".join(f"\\{char}" for char in piece)
    before, after = text[start - 1 : start], text[end : end + 1]
    live = {
        "\\": after == "" or after in _PUNCTUATION,
        "<": after not in {"", " ", "="} and not after.isdigit(),
        "@": after.isalnum() and not before.isalnum(),
    }.get(first, first in "&[|{%")
    return f"\\{piece}" if live else piece


def _stands_apart(text: str, start: int, end: int) -> bool:
    """Tell whether a run of `*`, `_` or `~` can neither open nor close anything."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if before == " " and after == " ":
        return text[start] != "`"
    return text[start] == "_" and before.isalnum() and after.isalnum()


def _run(text: str, start: int) -> int:
    end = start
    while end < len(text) and text[end] == "`":
        end += 1
    return end - start


def _code_end(text: str, start: int, end: int) -> int | None:
    """Find the end of the code span that a run of backticks opens; None where nothing closes it."""
    for match in re.finditer("`+", text[end:]):
        if len(match[0]) == end - start:
            return end + match.end()
    return None


def _entity(written: str) -> str:
    if written.startswith("&#"):
        return html.unescape(written)
    return html5.get(written[1:], written)


def _fence_end(lines: list[str], at: int) -> int | None:
    """Find the line that closes the fenced block which a line opens; None where none does."""
    opening = _FENCE.fullmatch(lines[at].strip())
    if opening is None:
        return None
    closing = re.compile(rf" {{0,3}}`{{{len(opening[1])},}}\s*")
    return next((n for n in range(at + 1, len(lines)) if closing.fullmatch(lines[n])), None)


def _start_of_line(line: str, *, in_item: bool = False) -> str:
    if _RULE_LIKE.fullmatch(line) and not line.startswith("- "):
        return f"\\{line[0]}{inline(line[1:])}"
    if line.startswith(("#", ">")):
        return f"\\{line[0]}{inline(line[1:])}"
    marker = _BULLET.match(line)
    if marker is None:
        return inline(line)
    rest = line[marker.end() + 1 :]
    if rest and not in_item:
        return f"{marker[0]} {_start_of_line(rest, in_item=True)}"
    delimiter = marker.end() - 1
    return f"{line[:delimiter]}\\{line[delimiter]}{inline(line[marker.end() :])}"
