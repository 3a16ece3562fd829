"""What follows a decision: executors, webhooks, and what is done about approvals in time."""

import os
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict

import structlog

from faultbook.assembly.commands import settings_folder
from faultbook.assembly.house import House
from faultbook.base.errors import UnavailableError
from faultbook.delivery.executor.worker import (
    ExecutionWorker,
    ExecutorOptions,
    looked_after,
)
from faultbook.delivery.webhook.worker import WebhookWorker
from faultbook.model.approval_policy import ApprovalPolicy, Membership, Memberships
from faultbook.model.person import Person
from faultbook.operations.approval_clock import Swept, is_time, sweep_approvals

log = structlog.get_logger("approvals")


async def start_execution(house: House, stack: AsyncExitStack, memberships: Memberships) -> None:
    """Start running what is approved under policies with an executor; the stack stops it."""
    if not any(policy.executor for policy in house.policies.all):
        return
    options = ExecutorOptions(
        folder=settings_folder(house.settings),
        locks=house.settings.home.absolute() / "executions",
        environ=os.environ,
    )
    worker = ExecutionWorker(house.store, house.policies, memberships, options)
    await worker.start()
    stack.push_async_callback(worker.stop)


async def start_webhooks(house: House, stack: AsyncExitStack) -> None:
    """Start posting outcomes to where agents want them, if they can be signed."""
    secret = house.settings.webhook_secret
    if secret is None:
        return
    worker = WebhookWorker(house.store, house.policies, secret.get_secret_value())
    await worker.start()
    stack.push_async_callback(worker.stop)


def sweep_due(house: House) -> None:
    """Let approvals expire, withdraw and call unknown what is due, remind of reviews."""
    if not house.store.read(is_time, house.policies):
        return  # nothing is written where nothing is due
    swept = house.store.write(sweep_approvals, house.policies, looked_after(house.policies))
    if swept != Swept():
        log.info("approvals_swept", **asdict(swept))


async def settings_say(
    people: Collection[Person], policies: Collection[ApprovalPolicy]
) -> Mapping[str, Membership]:
    """Say of people nothing but their ids, which the settings name; no Slack is connected.

    Raises:
        UnavailableError: a policy counts members of groups or channels. Who is not looked up would
            seem to have left them.
    """
    voters = [one.voters for policy in policies for one in policy.thresholds]
    voters += [policy.break_glass for policy in policies]
    if any(one.groups or one.channels for one in voters):
        raise UnavailableError(
            "Slack is not connected, so nobody knows who may still decide.",
            code="memberships_unavailable",
            next_step="Start `faultbook up` with Slack.",
        )
    return {person.id: Membership(person.id) for person in people}
