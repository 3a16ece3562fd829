"""The details of an approval: everything that will run, page by page, Approve beneath it all."""

from collections.abc import Iterator, Sequence

from faultbook.base.clock import Instant
from faultbook.base.text import visible
from faultbook.model.approval import REASON_LENGTH, Approval, Decision, Vote
from faultbook.model.approval_sight import ApprovalSight
from faultbook.view.actions import APPROVAL_PAGE, MODAL_SHOWN
from faultbook.view.approval_lines import (
    asked_for,
    asks,
    facts,
    host_beside,
    reviewed,
    stands,
    warnings,
)
from faultbook.view.approval_values import parameters_of
from faultbook.view.lines import (
    Bold,
    Code,
    Line,
    Link,
    Mention,
    Moment,
    Rich,
    code_block,
    cut_escaped,
    join,
    name,
    safe_url,
    words,
)
from faultbook.view.message import Block
from faultbook.view.slack_approval import approve_button, card_buttons, deny_button
from faultbook.view.slack_blocks import (
    CHARACTERS_A_TEXT,
    actions,
    button,
    context,
    divider,
    modal,
    raw_section,
    section,
    text_of,
)

SECTIONS_A_PAGE = 12
_ROOM = 2800
_LINKS = 20
_VOTES = 20
_REASON = 300


def approval_details(sight: ApprovalSight, page: int = 0, note: Line = ()) -> Block:
    """Show all there is to read about an approval; `note` says what came of a click.

    Whoever approves here has had every page before them: Approve stands on the last alone.
    """
    asked = sight.approval
    pages = _pages(asked)
    page = min(max(page, 0), len(pages) - 1)
    is_last = page == len(pages) - 1
    blocks: list[Block] = [section([note]), divider()] if note else []
    blocks.append(section([stands(sight), *warnings(sight)]))
    if asked.state.is_decided:
        blocks.append(section([asked_for(asked)]))
    blocks += [section(group) for group in pages[page]]
    if len(pages) > 1:
        blocks.append(context([[f"Page {page + 1} of {len(pages)} of what will run."]]))
    if is_last:
        blocks += [divider(), *_told(asked), *_votes(asked.votes)]
        if asked.is_bypass and asked.review_due_at is None:
            blocks.append(section([reviewed(sight, REASON_LENGTH)]))
    blocks.append(context([facts(sight), _identity(sight)]))
    buttons = [*_turns(asked, page, len(pages)), *(_decisions(sight) if is_last else [])]
    return modal(asked.id, [*blocks, *actions(buttons)], callback_id=MODAL_SHOWN)


def _pages(asked: Approval) -> list[list[list[Line]]]:
    groups: list[list[Line]] = []
    for parameter in parameters_of(asked.action):
        for piece in parameter.pieces(_ROOM):
            if groups and len(text_of([*groups[-1], piece])) <= _ROOM:
                groups[-1].append(piece)
            else:
                groups.append([piece])
    return [groups[at : at + SECTIONS_A_PAGE] for at in range(0, len(groups), SECTIONS_A_PAGE)]


def _turns(asked: Approval, page: int, pages: int) -> list[Block]:
    turns = []
    if page > 0:
        turns.append(_turn("Previous", asked, page - 1))
    if page + 1 < pages:
        turns.append(_turn("Next", asked, page + 1))
    return turns


def _turn(label: str, asked: Approval, page: int) -> Block:
    action = f"{APPROVAL_PAGE}.{label.lower()}"
    return button(label, action, f"{asked.number}:{page}", about=f"page {page + 1}")


def _decisions(sight: ApprovalSight) -> list[Block]:
    if sight.is_open:
        return [approve_button(sight), deny_button(sight.approval)]
    return card_buttons(sight, is_whole=True)[:-1]  # all but the details themselves


def _told(asked: Approval) -> Iterator[Block]:
    for label, said in (("Will happen:", asked.effect), ("Why:", asked.why)):
        if said:
            yield section([[Bold(label)]])
            yield from (raw_section(code_block(piece)) for piece in _pieces(visible(said)))
    for link in asked.evidence[:_LINKS]:
        url = safe_url(link.url)
        label = name(link.name or link.url)
        shown: Line = [label, " ", Code(words(link.url, _REASON))]
        yield section([shown if url is None else [Link(url, label), host_beside(link, url)]])
    if len(asked.evidence) > _LINKS:
        yield context([[f"and {len(asked.evidence) - _LINKS} more"]])


def _votes(votes: Sequence[Vote]) -> Iterator[Block]:
    for one in votes[:_VOTES]:
        said = "approved" if one.decision is Decision.APPROVE else "denied"
        because = f": {words(one.reason, _REASON)}" if one.reason else ""
        how = ", breaking the glass" if one.bypass else ""
        at: Instant = one.at
        yield section([[Bold(name(one.voter.name)), f" {said}{how} ", Moment(at), because]])
    if len(votes) > _VOTES:
        yield context([[f"and {len(votes) - _VOTES} more votes"]])


def _identity(sight: ApprovalSight) -> Line:
    asked = sight.approval
    parts: list[Line] = [
        ["asked ", Moment(asked.created_at)],
        [name(asked.agent), *_owner(asked)],
        ["policy ", Code(name(asked.policy))],
    ]
    parts.append(["whole digest ", Code(asked.digest)])
    return join(parts, [Rich(" · ")])


def _owner(asked: Approval) -> Line:
    """Name who answers for the agent, as Slack names people where it is a member."""
    return [" of ", Mention(asked.owner, name(asked.owner))] if asked.owner else []


def _pieces(text: str) -> Iterator[str]:
    room = CHARACTERS_A_TEXT - len("``````")
    while text:
        kept = cut_escaped(text, room)
        if kept.strip():
            yield kept
        text = text[len(kept) :]


def asks_again(asked: Approval) -> Line:
    """Say what a form is about."""
    return [Bold(asked.id), ": ", *asks(asked)[1:]]
