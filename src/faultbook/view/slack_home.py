"""App Home: the dashboard, painted from the store."""

from faultbook.model.answer import FailingAnswer
from faultbook.view.actions import (
    ASK_HELP,
    FAILING_BRANCHES,
    FAILING_DETAILS,
    FAILING_SHOW_ALL,
    write_query,
)
from faultbook.view.failing_lines import footer, headline, other_branches, shared
from faultbook.view.lines import WORDS_LENGTH, Line, words
from faultbook.view.message import Block
from faultbook.view.slack_blocks import actions, button, context, header, section
from faultbook.view.slack_failing import A_GROUP, late_draft_line
from faultbook.view.slack_modals import series_section

_SHOWN = 10


def home_view(answer: FailingAnswer, *, connection: str | None = None) -> Block:
    """Paint App Home; `connection` says in words how the bot is connected.

    Each part of the dashboard is a header and its sections, put together here.
    """
    blocks = [*actions([button("Help", ASK_HELP)]), *_whats_failing(answer)]
    closing: list[Line] = [footer(answer)]
    if connection:
        closing.append([words(connection)])
    return {"type": "home", "blocks": [*blocks, context(closing)]}


def _whats_failing(answer: FailingAnswer) -> list[Block]:
    opening = [line for line in (headline(answer), shared(answer)) if line]
    blocks = [header("What's failing"), section(opening)]
    blocks += [series_section(series, answer) for series in answer.series[:_SHOWN]]
    blocks += [
        section([late_draft_line(draft, WORDS_LENGTH)]) for draft in answer.late_drafts[:A_GROUP]
    ]
    left = len(answer.series) - _SHOWN
    more: Line = [f"and {left} more"] if left > 0 else []
    small = [line for line in (more, other_branches(answer)) if line]
    if small:
        blocks.append(context(small))
    value = write_query(answer.query)
    offered = (
        (bool(answer.series), "Details", FAILING_DETAILS),
        (bool(answer.other_branches), "Show branches", FAILING_BRANCHES),
        (left > 0, "Show all", FAILING_SHOW_ALL),
    )
    buttons = [button(label, action, value) for holds, label, action in offered if holds]
    return [*blocks, *actions(buttons)]
