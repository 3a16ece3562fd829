"""What every command starts from: settings read, the store opened, the policy made."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from faultbook.base.clock import Clock, seconds, system_clock
from faultbook.base.settings import RouteSettings, Settings, load_settings
from faultbook.base.settings_policies import ExecutorSettings, PolicySettings, VoterSettings
from faultbook.model.approval_policy import (
    ApprovalPolicies,
    ApprovalPolicy,
    ExecutorPlan,
    Threshold,
    Voters,
)
from faultbook.model.policy import Policy
from faultbook.model.route import COMMAND_AGENT, RetryPolicy, Route, Routes
from faultbook.model.verdict import FailureClass
from faultbook.model.webhook import WebhookRules
from faultbook.store.engine import Store, open_store, sqlite_url

_COMMANDS = 4
"""How many commands of a route run at once, where nothing else is set."""


@dataclass(frozen=True, slots=True)
class House:
    """A store with the settings and the policy that go with it."""

    settings: Settings
    policy: Policy
    store: Store
    clock: Clock
    routes: Routes = field(default_factory=Routes)
    policies: ApprovalPolicies = field(default_factory=ApprovalPolicies)

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()


def read_settings(environ: Mapping[str, str] | None = None, start: Path | None = None) -> Settings:
    """Read the settings of the folder a command was started in."""
    return load_settings(os.environ if environ is None else environ, start or Path.cwd())


def open_house(settings: Settings, clock: Clock = system_clock) -> House:
    """Open the store that the settings name.

    Raises:
        UnavailableError: the database can't be reached.
    """
    store = open_store(database_url(settings), clock)
    return House(
        settings, policy_of(settings), store, clock, routes_of(settings), policies_of(settings)
    )


def database_url(settings: Settings) -> str:
    """Name the database: the one that is set, else the embedded one in the home."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    return sqlite_url(settings.home.absolute())


def policy_of(settings: Settings) -> Policy:
    """Take from the settings what verdicts and answers depend on."""
    workflows = settings.workflows.items()
    return Policy(
        main_branch=settings.main_branch,
        default_environment=settings.default_environment,
        stale_after=seconds(settings.stale_after_seconds),
        heartbeat=frozenset(name for name, value in workflows if value.evidence == "heartbeat"),
        critical=frozenset(name for name, value in workflows if value.critical),
        timeout_seconds=settings.default_timeout_seconds,
        grace_seconds=settings.default_grace_seconds,
    )


def routes_of(settings: Settings) -> Routes:
    """Take from the settings who does which task."""
    return Routes(tuple(_route(route) for route in settings.routes))


def _route(told: RouteSettings) -> Route:
    return Route(
        name=told.name,
        workflow=told.workflow or told.name,
        match=(told.match,) if isinstance(told.match, str) else tuple(told.match),
        channels=frozenset(told.channels),
        command=tuple(told.command),
        agent=COMMAND_AGENT if told.command else told.agent,
        environment=told.environment,
        artifacts=tuple(told.artifacts),
        timeout_seconds=told.timeout_seconds,
        limit=told.limit or _usual_limit(told),
        unclaimed_seconds=told.unclaimed_after_seconds,
        priority=told.priority,
        retry=RetryPolicy(
            attempts=told.attempts,
            backoff_seconds=told.backoff_seconds,
            classes=frozenset(FailureClass(name) for name in told.retry_on),
            lapses=told.lapses,
        ),
    )


def _usual_limit(told: RouteSettings) -> int | None:
    """Bound the commands of a route; those that write the same files must not run side by side."""
    if not told.command:
        return None
    return _COMMANDS if all("{task}" in artifact for artifact in told.artifacts) else 1


def policies_of(settings: Settings) -> ApprovalPolicies:
    """Take from the settings who decides about which actions, and where outcomes may go."""
    rules = WebhookRules(frozenset(settings.webhooks.allow))
    return ApprovalPolicies(
        tuple(_approval_policy(policy) for policy in settings.policies),
        webhooks=None if settings.webhook_secret is None else rules,
    )


def _approval_policy(told: PolicySettings) -> ApprovalPolicy:
    return ApprovalPolicy(
        name=told.name,
        kinds=frozenset(told.kinds),
        thresholds=tuple(Threshold(_voters(one), one.approve, one.deny) for one in told.thresholds),
        environments=frozenset(told.environments),
        amount_field=told.amount_field,
        amount_from=told.amount_from,
        amount_below=told.amount_below,
        prevent_self_review=told.prevent_self_review,
        ttl_seconds=told.ttl_seconds,
        max_ttl_seconds=told.max_ttl_seconds,
        reason_to_approve=told.reason_to_approve,
        reason_to_deny=told.reason_to_deny,
        per_hour=told.per_hour,
        loop_seconds=told.loop_seconds,
        is_high_risk=told.high_risk,
        channel=told.channel or "",
        mention=told.mention or "",
        break_glass=Voters() if told.break_glass is None else _voters(told.break_glass),
        grant_seconds=told.grant_seconds,
        executor=None if told.executor is None else _executor(told.executor),
    )


def _voters(told: VoterSettings) -> Voters:
    return Voters(frozenset(told.users), frozenset(told.groups), frozenset(told.channels))


def _executor(told: ExecutorSettings) -> ExecutorPlan:
    return ExecutorPlan(
        command=tuple(told.command),
        url=told.url,
        probe=tuple(told.probe),
        idempotent=told.idempotent,
        timeout_seconds=told.timeout_seconds,
    )
