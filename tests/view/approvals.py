"""An approval as the tests of faces show it: the example of the wording."""

from dataclasses import replace
from typing import Any

from faultbook.base.clock import HOUR, MINUTE
from faultbook.model.approval import Action, Approval, ApprovalState, Decision, EvidenceLink, Vote
from faultbook.model.approval_policy import ApprovalPolicy, Threshold, Voters
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
