"""The client's approvals against the real server: nothing but an approval lets anything run."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from faultbook.base.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from faultbook.client import (
    ApprovalRequest,
    Client,
    Denied,
    Outcome,
    OutcomeUnknown,
    TaskGone,
)
from faultbook.model.approval import Approval, Decision
from faultbook.model.approval_policy import Membership
from faultbook.model.ballot import Ballot
from faultbook.model.person import Person
from faultbook.model.task import NewTask, TaskSource
from faultbook.operations.approval_clock import sweep_approvals
from faultbook.operations.execution import Grant, begin_execution, report_execution
from faultbook.operations.tasks import cancel_task, find_task, take_task
from faultbook.operations.voting import vote
from faultbook.store.transaction import Transaction
from tests.approving import BEN, read
from tests.client.conftest import POLICIES, ROUTES, SCOPES
from tests.client.proxies import DeafProxy
from tests.conftest import FrozenClock
from tests.intake.wrapper.servers import Server

ROOT = Path(__file__).parents[2]


def _ask(client: Client, amount: str = "120.00", **more: Any) -> ApprovalRequest:  # noqa: ANN401 - fields of several types
    parameters = {"amount": amount}
    return client.approve("refund", "c_881", parameters, why="charged twice", **more)


def _decide(
    server: Server,
    request: ApprovalRequest,
    decision: Decision = Decision.APPROVE,
    reason: str = "",
) -> None:
    number = int(request.id.removeprefix("A-"))
    ballot = Ballot(number, BEN, decision, Membership(BEN.id), reason=reason)
    server.store.write(vote, ballot, POLICIES)


def _stored(server: Server, request: ApprovalRequest) -> Approval:
    return read(server.store, int(request.id.removeprefix("A-")))


def test_what_was_approved_is_what_the_block_gets_and_is_reported(
    server: Server, client: Client
) -> None:
    request = client.approve(
        kind="refund",
        target="c_881",
        parameters={"amount": Decimal("120.00"), "lines": [1, 2]},
        why="charged twice",
        effect="the card is credited",
        evidence=[("receipt", "https://shop.example/r/1")],
    )
    assert (request.id, request.outcome.state, bool(request.outcome)) == ("A-1", "pending", False)
    _decide(server, request)
    outcome = request.wait()
    assert outcome
    assert outcome.raise_if_denied() is outcome
    assert outcome.decided_by == "Ben"
    with request.execute() as action:
        assert (action.kind, action.target, action.environment) == ("refund", "c_881", "production")
        assert action.parameters == {"amount": "120.00", "lines": [1, 2]}
        action.outcome = "re_1"
    assert (request.outcome.state, request.outcome.executed) == ("executed", True)
    assert _stored(server, request).outcome == "re_1"


def test_a_decision_that_was_taken_before_is_found_and_one_that_comes_is_heard(
    server: Server, client: Client
) -> None:
    first, second = _ask(client), _ask(client, "5.00")
    _decide(server, first)
    began = time.monotonic()
    assert first.wait().state == "approved"
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(second.wait)
        time.sleep(0.2)
        assert not waiting.done()
        _decide(server, second, Decision.DENY, "no")
        assert waiting.result(10).state == "denied"
    assert time.monotonic() - began < 20  # far from a round of its waiting


def test_a_denial_is_a_type_and_false_and_stops_the_execution(
    server: Server, client: Client
) -> None:
    request = _ask(client)
    _decide(server, request, Decision.DENY, "approved: true, success")
    outcome = request.wait()
    assert not outcome
    assert (outcome.state, outcome.decision, outcome.executed) == ("denied", "denied", False)
    with pytest.raises(Denied, match=r"A-1 was denied by Ben: .* Nothing ran") as told:
        outcome.raise_if_denied()
    assert told.value.outcome is outcome
    ran = []
    with pytest.raises(Denied), request.execute():
        ran.append(1)
    assert ran == []


def test_a_wait_that_ends_undecided_is_false_and_passes_nothing(client: Client) -> None:
    request = _ask(client)
    outcome = request.wait(timeout=0.3)
    assert (outcome.state, outcome.decision, bool(outcome)) == ("pending", None, False)
    with pytest.raises(UnavailableError, match="A-1 is pending"):
        outcome.raise_if_denied()
    with pytest.raises(ConflictError, match="A-1 is pending"), request.execute():
        pytest.fail("it ran")


def test_expired_superseded_and_taken_back_are_denials(client: Client, clock: FrozenClock) -> None:
    late = _ask(client, ttl_seconds=60)
    clock.advance(61)
    expired = late.wait()
    assert (expired.state, expired.is_denied) == ("expired", True)
    old = _ask(client, "1.00", run_id="r")
    new = _ask(client, "2.00", run_id="r")
    with pytest.raises(Denied, match=f"superseded by {new.id}"):
        old.wait().raise_if_denied()
    with pytest.raises(Denied, match="taken back by cron"):
        new.cancel().raise_if_denied()
    with pytest.raises(ConflictError):
        new.cancel()
    assert client.approval(old.id).outcome.state == "superseded"
    with pytest.raises(NotFoundError):
        client.approval("A-99")


def test_the_same_request_again_is_the_same_until_it_has_run(
    server: Server, client: Client
) -> None:
    request = _ask(client)
    _decide(server, request)
    assert _ask(client).id == request.id
    with request.execute():
        pass
    assert _ask(client).id != request.id


def test_an_exception_in_the_block_is_reported_as_failed_and_goes_on(
    server: Server, client: Client
) -> None:
    request = _ask(client)
    _decide(server, request)
    with pytest.raises(ValueError, match="card_closed"), request.execute():
        raise ValueError("card_closed with sk_live_" + "a1B2" * 6)
    stored = _stored(server, request)
    assert stored.state == "execution_failed"
    assert stored.outcome.startswith("ValueError: card_closed")
    assert "a1B2a1B2" not in stored.outcome
    outcome = request.wait()
    assert not outcome
    with pytest.raises(ConflictError, match="execution_failed"):
        outcome.raise_if_denied()


@pytest.mark.parametrize("error", [OutcomeUnknown("timed out"), KeyboardInterrupt(), TaskGone("x")])
def test_what_nobody_can_tell_is_not_reported_and_becomes_unknown(
    server: Server, client: Client, clock: FrozenClock, error: BaseException
) -> None:
    request = _ask(client)
    _decide(server, request)
    with pytest.raises(type(error)), request.execute():
        raise error
    assert _stored(server, request).state == "executing"
    clock.advance(400)
    server.store.write(sweep_approvals)
    outcome = request.wait()
    assert (outcome.state, outcome.executed, bool(outcome)) == ("execution_unknown", None, False)


def test_it_runs_once_however_many_want_to(server: Server, clients: Callable[..., Client]) -> None:
    request = _ask(clients())
    _decide(server, request)
    ran: list[str] = []
    begin = threading.Barrier(6)

    def run(one: Client) -> str:
        mine = _ask(one)
        begin.wait()
        try:
            with mine.execute() as action:
                ran.append(action.target)
                time.sleep(0.1)
        except ConflictError as error:
            return error.code
        return "ran"

    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(run, [clients() for _ in range(6)]))
    assert ran == ["c_881"]
    assert told.count("ran") == 1
    assert set(told) <= {"ran", "approval_executing", "approval_executed"}


@pytest.mark.parametrize("lost", [b"/execute ", b"/executed ", b"POST /v1/approvals "])
def test_a_lost_answer_makes_nothing_happen_twice(
    server: Server, clients: Callable[..., Client], proxy: DeafProxy, lost: bytes
) -> None:
    proxy.lose = {lost: 1}
    client, ran = clients(proxy.url), 0
    request = _ask(client)
    _decide(server, request)
    with request.execute():
        ran += 1
    assert (request.id, ran, _stored(server, request).state) == ("A-1", 1, "executed")
    assert [lost in line for line in proxy.asked].count(True) == 2


def test_a_process_that_dies_between_the_effect_and_its_report_leaves_it_unknown(
    server: Server, client: Client, clock: FrozenClock, tmp_path: Path
) -> None:
    request = _ask(client)
    _decide(server, request)
    environ = os.environ | {
        "FAULTBOOK_URL": server.url,
        "FAULTBOOK_TOKEN": server.token(*SCOPES),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "tests.client.askers", request.id]
    process = subprocess.Popen(command, cwd=tmp_path, env=environ)
    try:
        _until((tmp_path / "effects").exists)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert request.wait(timeout=0.2).state == "executing"
    clock.advance(400)
    server.store.write(sweep_approvals)
    assert request.wait().state == "execution_unknown"
    (tmp_path / "go").touch()
    second = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, check=False)
    assert second.returncode != 0
    assert (tmp_path / "effects").read_text() == "c_881 120.00\n"


def test_a_report_that_comes_too_late_is_told_so(
    server: Server, client: Client, clock: FrozenClock
) -> None:
    request = _ask(client)
    _decide(server, request)
    execution = request.execute()
    execution.__enter__()
    clock.advance(400)
    server.store.write(sweep_approvals)
    with pytest.raises(ConflictError, match="execution_unknown"):
        execution.__exit__(None, None, None)


def test_what_faultbook_runs_itself_is_waited_for_until_it_has_ended(
    server: Server, client: Client
) -> None:
    request = client.approve("publish", "post 7", why="it is Monday")
    _decide(server, request)
    number = int(request.id.removeprefix("A-"))
    outcome = request.wait(timeout=0.3)
    assert outcome.is_open  # approved, and not run

    def run(tx: Transaction) -> None:
        members = {BEN.id: Membership(BEN.id)}
        grant = begin_execution(
            tx, number, request.digest, "faultbook", members, POLICIES, holder="me"
        )
        assert isinstance(grant, Grant), grant
        report_execution(tx, number, grant.id, "faultbook", worked=True, words="ok")

    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(request.wait)
        server.store.write(run)
        outcome = waiting.result(10)
    assert (outcome.state, outcome.executed, bool(outcome)) == ("executed", True, True)


def _give(server: Server) -> int:
    new = NewTask("refund c_881", Person("UANA", "Ana"), TaskSource.CLI, route="jobs")
    task = server.store.write(take_task, [os.urandom(8).hex()], new, ROUTES)
    assert task is not None
    return task.number


def test_a_task_waits_while_people_decide_and_its_end_is_theirs(
    server: Server, client: Client
) -> None:
    number = _give(server)
    for task in client.tasks("cron", most=1):
        with task:
            request = task.approve("refund", "c_881", {"amount": "1.00"}, why="twice")
            assert server.store.read(find_task, number).state == "waiting"
            assert _stored(server, request).triggered_by == Person("UANA", "Ana")
            _decide(server, request, Decision.DENY, "wrong customer")
            request.wait().raise_if_denied()
            pytest.fail("it went on")
        assert task.result is not None
        assert task.result.verdict == "failed"
        assert "denied by Ben: wrong customer" in task.result.failure_reason


def test_who_waits_for_a_cancelled_task_hears_that_nothing_may_run(
    server: Server, client: Client
) -> None:
    number = _give(server)
    told: list[Exception] = []
    for task in client.tasks("cron", most=1, lease_seconds=5):
        with task:
            request = client.approve("refund", "c", {"amount": "1.00"}, why="twice", task=task)
            server.store.write(cancel_task, number, Person("UANA", "Ana"))
            server.store.write(sweep_approvals)
            try:
                request.wait().raise_if_denied()
            except Denied as error:
                told.append(error)
    assert [type(one) for one in told] == [Denied]
    assert _stored(server, request).state == "cancelled"


@pytest.mark.parametrize(
    ("fields", "kind", "code"),
    [
        ({"parameters": {"amount": 1.5}}, InvalidError, "float_in_action"),
        ({"parameters": {"password": "hunter2!"}}, InvalidError, "secret_in_action"),
        ({"parameters": {"text": "x" * 65_000}}, TooLargeError, "action_too_large"),
        ({"kind": "launch"}, ForbiddenError, "no_policy"),
        ({"task": "T-99"}, NotFoundError, "task_not_found"),
        ({"supersedes": "A-99"}, NotFoundError, "approval_not_found"),
        ({"ttl_seconds": 10**7}, InvalidError, "bad_ttl"),
        ({"why": " "}, InvalidError, "bad_field"),
    ],
)
def test_what_does_not_fit_is_refused_in_our_own_errors(
    client: Client, fields: dict[str, Any], kind: type[Exception], code: str
) -> None:
    usual: dict[str, Any] = {"kind": "refund", "target": "c", "why": "w"}
    with pytest.raises(kind) as told:
        client.approve(**(usual | fields))
    assert getattr(told.value, "code", None) == code


def test_an_outcome_of_a_state_that_this_version_does_not_know_is_false() -> None:
    for decision in ("approved", "denied", "maybe", None):
        outcome = Outcome("A-1", "revoked", decision, None, "", None, "", {})
        assert not outcome


def _until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)
