"""The modals: every series page by page, other branches, and a run's timeline."""

import json
from collections.abc import Sequence

from faultbook.base.text import cut, visible
from faultbook.model.answer import FailingAnswer, SeriesAnswer
from faultbook.model.standing import Standing
from faultbook.model.timeline import Timeline
from faultbook.view.actions import (
    FAILING_NEXT_PAGE,
    FAILING_PREVIOUS_PAGE,
    MODAL_SHOWN,
    write_query,
)
from faultbook.view.failing_lines import footer, headline
from faultbook.view.lines import Bold, Line, code_block, escape, name
from faultbook.view.message import Block
from faultbook.view.slack_blocks import (
    CHARACTERS_A_TEXT,
    actions,
    button,
    context,
    modal,
    raw_section,
    section,
)
from faultbook.view.slack_failing import fitting_lines, group_line, open_incident
from faultbook.view.timeline_lines import footer as timeline_footer
from faultbook.view.timeline_lines import heading, table

A_PAGE = 20
_BRANCHES_SHOWN = 30
_TIMELINE_BLOCKS = 60
_TIMELINE_LINE = 200
VIEW_BYTES = 200_000  # Slack refuses views above 250 kB


def show_all_modal(answer: FailingAnswer, page: int = 0) -> Block:
    """Show every series that does not pass, 20 a page."""
    pages = max(1, -(-len(answer.series) // A_PAGE))
    page = min(max(page, 0), pages - 1)
    shown = answer.series[page * A_PAGE : (page + 1) * A_PAGE]
    blocks: list[Block] = [section([headline(answer)])]
    blocks += [series_section(series, answer) for series in shown]
    where: list[Line] = [[f"Page {page + 1} of {pages}."]] if pages > 1 else []
    blocks.append(context([*where, footer(answer)]))
    turns = []
    if page > 0:
        previous = write_query(answer.query, page - 1)
        turns.append(button("Previous", FAILING_PREVIOUS_PAGE, previous, about=f"page {page}"))
    if page + 1 < pages:
        following = write_query(answer.query, page + 1)
        turns.append(button("Next", FAILING_NEXT_PAGE, following, about=f"page {page + 2}"))
    return modal("Not passing", [*blocks, *actions(turns)], callback_id=MODAL_SHOWN)


def series_section(series: SeriesAnswer, answer: FailingAnswer) -> Block:
    """Tell a series; a failing one with the offer to write its failure down."""
    offered = open_incident(series) if series.standing is Standing.FAILING else None
    return section(series_in_modal(series, answer), offered)


def series_in_modal(series: SeriesAnswer, answer: FailingAnswer) -> list[Line]:
    """Tell a series by its standing: a failing one in three lines, another in one."""
    if series.standing is Standing.FAILING:
        return fitting_lines(series, answer, elsewhere="")
    return [group_line(series, answer, 60, 120)]


def branches_modal(answer: FailingAnswer, main_branch: str) -> Block:
    """Show what is failing, blocked or degraded on other branches than the main one.

    `answer` is about all branches.
    """
    found = [series for series in answer.bad if series.key.branch != main_branch]
    if not found:
        line: Line = ["No series fails on a branch other than ", Bold(name(main_branch)), "."]
        return modal("Other branches", [section([line])], callback_id=MODAL_SHOWN)
    count = len({series.key.branch for series in found})
    on = "1 branch" if count == 1 else f"{count} branches"
    blocks = [section([[Bold(f"{len(found)} not working"), f" on {on}"]])]
    blocks += [series_section(series, answer) for series in found[:_BRANCHES_SHOWN]]
    closing: list[Line] = [footer(answer)]
    if len(found) > _BRANCHES_SHOWN:
        closing.insert(0, [f"and {len(found) - _BRANCHES_SHOWN} more"])
    return modal("Other branches", [*blocks, context(closing)], callback_id=MODAL_SHOWN)


def timeline_modal(timeline: Timeline) -> Block:
    """Show a run's events in order."""
    blocks: list[Block] = [section([[heading(timeline)]])]
    chunks = list(_chunks([cut(visible(line), _TIMELINE_LINE) for line in table(timeline)]))
    blocks += [raw_section(code_block(chunk)) for chunk in chunks[:_TIMELINE_BLOCKS]]
    closing: list[Line] = [[line] for line in timeline_footer(timeline)]
    if len(chunks) > _TIMELINE_BLOCKS:
        run_id = timeline.run.run_id
        closing.insert(0, [f"Cut off; the rest by: faultbook timeline {run_id}"])
    blocks.append(context(closing))
    return modal("Timeline", within_bytes(blocks), callback_id=MODAL_SHOWN)


def _chunks(lines: Sequence[str]) -> list[str]:
    """Put lines together to texts that fit a section, escaped."""
    chunks: list[str] = []
    room = 0
    for line in lines:
        needed = len(escape(line)) + 1
        if needed > room:
            chunks.append(line)
            room = CHARACTERS_A_TEXT - len("``````") - needed
        else:
            chunks[-1] += f"\n{line}"
            room -= needed
    return chunks


def within_bytes(blocks: Sequence[Block], budget: int = VIEW_BYTES) -> list[Block]:
    """Keep as many blocks as a view may weigh; the last one is kept in any case."""
    *body, last = blocks
    kept: list[Block] = []
    for block in body:
        budget -= len(json.dumps(block).encode())
        if budget < 0:
            kept.append(context([["More than a modal can hold; the rest was left out."]]))
            break
        kept.append(block)
    return [*kept, last]
