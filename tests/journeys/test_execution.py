"""Faultbook is killed at every step of an execution: nothing runs twice, and nothing is guessed."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from faultbook.model.approval import Approval, ApprovalState
from faultbook.operations.approvals import list_approvals
from faultbook.operations.auditing import list_newest, verify_audit
from faultbook.store.approvals import ApprovalFilter
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.notices import count_owed
from tests.approving import approved
from tests.conftest import PostgresServer
from tests.journeys.executing import KINDS, POINTS, REPEATABLE, rules_for

UNDER_WAY = {ApprovalState.APPROVED, ApprovalState.EXECUTING}


@dataclass
class Sink:
    """Where effects arrive over HTTP, counted for each digest."""

    each: Counter[str] = field(default_factory=Counter)
    once: set[str] = field(default_factory=set)
    url: str = ""

    def take(self, path: str, key: str) -> None:
        if path == "/once":
            self.once.add(key)  # as the one who declares it idempotent has to
        else:
            self.each[key] += 1


@pytest.fixture
def sink() -> Iterator[Sink]:
    found = Sink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            found.take(self.path, self.headers["Idempotency-Key"].strip('"'))
            time.sleep(0.03)  # as an effect takes a while, in which its asker may die
            try:
                self.send_response(200)
                self.end_headers()
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Lives:
    """Lives of the executing process, one after the other."""

    process: "subprocess.Popen[str]"

    def live(self, point: str, number: int = 0, ahead: int = 0) -> int:
        """Give how one ended: 0, or minus the signal."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{point} {number} {ahead}\n")
        self.process.stdin.flush()
        while True:
            line = self.process.stdout.readline()
            assert line, "the launcher ended"
            if line.strip().lstrip("-").isdigit():
                return int(line)


@dataclass
class Scene:
    """A store, a folder of effects, and who executes."""

    store: Store
    folder: Path
    sink: Sink
    lives: Lives

    def effects(self) -> Counter[str]:
        """Count the effects of each digest, wherever they arrived."""
        place = self.folder / "effects"
        found = Counter(place.read_text().split() if place.exists() else [])
        found.update(path.name.removeprefix("once-") for path in self.folder.glob("once-*"))
        return found + self.sink.each + Counter(self.sink.once)

    def approvals(self) -> list[Approval]:
        every = ApprovalFilter(states=None, limit=1000)
        return list(self.store.read(list_approvals, every))


@pytest.fixture
def scene(sink: Sink, database: str, tmp_path: Path) -> Iterator[Scene]:
    folder = tmp_path / "effects"
    folder.mkdir()
    store = open_store(database)
    environ = dict(os.environ) | {"PYTHONPATH": f"{Path.cwd() / 'src'}:{Path.cwd()}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.journeys.executing", database, str(folder), sink.url],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Scene(store, folder, sink, Lives(process))
    finally:
        process.kill()
        process.communicate()
        store.close()


def kill_at_every_step(scene: Scene, kills: int, ahead: int) -> Counter[ApprovalState]:
    """Have an action approved for each life, kill that, and then let all be finished."""
    rules = rules_for(scene.folder, scene.sink.url)
    steps = list(itertools.product(POINTS, KINDS))
    for number, (point, kind) in zip(range(kills), itertools.cycle(steps), strict=False):
        made = approved(scene.store, rules, kind, {"amount": f"{number}.00"})
        assert scene.lives.live(point, made.number) == -signal.SIGKILL, (point, kind)
    assert scene.lives.live("-", ahead=ahead) == 0
    ended = scene.approvals()
    assert len(ended) == kills
    assert not UNDER_WAY & {one.state for one in ended}
    settle_orphans(scene)
    return Counter(one.state for one in ended)


def settle_orphans(scene: Scene) -> None:
    """Wait for commands that outlived who began them: their effects count as well."""
    before = None
    while before != (before := scene.effects()):
        time.sleep(0.5)


def check_each(scene: Scene) -> None:
    """Hold every approval against what really happened."""
    effects = scene.effects()
    assert max(effects.values()) == 1, "something ran twice"
    for one in scene.approvals():
        kinds = [record.kind for record in scene.store.read(list_newest, 50, one.id)]
        if one.state is ApprovalState.EXECUTED:
            assert effects[one.digest] == 1, one.id
            assert kinds[-1] == "execution.executed"
        else:
            assert one.state is ApprovalState.EXECUTION_UNKNOWN
            assert one.action.kind not in REPEATABLE
            assert "nobody knows" in one.outcome
            assert kinds[-1] == "execution.unknown"
    assert sum(effects.values()) <= len(scene.approvals())
    assert scene.store.read(verify_audit).broken_at is None
    assert scene.store.read(count_owed) == len(scene.approvals())  # each card, painted anew


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if getattr(request, "param", "sqlite") == "sqlite":
        return sqlite_url(tmp_path / "home")
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_hundred_kills_at_every_step_never_run_an_action_twice(scene: Scene) -> None:
    states = kill_at_every_step(scene, 100, 0)
    check_each(scene)
    assert states[ApprovalState.EXECUTED] >= 60
    assert set(states) == {ApprovalState.EXECUTED, ApprovalState.EXECUTION_UNKNOWN}


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_kills_at_every_step_on_postgresql_too(scene: Scene) -> None:
    """There nobody knows whose process is gone, so that grants run out first."""
    kills = len(POINTS) * len(KINDS)
    states = kill_at_every_step(scene, kills, 1000)
    check_each(scene)
    assert states[ApprovalState.EXECUTED] >= kills * 0.6
