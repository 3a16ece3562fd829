"""Approvals as text for a terminal or a pipe, from their public documents, local or a server's."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faultbook.base.clock import Instant
from faultbook.base.text import one_line
from faultbook.model.approval import (
    Action,
    Approval,
    ApprovalState,
    Decision,
    EvidenceLink,
    Vote,
)
from faultbook.model.approval_sight import ApprovalSight
from faultbook.model.person import Person
from faultbook.view import approval_lines
from faultbook.view.approval_values import parameters_of, to_whom
from faultbook.view.lines import name, plain, safe_url, utc, words
from faultbook.view.read_back import instant, instant_or_none, readable
from faultbook.view.terminal import Look, Row, columns, finished, laid_out

_LONGEST = 500
_NAME = 40
_INDENT, _LABEL = "    ", 30
_SIGNED = {
    ApprovalState.PENDING: "waiting",
    ApprovalState.APPROVED: "queued",
    ApprovalState.EXECUTING: "running",
    ApprovalState.EXECUTED: "done",
    ApprovalState.EXECUTION_FAILED: "failed",
    ApprovalState.EXECUTION_UNKNOWN: "lost",
}

Document = Mapping[str, Any]


def approval_text(document: Document, now: Instant, look: Look) -> str:
    """Show an approval with every parameter, its votes, and how it stands.

    Raises:
        UnavailableError: the document is none that this version can read.
    """
    with readable():
        asked = read_approval(document)
        opening = [plain(approval_lines.stands(ApprovalSight(asked)), now)]
        if asked.state is not ApprovalState.PENDING:
            opening.append(plain(approval_lines.asked_for(asked), now))
        told = [*_action(asked, look), "", *_reasons(asked, now), *_votes(asked, now)]
        return finished(
            opening, ["", *told, _facts(document, asked, now), *_next(document, asked)], look
        )


def stands_text(document: Document, now: Instant) -> str:
    """Say in one line how an approval stands.

    Raises:
        UnavailableError: the document is none that this version can read.
    """
    with readable():
        asked = read_approval(document)
        if asked.state is not ApprovalState.PENDING:
            return f"{asked.id}: {plain(approval_lines.stands(ApprovalSight(asked)), now)}\n"
        votes = f", {_counted(document)}" if _counted(document) else ""
        return f"{asked.id} waits{votes}, until {utc(asked.expires_at, now)} UTC.\n"


def approvals_text(documents: Sequence[Document], now: Instant, look: Look) -> str:
    """List approvals, in the order they are given.

    Raises:
        UnavailableError: a document is none that this version can read.
    """
    with readable():
        counts = Counter(str(one["state"]).replace("_", " ") for one in documents)
        opening = " · ".join(f"{count} {state}" for state, count in counts.items())
        return finished([opening], ["", *laid_out([_row(o, now) for o in documents], look)], look)


def read_approval(document: Document) -> Approval:
    """Take an approval back from what `approval_document` made, as far as it was told."""
    told, by = document["action"], document.get("triggered_by")
    superseded_by = document.get("superseded_by")
    return Approval(
        number=_number(document["id"]),
        action=Action(told["kind"], told["target"], told["environment"], dict(told["parameters"])),
        digest=str(document["digest"]),
        nonce="",
        why=document["why"],
        effect=document["effect"],
        evidence=tuple(EvidenceLink(one["name"], one["url"]) for one in document["evidence"]),
        agent=document["agent"],
        owner=document["owner"],
        policy=document["policy"],
        policy_version="",
        state=ApprovalState(document["state"]),
        created_at=instant(document["created_at"]),
        expires_at=instant(document["expires_at"]),
        task=None if document["task"] is None else _number(document["task"]),
        run_id=document["run_id"],
        triggered_by=None if by is None else Person("", by),
        decided_by=document["decided_by"] or "",
        decided_at=instant_or_none(document["decided_at"]),
        reason=document["reason"],
        superseded_by=None if superseded_by is None else _number(superseded_by),
        executed_at=instant_or_none(document["executed_at"]),
        outcome=document["outcome"],
        is_bypass=document["is_bypass"],
        review_due_at=instant_or_none(document["review_due_at"]),
        votes=tuple(_vote(one) for one in document["votes"]),
    )


def _vote(document: Document) -> Vote:
    person = Person("", document["voter"])
    decision, at = Decision(document["decision"]), instant(document["at"])
    return Vote(person, decision, document["reason"], (), at, bool(document["bypass"]))


def _row(document: Document, now: Instant) -> Row:
    asked = read_approval(document)
    state, action = asked.state, asked.action
    asking = f"{to_whom(action)}, by {name(asked.agent, _NAME)}"
    told: list[str] = []
    if state is ApprovalState.PENDING:
        told += [_counted(document), f"until {utc(asked.expires_at, now)}"]
    elif asked.decided_at is not None:
        told.append(f"{name(asked.decided_by, _NAME)} {utc(asked.decided_at, now)}")
    if asked.task is not None:
        told.append(f"for T-{asked.task}")
    what = f"{name(action.kind, _NAME)} in {name(action.environment, _NAME)}"
    sign = _SIGNED.get(state, "cancelled")
    stands = ", ".join(part for part in told if part)
    lines = [line for line in (asking, stands) if line]
    return Row(sign, state.value.replace("_", " "), asked.id, what, lines)


def _action(asked: Approval, look: Look) -> Iterator[str]:
    """Give everything that will run; a long line goes on in the next one, nothing is cut."""
    shown = parameters_of(asked.action)
    longest = min(max((len(one.label) for one in shown), default=0), _LABEL)
    for one in shown:
        label = one.label.lower() if one.is_ours else one.label
        line = f"{_INDENT}{label:<{longest}}  {one.value}"
        room = len(line) if look.width is None else columns(look.width)
        yield line[:room]
        rest = line[room:]
        while rest:
            yield f"{_INDENT * 2}{rest[: room - len(_INDENT) * 2]}"
            rest = rest[room - len(_INDENT) * 2 :]


def _reasons(asked: Approval, now: Instant) -> Iterator[str]:
    for line in approval_lines.why(asked, _LONGEST):
        yield plain(line, now)
    for one in asked.evidence:
        yield f"Evidence: {name(one.name)} {safe_url(one.url) or words(one.url)}"


def _votes(asked: Approval, now: Instant) -> Iterator[str]:
    for one in asked.votes:
        said = "broke the glass" if one.bypass else f"said {one.decision}"
        because = f": {one_line(one.reason)}" if one.reason else ""
        yield f"{name(one.voter.name)} {said} {utc(one.at, now)}{because}"


def _facts(document: Document, asked: Approval, now: Instant) -> str:
    line = plain(approval_lines.facts(ApprovalSight(asked)), now)
    votes = _counted(document) if asked.state is ApprovalState.PENDING else ""
    policy = f"policy {name(asked.policy, _NAME)}"
    return " · ".join(part for part in (line, policy, votes, "UTC") if part)


def _next(document: Document, asked: Approval) -> Iterator[str]:
    if _is_stuck(document):
        policy = name(asked.policy, _NAME)
        yield f"Nobody can decide it here: the policy {policy} is not set, or not as it was then."
    elif asked.state is ApprovalState.PENDING:
        yield f"Next: faultbook approval approve {asked.id} --digest {asked.short_digest}"
    elif asked.state is ApprovalState.EXECUTION_UNKNOWN:
        yield f"Next: faultbook approval outcome {asked.id} --happened --words 'what you found'"
    elif asked.review_due_at is not None:
        yield f"Next: faultbook approval review {asked.id} --note 'what you found'"


def _is_stuck(document: Document) -> bool:
    """Tell whether something waits that nobody can decide by the policies of who answered."""
    return document["state"] == ApprovalState.PENDING and document["needed"] is None


def _counted(document: Document) -> str:
    if document["needed"] is None:
        return ""
    return f"{int(document['counted'])} of {int(document['needed'])}"


def _number(text: str) -> int:
    return int(str(text).rpartition("-")[2])
