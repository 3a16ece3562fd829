"""Commands that outlive the bot that began them: seen, ended in time, and nothing left of them."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faultbook.delivery.executor.command import Commands, StillRunningError
from faultbook.model.approval_policy import ExecutorPlan
from faultbook.store.engine import Store
from tests.delivery.executor.conftest import Bench
from tests.intake.wrapper.bench import is_alive
from tests.intake.wrapper.harness import until

# A bot of its own process, so that it can be killed as one: after it noted whom it has started, or
# before.
BOT = """
import sys
from pathlib import Path
from types import SimpleNamespace
from faultbook.delivery.executor import command
if sys.argv[2] == "not noted yet":
    command.note_group = lambda *_: None
here = Path(sys.argv[1])
plan = SimpleNamespace(command=["sh", "-c", "sleep 300 & echo $! > child; wait"])
approval = SimpleNamespace(number=1, id="A-1", digest="d")
order = SimpleNamespace(approval=approval, plan=plan, told=b"", say=str)
command.Commands(here, here / "locks", {"PATH": "/usr/bin:/bin"}).run(order, 300)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    (tmp_path / "locks").mkdir()
    return tmp_path / "locks" / "A-1.lock"


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path, tmp_path / "locks", {})


def left_behind(folder: Path, noted: str) -> int:
    """Have a bot killed while its command is at work; gives a process of that."""
    child = folder / "child"
    with subprocess.Popen([sys.executable, "-c", BOT, str(folder), noted]) as bot:
        until(lambda: child.exists() and child.read_text().endswith("\n"))
        lock = folder / "locks" / "A-1.lock"
        until(lambda: lock.read_text().endswith("\n") or noted != "noted")
        bot.kill()
    return int(child.read_text())


def has_ended(commands: Commands) -> Callable[[], bool]:
    """Give what tells whether anything is still at work, and ends it."""

    def look() -> bool:
        with contextlib.suppress(StillRunningError):
            commands.check_ended(1, end=True)
            return True
        return False

    return look


@pytest.mark.parametrize("noted", ["noted", "not noted yet"])
def test_what_a_killed_bot_left_running_is_waited_for_and_ended_once_its_time_is_over(
    tmp_path: Path, lock: Path, commands: Commands, noted: str
) -> None:
    child = left_behind(tmp_path, noted)
    with pytest.raises(StillRunningError):
        commands.check_ended(1, end=False)
    assert is_alive(child)
    until(has_ended(commands))
    assert not is_alive(child)
    assert not lock.exists()


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, process_group=0) as process:
        yield process


def test_the_number_of_an_earlier_attempt_that_is_somebody_elses_by_now_kills_nobody(
    tmp_path: Path, lock: Path, commands: Commands, bystander: "subprocess.Popen[bytes]"
) -> None:
    lock.write_text(str(bystander.pid))
    left_behind(tmp_path, "not noted yet")
    assert lock.read_text() == ""
    until(has_ended(commands))
    bystander.communicate()
    assert bystander.returncode == 0


def test_a_check_that_finds_nothing_at_work_leaves_no_file(lock: Path, commands: Commands) -> None:
    lock.write_text("4711")
    commands.check_ended(1, end=False)
    commands.check_ended(2, end=True)
    assert list(lock.parent.iterdir()) == []


@pytest.mark.parametrize("code", ["", "sys.exit(1)", "os.kill(os.getpid(), 9)", None])
async def test_an_execution_leaves_no_lock_behind_however_it_ends(
    sqlite_store: Store, tmp_path: Path, code: str | None
) -> None:
    bench = Bench(sqlite_store, tmp_path)
    command = ("./nothing-here",) if code is None else bench.script("go.py", code)
    await bench.execute(ExecutorPlan(command=command))
    assert list((tmp_path / "locks").iterdir()) == []
