"""Tasks as tests give, claim and close them: what is not said is ordinary."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from faultbook.base.clock import Instant
from faultbook.model.judge import Outcome
from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.route import RetryPolicy, Route, Routes
from faultbook.model.run import RunEnd, RunRecord
from faultbook.model.task import Card, NewTask, Task, TaskEvent, TaskOrigin, TaskSource
from faultbook.model.verdict import Verdict
from faultbook.operations.recording import read_run
from faultbook.operations.task_notices import TaskNotice, card_painted
from faultbook.operations.tasks import find_task, read_events, take_task
from faultbook.operations.work import Claimer, ClosedAttempt, claim_task, close_attempt, sweep_tasks
from faultbook.store import notices
from faultbook.store.engine import Store
from faultbook.store.schema import notices as notices_table
from faultbook.store.schema import runs as runs_table
from faultbook.store.transaction import Transaction
from tests.builders import OUTCOMES

ANA, BEN = Person("UANA", "Ana Ruiz"), Person("UBEN", "Ben Okafor")
AGENT = "invoice-bot"
INVOICES = Route(
    "invoices",
    "invoice-export",
    match=("export*",),
    agent=AGENT,
    timeout_seconds=600,
    retry=RetryPolicy(attempts=2, backoff_seconds=5, lapses=3),
)
REPORTS = Route("reports", "report", match=("report*",), agent=AGENT, limit=2)
CHECKS = Route("checks", "check", match=("check*",), agent="checker")
ROUTES = Routes((INVOICES, REPORTS, CHECKS))


@dataclass
class Owed:
    """A notice that is owed, as a test looks at it."""

    id: str
    kind: str
    target: str
    subject: str | None
    priority: int
    not_before: Instant
    payload: dict[str, Any]


@dataclass
class TaskDesk:
    """A store with people who give tasks, and workers who do them."""

    store: Store
    routes: Routes = ROUTES
    policy: Policy = field(default_factory=Policy)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def new(self, text: str = "export November", **facts: Any) -> NewTask:  # noqa: ANN401 - a task's own fields
        """Make a task as a message in a channel gives it."""
        ts = facts.pop("ts", f"1795000000.{next(self._numbers):06d}")
        channel = facts.pop("channel", "C1")
        origin = facts.pop("origin", TaskOrigin("T1", channel, ts, ts))
        requester = facts.pop("requester", ANA)
        return NewTask(text, requester, TaskSource.MENTION, origin, **facts)

    def give(self, text: str = "export November", **facts: Any) -> Task:  # noqa: ANN401 - the same
        """Give a task and have it taken."""
        new = self.new(text, **facts)
        task = self.store.write(take_task, [f"message:{new.origin.key}"], new, self.routes)
        assert task is not None
        return task

    def claim(
        self,
        worker: str = "w1",
        *,
        agent: str = AGENT,
        lease: float = 30,
        routes: frozenset[str] | None = None,
    ) -> Task | None:
        """Claim what is next, if anything is."""
        claimer = Claimer(agent, worker, routes)
        return self.store.write(claim_task, claimer, lease, self.policy, self.routes)

    def claimed(self, worker: str = "w1", **how: Any) -> Task:  # noqa: ANN401 - what `claim` takes
        """Claim what is next; there is something."""
        task = self.claim(worker, **how)
        assert task is not None
        return task

    def close(
        self,
        task: Task,
        outcome: Verdict | Outcome = Verdict.PASSED,
        *,
        digest: str = "",
        agent: str = "",
    ) -> ClosedAttempt:
        """Close a claimed task's attempt; `task` is as the claim gave it."""
        assert task.lease is not None
        told = outcome if isinstance(outcome, Outcome) else OUTCOMES[outcome]
        return self.store.write(
            close_attempt,
            task.number,
            task.lease.id,
            agent or task.lease.agent,
            RunEnd(self.store.clock(), told),
            self.policy,
            self.routes,
            digest or f"{task.lease.id}:{told}",
        )

    def sweep(self) -> int:
        """Take back what lapsed or is overdue."""
        return self.store.write(sweep_tasks, self.policy, self.routes)

    def find(self, number: int) -> Task:
        """Read a task."""
        return self.store.read(find_task, number)

    def run_of(self, task: Task) -> RunRecord:
        """Read the run of a task's latest attempt."""
        assert task.run_id is not None
        return self.store.read(read_run, task.run_id)

    def runs(self, task: Task) -> list[tuple[int, str, str | None]]:
        """List the attempt, state and verdict of each run of a task."""

        def look(tx: Transaction) -> list[tuple[int, str, str | None]]:
            c = runs_table.c
            found = select(c.attempt, c.state, c.verdict).where(c.task_id == task.id)
            rows = tx.execute(found.order_by(c.sequence))
            return [(row.attempt, row.state, row.verdict) for row in rows]

        return self.store.read(look)

    def events(self, number: int) -> list[TaskEvent]:
        """Read a task's timeline."""
        return list(self.store.read(read_events, number))

    def kinds(self, number: int) -> list[str]:
        """Name what happened to a task, in its order."""
        return [event.kind for event in self.events(number)]

    def owed(self, kind: TaskNotice | None = None) -> list[Owed]:
        """List what is owed, of one kind or of all."""

        def look(tx: Transaction) -> list[Owed]:
            c = notices_table.c
            rows = select(notices_table).where(c.state == "owed").order_by(c.sequence)
            return [
                Owed(r.id, r.kind, r.target, r.subject, r.priority, r.not_before, r.payload)
                for r in tx.execute(rows)
                if kind is None or r.kind == kind
            ]

        return self.store.read(look)

    def paint(self, number: int) -> Task:
        """Paint a task's owed card as it stands now, as delivery does."""
        [card] = [one for one in self.owed(TaskNotice.CARD) if one.subject == f"T-{number}"]
        shown = self.find(number)
        self.settle_card(card.id, shown)
        return shown

    def settle_card(self, notice_id: str, shown: Task) -> None:
        """Settle a card that was painted from a task as it stood then."""

        def settle(tx: Transaction) -> None:
            notices.settle(tx, notice_id, {"ts": "1795000001.000100"})
            card_painted(tx, shown.number, shown.revision, Card("C1", "1795000001.000100"))

        self.store.write(settle)
