"""The worker's loop against the real server: closed as it should be, whatever happens."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from faultbook.base.errors import ForbiddenError, InvalidError
from faultbook.client import Client, Task, TaskGone
from faultbook.client.http import HttpClient
from faultbook.model.person import Person
from faultbook.model.policy import Policy
from faultbook.model.run import RunRecord
from faultbook.model.task import NewTask, TaskSource, TaskState
from faultbook.model.task import Task as StoredTask
from faultbook.operations.recording import read_run
from faultbook.operations.tasks import cancel_task, find_task, take_task
from faultbook.operations.work import sweep_tasks
from tests.client.conftest import ROUTES, SCOPES
from tests.client.proxies import DeafProxy
from tests.conftest import FrozenClock
from tests.intake.wrapper.servers import Server

ROOT = Path(__file__).parents[2]


def _give(server: Server, text: str = "export the invoices") -> int:
    new = NewTask(text, Person("", "Ana"), TaskSource.CLI, route="jobs")
    task = server.store.write(take_task, [os.urandom(8).hex()], new, ROUTES)
    assert task is not None
    return task.number


def _stored(server: Server, number: int) -> StoredTask:
    return server.store.read(find_task, number)


def _run(server: Server, number: int) -> RunRecord:
    return server.store.read(read_run, _stored(server, number).run_id or "")


def _sweep(server: Server) -> int:
    return server.store.write(sweep_tasks, Policy(), ROUTES)


def _until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_was_left_normally_rests_on_its_evidence(
    client: Client, server: Server, tmp_path: Path
) -> None:
    proven, bare = _give(server), _give(server)
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
    assert _stored(server, proven).state is TaskState.DONE
    assert _stored(server, bare).reason == "no_evidence_promised"
    assert _stored(server, proven).progress == "page 1 of 2"


def test_an_exception_closes_its_task_as_failed_and_the_loop_goes_on(
    client: Client, server: Server
) -> None:
    secret = "xoxb-" + "1234567890-abcdefghij"
    bad, good = _give(server, "bad"), _give(server, "good")
    for task in client.tasks("cron", most=2):
        with task:
            if task.text == "bad":
                raise ValueError(f"no such page {secret}")
            task.artifact("report.txt", b"40 invoices")
    assert _stored(server, good).state is TaskState.DONE
    told = _run(server, bad).findings[0]
    assert (told.detail, str(told.verdict)) == (
        "ValueError: no such page [REDACTED:slack-bot-token]", "failed",
    )  # fmt: skip


def test_a_connection_that_broke_is_tried_again_as_the_route_allows(
    client: Client, server: Server, clock: FrozenClock
) -> None:
    number = _give(server)
    for task in client.tasks(most=2):
        with task:
            clock.advance(10)  # the route's pause between attempts
            if task.attempt == 1:
                raise ConnectionResetError("gone")
            task.artifact("report.txt", b"40 invoices")
        clock.advance(10)
    assert (_stored(server, number).state, _stored(server, number).attempts) == (TaskState.DONE, 2)


def test_a_loop_that_is_left_early_can_not_tell(client: Client, server: Server) -> None:
    numbers = [_give(server) for _ in range(3)]
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
        told = _run(server, number).findings[0]
        assert (str(told.verdict), str(told.reason)) == ("inconclusive", "cancelled")


def test_what_is_said_to_be_done_before_the_loop_is_left_counts(
    client: Client, server: Server
) -> None:
    number = _give(server)
    for task in client.tasks("cron"):
        task.artifact("report.txt", b"40 invoices")
        assert task.done(cpu_seconds=1.5).state == "done"
        assert task.done().verdict == "passed"  # what is closed stays so
        with pytest.raises(InvalidError):
            task.progress("more")
        break
    assert _stored(server, number).state is TaskState.DONE
    other = _give(server)
    for task in client.tasks("cron"):
        with task:
            task.artifact("report.txt", b"40 invoices")
            break
    assert _stored(server, other).state is TaskState.DONE


def test_a_failure_says_its_reason_and_a_wrong_one_changes_nothing(
    client: Client, server: Server
) -> None:
    number = _give(server)
    for task in client.tasks("cron", most=1):
        with pytest.raises(InvalidError) as caught:
            task.fail("session_expierd")
        assert "session_expired" in caught.value.next_step
        task.fail("session_expired", "Log in to the CRM", "auth")
    told = _stored(server, number)
    assert (told.state, told.reason, told.detail) == (
        TaskState.FAILED, "session_expired", "Log in to the CRM",
    )  # fmt: skip


def test_ctrl_c_gives_the_task_back(client: Client, server: Server) -> None:
    number = _give(server)

    def work() -> None:
        for task in client.tasks("cron"):
            with task:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert _stored(server, number).state is TaskState.QUEUED


def test_signs_of_life_keep_the_lease_while_the_work_takes(
    client: Client, server: Server, clock: FrozenClock
) -> None:
    number = _give(server)
    for task in client.tasks("cron", lease_seconds=5, most=1):
        for _ in range(2):
            clock.advance(4)
            _until(lambda: _stored(server, number).heard_at == clock())
            assert _sweep(server) == 0
        task.artifact("report.txt", b"40 invoices")
    assert (_stored(server, number).state, _stored(server, number).attempts) == (TaskState.DONE, 1)


def test_a_cancelled_task_tells_its_worker_and_the_loop_goes_on(
    client: Client, server: Server
) -> None:
    number, other = _give(server), _give(server)
    for task in client.tasks("cron", lease_seconds=5, most=2):
        with task:
            if task.id == f"T-{number}":
                server.store.write(cancel_task, number, Person("U1", "Ana"))
                _until(partial(getattr, task, "cancelled"))
                task.progress("half")
                raise AssertionError("unreachable: it is gone")
            task.artifact("report.txt", b"40 invoices")
    assert _stored(server, number).state is TaskState.CANCELLED
    assert _stored(server, other).state is TaskState.DONE


def test_a_worker_whose_lease_was_taken_over_is_told_so_and_changes_nothing(
    clients: Callable[..., Client], server: Server, clock: FrozenClock
) -> None:
    number = _give(server)
    slow = HttpClient(server.url, server.token(*SCOPES))  # no signs of life: it hangs
    claim = slow.claim_task(b'{"worker": "slow"}', "one")
    assert claim is not None
    held = Task(slow, claim, 600)
    clock.advance(31)
    assert _sweep(server) == 1
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
        assert _stored(server, number).worker == "quick"
        task.artifact("report.txt", b"40 invoices")
    done = _stored(server, number)
    assert (done.state, done.attempts, done.lapses) == (TaskState.DONE, 2, 1)
    assert [artifact.name for artifact in _run(server, number).artifacts] == ["report.txt"]
    slow.close()


def test_a_close_whose_answer_is_lost_is_told_again_and_counts_once(
    clients: Callable[..., Client], server: Server, proxy: DeafProxy
) -> None:
    number = _give(server)
    proxy.lose |= {b"/close": 3, b"tasks:claim": 1, b"/artifacts/": 1}
    for task in clients(proxy.url).tasks("cron", most=1):
        task.artifact("report.txt", b"40 invoices")
    assert task.result is not None
    assert (task.result.verdict, task.result.state) == ("passed", "done")
    assert (_stored(server, number).attempts, set(proxy.lose.values())) == (1, {0})
    assert sum(b"/close" in line for line in proxy.asked) == 4


def test_a_server_that_is_started_again_hears_of_the_end(
    tmp_path: Path, clock: FrozenClock
) -> None:
    first = Server(tmp_path / "home", routes=ROUTES, clock=clock)
    number, port = _give(first), first.port
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
    assert _stored(again[0], number).state is TaskState.DONE
    again[0].stop()
    client.close()


def test_a_close_that_nobody_hears_is_given_up_once_the_lease_has_run_out(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faultbook.client.client._PAUSES", ())
    monkeypatch.setattr("faultbook.client.task._FIRST_PAUSE", 0.01)
    number = _give(server)
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
    given = {f"T-{_give(server)}" for _ in range(48)}
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
        stored = _stored(server, int(name.removeprefix("T-")))
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
        _give(server)
        for _ in client.tasks("cron", most=1):
            assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)
    _give(server)
    for _ in client.tasks("cron", most=1):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


class _Worker:
    """A worker process in a folder of its own."""

    def __init__(self, folder: Path, server: Server, mode: str) -> None:
        folder.mkdir()
        self.folder = folder
        environ = {**os.environ, **server.environ(*SCOPES), "PYTHONPATH": f"{ROOT}/src:{ROOT}"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.client.workers", mode], cwd=folder, env=environ
        )

    def holds(self, number: int) -> None:
        """Wait until it holds a task."""
        held = self.folder / "held"
        _until(lambda: held.exists() and held.read_text("utf-8") == f"T-{number}")

    def go(self) -> None:
        """Let it go on."""
        (self.folder / "go").touch()


@pytest.fixture
def workers(tmp_path: Path, server: Server) -> Iterator[Callable[[str], _Worker]]:
    """Start worker processes, and end them."""
    started: list[_Worker] = []

    def start(mode: str) -> _Worker:
        started.append(_Worker(tmp_path / mode, server, mode))
        return started[-1]

    yield start
    for worker in started:
        worker.process.kill()
        worker.process.wait(10)


def test_the_task_of_a_killed_worker_is_done_by_another(
    workers: Callable[[str], _Worker], server: Server, clock: FrozenClock
) -> None:
    number = _give(server)
    first = workers("first")
    first.holds(number)
    first.process.kill()
    first.process.wait(10)
    clock.advance(6)
    assert _sweep(server) == 1
    second = workers("second")
    second.holds(number)
    second.go()
    _until(lambda: _stored(server, number).state.is_ended)
    done = _stored(server, number)
    assert (done.state, done.attempts, done.lapses, done.worker) == (
        TaskState.DONE, 2, 1, "second",
    )  # fmt: skip


def test_a_worker_that_hung_and_comes_back_late_changes_nothing(
    workers: Callable[[str], _Worker], server: Server, clock: FrozenClock
) -> None:
    number = _give(server)
    first = workers("first")
    first.holds(number)
    first.process.send_signal(signal.SIGSTOP)
    clock.advance(6)
    assert _sweep(server) == 1
    second = workers("second")
    second.holds(number)
    first.process.send_signal(signal.SIGCONT)
    first.go()
    _until(lambda: not (first.folder / "go").exists())
    other = _give(server)
    first.holds(other)  # it was told so, and went on with the next
    second.go()
    _until(lambda: _stored(server, number).state.is_ended)
    done = _run(server, number)
    assert [artifact.excerpt for artifact in done.artifacts] == ["by second"]
    assert str(done.verdict) == "passed"


def test_a_worker_that_is_told_to_stop_finishes_its_task_first(
    workers: Callable[[str], _Worker], server: Server
) -> None:
    number, second = _give(server), _give(server)
    worker = workers("first")
    worker.holds(number)
    worker.process.terminate()
    worker.go()
    assert worker.process.wait(30) == 0
    assert (worker.folder / "ended").exists()
    assert _stored(server, number).state is TaskState.DONE
    assert _stored(server, second).state is TaskState.QUEUED


def test_a_worker_that_waits_stops_soon(workers: Callable[[str], _Worker], server: Server) -> None:
    number = _give(server)
    worker = workers("first")
    worker.holds(number)
    worker.go()
    _until(lambda: _stored(server, number).state.is_ended)
    worker.process.terminate()
    assert worker.process.wait(30) == 0
