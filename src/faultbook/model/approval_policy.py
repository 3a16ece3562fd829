"""Approval policies: who may decide about what, and how many it takes."""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from faultbook.base.errors import InvalidError
from faultbook.model.approval import Action, Approval, ApprovalState, Decision, Vote
from faultbook.model.canonical import digest_of
from faultbook.model.person import Person
from faultbook.model.webhook import WebhookRules

_PLAIN = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?")

LOOKUP_FAILED = "lookup_failed"
"""Why somebody can't decide of whom Slack said nothing: it may be otherwise in a moment."""
UNKNOWN_PERSON = "unknown_person"
"""Why somebody can't decide whose id is no member's."""

POLICY_NOT_HERE = "policy_not_here"
"""Why nobody can decide whose settings don't have the policy, as a server's may."""

NOT_COUNTED = "your decision did not count"
"""What is said of a refused decision, however it was made."""


@dataclass(frozen=True, slots=True)
class Voters:
    """Who may: people, or members of user groups or channels, by Slack's ids.

    Nobody may where all are empty: that anyone may can't be the result of a gap.
    """

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()

    def include(self, membership: "Membership") -> bool:
        """Tell whether a person is among them."""
        return (
            membership.person_id in self.users
            or not self.groups.isdisjoint(membership.groups)
            or not self.channels.isdisjoint(membership.channels)
        )


@dataclass(frozen=True, slots=True)
class Membership:
    """What Slack says of a person, at most a minute ago.

    Attributes:
        groups, channels: those of a policy's that the person is in.
        name: what the person is called there; empty where that is not known.
        aliases: whatever else the person goes by there: handle, display name, real name.
        is_active: neither deactivated nor a bot nor a guest.
        why_not: why the person may not decide at all, in words.
        why_code: a stable name of that: `guest`, `bot`, `deactivated`, `UNKNOWN_PERSON`, or
            `LOOKUP_FAILED`.
    """

    person_id: str
    groups: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    is_active: bool = True
    why_not: str = ""
    why_code: str = ""
    name: str = ""
    aliases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many of whom decide."""

    voters: Voters
    approve: int = 1
    deny: int = 1


@dataclass(frozen=True, slots=True)
class ExecutorPlan:
    """How Faultbook runs an approved action itself.

    Attributes:
        command: a program with its arguments; the action comes as JSON on its input.
        url: posted to instead, with `Idempotency-Key` set to the digest.
        probe: a command that says whether it has happened: exit 0 yes, 1 no.
        idempotent: it may be run again after a crash.
    """

    command: tuple[str, ...] = ()
    url: str | None = None
    probe: tuple[str, ...] = ()
    idempotent: bool = False
    timeout_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """What holds for the actions that fit its conditions.

    Attributes:
        kinds, environments: which actions; no environment means any.
        amount_field: the parameter whose decimal value `amount_from` and `amount_below` bound.
        thresholds: alternatives; the first that is met decides.
        reason_to_approve, reason_to_deny: a reason is required.
        per_hour: how many requests an agent may make.
        loop_seconds: for how long the same denied action is denied again without asking.
        channel: where the card is posted; empty for the task's own thread.
        mention: the group that is mentioned once.
        grant_seconds: how long whoever executes has to report.
    """

    name: str
    kinds: frozenset[str]
    thresholds: tuple[Threshold, ...]
    environments: frozenset[str] = frozenset()
    amount_field: str | None = None
    amount_from: Decimal | None = None
    amount_below: Decimal | None = None
    prevent_self_review: bool = True
    ttl_seconds: float = 3600.0
    max_ttl_seconds: float = 86_400.0
    reason_to_approve: bool = False
    reason_to_deny: bool = False
    per_hour: int = 60
    loop_seconds: float = 600.0
    is_high_risk: bool = False
    channel: str = ""
    mention: str = ""
    break_glass: Voters = Voters()
    grant_seconds: float = 300.0
    executor: ExecutorPlan | None = None

    def takes(self, action: Action) -> bool:
        """Tell whether it holds for an action.

        Raises:
            InvalidError: it may or may not, since the amount is missing or can't be read.
        """
        if not self.is_about(action):
            return False
        if self.amount_field is None:
            return True
        amount = _decimal(action.parameters.get(self.amount_field))
        if amount is None:
            raise _unreadable(self.name, self.amount_field)
        over = self.amount_from is None or amount >= self.amount_from
        return over and (self.amount_below is None or amount < self.amount_below)

    def is_about(self, action: Action) -> bool:
        """Tell whether it is for an action's kind and environment, whatever the amount."""
        return action.kind in self.kinds and (
            not self.environments or action.environment in self.environments
        )

    def needs_reason(self, decision: Decision) -> bool:
        """Tell whether a vote has to say why."""
        return self.reason_to_approve if decision is Decision.APPROVE else self.reason_to_deny

    @property
    def version(self) -> str:
        """Tell one set of rules from another: who decides about what, and what then runs."""
        return _version(self)

    @property
    def wording(self) -> str:
        """Tell any change of the policy, of its times and limits too."""
        return digest_of(_described(self) | _limits(self))[:16]


Memberships = Callable[
    [Collection[Person], Collection[ApprovalPolicy]], Awaitable[Mapping[str, Membership]]
]
"""Says what Slack knows now of people, by their ids, as far as some policies need it.

Raises UnavailableError where it can't.
"""


@dataclass(frozen=True, slots=True)
class ApprovalPolicies:
    """All policies of a team, in their order.

    Attributes:
        webhooks: where outcomes may be posted to; None where there is nothing to sign them with.
    """

    all: tuple[ApprovalPolicy, ...] = field(default=())
    webhooks: WebhookRules | None = field(default_factory=WebhookRules)

    def choose(self, action: Action) -> ApprovalPolicy | None:
        """Give the first policy that takes an action.

        Raises:
            InvalidError: one may take it, for all that can be read of its amount; another, which
                may be laxer, is not looked for.
        """
        return next((policy for policy in self.all if policy.takes(action)), None)

    def by_amount(self, action: Action) -> ApprovalPolicy | None:
        """Give the first policy that goes by the amount of an action such as this one."""
        by_it = (one for one in self.all if one.amount_field is not None)
        return next((one for one in by_it if one.is_about(action)), None)

    def of(self, asked: Approval) -> ApprovalPolicy | None:
        """Give the policy it was asked under; None where the settings say otherwise by now."""
        found = self.named(asked.policy)
        return found if found is not None and found.version == asked.policy_version else None

    def named(self, name: str) -> ApprovalPolicy | None:
        """Give a policy by its name."""
        return next((policy for policy in self.all if policy.name == name), None)


def counted_for(policy: ApprovalPolicy, membership: Membership) -> tuple[int, ...]:
    """Give the indices of the thresholds that a person counts for; none for who may not decide."""
    if not membership.is_active:
        return ()
    return tuple(
        index
        for index, threshold in enumerate(policy.thresholds)
        if threshold.voters.include(membership)
    )


def decide(thresholds: Sequence[Threshold], votes: Iterable[Vote]) -> ApprovalState | None:
    """Tell what the votes decide; None while they decide nothing. The first threshold met wins."""
    cast = list(votes)
    for index, threshold in enumerate(thresholds):
        denied = _voters(cast, Decision.DENY, index)
        approved = _voters(cast, Decision.APPROVE, index)
        if len(denied) >= threshold.deny:
            return ApprovalState.DENIED
        if len(approved) >= threshold.approve:
            return ApprovalState.APPROVED
    return None


def nearest_threshold(
    thresholds: Sequence[Threshold], votes: Iterable[Vote], decision: Decision
) -> tuple[int, int]:
    """Tell how many of how many votes are there, of the threshold that fewest are missing for."""
    cast = list(votes)
    counts = [
        (
            len(_voters(cast, decision, index)),
            one.approve if decision is Decision.APPROVE else one.deny,
        )
        for index, one in enumerate(thresholds)
    ]
    return min(counts, key=lambda count: (count[1] - count[0], -count[0]), default=(0, 1))


def _voters(votes: Iterable[Vote], decision: Decision, index: int) -> Collection[str]:
    return {
        vote.voter.id for vote in votes if vote.decision is decision and index in vote.thresholds
    }


def _decimal(value: object) -> Decimal | None:
    """Read an amount as anybody would: no exponents, separators or digits of other scripts."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return Decimal(value) if _PLAIN.fullmatch(str(value)) else None


def _unreadable(policy: str, field: str) -> InvalidError:
    return InvalidError(
        f"Policy `{policy}` goes by the amount in `{field}`, which is missing or no plain decimal.",
        code="amount_unreadable",
        next_step=f'Send digits alone, with a point at most: {{"{field}": "120.00"}}.',
        where=f"parameters.{field}",
    )


def _described(policy: ApprovalPolicy) -> dict[str, object]:
    def voters(told: Voters) -> dict[str, list[str]]:
        return {
            "users": sorted(told.users),
            "groups": sorted(told.groups),
            "channels": sorted(told.channels),
        }

    return {
        "name": policy.name,
        "kinds": sorted(policy.kinds),
        "environments": sorted(policy.environments),
        "amount": [policy.amount_field, str(policy.amount_from), str(policy.amount_below)],
        "thresholds": [
            {"voters": voters(one.voters), "approve": one.approve, "deny": one.deny}
            for one in policy.thresholds
        ],
        "self_review": policy.prevent_self_review,
        "reasons": [policy.reason_to_approve, policy.reason_to_deny],
        "break_glass": voters(policy.break_glass),
        "executor": None
        if policy.executor is None
        else [list(policy.executor.command), policy.executor.url],
    }


def _limits(policy: ApprovalPolicy) -> dict[str, object]:
    plan = policy.executor or ExecutorPlan()
    return {
        "ttl": [str(policy.ttl_seconds), str(policy.max_ttl_seconds)],
        "limits": [policy.per_hour, str(policy.loop_seconds), str(policy.grant_seconds)],
        "shown": [policy.is_high_risk, policy.channel, policy.mention],
        "plan": [list(plan.probe), plan.idempotent, str(plan.timeout_seconds)],
    }


@lru_cache(maxsize=256)
def _version(policy: ApprovalPolicy) -> str:
    """Hash a policy's rules; kept, since each vote asks several times and policies are few."""
    return digest_of(_described(policy))[:16]
