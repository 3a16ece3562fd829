"""Whatever people, workers and time do to tasks in whatever order, some things always hold."""

import itertools
from collections import Counter
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from faultbook.base.clock import Instant, seconds
from faultbook.base.errors import ConflictError
from faultbook.model.evidence import Check
from faultbook.model.judge import Outcome
from faultbook.model.route import RetryPolicy, Route, Routes
from faultbook.model.task import Task, TaskState
from faultbook.model.verdict import Verdict
from faultbook.operations.task_notices import TaskNotice
from faultbook.operations.tasks import cancel_task, edit_task, retry_task
from faultbook.operations.work import report_progress
from faultbook.store.engine import Store
from tests.builders import OUTCOMES
from tests.conftest import FrozenClock
from tests.task_desk import ANA, TaskDesk

Q, R = TaskState.QUEUED, TaskState.RUNNING
RETRIED = {TaskState.FAILED, TaskState.LOST, TaskState.CANCELLED}
LEASE, LATE_CLOSE = 30, 120
ENDS: dict[str, Outcome] = {
    "passed": OUTCOMES[Verdict.PASSED],
    "not proven": OUTCOMES[Verdict.INCONCLUSIVE],
    "transient": Outcome(exit_code=75),
    "persistent": Outcome(exit_code=1),
    "auth": Outcome(exit_code=77),
}
_examples = itertools.count(1)
_picks = st.integers(0, 1000)


@dataclass
class Expected:
    """A task as it has to be by the rules alone."""

    number: int
    route: Route
    priority: int
    not_before: Instant
    state: TaskState = Q
    attempts: int = 0
    extra: int = 0
    lapses: int = 0
    lease_until: Instant = 0
    deadline: Instant = 0
    claim: int = -1
    edits: int = 0


@dataclass
class Claimed:
    """An attempt as its worker remembers it."""

    task: Task
    closed: Outcome | None = None


class TaskMachine(RuleBasedStateMachine):
    """Gives, claims, closes and disturbs tasks, beside a model of what has to come of it."""

    store: Store
    clock: FrozenClock

    def __init__(self) -> None:
        super().__init__()
        agent = f"agent-{next(_examples)}"  # the tasks of earlier examples are nobody's here
        retry = RetryPolicy(attempts=2, backoff_seconds=5, lapses=2)
        one = Route(f"{agent}-one", "one", match=("one",), agent=agent, retry=retry)
        two = Route(f"{agent}-two", "two", match=("two",), agent=agent, limit=1, priority=1)
        self.agent = agent
        self.routes = (replace(one, timeout_seconds=40), replace(two, timeout_seconds=10_000))
        self.desk = TaskDesk(self.store, Routes(self.routes))
        self.expected: dict[int, Expected] = {}
        self.claims: list[Claimed] = []
        self.seen: dict[int, Task] = {}

    # What people do

    @rule(two=st.booleans(), priority=st.integers(-1, 1))
    def give(self, priority: int, *, two: bool) -> None:
        route = self.routes[two]
        text = "two" if two else "one"
        task = self.desk.give(text, priority=priority, channel=self.agent)
        assert task.route == route.name
        wanted = Expected(task.number, route, priority or route.priority, self.clock.instant)
        self.expected[task.number] = wanted

    @precondition(lambda self: self.expected)
    @rule(pick=_picks)
    def cancel(self, pick: int) -> None:
        task = self._pick(pick)
        if task.state.is_ended:
            with pytest.raises(ConflictError):
                self.store.write(cancel_task, task.number, ANA)
            return
        self.store.write(cancel_task, task.number, ANA)
        task.state, task.claim = TaskState.CANCELLED, -1

    @precondition(lambda self: self.expected)
    @rule(pick=_picks)
    def retry(self, pick: int) -> None:
        task = self._pick(pick)
        if task.state not in RETRIED:
            with pytest.raises(ConflictError):
                self.store.write(retry_task, task.number, ANA)
            return
        self.store.write(retry_task, task.number, ANA)
        self.seen.pop(task.number)
        task.extra += task.lapses + (task.attempts > 0)
        task.state, task.not_before, task.lapses = Q, self.clock.instant, 0

    @precondition(lambda self: self.expected)
    @rule(pick=_picks)
    def edit(self, pick: int) -> None:
        task = self._pick(pick)
        task.edits += 1
        origin = self.desk.find(task.number).origin
        place = (origin.team, origin.channel, origin.ts)
        text, ts = f"edit {task.edits}", f"1795000000.{task.edits:06d}"
        key = f"{task.number}:{task.edits}"
        edited = self.store.write(edit_task, key, place, text, ts)
        assert (edited is not None) is (task.state is Q)

    # What workers do

    @rule(worker=st.sampled_from(["w1", "w2", "w3"]))
    def claim(self, worker: str) -> None:
        task = self.desk.claim(worker, agent=self.agent, lease=LEASE)
        wanted = self._next()
        if wanted is None:
            assert task is None
            return
        assert task is not None
        assert task.number == wanted.number
        assert task.lease is not None
        assert task.lease.worker == worker
        now = self.clock.instant
        wanted.state, wanted.attempts, wanted.claim = R, wanted.attempts + 1, len(self.claims)
        wanted.lease_until = now + seconds(LEASE)
        wanted.deadline = now + seconds(wanted.route.timeout_seconds + LATE_CLOSE)
        self.claims.append(Claimed(task))

    @precondition(lambda self: self.claims)
    @rule(pick=_picks)
    def progress(self, pick: int) -> None:
        at, claim, task = self._pick_claim(pick)
        lease = claim.task.lease
        assert lease is not None
        told = (task.number, lease.id, self.agent, f"page {pick}", LEASE)
        if task.claim != at:
            with pytest.raises(ConflictError):
                self.store.write(report_progress, *told)
            return
        self.store.write(report_progress, *told)
        task.lease_until = self.clock.instant + seconds(LEASE)

    @precondition(lambda self: self.claims)
    @rule(pick=_picks, end=st.sampled_from(sorted(ENDS)))
    def close(self, pick: int, end: str) -> None:
        at, claim, task = self._pick_claim(pick)
        if task.claim != at:
            if claim.closed is ENDS[end]:
                assert self.desk.close(claim.task, ENDS[end]).repeated
            else:
                with pytest.raises(ConflictError):
                    self.desk.close(claim.task, ENDS[end])
            return
        closed = self.desk.close(claim.task, ENDS[end])
        is_late = task.deadline < self.clock.instant
        assert closed.late is is_late
        claim.closed = None if is_late else ENDS[end]
        self._end(task, "transient" if is_late else end)
        assert closed.task.state is task.state

    @precondition(lambda self: any(claim.closed for claim in self.claims))
    @rule(pick=_picks)
    def close_again(self, pick: int) -> None:
        closed = [claim for claim in self.claims if claim.closed]
        claim = closed[pick % len(closed)]
        assert claim.closed is not None
        assert self.desk.close(claim.task, claim.closed).repeated

    # What time does

    @rule(passed=st.sampled_from([1, 4, 29, 31, 170]))
    def wait(self, passed: int) -> None:
        self.clock.advance(passed)

    @rule()
    def sweep(self) -> None:
        now, swept = self.clock.instant, 0
        for task in self.expected.values():
            if task.state is R and task.lease_until < now:
                swept += 1
                task.lapses += 1
                task.claim, task.not_before = -1, now
                task.state = TaskState.LOST if task.lapses >= task.route.retry.lapses else Q
            elif task.state is R and task.deadline < now:
                swept += 1
                self._end(task, "transient")
        assert self.desk.sweep() == swept

    # What always holds

    @invariant()
    def each_task_stands_as_the_rules_say(self) -> None:
        for wanted in self.expected.values():
            task = self.desk.find(wanted.number)
            assert (task.state, task.attempts, task.lapses) == (
                wanted.state,
                wanted.attempts,
                wanted.lapses,
            )

    @invariant()
    def one_attempt_at_a_time_and_its_run_alone_is_open(self) -> None:
        for number in self.expected:
            task = self.desk.find(number)
            runs = self.desk.runs(task)
            assert [attempt for attempt, *_ in runs] == list(range(1, task.attempts + 1))
            is_open = [state != "closed" for _, state, _ in runs]
            assert not any(is_open[:-1])
            assert any(is_open) is (task.state is R)
            assert (task.lease is not None) is (task.state is R)

    @invariant()
    def what_is_done_passed_with_verified_evidence(self) -> None:
        for number, wanted in self.expected.items():
            if wanted.state is TaskState.DONE:
                run = self.desk.run_of(self.desk.find(number))
                assert run.verdict is Verdict.PASSED
                assert any(artifact.check is Check.VERIFIED for artifact in run.artifacts)

    @invariant()
    def what_ended_stays_and_every_visible_change_counts(self) -> None:
        for number in self.expected:
            task, before = self.desk.find(number), self.seen.get(number)
            if before is not None:
                assert not before.state.is_ended or task == before
                shown = replace(task, revision=0, lease=None, heard_at=None)
                assert task.revision >= before.revision
                if shown != replace(before, revision=0, lease=None, heard_at=None):
                    assert task.revision > before.revision
            self.seen[number] = task

    @invariant()
    def a_task_is_owed_one_card_and_one_reaction_at_most(self) -> None:
        owed = Counter((notice.subject, notice.kind) for notice in self.desk.owed())
        kinds = {TaskNotice.CARD, TaskNotice.REACTION}
        assert all(count == 1 for (_, kind), count in owed.items() if kind in kinds)

    def teardown(self) -> None:
        for task in self.expected.values():
            if not task.state.is_ended:
                self.store.write(cancel_task, task.number, ANA)

    def _pick(self, pick: int) -> Expected:
        return list(self.expected.values())[pick % len(self.expected)]

    def _pick_claim(self, pick: int) -> tuple[int, Claimed, Expected]:
        at = len(self.claims) - 1 - pick % len(self.claims)
        return at, self.claims[at], self.expected[self.claims[at].task.number]

    def _next(self) -> Expected | None:
        running = Counter(task.route.name for task in self.expected.values() if task.state is R)
        waiting = [
            task
            for task in self.expected.values()
            if task.state is Q
            and task.not_before <= self.clock.instant
            and (task.route.limit is None or running[task.route.name] < task.route.limit)
        ]
        return min(waiting, key=lambda task: (-task.priority, task.number), default=None)

    def _end(self, task: Expected, end: str) -> None:
        tried, retry = task.attempts - task.lapses - task.extra, task.route.retry
        task.claim = -1
        if end == "passed":
            task.state = TaskState.DONE
        elif end == "transient" and tried < retry.attempts:
            task.state = Q
            task.not_before = self.clock.instant + retry.wait(tried)
        else:
            task.state = TaskState.FAILED


def _run(store: Store, clock: FrozenClock, examples: int, steps: int) -> None:
    machine = type("Machine", (TaskMachine,), {"store": store, "clock": clock})
    wanted = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_machine(machine, settings=wanted)


def test_some_things_always_hold(sqlite_store: Store, clock: FrozenClock) -> None:
    _run(sqlite_store, clock, 15, 25)


@pytest.mark.long
def test_they_hold_on_both_stores_for_longer(store: Store, clock: FrozenClock) -> None:
    _run(store, clock, 30, 40)
