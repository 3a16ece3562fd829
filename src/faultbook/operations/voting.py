"""Voting: each person's vote counts once, and the one that meets a threshold decides."""

from dataclasses import dataclass, replace

from faultbook.base.errors import FaultbookError, NotFoundError
from faultbook.model.approval import REASON_LENGTH, Approval, ApprovalState, Vote
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    counted_for,
    decide,
    nearest_threshold,
)
from faultbook.model.ballot import Ballot
from faultbook.model.task import Card
from faultbook.operations.approval_notices import owe_card
from faultbook.operations.approval_rules import policy_changed, voted_before, why_no_vote
from faultbook.operations.approval_steps import (
    ASKED_NEXT,
    Refusal,
    as_it_is,
    audit_step,
    kept_words,
    named,
    refuse,
    settle,
    vote_facts,
)
from faultbook.store import approvals
from faultbook.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Counted:
    """A vote that counts.

    Attributes:
        votes, needed: how many of the nearest threshold are there.
    """

    approval: Approval
    votes: int
    needed: int


def vote(tx: Transaction, ballot: Ballot, policies: ApprovalPolicies) -> Counted | Refusal:
    """Take a person's vote; the one that meets a threshold decides, once.

    A card that still offered what is decided is painted again.
    """
    judged = _judge(tx, ballot, policies)
    if isinstance(judged, Refusal):
        return judged
    asked, policy = judged
    voter, told = ballot.voter, kept_words(ballot.reason, REASON_LENGTH)
    cast = Vote(voter, ballot.decision, told, counted_for(policy, ballot.membership), tx.now)
    if not approvals.add_vote(tx, asked.number, cast):
        return _refuse(tx, ballot, voted_before(asked, voter), asked)
    audit_step(tx, f"vote.{cast.decision}", asked.number, named(voter), vote_facts(asked, cast))
    votes = (*asked.votes, cast)
    moved = replace(asked, revision=asked.revision + 1, votes=votes)
    outcome = decide(policy.thresholds, votes)
    if outcome is None:
        approvals.touch(tx, asked.number)
        owe_card(tx, asked.number)
    else:
        settle(tx, asked.number, outcome, voter.name, told)
        moved = replace(moved, state=outcome, decided_by=voter.name, decided_at=tx.now, reason=told)
    return Counted(moved, *nearest_threshold(policy.thresholds, votes, ballot.decision))


def may_vote(tx: Transaction, ballot: Ballot, policies: ApprovalPolicies) -> Approval | Refusal:
    """Tell whether a person's vote would count, before they are asked for its reason."""
    judged = _judge(tx, replace(ballot, reason=ASKED_NEXT), policies)
    if isinstance(judged, Refusal):
        return judged
    asked, _ = judged
    if any(one.voter.id == ballot.voter.id for one in asked.votes):
        return _refuse(tx, ballot, voted_before(asked, ballot.voter), asked)
    return asked


def _judge(
    tx: Transaction, ballot: Ballot, policies: ApprovalPolicies
) -> tuple[Approval, ApprovalPolicy] | Refusal:
    """Hold what a vote is about, and give the policy that it comes under."""
    try:
        asked = as_it_is(tx, ballot.number)
    except NotFoundError as unknown:  # the click of a card that is not ours
        return _refuse(tx, ballot, unknown)
    policy = policies.of(asked)
    error = why_no_vote(asked, ballot, policy)
    if error is not None or policy is None:
        return _refuse(tx, ballot, error or policy_changed(asked), asked)
    return asked, policy


def _refuse(
    tx: Transaction, ballot: Ballot, error: FaultbookError, asked: Approval | None = None
) -> Refusal:
    action = None
    if asked is not None:
        action = asked.action
        _repaint_stale(tx, asked, ballot.clicked)
    by, subject = named(ballot.voter), f"A-{ballot.number}"
    return refuse(tx, "vote.refused", subject, by, error, action, ballot.decision)


def _repaint_stale(tx: Transaction, asked: Approval, clicked: Card | None) -> None:
    """Owe another paint of a card whose buttons were there although all is decided."""
    if clicked is None or asked.state is ApprovalState.PENDING:
        return
    place = approvals.find_place(tx, asked.number)
    if place is None or place.card != clicked:
        return
    if place.painted == place.revision:
        approvals.touch(tx, asked.number)
    owe_card(tx, asked.number)
