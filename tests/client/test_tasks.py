"""The worker's loop against the real server: closed as it should be, whatever happens."""

import signal
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from faultbook.base.errors import ForbiddenError, InvalidError
from faultbook.client import Client, Task, TaskGone
from faultbook.client.http import HttpClient
from faultbook.model.person import Person
from faultbook.model.task import TaskState
from faultbook.operations.tasks import cancel_task
from tests.client.conftest import ROUTES, SCOPES
from tests.client.proxies import DeafProxy
from tests.client.stored import find, give, run_of, sweep
from tests.conftest import FrozenClock
from tests.intake.wrapper.harness import until
from tests.intake.wrapper.servers import Server


def test_what_was_left_normally_rests_on_its_evidence(
    client: Client, server: Server, tmp_path: Path
) -> None:
    proven, bare = give(server), give(server)
    report = tmp_path / "report.txt"
    report.write_text("40 invoices\n", encoding="utf-8")
    seen: list[Task] = []
    for task in client.tasks("cron", most=2):
        seen.append(task)
        task.progress("page 1 of 2")
        if len(seen) == 1:
            assert task.artifact("report.txt", report)["check"] == "verified"
    first = seen[0]
    assert (first.id, first.text, first.requester, first.attempt) == (
        f"T-{proven}", "export the invoices", "Ana", 1,
    )  # fmt: skip
    assert [task.result.verdict for task in seen if task.result] == ["passed", "inconclusive"]
    assert [task.result.state for task in seen if task.result] == ["done", "failed"]
    assert find(server, proven).state is TaskState.DONE
    assert find(server, bare).reason == "no_evidence_promised"
    assert find(server, proven).progress == "page 1 of 2"


def test_an_exception_closes_its_task_as_failed_and_the_loop_goes_on(
    client: Client, server: Server
) -> None:
    secret = "xoxb-" + "1234567890-abcdefghij"
    bad, good = give(server, "bad"), give(server, "good")
    for task in client.tasks("cron", most=2):
        with task:
            if task.text == "bad":
                raise ValueError(f"no such page {secret}")
            task.artifact("report.txt", b"40 invoices")
    assert find(server, good).state is TaskState.DONE
    told = run_of(server, bad).findings[0]
    assert (told.detail, str(told.verdict)) == (
        "ValueError: no such page [REDACTED:slack-bot-token]", "failed",
    )  # fmt: skip


def test_a_connection_that_broke_is_tried_again_as_the_route_allows(
    client: Client, server: Server, clock: FrozenClock
) -> None:
    number = give(server)
    for task in client.tasks(most=2):
        with task:
            clock.advance(10)  # the route's pause between attempts
            if task.attempt == 1:
                raise ConnectionResetError("gone")
            task.artifact("report.txt", b"40 invoices")
        clock.advance(10)
    assert (find(server, number).state, find(server, number).attempts) == (TaskState.DONE, 2)


def test_a_loop_that_is_left_early_can_not_tell(client: Client, server: Server) -> None:
    numbers = [give(server) for _ in range(3)]
    for task in client.tasks("cron"):
        task.artifact("report.txt", b"40 invoices")
        break
    tasks = client.tasks("cron")
    next(tasks)
    tasks.close()

    def work() -> None:
        for task in client.tasks("cron"):
            raise ValueError(task.id)

    with pytest.raises(ValueError, match=f"T-{numbers[2]}"):
        work()
    for number in numbers:
        told = run_of(server, number).findings[0]
        assert (str(told.verdict), str(told.reason)) == ("inconclusive", "cancelled")


def test_what_is_said_to_be_done_before_the_loop_is_left_counts(
    client: Client, server: Server
) -> None:
    number = give(server)
    for task in client.tasks("cron"):
        task.artifact("report.txt", b"40 invoices")
        assert task.done(cpu_seconds=1.5).state == "done"
        assert task.done().verdict == "passed"  # what is closed stays so
        with pytest.raises(InvalidError):
            task.progress("more")
        break
    assert find(server, number).state is TaskState.DONE
    other = give(server)
    for task in client.tasks("cron"):
        with task:
            task.artifact("report.txt", b"40 invoices")
            break
    assert find(server, other).state is TaskState.DONE


def test_a_failure_says_its_reason_and_a_wrong_one_changes_nothing(
    client: Client, server: Server
) -> None:
    number = give(server)
    for task in client.tasks("cron", most=1):
        with pytest.raises(InvalidError) as caught:
            task.fail("session_expierd")
        assert "session_expired" in caught.value.next_step
        task.fail("session_expired", "Log in to the CRM", "auth")
    told = find(server, number)
    assert (told.state, told.reason, told.detail) == (
        TaskState.FAILED, "session_expired", "Log in to the CRM",
    )  # fmt: skip


def test_ctrl_c_gives_the_task_back(client: Client, server: Server) -> None:
    number = give(server)

    def work() -> None:
        for task in client.tasks("cron"):
            with task:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert find(server, number).state is TaskState.QUEUED


def test_signs_of_life_keep_the_lease_while_the_work_takes(
    client: Client, server: Server, clock: FrozenClock
) -> None:
    number = give(server)
    for task in client.tasks("cron", lease_seconds=5, most=1):
        for _ in range(2):
            clock.advance(4)
            until(lambda: find(server, number).heard_at == clock())
            assert sweep(server) == 0
        task.artifact("report.txt", b"40 invoices")
    assert (find(server, number).state, find(server, number).attempts) == (TaskState.DONE, 1)


def test_a_cancelled_task_tells_its_worker_and_the_loop_goes_on(
    client: Client, server: Server
) -> None:
    number, other = give(server), give(server)
    for task in client.tasks("cron", lease_seconds=5, most=2):
        with task:
            if task.id == f"T-{number}":
                server.store.write(cancel_task, number, Person("U1", "Ana"))
                until(partial(getattr, task, "cancelled"))
                task.progress("half")
                raise AssertionError("unreachable: it is gone")
            task.artifact("report.txt", b"40 invoices")
    assert find(server, number).state is TaskState.CANCELLED
    assert find(server, other).state is TaskState.DONE


def test_a_worker_whose_lease_was_taken_over_is_told_so_and_changes_nothing(
    clients: Callable[..., Client], server: Server, clock: FrozenClock
) -> None:
    number = give(server)
    slow = HttpClient(server.url, server.token(*SCOPES))  # no signs of life: it hangs
    claim = slow.claim_task(b'{"worker": "slow"}', "one")
    assert claim is not None
    held = Task(slow, claim, 600)
    clock.advance(31)
    assert sweep(server) == 1
    for task in clients().tasks("cron", worker="quick", most=1):
        for tell in (
            lambda: held.progress("still at it"),
            lambda: held.artifact("old.txt", b"old"),
            held.done,
            lambda: held.fail("unclassified"),
        ):
            with pytest.raises(TaskGone) as caught:
                tell()
        assert f"T-{number} went to another worker" in caught.value.message
        held.finish()
        assert held.cancelled
        assert find(server, number).worker == "quick"
        task.artifact("report.txt", b"40 invoices")
    done = find(server, number)
    assert (done.state, done.attempts, done.lapses) == (TaskState.DONE, 2, 1)
    assert [artifact.name for artifact in run_of(server, number).artifacts] == ["report.txt"]
    slow.close()


def test_a_close_whose_answer_is_lost_is_told_again_and_counts_once(
    clients: Callable[..., Client], server: Server, proxy: DeafProxy
) -> None:
    number = give(server)
    proxy.lose |= {b"/close": 3, b"tasks:claim": 1, b"/artifacts/": 1}
    for task in clients(proxy.url).tasks("cron", most=1):
        task.artifact("report.txt", b"40 invoices")
    assert task.result is not None
    assert (task.result.verdict, task.result.state) == ("passed", "done")
    assert (find(server, number).attempts, set(proxy.lose.values())) == (1, {0})
    assert sum(b"/close" in line for line in proxy.asked) == 4


def test_a_server_that_is_started_again_hears_of_the_end(
    tmp_path: Path, clock: FrozenClock
) -> None:
    first = Server(tmp_path / "home", routes=ROUTES, clock=clock)
    number, port = give(first), first.port
    client = Client(first.url, first.token(*SCOPES))
    tasks = client.tasks("cron", most=1)
    task = next(tasks)
    task.artifact("report.txt", b"40 invoices")
    first.stop()
    again: list[Server] = []
    start = threading.Timer(
        1, lambda: again.append(Server(tmp_path / "home", port=port, routes=ROUTES, clock=clock))
    )
    start.start()
    assert next(tasks, None) is None
    start.join()
    assert find(again[0], number).state is TaskState.DONE
    again[0].stop()
    client.close()


def test_a_close_that_nobody_hears_is_given_up_once_the_lease_has_run_out(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faultbook.client.client._PAUSES", ())
    monkeypatch.setattr("faultbook.client.task._FIRST_PAUSE", 0.01)
    number = give(server)
    client = Client(server.url, server.token(*SCOPES))
    tasks = client.tasks("cron", lease_seconds=5, most=1)
    task = next(tasks)
    server.stop()
    with pytest.raises(TaskGone):
        task.done()
    assert next(tasks, None) is None
    client.close()
    assert number


def test_sixteen_workers_at_once_get_each_task_once(
    clients: Callable[..., Client], server: Server
) -> None:
    given = {f"T-{give(server)}" for _ in range(48)}
    taken: Counter[str] = Counter()
    stop = threading.Event()

    def work(client: Client) -> None:
        for task in client.tasks("cron", stop=stop):
            with task:
                taken[task.id] += 1
                task.artifact("report.txt", task.id.encode())
            if sum(taken.values()) >= len(given):
                stop.set()

    made = [clients() for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, made))
    assert taken == Counter(given)
    for name in given:
        stored = find(server, int(name.removeprefix("T-")))
        assert (stored.state, stored.attempts) == (TaskState.DONE, 1)


def test_who_may_not_work_is_told_so(client: Client, server: Server) -> None:
    with pytest.raises(ForbiddenError, match="cron's"):
        next(client.tasks("invoice-bot"))
    with pytest.raises(InvalidError) as caught:
        next(client.tasks("cron", routes=["job"]))
    assert caught.value.code == "unknown_route"
    with pytest.raises(ForbiddenError), Client(server.url, server.token()) as nobody:
        next(nobody.tasks("cron"))


def test_a_handler_of_the_programs_own_stays(client: Client, server: Server) -> None:
    def mine(*_: object) -> None:
        raise AssertionError("nobody sent a signal")

    before = signal.signal(signal.SIGTERM, mine)
    try:
        give(server)
        for _ in client.tasks("cron", most=1):
            assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)
    give(server)
    for _ in client.tasks("cron", most=1):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
