"""Taking up what a process began that is gone: asked about, run again where allowed, or unknown."""

import structlog

from faultbook.base.clock import MINUTE
from faultbook.delivery.executor.command import StillRunningError
from faultbook.delivery.executor.doing import Doing
from faultbook.delivery.executor.outcome import Ended, Outcome
from faultbook.model.approval_policy import ApprovalPolicies, ExecutorPlan
from faultbook.operations.approval_steps import find_approval
from faultbook.operations.execution import Grant, give_up, resume_execution
from faultbook.operations.tokens import OURSELVES
from faultbook.store.engine import Store
from faultbook.store.executions import HeldGrant

_NOBODY_KNOWS = "Faultbook was ended while it ran; nobody knows whether it happened."

log = structlog.get_logger("executor")


def can_resume(plan: ExecutorPlan) -> bool:
    """Tell whether an execution of unknown outcome may be taken up again."""
    return plan.idempotent or bool(plan.probe)


def _may_be_on_its_way(plan: ExecutorPlan) -> bool:
    """Tell whether a request may still be at work after the probe has said no.

    Commands are seen to have ended, and the others' time is waited for; what may be posted twice
    is not.
    """
    return plan.idempotent and plan.url is not None


class Recovery:
    """Takes over what nobody looks after any more."""

    def __init__(self, store: Store, policies: ApprovalPolicies, doing: Doing, holder: str) -> None:
        self._store = store
        self._policies = policies
        self._doing = doing
        self._holder = holder

    async def take_over(self, held: HeldGrant) -> bool:
        """Find out what became of an execution, or say that nobody knows.

        Tells whether there is no more to do about it; what may still be under way is looked at
        again later.
        """
        plan = await self._plan_of(held)
        if plan is None:
            await self._give_up(held)
            return True
        try:
            if await self._may_be_under_way(held, plan):
                return False
        except StillRunningError:
            if held.until + MINUTE >= self._store.clock():
                return False
            await self._give_up(held)
            return True
        grant = await self._store.write_async(
            resume_execution, held.number, held.id, OURSELVES, self._policies, self._holder
        )
        if grant is not None:  # else another process was first
            log.info("execution_resumed", approval=grant.approval.id)
            await self._go_on(grant, plan)
        return True

    async def _go_on(self, grant: Grant, plan: ExecutorPlan) -> None:
        happened = await self._doing.ask(grant, plan) if plan.probe else None
        if happened:
            words = "It had happened before Faultbook was ended: its probe says so."
            await self._doing.report(grant, Outcome(Ended.EXECUTED, words))
        elif happened is False and not _may_be_on_its_way(plan):
            await self._doing.run(grant, plan)
        elif plan.idempotent:
            await self._doing.run(grant, plan, _NOBODY_KNOWS)
        else:
            await self._doing.report(grant, Outcome(Ended.UNKNOWN, _NOBODY_KNOWS))

    async def _plan_of(self, held: HeldGrant) -> ExecutorPlan | None:
        """Give the plan by which it may be taken up; None where it may not."""
        asked = await self._store.read_async(find_approval, held.number)
        policy = self._policies.of(asked)
        if policy is None or policy.executor is None:
            return None
        return policy.executor if can_resume(policy.executor) else None

    async def _may_be_under_way(self, held: HeldGrant, plan: ExecutorPlan) -> bool:
        """Tell whether the effect may still be on its way, so that no probe could tell.

        Raises:
            StillRunningError: a command of the process that is gone has not ended.
        """
        is_over = held.until <= self._store.clock()
        if plan.command:
            await self._doing.check_ended(held.number, end=is_over)
            return False
        return not plan.idempotent and not is_over

    async def _give_up(self, held: HeldGrant) -> None:
        await self._store.write_async(give_up, held.number, OURSELVES, _NOBODY_KNOWS, held.id)
