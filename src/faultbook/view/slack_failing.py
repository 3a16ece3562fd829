"""The answer to "what's failing?" as one Slack message, however many series there are.

A headline, a section for each failing series (five whole, ten in one line, the rest counted), a
line for each other series that does not pass (three a group), other branches, how fresh it is, and
the buttons for the likely next step. The plain text is built from the same lines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from faultbook.base.text import cut
from faultbook.model.answer import FailingAnswer, FailingQuery, Headline, SeriesAnswer
from faultbook.model.draft import LateDraft
from faultbook.model.standing import Standing
from faultbook.view.actions import (
    ASK_FAILING,
    ASK_HELP,
    FAILING_BRANCHES,
    FAILING_DETAILS,
    FAILING_POST_HERE,
    FAILING_SHOW_ALL,
    INCIDENT_OPEN,
    write_query,
)
from faultbook.view.failing_lines import (
    SIGNS,
    detail_of,
    footer,
    grouped,
    happened_again,
    headline,
    known_as,
    late_draft,
    mark,
    newest_unproven,
    other_branches,
    place,
    reason_and_class,
    running,
    runs_since,
    shared,
    undelivered,
    what_it_came_to,
)
from faultbook.view.lines import (
    DOT,
    Bold,
    Code,
    Line,
    Link,
    Moment,
    Plain,
    Rich,
    Sign,
    Span,
    join,
    name,
    safe_url,
)
from faultbook.view.message import Block, Message
from faultbook.view.series_values import write_series
from faultbook.view.slack_blocks import (
    CHARACTERS_A_SECTION,
    Pack,
    actions,
    button,
    context,
    fits,
    packed,
    section,
    text_of,
)
from faultbook.view.spoken import spoken_text

WHOLE = 5
IN_ONE_LINE = 10
A_GROUP = 3
_BRIEF_SECTIONS = 4
# How much of names and words is shown, and whether links are: the first that fits is taken.
_SHORTEST = 12
_TRIED = ((60, 120, True), (60, 120, False), (30, 60, False), (_SHORTEST, 0, False))


def failing_message(answer: FailingAnswer, *, post_here: bool = False) -> Message:
    """Answer in Slack; `post_here` offers to show an answer that only one person sees to all."""
    groups = grouped(answer.series)
    failing = groups.pop(Standing.FAILING.value, [])
    opening = [line for line in (headline(answer), shared(answer)) if line]
    blocks: list[Block] = [section(opening)]
    blocks += [
        section(fitting_lines(series, answer), open_incident(series)) for series in failing[:WHOLE]
    ]
    brief = [one_line_of(series, answer) for series in failing[WHOLE : WHOLE + IN_ONE_LINE]]
    packs = [packed(brief, len(failing) - WHOLE, sections=_BRIEF_SECTIONS)]
    packs += [_group(found, answer) for found in groups.values()]
    packs += [_late_drafts(answer.late_drafts), _undelivered(answer)]
    blocks += [section(found) for pack in packs for found in pack.sections]
    if other_branches(answer):
        blocks.append(context([other_branches(answer)]))
    blocks.append(context([footer(answer)]))
    cut_off = any(pack.left for pack in packs)
    blocks += actions(_buttons(answer, cut_off=cut_off, post_here=post_here))
    rest = [line for pack in packs for found in pack.sections for line in found]
    told = [_in_text(fitting_lines(series, answer)) for series in failing[:WHOLE]]
    closing = (other_branches(answer), footer(answer))
    return Message(spoken_text(opening, [*told, *rest], closing, answer.as_of), blocks)


def open_incident(series: SeriesAnswer) -> Block:
    """Offer to write the failure of a series down."""
    about = f"about {name(series.key.workflow, 40)}"
    return button("Open incident", INCIDENT_OPEN, write_series(series.key), about=about)


def _late_drafts(late: Sequence[LateDraft]) -> Pack:
    lines: list[Line] = []
    for length in (60, 30):
        lines = [late_draft_line(draft, length) for draft in late[:A_GROUP]]
        if fits(lines):
            break
    return packed(lines, len(late))


def _undelivered(answer: FailingAnswer) -> Pack:
    line = undelivered_line(answer)
    return packed([line] if line else [], 1 if line else 0)


def undelivered_line(answer: FailingAnswer) -> Line:
    """Tell that notices could not be delivered, in one line; nothing where all were."""
    told = undelivered(answer)
    return [Sign(SIGNS["undelivered"]), Bold("Undelivered"), " ", *told] if told else []


def late_draft_line(draft: LateDraft, length: int) -> Line:
    """Tell a draft whose prevention rule was due, in one line."""
    return [Sign(SIGNS["late"]), Bold("Draft late"), " ", *late_draft(draft, length)]


def fitting_lines(
    series: SeriesAnswer, answer: FailingAnswer, *, elsewhere: str = " in Details"
) -> list[Line]:
    """Tell a failing series in a few lines that fit a section's budget.

    `elsewhere` says where evidence can be read that has no link.
    """
    for name_length, detail_length, linked in _TRIED:
        evidence = _evidence(series, elsewhere, name_length, linked=linked)
        tried = _series_lines(series, answer, name_length, detail_length, evidence)
        if len(text_of(tried)) <= CHARACTERS_A_SECTION:
            return tried
    # All there is to say at once, with the longest of names: Details tells the rest.
    return _series_lines(replace(series, running_since=None), answer, _SHORTEST, 0, [])


def _series_lines(
    series: SeriesAnswer,
    answer: FailingAnswer,
    name_length: int,
    detail_length: int,
    evidence: Line,
) -> list[Line]:
    """Tell what it is, that its rule did not hold, how long and why, and where it broke."""
    title: list[Span] = [
        Sign(SIGNS["failing"]),
        Bold(name(series.key.workflow, name_length)),
        *DOT,
        *(name(s, name_length) if isinstance(s, str) else s for s in place(series, answer)),
    ]
    if series.silent_since is None:
        title.append(Rich(" · failing"))
    else:
        title += [*DOT, "failing, and silent since ", Moment(series.silent_since)]
    history = join(
        (_cause(series, detail_length), newest_unproven(series), running(series)), [". "]
    )
    whence = join((*_where_it_broke(series), evidence, known_as(series)))
    again = happened_again(series)
    repeat: Line = [Rich("*"), *again, Rich(".*")] if again else []
    return [line for line in (title, repeat, history, whence) if line]


def _cause(series: SeriesAnswer, detail_length: int) -> Line:
    spans = runs_since(series)
    if series.reason is not None:
        spans += [Rich(". "), Plain(", "), *reason_and_class(series)]
    detail = detail_of(series, detail_length)
    return [*spans, f": {detail}"] if detail else spans


def _where_it_broke(series: SeriesAnswer) -> Iterable[Line]:
    if series.first_bad is not None:
        yield [Rich("first bad "), Plain("First bad "), mark(series.first_bad)]
    if series.last_good is None:
        yield ["never passed"]
    else:
        at = series.last_good.started_at
        yield ["last good ", mark(series.last_good), " ", Moment(at)]


def _evidence(series: SeriesAnswer, elsewhere: str, name_length: int, *, linked: bool) -> Line:
    """Say where the evidence can be read: by a link, else by its name and where it is shown."""
    if linked:
        for ref in series.evidence:
            url = safe_url(ref.uri)
            if url is not None:
                return ["evidence ", Link(url, name(ref.name))]
        url = safe_url(series.url)
        if url is not None:
            return ["evidence ", Link(url, "the run")]
    if series.evidence:
        return ["evidence ", Code(name(series.evidence[0].name, name_length)), elsewhere]
    return []


def one_line_of(series: SeriesAnswer, answer: FailingAnswer) -> Line:
    """Tell a failing series in one line."""
    title: Line = [Sign(SIGNS["failing"]), Bold(name(series.key.workflow, 30))]
    where = [name(s, 20) if isinstance(s, str) else s for s in place(series, answer)]
    reason: Line = [Code(series.reason.value)] if series.reason else []
    silent: Line = ["silent"] if series.silent_since is not None else []
    again: Line = [f"again, lesson {series.known_lesson}"] if series.happened_again else []
    return join((title, where, runs_since(series), reason, silent, again))


def _group(found: Sequence[SeriesAnswer], answer: FailingAnswer) -> Pack:
    lines: list[Line] = []
    for name_length, detail_length in ((60, 120), (30, 60), (20, 0)):
        lines = [
            group_line(series, answer, name_length, detail_length) for series in found[:A_GROUP]
        ]
        if fits(lines):
            break
    return packed(lines, len(found))


def group_line(
    series: SeriesAnswer, answer: FailingAnswer, name_length: int, detail_length: int
) -> Line:
    """Tell a series that does not pass and is not failing, in one line."""
    word = next(iter(grouped([series])))
    where = [name(s, name_length) if isinstance(s, str) else s for s in place(series, answer)]
    return [
        Sign(SIGNS[word]),
        Bold(word.capitalize()),
        " ",
        *join(([name(series.key.workflow, name_length)], where)),
        ": ",
        *what_it_came_to(series, length=detail_length),
    ]


def _in_text(lines: Sequence[Line]) -> Line:
    title, *rest = lines
    return [*title, ": ", *join(rest, [". "])]


def _buttons(answer: FailingAnswer, *, cut_off: bool, post_here: bool) -> list[Block]:
    """Offer the likely next steps; a new step for an answer is added here."""
    if answer.headline is Headline.NO_MATCH:
        return _buttons_without_match(answer)
    if answer.headline is Headline.EMPTY and not answer.series:
        every = [button("All branches", ASK_FAILING, write_query(FailingQuery(all_branches=True)))]
        return [*(every if answer.series_elsewhere else ()), button("Help", ASK_HELP)]
    value = write_query(answer.query)
    about = f"on {name(answer.branch, 40)}" if answer.branch else "on all branches"
    offered = (
        (post_here, "Post here", FAILING_POST_HERE),
        (bool(answer.series), "Details", FAILING_DETAILS),
        (bool(answer.other_branches), "Show branches", FAILING_BRANCHES),
        (cut_off, "Show all", FAILING_SHOW_ALL),
    )
    return [button(label, action, value, about=about) for holds, label, action in offered if holds]


def _buttons_without_match(answer: FailingAnswer) -> list[Block]:
    if answer.nearest is None:
        return [button("What's failing?", ASK_FAILING, write_query(FailingQuery()))]
    nearest = write_query(FailingQuery(place=answer.nearest, since=answer.query.since))
    return [
        button(f"Ask {cut(name(answer.nearest), 16)}", ASK_FAILING, nearest),
        button("Help", ASK_HELP),
    ]
