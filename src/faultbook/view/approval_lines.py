"""What every face says of an approval: what is asked, how it stands, and its small print."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from faultbook.model.approval import Approval, ApprovalState, Decision, EvidenceLink
from faultbook.model.approval_sight import ApprovalSight
from faultbook.view.approval_values import to_whom
from faultbook.view.lines import (
    DOT,
    Bold,
    Code,
    Line,
    Link,
    Moment,
    Sign,
    Span,
    join,
    name,
    safe_url,
    sentence,
    strong,
    words,
)

NOTHING_RAN = "Nothing ran."
_CODE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_LINKS = 3
_LINK_NAME = 40
_LINK_ON_CARD = 150
_APPROVERS = 3


def asks(asked: Approval) -> Line:
    """Say who asks for what."""
    return [
        Sign("raised_hand"),
        *strong(f"{name(asked.agent)} asks to run ", Code(name(asked.action.kind)), _in(asked)),
    ]


def _ran_before(sight: ApprovalSight) -> list[Line]:
    earlier = sight.earlier
    if earlier is None:
        return []
    named = f" A-{earlier.number}"
    told: Line
    if earlier.state is ApprovalState.EXECUTED:
        told = [Bold("The same ran before:"), f"{named}, ", Moment(earlier.at), "."]
    elif earlier.state is ApprovalState.EXECUTING:
        told = [Bold("The same runs now:"), f"{named}."]
    else:
        told = [Bold("The same may have run:"), f"{named}, outcome unknown."]
    return [[Sign("warning"), *told]]


def nobody_decides(asked: Approval) -> Line:
    """Say of what waits that no vote can count, since its policy changed."""
    said = " changed since this was asked, so nobody can decide it. The agent asks again."
    return [Sign("warning"), "The policy ", Code(name(asked.policy)), said]


def warnings(sight: ApprovalSight) -> list[Line]:
    """Say what whoever decides has to know first: that nobody can, or that the same ran."""
    if sight.approval.state is ApprovalState.PENDING and not sight.is_open:
        return [nobody_decides(sight.approval)]
    return _ran_before(sight)


def asked_for(asked: Approval) -> Line:
    """Say what was asked for, below what became of it."""
    return [Code(name(asked.action.kind)), _in(asked), f", asked by {name(asked.agent)}"]


def stands(sight: ApprovalSight) -> Line:
    """Say how an approval stands: the first line of its card."""
    return _STANDS[sight.approval.state](sight.approval)


def why(asked: Approval, length: int) -> list[Line]:
    """Say what will happen and why, as far as the asker said it, each on one line."""
    told: list[Line] = []
    if asked.effect:
        told.append([Bold("Will happen:"), " ", words(asked.effect, length)])
    if asked.why:
        told.append([Bold("Why:"), " ", words(asked.why, length)])
    return told


def evidence(asked: Approval, *, linked: bool = True) -> Line:
    """Name what the asker points at; a long address is a link in the details only."""
    shown: list[Line] = []
    for one in asked.evidence[:_LINKS]:
        url = safe_url(one.url)
        is_short = linked and url is not None and len(url) <= _LINK_ON_CARD
        label = name(one.name or one.url, _LINK_NAME)
        at = host_beside(one, url)
        shown.append([Link(url, label), at] if url is not None and is_short else [label, at])
    left = len(asked.evidence) - _LINKS
    more: list[Line] = [[f"and {left} more"]] if left > 0 else []
    return [Bold("Evidence:"), " ", *join([*shown, *more], [", "])] if shown else []


def host_beside(link: EvidenceLink, url: str | None) -> str:
    """Say where a link leads beside a label that is the asker's: anything can be written there."""
    if url is None or link.name in ("", link.url):
        return ""
    return f" ({name(urlsplit(url).hostname or '', _LINK_NAME)})"


def facts(sight: ApprovalSight) -> Line:
    """Give the small print: its name, whose task, its votes, its digest, its end."""
    asked = sight.approval
    parts: list[Line] = [[asked.id]]
    if asked.task is not None:
        of = f"{name(asked.triggered_by.name)}'s " if asked.triggered_by is not None else ""
        parts.append([f"for {of}task T-{asked.task}"])
    parts += _votes(sight)
    parts.append(["digest ", Code(asked.short_digest)])
    if asked.state is ApprovalState.PENDING:
        parts.append(["until ", Moment(asked.expires_at)])
    if asked.is_bypass:
        due = asked.review_due_at
        by = f" by {name(sight.review.by)}" if sight.review is not None else ""
        parts.append([f"reviewed{by}"] if due is None else ["review due by ", Moment(due)])
    return join(parts, DOT)


def reviewed(sight: ApprovalSight, length: int) -> Line:
    """Say who looked at a bypass, and what they found."""
    review = sight.review
    if review is None:
        return [Bold("Reviewed.")]
    said = sentence(words(review.note, length))
    return [Bold("Reviewed"), f" by {name(review.by)} ", Moment(review.at), f": {said}"]


def listed(sight: ApprovalSight) -> Line:
    """Tell an approval in one line of a list."""
    asked = sight.approval
    parts: list[Line] = [
        [Bold(asked.id), " ", *action_in_short(asked)],
        [name(asked.agent)],
        *_votes(sight),
    ]
    if asked.state is ApprovalState.PENDING:
        return join([*parts, ["until ", Moment(asked.expires_at)]])
    return join([*parts, [short_state(asked)]])


def action_in_short(asked: Approval) -> Line:
    """Say what is to run, to whom and where, in one line."""
    return [Code(name(asked.action.kind)), f" {to_whom(asked.action)}", _in(asked)]


def short_state(asked: Approval) -> str:
    """Name a state in a list."""
    return asked.state.value.replace("_", " ")


def confirmation(sight: ApprovalSight) -> tuple[str, str]:
    """Give title and words of the question that precedes an approval of high risk."""
    asked = sight.approval
    said = f"{to_whom(asked.action)}{_in(asked)}. Digest {asked.short_digest}."
    return f"Run {name(asked.action.kind)}?", said


def approvers(asked: Approval) -> str:
    """Name those who approved, the first of many."""
    found = [name(one.voter.name) for one in asked.votes if one.decision is Decision.APPROVE]
    if not found:
        return name(asked.decided_by)
    if len(found) > _APPROVERS:
        return f"{', '.join(found[:_APPROVERS])} and {len(found) - _APPROVERS} more"
    return " and ".join((", ".join(found[:-1]), found[-1])) if found[1:] else found[0]


def _in(asked: Approval) -> str:
    return f" in {name(asked.action.environment)}" if asked.action.environment else ""


def _votes(sight: ApprovalSight) -> list[Line]:
    if sight.approval.state is not ApprovalState.PENDING or sight.policy is None:
        return []
    have, needed = sight.votes(Decision.APPROVE)
    against, denies = sight.votes(Decision.DENY)
    found: list[Line] = [[f"{have} of {needed}"]]
    return [*found, [f"{against} of {denies} against"]] if against else found


def _by(asked: Approval, who: str) -> Line:
    at: Line = [] if asked.decided_at is None else [" ", Moment(asked.decided_at)]
    because = f": {words(asked.reason)}" if asked.reason else ""
    return [f" by {who}", *at, because]


def _approved(asked: Approval) -> Line:
    if asked.is_bypass:
        by = _by(asked, name(asked.decided_by))
        return [Sign("rotating_light"), *strong("Approved without its approvers"), *by, ". "]
    return [*strong("Approved"), *_by(asked, approvers(asked)), ". "]


def _executed(asked: Approval) -> Line:
    at: Line = [] if asked.executed_at is None else [" ", Moment(asked.executed_at)]
    told = f": {words(asked.outcome)}" if asked.outcome else ""
    return [*_approved(asked), "Executed", *at, f"{told}."]


def _executing(asked: Approval) -> Line:
    until: Line = (
        [] if asked.grant_until is None else [", to report by ", Moment(asked.grant_until)]
    )
    return [*_approved(asked), "It runs now", *until, "."]


def _failed(asked: Approval) -> Line:
    told = words(asked.outcome) or "it said nothing"
    said: Span = Code(told) if _CODE.fullmatch(told) else told
    return [*strong("Approved, but failed:"), " ", said, "."]


def _unknown(_: Approval) -> Line:
    said = " It may have happened; it will not be repeated. Check, then record it."
    return [Sign("warning"), *strong("Outcome unknown."), said]


def _denied(asked: Approval) -> Line:
    return [*strong("Denied"), *_by(asked, name(asked.decided_by)), f". {NOTHING_RAN}"]


def _expired(asked: Approval) -> Line:
    said = f" unanswered, which denies it. {NOTHING_RAN}"
    return [*strong("Expired"), " ", Moment(asked.expires_at), said]


def _superseded(asked: Approval) -> Line:
    head = strong(f"Superseded by A-{asked.superseded_by}:")
    return [*head, f" the parameters changed. {NOTHING_RAN}"]


def _cancelled(asked: Approval) -> Line:
    return [*strong("Cancelled"), *_by(asked, name(asked.decided_by)), f". {NOTHING_RAN}"]


_STANDS: dict[ApprovalState, Callable[[Approval], Line]] = {
    ApprovalState.PENDING: asks,
    ApprovalState.APPROVED: lambda asked: [*_approved(asked), "Waiting to run."],
    ApprovalState.EXECUTING: _executing,
    ApprovalState.EXECUTED: _executed,
    ApprovalState.EXECUTION_FAILED: _failed,
    ApprovalState.EXECUTION_UNKNOWN: _unknown,
    ApprovalState.DENIED: _denied,
    ApprovalState.EXPIRED: _expired,
    ApprovalState.SUPERSEDED: _superseded,
    ApprovalState.CANCELLED: _cancelled,
}
