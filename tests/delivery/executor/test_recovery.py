"""What a process had begun that is gone: asked about, run again where it may be, or unknown."""

import asyncio
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from faultbook.delivery.claimer import name_claimer
from faultbook.delivery.executor.doing import Doing
from faultbook.delivery.executor.worker import looked_after
from faultbook.model.approval import Approval, ApprovalState
from faultbook.model.approval_policy import ApprovalPolicies, ExecutorPlan
from faultbook.operations.approval_clock import is_time, sweep_approvals
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.auditing import list_newest
from faultbook.operations.execution import (
    Grant,
    begin_execution,
    report_execution,
    resume_execution,
)
from faultbook.store.engine import Store
from tests.approving import approved, everybody_is_there, policies, policy, read
from tests.conftest import FrozenClock
from tests.delivery.executor.conftest import Bench

DONE, UNKNOWN = ApprovalState.EXECUTED, ApprovalState.EXECUTION_UNKNOWN
COUNT = "open('effect', 'a').write('x')"
HAPPENED = "sys.exit(0 if os.path.exists('effect') else 1)"


@pytest.fixture
def gone() -> str:
    """Name a process of this machine that is no more."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    machine, _, _ = name_claimer().rpartition("/")[0].rpartition("/")
    return f"{machine}/{ended.pid}/abc"


@pytest.fixture
def bench(sqlite_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(sqlite_store, tmp_path_factory.mktemp("bench"))


async def begun(
    store: Store,
    rules: ApprovalPolicies,
    holder: str,
    parameters: dict[str, str] | None = None,
) -> Grant:
    asked = approved(store, rules, parameters=parameters)
    known = await everybody_is_there([vote.voter for vote in asked.votes])
    grant = store.write(
        begin_execution, asked.number, asked.digest, "faultbook", known, rules, holder
    )
    assert isinstance(grant, Grant), grant
    return grant


def effects(bench: Bench) -> str:
    place = bench.folder / "effect"
    return place.read_text() if place.exists() else ""


async def recovered(
    bench: Bench, plan: ExecutorPlan, gone: str, parameters: dict[str, str] | None = None
) -> Approval:
    rules = bench.rules(plan)
    grant = await begun(bench.store, rules, gone, parameters)
    async with bench.working(rules):
        return await bench.ended(grant.approval.number)


async def test_without_a_probe_nobody_knows_and_nothing_is_repeated(
    bench: Bench, gone: str
) -> None:
    done = await recovered(bench, ExecutorPlan(command=bench.script("go.py", COUNT)), gone)
    assert done.state is UNKNOWN
    assert done.outcome == "Faultbook was ended while it ran; nobody knows whether it happened."
    assert effects(bench) == ""


async def test_an_idempotent_executor_is_run_again_with_the_same_digest(
    bench: Bench, gone: str
) -> None:
    code = "open('effect', 'a').write(os.environ['FAULTBOOK_APPROVAL_DIGEST'])"
    plan = ExecutorPlan(command=bench.script("go.py", code), idempotent=True)
    done = await recovered(bench, plan, gone)
    assert done.state is DONE
    assert effects(bench) == done.digest
    told = [record.kind for record in bench.store.read(list_newest, 50, done.id)]
    assert told[-3:] == ["execution.begun", "execution.resumed", "execution.executed"]


async def test_a_probe_that_says_yes_makes_it_executed_without_another_run(
    bench: Bench, gone: str
) -> None:
    (bench.folder / "effect").write_text("x")
    plan = ExecutorPlan(
        command=bench.script("go.py", COUNT), probe=bench.script("probe.py", HAPPENED)
    )
    done = await recovered(bench, plan, gone)
    assert done.state is DONE
    assert done.outcome == "It had happened before Faultbook was ended: its probe says so."
    assert effects(bench) == "x"


async def test_a_probe_that_says_no_has_it_run(bench: Bench, gone: str) -> None:
    plan = ExecutorPlan(
        command=bench.script("go.py", COUNT), probe=bench.script("probe.py", HAPPENED)
    )
    assert (await recovered(bench, plan, gone)).state is DONE
    assert effects(bench) == "x"


_NOWHERE = ("./gone",)
_CLOSED = "http://127.0.0.1:1/"


@pytest.mark.parametrize(
    ("plan", "parameters", "words"),
    [
        (ExecutorPlan(command=_NOWHERE), None, "./gone can't be started"),
        (ExecutorPlan(command=("false",)), None, "Exit 1."),
        (ExecutorPlan(command=("true",)), {"key": "secret:BANK"}, "BANK is not set"),
        (ExecutorPlan(url=_CLOSED), None, "nothing was sent."),
        (ExecutorPlan(url=_CLOSED, probe=("false",)), None, "nothing was sent."),
    ],
    ids=["program gone", "exit 1", "secret not set", "connection refused", "probe of a request"],
)
async def test_a_retry_that_fails_says_nothing_of_what_happened_before_it(
    bench: Bench, gone: str, plan: ExecutorPlan, parameters: dict[str, str] | None, words: str
) -> None:
    done = await recovered(bench, replace(plan, idempotent=True), gone, parameters)
    assert done.state is UNKNOWN
    assert done.outcome.startswith(
        "Faultbook was ended while it ran; nobody knows whether it happened; tried again: "
    )
    assert words in done.outcome


async def test_a_retry_that_fails_after_the_probe_said_no_is_a_failure(
    bench: Bench, gone: str
) -> None:
    plan = ExecutorPlan(command=_NOWHERE, probe=bench.script("probe.py", HAPPENED))
    done = await recovered(bench, plan, gone)
    assert done.state is ApprovalState.EXECUTION_FAILED
    assert "./gone can't be started" in done.outcome


@pytest.mark.parametrize("probe", ["sys.exit(2)", "os.kill(os.getpid(), 9)"])
async def test_a_probe_that_can_not_tell_leaves_it_unknown(
    bench: Bench, gone: str, probe: str
) -> None:
    plan = ExecutorPlan(command=bench.script("go.py", COUNT), probe=bench.script("probe.py", probe))
    assert (await recovered(bench, plan, gone)).state is UNKNOWN
    assert effects(bench) == ""


async def test_a_command_that_outlives_its_bot_is_waited_for_before_the_probe_is_asked(
    bench: Bench, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the probe says no while the first one is still at it, and it happens twice."""
    looks: list[int] = []
    look = Doing.check_ended

    async def counted(self: Doing, number: int, *, end: bool) -> None:
        looks.append(number)
        await look(self, number, end=end)

    monkeypatch.setattr(Doing, "check_ended", counted)
    plan = ExecutorPlan(
        command=bench.script("go.py", COUNT), probe=bench.script("probe.py", HAPPENED)
    )
    rules = bench.rules(plan)
    grant = await begun(bench.store, rules, gone)
    number = grant.approval.number
    lock = bench.folder / "locks" / f"A-{number}.lock"
    lock.parent.mkdir()
    code = (
        "import fcntl, os, sys\n"
        f"f = open({str(lock)!r}, 'ab')\nfcntl.flock(f, fcntl.LOCK_EX)\nprint('held', flush=True)\n"
        "sys.stdin.readline()\nopen('effect', 'a').write('x')"
    )
    orphan = subprocess.Popen(  # noqa: ASYNC220 - it starts at once
        [sys.executable, "-c", code],
        cwd=bench.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert orphan.stdin is not None
    assert orphan.stdout is not None
    assert orphan.stdout.readline() == b"held\n"
    async with bench.working(rules) as worker:
        looked = asyncio.get_running_loop().time() + 1.5
        while asyncio.get_running_loop().time() < looked:
            worker._woken.set()
            await asyncio.sleep(0.05)
        assert read(bench.store, number).state is ApprovalState.EXECUTING
        assert 1 <= len(looks) <= 3  # with growing pauses, whatever wakes the worker
        orphan.stdin.close()
        orphan.wait()
        orphan.stdout.close()
        assert (await bench.ended(number)).state is DONE
    assert effects(bench) == "x"


async def test_what_another_machine_began_is_left_alone_until_its_time_is_over(
    bench: Bench, clock: FrozenClock
) -> None:
    plan = ExecutorPlan(command=bench.script("go.py", COUNT), idempotent=True)
    rules = bench.rules(plan)
    grant = await begun(bench.store, rules, "elsewhere/1/abc")
    async with bench.working(rules) as worker:
        other = approved(bench.store, rules, parameters={"amount": "3"})
        await bench.ended(other.number)
        assert read(bench.store, grant.approval.number).state is ApprovalState.EXECUTING
        clock.advance(400)
        worker._woken.set()
        assert (await bench.ended(grant.approval.number)).state is DONE
    assert effects(bench) == "xx"


async def test_of_two_that_take_over_one_does_and_the_late_report_is_refused(
    store: Store,
) -> None:
    rules = policies(policy(plan=ExecutorPlan(command=("true",), idempotent=True)))
    grant = await begun(store, rules, "elsewhere/1/abc")
    number = grant.approval.number
    taken = [
        store.write(resume_execution, number, grant.id, "faultbook", rules, f"here/{n}/abc")
        for n in range(2)
    ]
    assert taken[1] is None
    assert taken[0] is not None
    late = store.write(report_execution, number, grant.id, "faultbook", worked=False, words="no")
    assert isinstance(late, Refusal)
    done = store.write(report_execution, number, taken[0].id, "faultbook", worked=True, words="yes")
    assert isinstance(done, Approval)
    assert done.state is DONE


async def test_the_sweep_ends_what_nobody_takes_up_again_and_spares_the_rest(
    store: Store, clock: FrozenClock
) -> None:
    rules = policies(
        policy("refund", ExecutorPlan(command=("true",), idempotent=True)),
        policy("mail", ExecutorPlan(command=("true",))),
    )
    kept = await begun(store, rules, "elsewhere/1/abc")
    asked = approved(store, rules, "mail")
    known = await everybody_is_there([vote.voter for vote in asked.votes])
    ended = store.write(
        begin_execution, asked.number, asked.digest, "faultbook", known, rules, "elsewhere/1/abc"
    )
    assert isinstance(ended, Grant)
    assert not store.read(is_time)
    clock.advance(301)
    assert store.read(is_time)
    swept = store.write(sweep_approvals, rules, looked_after(rules))
    assert swept.unknown == 1
    assert read(store, ended.approval.number).state is UNKNOWN
    assert read(store, kept.approval.number).state is ApprovalState.EXECUTING


def test_a_grant_lasts_longer_than_its_executor_may_take(store: Store, clock: FrozenClock) -> None:
    rules = policies(policy(plan=ExecutorPlan(command=("true",), timeout_seconds=900.0)))
    grant = asyncio.run(begun(store, rules, f"elsewhere/{os.getpid()}/abc"))
    assert grant.until == clock() + 930_000_000
