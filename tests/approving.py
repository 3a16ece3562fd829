"""Approvals as tests make them: asked for, and approved by one person who may."""

from collections.abc import Collection, Mapping
from typing import Any

from faultbook.model.approval import Approval, Decision, NewApproval
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    ExecutorPlan,
    Membership,
    Threshold,
    Voters,
)
from faultbook.model.ballot import Ballot
from faultbook.model.person import Person
from faultbook.model.webhook import WebhookRules
from faultbook.operations.approval_requests import check_action, request_approval
from faultbook.operations.approval_steps import find_approval
from faultbook.operations.voting import vote
from faultbook.store.engine import Store
from faultbook.store.transaction import Transaction

BEN = Person("UBEN", "Ben")
AGENT = "refund-bot"


def policy(kind: str = "refund", plan: ExecutorPlan | None = None, **more: Any) -> ApprovalPolicy:  # noqa: ANN401 - fields of several types
    """Make a policy by which Ben decides about a kind of actions."""
    voters = Threshold(Voters(users=frozenset({BEN.id})))
    usual: dict[str, Any] = {"per_hour": 10_000, "loop_seconds": 0.0, "channel": "CAPPROVALS"}
    return ApprovalPolicy(
        f"{kind}-prod", frozenset({kind}), (voters,), executor=plan, **(usual | more)
    )


def policies(*all_of_them: ApprovalPolicy, allow: Collection[str] = ()) -> ApprovalPolicies:
    """Make a team's policies, with the receivers of webhooks that may be private."""
    return ApprovalPolicies(all_of_them, webhooks=WebhookRules(frozenset(allow)))


async def everybody_is_there(
    people: Collection[Person], policies: Collection[ApprovalPolicy] = ()
) -> Mapping[str, Membership]:
    """Say that everybody may still decide."""
    del policies
    return {person.id: Membership(person.id) for person in people}


def ask(
    store: Store,
    rules: ApprovalPolicies,
    kind: str = "refund",
    parameters: Mapping[str, Any] | None = None,
    **more: Any,  # noqa: ANN401 - fields of several types
) -> Approval:
    """Ask for an approval."""
    action = check_action(kind, "order 17", "production", dict(parameters or {"amount": "120.00"}))
    new = NewApproval(action, "the customer was charged twice", "120.00", AGENT, "UANA", **more)
    asked = store.write(request_approval, new, rules)
    assert isinstance(asked, Approval), asked
    return asked


def approve(store: Store, rules: ApprovalPolicies, number: int) -> Approval:
    """Have Ben approve."""
    store.write(vote, Ballot(number, BEN, Decision.APPROVE, Membership(BEN.id)), rules)
    return read(store, number)


def approved(
    store: Store,
    rules: ApprovalPolicies,
    kind: str = "refund",
    parameters: Mapping[str, Any] | None = None,
    **more: Any,  # noqa: ANN401 - fields of several types
) -> Approval:
    """Make an approval that Ben has approved."""
    return approve(store, rules, ask(store, rules, kind, parameters, **more).number)


def read(store: Store, number: int) -> Approval:
    """Read an approval as it stands."""

    def found(tx: Transaction) -> Approval:
        return find_approval(tx, number)

    return store.read(found)
