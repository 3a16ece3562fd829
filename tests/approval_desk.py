"""Approvals as tests ask for and decide them: what is not said is ordinary."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from faultbook.base.errors import FaultbookError
from faultbook.model.approval import Action, Approval, Decision, NewApproval
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    Membership,
    Threshold,
    Voters,
)
from faultbook.model.audit import AuditRecord
from faultbook.model.ballot import Ballot
from faultbook.model.person import Person
from faultbook.operations.approval_requests import request_approval
from faultbook.operations.approval_steps import Refusal, find_approval
from faultbook.operations.approvals import break_glass, expire_due
from faultbook.operations.execution import Grant, begin_execution, report_execution
from faultbook.operations.voting import Counted, vote
from faultbook.store import audit
from faultbook.store.engine import Store
from faultbook.store.schema import notices as notices_table
from faultbook.store.transaction import Transaction
from tests.task_desk import AGENT, ANA, BEN

CARA, DAN, EVE = Person("UCARA", "Cara Lind"), Person("UDAN", "Dan Moe"), Person("UEVE", "Eve Roth")
OWNER = "Olga Wren"
FINANCE, LEADS = "SFINANCE", "SLEADS"
GROUPS = {
    "UANA": {FINANCE},
    "UBEN": {FINANCE},
    "UCARA": {FINANCE, LEADS},
    "UDAN": {LEADS},
}
REFUND = ApprovalPolicy(
    name="refund-prod",
    kinds=frozenset({"refund"}),
    environments=frozenset({"production"}),
    thresholds=(Threshold(Voters(groups=frozenset({FINANCE}))),),
    channel="CFINANCE",
    break_glass=Voters(users=frozenset({"UEVE", "UBEN"})),
)
TWO = replace(REFUND, thresholds=(Threshold(Voters(groups=frozenset({FINANCE})), approve=2),))


def member(person: Person, **facts: Any) -> Membership:  # noqa: ANN401 - a membership's own fields
    """Say of a person what Slack would."""
    groups = frozenset(GROUPS.get(person.id, ()))
    return replace(Membership(person.id, groups), **facts)


@dataclass
class ApprovalDesk:
    """A store with an agent that asks, and people who decide."""

    store: Store
    policies: ApprovalPolicies = field(default_factory=lambda: ApprovalPolicies((REFUND,)))

    def under(self, *policies: ApprovalPolicy) -> "ApprovalDesk":
        """Give the same desk under other policies."""
        return ApprovalDesk(self.store, ApprovalPolicies(policies))

    def new(
        self,
        target: str = "c_881",
        amount: str = "120.00",
        *,
        kind: str = "refund",
        **facts: Any,  # noqa: ANN401 - a request's own fields
    ) -> NewApproval:
        """Make a request."""
        action = facts.pop("action", None) or Action(kind, target, "production", {"amount": amount})
        asked = NewApproval(action, "charged twice", "the card is credited", AGENT, OWNER)
        return replace(asked, **facts)

    def try_ask(self, *about: str, **facts: Any) -> Approval | Refusal:  # noqa: ANN401 - what `new` takes
        """Ask, whatever comes of it."""
        return self.store.write(request_approval, self.new(*about, **facts), self.policies)

    def ask(self, *about: str, **facts: Any) -> Approval:  # noqa: ANN401 - what `new` takes
        """Ask; it is taken."""
        asked = self.try_ask(*about, **facts)
        assert isinstance(asked, Approval), asked
        return asked

    def vote(
        self,
        asked: Approval | int,
        voter: Person = BEN,
        decision: Decision = Decision.APPROVE,
        *,
        reason: str = "",
        shown: str = "",
        membership: Membership | None = None,
    ) -> Counted | Refusal:
        """Vote, whatever comes of it."""
        number = asked if isinstance(asked, int) else asked.number
        told = membership or member(voter)
        ballot = Ballot(number, voter, decision, told, shown, reason)
        return self.store.write(vote, ballot, self.policies)

    def deny(self, asked: Approval, voter: Person = BEN, reason: str = "no") -> Counted | Refusal:
        """Deny, whatever comes of it."""
        return self.vote(asked, voter, Decision.DENY, reason=reason)

    def counted(self, asked: Approval, voter: Person = BEN, **how: Any) -> Counted:  # noqa: ANN401 - what `vote` takes
        """Vote; it counts."""
        counted = self.vote(asked, voter, **how)
        assert isinstance(counted, Counted), counted
        return counted

    def bypass(
        self,
        asked: Approval,
        by: Person = EVE,
        reason: str = "the bank calls",
        **facts: Any,  # noqa: ANN401 - a membership's own fields
    ) -> Approval | Refusal:
        """Break the glass, whatever comes of it."""
        told = member(by, **facts)
        return self.store.write(break_glass, asked.number, by, reason, told, self.policies)

    def begin(
        self,
        asked: Approval,
        *,
        digest: str | None = None,
        executor: str = AGENT,
        members: Mapping[str, Membership] | None = None,
        holder: str = "",
    ) -> Grant | Refusal:
        """Ask for the leave to execute."""
        everyone = {one.id: member(one) for one in (ANA, BEN, CARA, DAN, EVE)}
        told = everyone if members is None else members
        bound = asked.digest if digest is None else digest
        return self.store.write(
            begin_execution, asked.number, bound, executor, told, self.policies, holder
        )

    def granted(self, asked: Approval, **how: Any) -> Grant:  # noqa: ANN401 - what `begin` takes
        """Get the leave to execute."""
        grant = self.begin(asked, **how)
        assert isinstance(grant, Grant), grant
        return grant

    def report(
        self, asked: Approval, grant: str, *, worked: bool = True, words: str = "refund re_1"
    ) -> Approval | Refusal:
        """Report an execution, whatever comes of it."""

        def told(tx: Transaction) -> Approval | Refusal:
            return report_execution(tx, asked.number, grant, AGENT, worked=worked, words=words)

        return self.store.write(told)

    def expire(self) -> int:
        """Let expire what is due."""
        return self.store.write(expire_due)

    def find(self, asked: Approval | int) -> Approval:
        """Read an approval as it stands."""
        number = asked if isinstance(asked, int) else asked.number
        return self.store.read(find_approval, number)

    def audited(self) -> list[tuple[str, str, str]]:
        """List the audit log's entries: kind, subject, actor."""
        return [(one.kind, one.subject, one.actor) for one in self._records()]

    def kinds(self) -> list[str]:
        """List the audit log's kinds."""
        return [one.kind for one in self._records()]

    def facts(self) -> dict[str, Any]:
        """Give the facts of the audit log's newest entry."""
        found: dict[str, Any] = json.loads(self._records()[-1].record)["facts"]
        return found

    def _records(self) -> list[AuditRecord]:
        return self.store.read(lambda tx: list(audit.read_all(tx)))

    def refused(self, answer: object, kind: str, code: str) -> FaultbookError:
        """Hold an answer to a refusal with one audit entry, the newest; give its error."""
        assert isinstance(answer, Refusal), answer
        assert answer.error.code == code
        assert self.kinds()[-1] == kind
        assert self.facts()["code"] == code
        return answer.error

    def owed(self, kind: str) -> list[dict[str, Any]]:
        """List the payloads of what is owed of a kind."""

        def look(tx: Transaction) -> list[dict[str, Any]]:
            c = notices_table.c
            rows = tx.execute(
                notices_table.select().where(c.state == "owed", c.kind == kind).order_by(c.sequence)
            )
            return [row.payload for row in rows]

        return self.store.read(look)
