r"""A file's bytes as text that can be cut at exact places, and put back byte for byte.

Lines end at `\r\n`, `\n` and `\r` only, as markdown's do; a byte order mark stays outside of the
text, and bytes that are no UTF-8 are carried through unchanged.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from faultbook.base.errors import FaultbookError

_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|$)")
_ENDINGS = ("\n", "\r\n", "\r")


class Line(NamedTuple):
    """One line of a file; a plain tuple, since a ledger may have ten thousand.

    Attributes:
        number: counted from 1.
        start: offset of its first character in the text; `end` is behind its last.
        ending: its own line end; empty on a last line without one.
    """

    number: int
    start: int
    text: str
    ending: str

    @property
    def end(self) -> int:
        """Give the offset behind its last character, before its line end."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file, and where; lines and columns are counted from 1.

    Attributes:
        warning: it is worth a look, but nothing is lost by it.
        fixable: `fix_files` can mend it without a choice.
    """

    line: int
    column: int
    code: str
    message: str
    next_step: str = ""
    warning: bool = False
    fixable: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text, without its byte order mark; `encode` gives the very bytes back."""

    text: str
    bom: bool = False
    lines: tuple[Line, ...] = field(default=(), repr=False)

    @classmethod
    def decode(cls, data: bytes) -> "Source":
        """Read bytes; whatever they are, `encode` returns them."""
        bom = data.startswith(_BOM)
        text = data[len(_BOM) if bom else 0 :].decode("utf-8", "surrogateescape")
        return cls(text, bom, tuple(_lines(text)))

    def encode(self, text: str | None = None) -> bytes:
        """Give the bytes of this text, or of a changed one."""
        body = (self.text if text is None else text).encode("utf-8", "surrogateescape")
        return _BOM + body if self.bom else body

    @property
    def ending(self) -> str:
        r"""Name the line end that most lines have; `\n` where none has one."""
        counts = dict.fromkeys(_ENDINGS, 0)
        for line in self.lines:
            if line.ending:
                counts[line.ending] += 1
        return max(counts, key=lambda ending: counts[ending])

    def splice(self, *pieces: tuple[int, int, str]) -> bytes:
        """Replace spans `(start, end, text)`, given in ascending order, and nothing else."""
        parts: list[str] = []
        at = 0
        for start, end, text in pieces:
            parts += [self.text[at:start], text]
            at = end
        return self.encode("".join([*parts, self.text[at:]]))

    def problems(self) -> Iterator[Problem]:
        """Find what concerns any text file: its encoding, its line ends, a half-done merge."""
        if self.bom:
            yield Problem(
                1,
                1,
                "bom",
                "The file starts with a byte order mark, which hides its first line from parsers.",
                "faultbook ledger check --fix",
                warning=True,
                fixable=True,
            )
        endings = {line.ending for line in self.lines} - {""}
        if len(endings) > 1:
            yield self._mixed_endings()
        yield from self._odd_bytes()
        yield from self._conflict_markers()

    def _mixed_endings(self) -> Problem:
        common = self.ending
        odd = next(line for line in self.lines if line.ending not in ("", common))
        names = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
        return Problem(
            odd.number,
            len(odd.text) + 1,
            "mixed-line-endings",
            f"This line ends with {names[odd.ending]}, most others with {names[common]}.",
            "Give all lines the same ending, in a commit of its own.",
            warning=True,
        )

    def _odd_bytes(self) -> Iterator[Problem]:
        if self.text.isascii():
            return
        found = re.search("[\udc80-\udcff]", self.text)
        if found is not None:
            line, column = self.place(found.start())
            yield Problem(
                line, column, "not-utf-8", "This byte is no UTF-8.", "Save the file as UTF-8."
            )

    def _conflict_markers(self) -> Iterator[Problem]:
        if "<<<<<<< " not in self.text and ">>>>>>> " not in self.text:
            return
        for line in self.lines:
            if line.text.startswith(("<<<<<<< ", ">>>>>>> ")):
                yield Problem(
                    line.number,
                    1,
                    "conflict-marker",
                    "A merge was left unfinished here.",
                    "Keep the rows of both sides, and remove the markers.",
                )

    def place(self, offset: int) -> tuple[int, int]:
        """Give line and column of an offset, counted from 1."""
        low, high = 0, len(self.lines)
        while high - low > 1:
            middle = (low + high) // 2
            if self.lines[middle].start <= offset:
                low = middle
            else:
                high = middle
        line = self.lines[low]
        return line.number, offset - line.start + 1


def unproven(what: str, where: str) -> FaultbookError:
    """Make the error of an edit whose proof failed: nothing of it is written."""
    return FaultbookError(
        f"I can't change {what} without touching something else, so I changed nothing.",
        code="edit_unproven",
        next_step="Edit the file by hand.",
        where=where,
    )


def storable(text: str) -> str:
    """Replace what no database and no message can hold: bytes that were no UTF-8, and NUL."""
    if text.isascii() and "\0" not in text:
        return text
    return re.sub("[\ud800-\udfff\0]", "\ufffd", text)


def _lines(text: str) -> Iterator[Line]:
    for number, match in enumerate(_LINE.finditer(text), 1):
        if match.start() == len(text) and number > 1:
            return  # what follows the last line end is no line
        yield Line(number, match.start(), match[1], match[2])
