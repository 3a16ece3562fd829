"""The real server with policies, an agent that asks, and people who decide."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from faultbook.base.errors import UnavailableError
from faultbook.intake.http.app import build_app
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    ExecutorPlan,
    Membership,
    Threshold,
    Voters,
)
from faultbook.model.person import Person
from faultbook.operations import auditing
from faultbook.store.engine import Store
from tests.conftest import FrozenClock
from tests.intake.http.conftest import POLICY, ROUTES, SETTINGS, Api, serving

ASKER = ("approvals:request",)
ANA, BEN, CHRIS = "UANA", "UBEN", "UCHRIS"
NAMES = {ANA: "Ana Ruiz", BEN: "Ben Okafor", CHRIS: "Chris Lind"}
FINANCE = Threshold(Voters(users=frozenset({ANA, BEN, CHRIS})))
POLICIES = ApprovalPolicies(
    (
        ApprovalPolicy(
            "refund-prod",
            frozenset({"refund"}),
            (FINANCE,),
            environments=frozenset({"production"}),
            break_glass=Voters(users=frozenset({BEN})),
            per_hour=30,
        ),
        ApprovalPolicy(
            "two-of-us",
            frozenset({"deploy"}),
            (Threshold(FINANCE.voters, approve=2),),
            reason_to_deny=True,
        ),
        ApprovalPolicy("rarely", frozenset({"mail"}), (FINANCE,), per_hour=2),
        ApprovalPolicy(
            "by-us", frozenset({"publish"}), (FINANCE,), executor=ExecutorPlan(("true",))
        ),
    )
)
REFUND: dict[str, Any] = {
    "kind": "refund",
    "target": "c_881",
    "environment": "production",
    "parameters": {"amount": "120.00", "currency": "EUR"},
    "why": "charged twice",
}


@dataclass
class Slack:
    """What Slack knows of people; it may be away."""

    gone: set[str] = field(default_factory=set)
    is_away: bool = False
    asked_for: list[list[str]] = field(default_factory=list)

    async def __call__(
        self, people: Collection[Person], policies: Collection[ApprovalPolicy]
    ) -> Mapping[str, Membership]:
        self.asked_for.append([policy.name for policy in policies])
        if self.is_away:
            raise UnavailableError("Slack is away", code="lookup_failed")
        return {
            one.id: Membership(
                one.id, name=NAMES.get(one.id, ""), is_active=one.id not in self.gone
            )
            for one in people
        }


@dataclass
class Desk:
    """A server, an agent that asks it, and people who decide."""

    api: Api
    slack: Slack
    agent: httpx.Client
    stop_waiting: Callable[[], None]

    def ask(self, status: int = 201, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
        """Ask for a refund, or for what else the fields say."""
        answer = self.agent.post("/v1/approvals", json=REFUND | fields)
        assert answer.status_code == status, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def person(self, who: str) -> httpx.Client:
        """Make a client with a person's own token."""
        return self.api.client("approvals:decide", person=who)

    def decide(
        self, asked: Mapping[str, Any], who: str = BEN, verb: str = "approve", reason: str = ""
    ) -> httpx.Response:
        """Decide as a person, whatever comes of it."""
        body = {"digest": asked["digest"], "reason": reason}
        return self.person(who).post(f"/v1/approvals/{asked['id']}/{verb}", json=body)

    def approved(self, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
        """Ask, and have Ben approve."""
        answer = self.decide(self.ask(**fields))
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def tell(self, asked: Mapping[str, Any], verb: str, **body: Any) -> httpx.Response:  # noqa: ANN401 - JSON values
        """Tell something of an approval, as the agent."""
        return self.agent.post(f"/v1/approvals/{asked['id']}/{verb}", json=body)

    def read(self, asked: Mapping[str, Any], wait: float = 0) -> dict[str, Any]:
        """Read an approval."""
        answer = self.agent.get(f"/v1/approvals/{asked['id']}", params={"wait": wait})
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def audited(self) -> list[str]:
        """List the kinds of the audit log's entries, tokens aside, the oldest first."""
        found = self.api.store.read(auditing.list_newest, 100)
        kinds = [record.kind for record in sorted(found, key=lambda one: one.sequence)]
        return [kind for kind in kinds if not kind.startswith("token.")]


def desk_of(store: Store, clock: FrozenClock, *, has_slack: bool = False) -> Iterator[Desk]:
    """Serve a store under the policies."""
    slack = Slack()
    app = build_app(store, POLICY, SETTINGS, ROUTES, POLICIES, slack, has_slack=has_slack)
    with serving(app) as url:
        api = Api(url, store, clock)
        try:
            agent = api.client(*ASKER, "tasks:work", agent="refund-bot")
            yield Desk(api, slack, agent, app.state.stop_waiting)
        finally:
            app.state.stop_waiting()
            api.close()


@pytest.fixture
def desk(store: Store, clock: FrozenClock) -> Iterator[Desk]:
    """Serve each of the two stores."""
    yield from desk_of(store, clock)


@pytest.fixture
def sqlite_desk(sqlite_store: Store, clock: FrozenClock) -> Iterator[Desk]:
    """Serve a SQLite store, for tests that are not about the store."""
    yield from desk_of(sqlite_store, clock)
