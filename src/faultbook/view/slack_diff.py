"""The answer to "what changed?" as one Slack message."""

from faultbook.model.answer import FailingQuery
from faultbook.model.diff import Change, VerdictDiff
from faultbook.view.actions import ASK_FAILING, write_query
from faultbook.view.diff_lines import Group, counts, footer, groups, headline, title, what_changed
from faultbook.view.failing_lines import SIGNS
from faultbook.view.lines import Bold, Line, Sign
from faultbook.view.message import Block, Message
from faultbook.view.slack_blocks import (
    actions,
    button,
    context,
    fits,
    packed,
    section,
)
from faultbook.view.spoken import spoken_text

_A_SECTION = 3
_NEWLY_FAILING_SECTIONS = 3
# How much of names and words is shown: the first that fits is taken.
_TRIED = ((60, 120), (30, 60), (20, 0))


def diff_message(diff: VerdictDiff) -> Message:
    """Answer in Slack what changed; what broke is named first."""
    opening = headline(diff)
    told = [section_lines for group in groups(diff) for section_lines in _sections(group, diff)]
    closing: list[Line] = [[counts(diff)], footer(diff)]
    blocks: list[Block] = [section([opening])]
    blocks += [section(found) for found in told]
    blocks.append(context(closing))
    blocks += actions([button("What's failing?", ASK_FAILING, write_query(FailingQuery()))])
    body = [line for found in told for line in found]
    return Message(spoken_text([opening], body, closing, diff.as_of), blocks)


def _sections(group: Group, diff: VerdictDiff) -> list[list[Line]]:
    """Tell a kind of change: nine that broke newly, three of each other kind, and the rest."""
    sections = _NEWLY_FAILING_SECTIONS if group.word == "newly failing" else 1
    lines: list[Line] = []
    for name_length, words_length in _TRIED:
        lines = [
            _line(change, group, diff, name_length, words_length)
            for change in group.changes[: sections * _A_SECTION]
        ]
        if all(fits(lines[at : at + _A_SECTION]) for at in range(0, len(lines), _A_SECTION)):
            break
    return packed(lines, len(group.changes), sections=sections).sections


def _line(
    change: Change, group: Group, diff: VerdictDiff, name_length: int, words_length: int
) -> Line:
    return [
        Sign(SIGNS[group.standing]),
        Bold(group.word.capitalize()),
        " ",
        *title(change, diff.branch, name_length),
        ": ",
        *what_changed(change, group.word, words_length),
    ]
