"""Small steps that people take with approvals from Slack: votes on a card, and before a form."""

from dataclasses import dataclass

from faultbook.base.errors import NotFoundError
from faultbook.model.approval import Approval, ApprovalState, Decision
from faultbook.model.approval_policy import ApprovalPolicies, Membership
from faultbook.model.person import Person
from faultbook.model.task import Card
from faultbook.operations.approval_notices import owe_card
from faultbook.operations.approval_rules import voted_before, why_no_vote
from faultbook.operations.approval_steps import Refusal, as_it_is, named, refuse
from faultbook.operations.approvals import Counted, vote
from faultbook.store import approvals
from faultbook.store.transaction import Transaction

_ANY_REASON = "asked for next"


@dataclass(frozen=True, slots=True)
class Ballot:
    """A person's decision about what they were shown.

    Attributes:
        membership: what Slack says of the voter.
        shown: the digits of the digest that the voter saw.
        clicked: the message with the button; None in a view.
    """

    number: int
    voter: Person
    decision: Decision
    membership: Membership
    shown: str
    reason: str = ""
    clicked: Card | None = None


def cast_ballot(tx: Transaction, ballot: Ballot, policies: ApprovalPolicies) -> Counted | Refusal:
    """Take a person's vote; a card that still offered what is decided is painted again."""
    result = vote(
        tx,
        ballot.number,
        ballot.voter,
        ballot.decision,
        ballot.reason,
        ballot.membership,
        policies,
        ballot.shown,
    )
    if isinstance(result, Refusal):
        _repaint_stale(tx, ballot)
    return result


def may_vote(tx: Transaction, ballot: Ballot, policies: ApprovalPolicies) -> Approval | Refusal:
    """Tell whether a person's vote would count, before they are asked for its reason."""
    number, voter, decision = ballot.number, ballot.voter, ballot.decision
    try:
        asked = as_it_is(tx, number)
    except NotFoundError as unknown:  # the click of a card that is not ours
        return refuse(tx, "vote.refused", f"A-{number}", named(voter), unknown, None, decision)
    policy = policies.of(asked)
    error = why_no_vote(
        asked, voter, decision, _ANY_REASON, ballot.membership, policy, ballot.shown
    )
    if error is None and any(one.voter.id == voter.id for one in asked.votes):
        error = voted_before(asked, voter)
    if error is None:
        return asked
    _repaint_stale(tx, ballot)
    return refuse(tx, "vote.refused", asked.id, named(voter), error, asked.action, decision)


def _repaint_stale(tx: Transaction, ballot: Ballot) -> None:
    """Owe another paint of a card whose buttons were there although all is decided."""
    asked = approvals.find(tx, ballot.number)
    place = approvals.find_place(tx, ballot.number)
    if asked is None or asked.state is ApprovalState.PENDING:
        return
    if place is None or place.card is None or place.card != ballot.clicked:
        return
    if place.painted == place.revision:
        approvals.touch(tx, ballot.number)
    owe_card(tx, ballot.number)
