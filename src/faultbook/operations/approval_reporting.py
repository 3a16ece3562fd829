"""Approvals by those who hold tokens: an agent's own, and people's decisions in their own name."""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from faultbook.base.errors import ConflictError, ForbiddenError, InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.approval_policy import LOOKUP_FAILED, Membership
from faultbook.model.person import Person
from faultbook.model.token import Scope, Token
from faultbook.operations.approval_requests import cancel_approval
from faultbook.operations.approval_rules import foreign
from faultbook.operations.approval_steps import Refusal, as_it_is, find_approval, refuse
from faultbook.operations.approvals import list_approvals
from faultbook.operations.execution import report_execution
from faultbook.store import approvals
from faultbook.store.approvals import ApprovalFilter
from faultbook.store.transaction import Transaction

_ID = re.compile(r"(?i:a-)?([0-9]{1,12})")
_SEES_ALL = frozenset({Scope.APPROVALS_READ, Scope.APPROVALS_DECIDE})

LOOKUP_WORDS = (
    "Slack didn't confirm that you may decide, so your decision did not count. Try again."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval that was asked for.

    Attributes:
        is_new: it was asked for now; else the same waited, or was approved, already.
    """

    approval: Approval
    is_new: bool


def parse_approval_id(text: str) -> int:
    """Read an approval's id, `A-7` or 7.

    Raises:
        InvalidError: it is none.
    """
    match = _ID.fullmatch(text.strip())
    if match is None:
        raise InvalidError(
            f"`{cut(one_line(redact(text)), 40)}` is no approval's id.",
            code="bad_approval_id",
            next_step="It reads like A-7: the card and `faultbook approval list` show it.",
            where="approval",
        )
    return int(match[1])


def person_of(token: Token) -> Person:
    """Say whose decision comes with a token.

    Raises:
        ForbiddenError: it is an agent's.
    """
    if token.person is None or Scope.APPROVALS_DECIDE not in token.scopes:
        raise ForbiddenError(
            f"The token {token.id} is no person's that decides.",
            code="not_a_person",
            next_step="Make one: faultbook token create --person NAME"
            f" --scope {Scope.APPROVALS_DECIDE}.",
            where="Authorization",
        )
    return Person(token.person, token.person)


def nobody_confirms(person: Person) -> Membership:
    """Say of a person that Slack could not be asked: their vote is refused, and counts later."""
    return Membership(person.id, is_active=False, why_not=LOOKUP_WORDS, why_code=LOOKUP_FAILED)


def was_asked_now(tx: Transaction, asked: Approval) -> bool:
    """Tell whether an approval was asked for in this very transaction."""
    return any(
        entry.kind == "approval.requested" and entry.subject == asked.id for entry in tx.audited
    )


def read_reported(tx: Transaction, token: Token, number: int) -> Approval:
    """Read an approval that a token may see.

    Raises:
        NotFoundError: there is none of that number.
        ForbiddenError: it is another agent's.
    """
    asked = find_approval(tx, number)
    check_seen(token, asked)
    return asked


def check_seen(token: Token, asked: Approval) -> None:
    """Hold an agent that may only ask to what it asked for.

    Raises:
        ForbiddenError: it is another agent's.
    """
    if token.scopes.isdisjoint(_SEES_ALL) and asked.agent != token.agent:
        raise foreign(asked.id, token.agent, "approval")


def is_overdue(tx: Transaction, asked: Approval) -> bool:
    """Tell whether an approval waits though its time is over."""
    return asked.state is ApprovalState.PENDING and asked.expires_at <= tx.now


def settled(tx: Transaction, number: int) -> Approval:
    """Read an approval, ended first if its time is over or its task was cancelled.

    Raises:
        NotFoundError: there is none of that number.
    """
    return as_it_is(tx, number)


def list_reported(tx: Transaction, token: Token, wanted: ApprovalFilter) -> Sequence[Approval]:
    """List the approvals that a token may see.

    Raises:
        ForbiddenError: another agent's are asked for.
    """
    if token.scopes.isdisjoint(_SEES_ALL):
        if wanted.agent not in {None, token.agent}:
            raise foreign(f"{wanted.agent}'s list", token.agent, "agent")
        wanted = replace(wanted, agent=token.agent)
    return list_approvals(tx, wanted)


def cancel_own(tx: Transaction, token: Token, number: int) -> Approval | Refusal:
    """Take back what the token's agent, or the person whose token it is, asked for.

    Raises:
        NotFoundError: there is none of that number.
    """
    return cancel_approval(tx, number, token.person or token.agent)


def report_own(
    tx: Transaction, token: Token, number: int, grant: str, *, worked: bool, words: str
) -> Approval | Refusal:
    """Record how an execution by the token's agent ended.

    Raises:
        NotFoundError: there is none of that number.
    """
    asked = find_approval(tx, number)
    if asked.agent != token.agent:
        error = foreign(asked.id, token.agent, "approval")
        return refuse(tx, "report.refused", asked.id, token.agent, error, asked.action)
    return report_execution(tx, number, grant, token.agent, worked=worked, words=words)


def check_grant(tx: Transaction, number: int, grant: str) -> None:
    """Hold that a grant which is given once more is still under way, so that nothing runs twice.

    Raises:
        ConflictError: it was reported, or it ran out.
    """
    asked = find_approval(tx, number)
    held = hmac.compare_digest(approvals.find_grant(tx, number).encode(), grant.encode())
    if held and asked.state is ApprovalState.EXECUTING:
        return
    raise ConflictError(
        f"{asked.id} is {asked.state}; it may not run again.",
        code=f"approval_{asked.state}",
        next_step="Ask again if it is still wanted.",
        where="Idempotency-Key",
    )
