"""Approvals by those who hold tokens: an agent's own, and people's decisions in their own name."""

import re
from collections.abc import Sequence
from dataclasses import replace

from faultbook.base.errors import ConflictError, ForbiddenError, InvalidError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.model.approval import Approval, ApprovalState, EvidenceLink, NewApproval
from faultbook.model.approval_policy import (
    LOOKUP_FAILED,
    NOT_COUNTED,
    POLICY_NOT_HERE,
    ApprovalPolicies,
    Membership,
)
from faultbook.model.document_approvals import NewApprovalDocument
from faultbook.model.person import Person
from faultbook.model.token import Scope, Token
from faultbook.operations.approval_requests import cancel_approval, check_action
from faultbook.operations.approval_rules import foreign
from faultbook.operations.approval_steps import Refusal, as_it_is, find_approval, refuse
from faultbook.operations.approvals import list_approvals
from faultbook.operations.execution import report_execution
from faultbook.operations.execution_rules import is_equal
from faultbook.operations.tasks import parse_task_id
from faultbook.store import executions
from faultbook.store.approvals import ApprovalFilter
from faultbook.store.transaction import Transaction

_ID = re.compile(r"(?i:a-)?([0-9]{1,12})")
_SEES_ALL = frozenset({Scope.APPROVALS_READ, Scope.APPROVALS_DECIDE})

LOOKUP_WORDS = f"Slack didn't confirm that you may decide, so {NOT_COUNTED}. Try again."


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
            next_step="Make one: faultbook token create --person MEMBER-ID"
            f" --scope {Scope.APPROVALS_DECIDE}.",
            where="Authorization",
        )
    return Person(token.person, token.person)


def refuse_agent(
    tx: Transaction, kind: str, number: int, token: Token, error: ForbiddenError
) -> Refusal:
    """Record that an agent's token was used for what people alone do."""
    return refuse(tx, kind, f"A-{number}", f"{token.agent} ({token.id})", error)


def nobody_confirms(person: Person) -> Membership:
    """Say of a person that Slack could not be asked: their vote is refused, and counts later."""
    return Membership(person.id, is_active=False, why_not=LOOKUP_WORDS, why_code=LOOKUP_FAILED)


def membership_by_id(asked: Approval, person: Person, policies: ApprovalPolicies) -> Membership:
    """Say of a person what the settings alone say, where no Slack is asked."""
    policy = policies.named(asked.policy)
    if policy is None:
        words = (
            f"Policy `{asked.policy}` is not set here, so {NOT_COUNTED}."
            " Decide in Slack, or by FAULTBOOK_URL."
        )
        return Membership(person.id, is_active=False, why_not=words, why_code=POLICY_NOT_HERE)
    voters = [policy.break_glass, *(one.voters for one in policy.thresholds)]
    listed = any(person.id in one.users for one in voters)
    if listed or not any(one.groups or one.channels for one in voters):
        return Membership(person.id)
    words = (
        f"Slack is not asked here, and only it knows who is in the groups or channels of"
        f" `{policy.name}`, so {NOT_COUNTED}. Decide in Slack, or by FAULTBOOK_URL."
    )
    return Membership(person.id, is_active=False, why_not=words, why_code="memberships_unknown")


def new_approval(document: NewApprovalDocument, environment: str, token: Token) -> NewApproval:
    """Make a request of what was asked for; `environment` holds where it says none.

    Raises:
        InvalidError: a fraction, a secret, no JSON, no id; `where` names the place.
        TooLargeError: it is over the limit.
    """
    environment = document.environment or environment
    action = check_action(document.kind, document.target, environment, document.parameters)
    replaced = document.supersedes
    return NewApproval(
        action=action,
        why=document.why,
        effect=document.effect,
        agent=token.agent,
        owner=token.owner,
        evidence=tuple(EvidenceLink(link.name, link.url) for link in document.evidence),
        task=None if document.task is None else parse_task_id(document.task),
        run_id=document.run_id,
        ttl_seconds=document.ttl_seconds,
        supersedes=None if replaced is None else parse_approval_id(replaced),
        webhook=document.webhook,
    )


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
    held = is_equal(executions.find_grant(tx, number), grant)
    if held and asked.state is ApprovalState.EXECUTING:
        return
    raise ConflictError(
        f"{asked.id} is {asked.state}; it may not run again.",
        code=f"approval_{asked.state}",
        next_step="Ask again if it is still wanted.",
        where="Idempotency-Key",
    )
