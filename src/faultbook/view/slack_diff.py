"""The answer to "what changed?" as one Slack message."""

from collections.abc import Sequence

from faultbook.model.answer import FailingQuery
from faultbook.model.diff import VerdictDiff
from faultbook.view.actions import ASK_FAILING, write_query
from faultbook.view.diff_lines import Group, counts, footer, groups, headline, title, what_changed
from faultbook.view.failing_lines import SIGNS
from faultbook.view.lines import Bold, Line, Sign, escape, plain, sentence
from faultbook.view.message import Block, Message
from faultbook.view.slack_blocks import (
    CHARACTERS_A_SECTION,
    actions,
    button,
    context,
    section,
    text_of,
)

_A_SECTION = 3
_NEWLY_FAILING = 9
_FITS = ((60, 120), (30, 60), (20, 0))


def diff_message(diff: VerdictDiff) -> Message:
    """Answer in Slack what changed; what broke is named first."""
    opening = headline(diff)
    told = [section_lines for group in groups(diff) for section_lines in _sections(group, diff)]
    closing: list[Line] = [[counts(diff)], footer(diff)]
    blocks: list[Block] = [section([opening])]
    blocks += [section(found) for found in told]
    blocks.append(context(closing))
    blocks += actions([button("What's failing?", ASK_FAILING, write_query(FailingQuery()))])
    spoken = [opening, *(line for found in told for line in found), *closing]
    now = diff.as_of
    return Message(escape(" ".join(sentence(plain(line, now)) for line in spoken)), blocks)


def _sections(group: Group, diff: VerdictDiff) -> list[list[Line]]:
    """Tell a kind of change: nine that broke newly, three of each other kind, and the rest."""
    most = _NEWLY_FAILING if group.word == "newly failing" else _A_SECTION
    shown = min(most, len(group.changes))
    found = [
        _fitting(group, range(at, min(at + _A_SECTION, shown)), diff)
        for at in range(0, shown, _A_SECTION)
    ]
    if len(group.changes) > shown:
        found[-1].append([f"and {len(group.changes) - shown} more"])
    return found


def _fitting(group: Group, which: Sequence[int], diff: VerdictDiff) -> list[Line]:
    lines: list[Line] = []
    for name_length, words_length in _FITS:
        lines = [
            [
                Sign(SIGNS[group.standing]),
                Bold(group.word.capitalize()),
                " ",
                *title(group.changes[at], diff.branch, name_length),
                ": ",
                *what_changed(group.changes[at], group.word, words_length),
            ]
            for at in which
        ]
        if len(text_of(lines)) <= CHARACTERS_A_SECTION - len("\nand 999999 more"):
            break
    return lines
