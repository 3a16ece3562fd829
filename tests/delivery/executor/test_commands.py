"""Executors that are commands: what they are told, and what their ends come to."""

import asyncio
import json
from collections.abc import Collection

import pytest

from faultbook.base.errors import UnavailableError
from faultbook.model.approval import ApprovalState
from faultbook.model.approval_policy import ApprovalPolicy, ExecutorPlan, Membership, Voters
from faultbook.model.canonical import canonical
from faultbook.model.person import Person
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.approvals import break_glass
from faultbook.operations.auditing import list_newest, verify_audit
from faultbook.operations.execution import begin_execution
from faultbook.store.engine import Store
from tests.approving import approved, ask, everybody_is_there, policies, policy, read
from tests.delivery.executor.conftest import Bench

EVE = Person("UEVE", "Eve")


async def test_a_command_gets_the_action_and_its_digest_and_no_secret_of_ours(
    bench: Bench,
) -> None:
    bench.environ |= {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "FAULTBOOK_WEBHOOK_SECRET_FILE": "/x",
        "FAULTBOOK_SECRET_OTHER": "o",
        "FAULTBOOK_DATABASE_URL": "sqlite:////db",
        "REGION": "eu",
    }
    command = bench.script(
        "go.py",
        "open('told', 'wb').write(sys.stdin.buffer.read())\n"
        "json.dump([dict(os.environ), os.getcwd(), sys.argv], open('seen', 'w'))\n"
        "print('refund 4711 booked')",
    )
    done = await bench.execute(ExecutorPlan(command=(*command, "$HOME; true")))
    assert (done.state, done.outcome) == (ApprovalState.EXECUTED, "refund 4711 booked")
    assert (bench.folder / "told").read_bytes() == canonical(done.action.as_json())
    environ, folder, arguments = json.loads((bench.folder / "seen").read_text())
    assert environ["FAULTBOOK_APPROVAL_ID"] == done.id
    assert environ["FAULTBOOK_APPROVAL_DIGEST"] == done.digest
    assert environ["REGION"] == "eu"
    assert not [name for name in environ if name.startswith(("SLACK_", "FAULTBOOK_SECRET"))]
    assert not {"FAULTBOOK_WEBHOOK_SECRET_FILE", "FAULTBOOK_DATABASE_URL"} & set(environ)
    assert folder == str(bench.folder)
    assert arguments[1:] == ["$HOME; true"]


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [
        ("sys.exit('no such order')", ApprovalState.EXECUTION_FAILED, "Exit 1: no such order"),
        ("sys.exit(137)", ApprovalState.EXECUTION_UNKNOWN, "Exit 137: something in it was ended."),
        (
            "os.kill(os.getpid(), 9)",
            ApprovalState.EXECUTION_UNKNOWN,
            "It was ended by signal 9.",
        ),
    ],
)
async def test_an_exit_code_that_is_not_0_is_a_failure_and_a_signal_leaves_it_unknown(
    bench: Bench, code: str, state: ApprovalState, words: str
) -> None:
    done = await bench.execute(ExecutorPlan(command=bench.script("go.py", code)))
    assert (done.state, done.outcome) == (state, words)


async def test_a_command_that_takes_too_long_is_ended_and_its_outcome_unknown(
    bench: Bench,
) -> None:
    code = "open('effect', 'a').write('x')\nprint('half', flush=True)\ntime.sleep(60)"
    plan = ExecutorPlan(command=bench.script("go.py", code), timeout_seconds=1.0)
    done = await bench.execute(plan)
    assert done.state is ApprovalState.EXECUTION_UNKNOWN
    assert done.outcome == "It did not end within 1 s and was ended: half"
    assert (bench.folder / "effect").read_text() == "x"


async def test_a_command_that_can_not_be_started_fails_and_says_so(bench: Bench) -> None:
    done = await bench.execute(ExecutorPlan(command=("./nothing-here",)))
    assert done.state is ApprovalState.EXECUTION_FAILED
    assert "./nothing-here can't be started" in done.outcome


async def test_a_secret_reaches_the_executor_and_nothing_else(bench: Bench) -> None:
    place = bench.folder / "crm-key"
    place.write_text("from-the-file-77\n")
    bench.environ |= {
        "FAULTBOOK_SECRET_BANK": "hunter2-bank",
        "FAULTBOOK_SECRET_CRM_FILE": str(place),
    }
    code = (
        "told = json.load(sys.stdin)\n"
        "print(told['parameters']['key'], told['parameters']['more'][0]['key'])"
    )
    plan = ExecutorPlan(command=bench.script("go.py", code))
    parameters = {"key": "secret:bank", "more": [{"key": "secret:CRM"}]}
    done = await bench.execute(plan, parameters)
    assert done.state is ApprovalState.EXECUTED
    assert done.outcome == "[REDACTED:secret] [REDACTED:secret]"
    assert done.action.parameters == parameters
    for file in (bench.folder / "home").glob("*"):
        assert b"hunter2-bank" not in file.read_bytes()
        assert b"from-the-file-77" not in file.read_bytes()


async def test_a_secret_that_is_not_set_is_named_and_nothing_runs(bench: Bench) -> None:
    plan = ExecutorPlan(command=bench.script("go.py", "open('effect', 'w')"))
    done = await bench.execute(plan, {"key": "secret:BANK"})
    assert done.state is ApprovalState.EXECUTION_FAILED
    assert done.outcome == "FAULTBOOK_SECRET_BANK is not set, so nothing was run."
    assert not (bench.folder / "effect").exists()


async def test_who_approved_is_looked_at_again_before_it_runs(bench: Bench) -> None:
    plan = ExecutorPlan(command=bench.script("go.py", "open('effect', 'w')"))

    async def ben_was_removed(people: object, policies: object) -> dict[str, Membership]:
        del people, policies
        return {"UBEN": Membership("UBEN", is_active=False)}

    bench.memberships = ben_was_removed
    done = await bench.execute(plan)
    assert (done.state, done.decided_by) == (ApprovalState.DENIED, "the policy")
    assert not (bench.folder / "effect").exists()


@pytest.mark.parametrize("is_active", [True, False])
async def test_who_broke_the_glass_is_looked_at_again_before_it_runs(
    bench: Bench, *, is_active: bool
) -> None:
    async def only_eve_is_known(
        people: Collection[Person], policies: object
    ) -> dict[str, Membership]:
        del policies
        return {one.id: Membership(one.id, is_active=is_active) for one in people if one == EVE}

    bench.memberships = only_eve_is_known
    plan = ExecutorPlan(command=bench.script("go.py", "print('done')"))
    rules = bench.rules(plan, break_glass=Voters(users=frozenset({EVE.id})))
    asked = ask(bench.store, rules)
    bench.store.write(break_glass, asked.number, EVE, "it burns", Membership(EVE.id), rules)
    async with bench.working(rules):
        done = await bench.ended(asked.number)
    assert done.state is (ApprovalState.EXECUTED if is_active else ApprovalState.DENIED)


async def test_while_nobody_can_say_who_approved_it_waits_and_then_runs(bench: Bench) -> None:
    asked: list[list[str]] = []

    async def away_at_first(
        people: object, policies: Collection[ApprovalPolicy]
    ) -> dict[str, Membership]:
        del people
        asked.append([one.name for one in policies])
        if len(asked) == 1:
            raise UnavailableError("Slack does not answer.")
        return {"UBEN": Membership("UBEN")}

    bench.memberships = away_at_first
    done = await bench.execute(ExecutorPlan(command=bench.script("go.py", "print('done')")))
    assert done.state is ApprovalState.EXECUTED
    assert asked == [["refund-prod"]] * 2


async def test_what_a_changed_policy_refuses_is_denied_once_and_others_run(
    bench: Bench,
) -> None:
    plan = ExecutorPlan(command=bench.script("go.py", "print('done')"))
    old = approved(bench.store, bench.rules(plan, prevent_self_review=False))
    rules = bench.rules(plan)
    new = approved(bench.store, rules, parameters={"amount": "7.00"})
    async with bench.working(rules) as worker:
        await bench.ended(new.number)
        while worker.is_working:  # noqa: ASYNC110 - a thread's work
            await asyncio.sleep(0.02)
        worker._woken.set()
        await asyncio.sleep(0.2)  # it may look again as often as it likes
    denied = read(bench.store, old.number)
    assert (denied.state, denied.decided_by) == (ApprovalState.DENIED, "the policy")
    assert "asks again" in denied.reason
    told = bench.store.read(list_newest, 50, old.id)
    assert [record.kind for record in told].count("execution.refused") == 1


async def test_an_agent_can_not_run_what_faultbook_runs_itself(bench: Bench) -> None:
    rules = bench.rules(ExecutorPlan(command=("true",)))
    asked = approved(bench.store, rules)
    known = await everybody_is_there([vote.voter for vote in asked.votes])
    begun = bench.store.write(
        begin_execution, asked.number, asked.digest, "refund-bot", known, rules
    )
    assert isinstance(begun, Refusal)
    assert begun.error.code == "executed_by_faultbook"


async def test_twenty_actions_run_once_each_by_two_workers(
    bench: Bench, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two at once, the store decides who begins; the loser does nothing."""
    code = "open(os.environ['FAULTBOOK_APPROVAL_ID'], 'a').write('x')"
    rules = policies(policy(plan=ExecutorPlan(command=bench.script("go.py", code))))
    made = [approved(store, rules, parameters={"amount": str(n)}).number for n in range(20)]
    first, second = bench.worker(rules), bench.worker(rules)
    # Both live in this process, where each would take the other for an earlier life of its id.
    for worker in (first, second):
        monkeypatch.setattr(worker, "_left_behind", lambda _held: [])
        await worker.start()
    try:
        for number in made:
            assert (await bench.ended(number)).state is ApprovalState.EXECUTED
    finally:
        await first.stop()
        await second.stop()
    assert [(bench.folder / f"A-{number}").read_text() for number in made] == ["x"] * 20
    assert store.read(verify_audit).broken_at is None


async def test_a_worker_that_is_stopped_ends_its_command_and_says_that_nobody_knows(
    bench: Bench,
) -> None:
    code = "open('began', 'w')\ntime.sleep(60)"
    rules = bench.rules(ExecutorPlan(command=bench.script("go.py", code)))
    asked = approved(bench.store, rules)
    worker = bench.worker(rules)
    await worker.start()
    while not (bench.folder / "began").exists():  # noqa: ASYNC110 - another process's work
        await asyncio.sleep(0.02)
    await worker.stop(patience=3.0)
    done = read(bench.store, asked.number)
    assert (done.state, done.outcome) == (
        ApprovalState.EXECUTION_UNKNOWN,
        "It was ended by signal 9.",
    )
