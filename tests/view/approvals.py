"""An approval as the tests of faces show it: the example of the wording, in every state."""

from dataclasses import replace
from typing import Any

from faultbook.base.clock import HOUR, MINUTE
from faultbook.model.approval import Action, Approval, ApprovalState, Decision, EvidenceLink, Vote
from faultbook.model.approval_policy import ApprovalPolicy, Threshold, Voters
from faultbook.model.approval_sight import ApprovalSight
from faultbook.model.person import Person
from tests.view.answers import november

ASKED = november(18, 9, 14)
NOW = ASKED + 6 * MINUTE
BEN, CHRIS = Person("UBEN", "Ben"), Person("UCHRIS", "Chris")
POLICY = ApprovalPolicy(
    "refund-prod",
    frozenset({"refund"}),
    (Threshold(Voters(groups=frozenset({"SFINANCE"})), approve=2),),
    mention="SFINANCE",
)
REFUND = Action("refund", "c_881", "prod", {"customer": "c_881", "amount": "120.00 EUR"})
APPROVAL = Approval(
    number=7,
    action=REFUND,
    digest="3fa1c09be2d4" + "0" * 52,
    nonce="n",
    why="charged twice",
    effect="the card is credited; can't be undone",
    evidence=(EvidenceLink("two charges", "https://pay.example/c_881"),),
    agent="invoice-bot",
    owner="Olga",
    policy="refund-prod",
    policy_version="v",
    state=ApprovalState.PENDING,
    created_at=ASKED,
    expires_at=ASKED + HOUR,
    task=41,
    triggered_by=Person("UANA", "Ana"),
)
BY_BEN = Vote(BEN, Decision.APPROVE, "", (0,), NOW)
BY_CHRIS = replace(BY_BEN, voter=CHRIS)
DECIDED: dict[str, Any] = {"decided_by": "Ben", "decided_at": NOW, "votes": (BY_BEN,)}


def sight(policy: ApprovalPolicy | None = POLICY, **facts: Any) -> ApprovalSight:  # noqa: ANN401 - an approval's own fields
    return ApprovalSight(replace(APPROVAL, **facts), policy)


def decided(state: ApprovalState, **facts: Any) -> ApprovalSight:  # noqa: ANN401 - an approval's own fields
    return sight(state=state, **(DECIDED | facts))


FAILED, UNKNOWN = ApprovalState.EXECUTION_FAILED, ApprovalState.EXECUTION_UNKNOWN
BYPASS: dict[str, Any] = {
    "is_bypass": True,
    "reason": "the bank calls",
    "review_due_at": NOW + 24 * HOUR,
    "votes": (replace(BY_BEN, bypass=True, thresholds=()),),
}
STATES: dict[str, tuple[ApprovalSight, str, list[str]]] = {
    "pending": (
        sight(),
        "invoice-bot asks to run refund in prod. Target: c_881. customer c_881. amount 120.00 EUR.",
        ["Approve", "Deny", "Details"],
    ),
    "approved": (
        decided(ApprovalState.APPROVED, votes=(BY_BEN, BY_CHRIS)),
        "Approved by Ben and Chris 18 Nov 09:20 UTC. Waiting to run. refund in prod,",
        ["Details"],
    ),
    "approved with a reason": (
        decided(ApprovalState.APPROVED, reason="I saw both"),
        "Approved by Ben 18 Nov 09:20 UTC: I saw both. Waiting to run.",
        ["Details"],
    ),
    "executing": (
        decided(ApprovalState.EXECUTING, grant_until=NOW + 5 * MINUTE),
        "Approved by Ben 18 Nov 09:20 UTC. It runs now, to report by 18 Nov 09:25 UTC.",
        ["Details"],
    ),
    "executed": (
        decided(ApprovalState.EXECUTED, executed_at=NOW + MINUTE, outcome="refund re_1"),
        "Approved by Ben 18 Nov 09:20 UTC. Executed 18 Nov 09:21 UTC: refund re_1.",
        ["Details"],
    ),
    "failed": (
        decided(FAILED, executed_at=NOW, outcome="card_closed"),
        "Approved, but failed: card_closed. refund in prod, asked by invoice-bot.",
        ["Details"],
    ),
    "unknown": (
        decided(UNKNOWN, executed_at=NOW),
        ("Outcome unknown. It may have happened; it will not be repeated. Check, then record it."),
        ["Record outcome", "Details"],
    ),
    "denied": (
        decided(ApprovalState.DENIED, reason="wrong customer"),
        "Denied by Ben 18 Nov 09:20 UTC: wrong customer. Nothing ran.",
        ["Details"],
    ),
    "expired": (
        decided(ApprovalState.EXPIRED, decided_by="nobody", reason="unanswered"),
        "Expired 18 Nov 10:14 UTC unanswered, which denies it. Nothing ran.",
        ["Details"],
    ),
    "superseded": (
        decided(ApprovalState.SUPERSEDED, superseded_by=8),
        "Superseded by A-8: the parameters changed. Nothing ran.",
        ["Open A-8", "Details"],
    ),
    "cancelled": (
        decided(ApprovalState.CANCELLED, decided_by="invoice-bot", votes=()),
        "Cancelled by invoice-bot 18 Nov 09:20 UTC. Nothing ran.",
        ["Details"],
    ),
    "bypassed": (
        decided(ApprovalState.APPROVED, **BYPASS),
        ("Approved without its approvers by Ben 18 Nov 09:20 UTC: the bank calls. Waiting to run."),
        ["Record review", "Details"],
    ),
    "bypassed and unknown": (
        decided(UNKNOWN, **BYPASS),
        "Outcome unknown. It may have happened;",
        ["Record outcome", "Record review", "Details"],
    ),
}
