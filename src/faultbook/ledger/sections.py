"""The sections of an incident's file: what stands beneath its second-level headings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from faultbook.ledger.inert import plain_block
from faultbook.ledger.rows import parse_blocks
from faultbook.ledger.source import Source, storable

SECTIONS: Mapping[str, str] = {
    "what_failed": "What failed",
    "impact": "User/business impact",
    "root_cause": "Root cause",
    "fix": "Fix",
    "verification": "Verification",
}
"""The headings, by the names of an incident's fields, in their order."""


@dataclass(frozen=True, slots=True)
class Section:
    """What stands beneath one heading.

    Attributes:
        line: the heading's, counted from 1.
        start, end: offsets of what stands beneath it, blank lines around it left out; both are
            where the heading's line ends where nothing stands there.
        text: what it says; comments that stand alone, such as a template's hints, are left out.
        heading_ended: the heading's line has a line end.
        is_last: nothing comes after it.
    """

    line: int
    start: int
    end: int
    text: str
    heading_ended: bool
    is_last: bool


def read_sections(source: Source, body: int) -> dict[str, Section]:
    """Find the known sections; of two with one heading the first counts."""
    first = source.place(body)[0] - 1 if body < len(source.text) else len(source.lines)
    text = source.text[body:]
    tokens = parse_blocks(text)
    headings = _headings(tokens)
    names = {heading.casefold(): name for name, heading in SECTIONS.items()}
    found: dict[str, Section] = {}
    for index, (start, after, level, title) in enumerate(headings):
        name = names.get(" ".join(title.split()).casefold())
        if name is None or level != "h2" or name in found:
            continue
        following = (begin for begin, _, other, _ in headings[index + 1 :] if other in {"h1", "h2"})
        stop = next(following, len(source.lines) - first)
        found[name] = _section(source, tokens, first, (start, after, stop))
    return found


def _headings(tokens: Sequence[Token]) -> list[tuple[int, int, str, str]]:
    return [
        (token.map[0], token.map[1], token.tag, tokens[index + 1].content)
        for index, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def _section(
    source: Source, tokens: Sequence[Token], first: int, lines: tuple[int, int, int]
) -> Section:
    start, after, stop = lines
    hidden = _commented(tokens)
    inside = source.lines[first + after : first + stop]
    shown = [line for line in inside if line.text.strip()]
    heading = source.lines[first + after - 1]
    below = heading.end + len(heading.ending)
    said = [line.text for line in inside if line.number - first - 1 not in hidden]
    return Section(
        heading.number - (after - start - 1),
        shown[0].start if shown else below,
        shown[-1].start + len(shown[-1].text.rstrip()) if shown else below,
        storable(plain_block("\n".join(said).strip("\n"))).strip(),
        heading_ended=bool(heading.ending),
        is_last=first + stop >= len(source.lines),
    )


def _commented(tokens: Sequence[Token]) -> set[int]:
    """Find the lines of comments that stand alone, counted from 0."""
    return {
        line
        for token in tokens
        if token.type == "html_block" and token.map and token.content.strip().startswith("<!--")
        if token.content.strip().endswith("-->")
        for line in range(*token.map)
    }
