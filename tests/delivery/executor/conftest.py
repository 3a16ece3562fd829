"""A worker on either store, whose commands are small scripts in a folder of their own."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from faultbook.delivery.executor.worker import ExecutionWorker, ExecutorOptions
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.approval_policy import ApprovalPolicies, ExecutorPlan, Memberships
from faultbook.store.engine import Store
from tests.approving import approved, everybody_is_there, policies, policy, read

UNDER_WAY = {ApprovalState.PENDING, ApprovalState.APPROVED, ApprovalState.EXECUTING}


@dataclass
class Bench:
    """A store, a folder for scripts, and what is set."""

    store: Store
    folder: Path
    memberships: Memberships = everybody_is_there
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/bin:/bin"})

    def script(self, name: str, code: str) -> tuple[str, ...]:
        """Write a Python script, and give the command that runs it."""
        (self.folder / name).write_text(f"import json, os, sys, time\n{code}\n")
        return (sys.executable, "-S", name)

    def rules(self, plan: ExecutorPlan, **more: Any) -> ApprovalPolicies:  # noqa: ANN401 - fields of several types
        return policies(policy(plan=plan, **more))

    def worker(self, rules: ApprovalPolicies, at_once: int = 4) -> ExecutionWorker:
        options = ExecutorOptions(self.folder, self.folder / "locks", self.environ, at_once)
        return ExecutionWorker(self.store, rules, self.memberships, options)

    @contextlib.asynccontextmanager
    async def working(self, rules: ApprovalPolicies) -> AsyncIterator[ExecutionWorker]:
        worker = self.worker(rules)
        await worker.start()
        try:
            yield worker
        finally:
            await worker.stop(patience=5)

    async def execute(
        self,
        plan: ExecutorPlan,
        parameters: Mapping[str, Any] | None = None,
        **more: Any,  # noqa: ANN401 - fields of several types
    ) -> Approval:
        """Have one approved action run to its end."""
        rules = self.rules(plan, **more)
        asked = approved(self.store, rules, parameters=parameters)
        async with self.working(rules):
            return await self.ended(asked.number)

    async def ended(self, number: int) -> Approval:
        return await self.until(number, lambda one: one.state not in UNDER_WAY)

    async def until(self, number: int, told: Callable[[Approval], bool]) -> Approval:
        async with asyncio.timeout(20):
            while not told(found := read(self.store, number)):  # noqa: ASYNC110 - others write
                await asyncio.sleep(0.02)
        return found


@pytest.fixture
def bench(store: Store, tmp_path: Path) -> Bench:
    return Bench(store, tmp_path)
