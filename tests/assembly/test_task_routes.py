"""`faultbook up` does the tasks of command routes, and the samples show both ways of work."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from faultbook.assembly.house import routes_of
from faultbook.base.settings import load_settings
from faultbook.model.person import Person
from faultbook.model.task import NewTask, TaskSource
from faultbook.model.token import Scope, Token
from faultbook.operations import task_reporting
from faultbook.operations.tasks import cancel_task
from faultbook.store.engine import open_store, sqlite_url
from faultbook.view.task_documents import whole_task_document
from tests.assembly.test_up import up
from tests.intake.http.conftest import make_token
from tests.intake.wrapper.bench import is_alive
from tests.intake.wrapper.harness import until

ROUTES = """\
[[routes]]
name = "report"
match = "report*"
command = ["./report.sh", "{text}", "{task}"]
artifacts = ["out/{task}.txt"]
attempts = 2
backoff_seconds = 0
[[routes]]
name = "single"
match = "single*"
command = ["sh", "single.sh", "{task}"]
artifacts = ["out.txt"]
[[routes]]
name = "hang"
match = "hang*"
command = ["sh", "-c", "echo $$ > pid; while :; do sleep 0.05; done"]
timeout_seconds = 60
[[routes]]
name = "quick"
match = "quick*"
command = ["sleep", "300"]
timeout_seconds = 1
[[routes]]
name = "gone"
match = "gone*"
command = ["./nowhere.sh"]
attempts = 3
[[routes]]
name = "nosy"
match = "nosy*"
command = ["sh", "-c", "env > env.txt; pwd > pwd.txt; faultbook=1"]
artifacts = ["env.txt"]
"""
REPORT = '#!/bin/sh\nset -eu\nmkdir -p out\necho "$1" > "out/$2.txt"\n'
# Says when it begins and ends, so that two at a time would be seen.
SINGLE = 'echo "begin $1" >> log; sleep 0.3; date +%N > out.txt; echo "end $1" >> log\n'


class Team:
    """A folder with settings and commands, and the store of the bot that runs there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / ".faultbook"
        (folder / "faultbook.toml").write_text(ROUTES)
        (folder / "report.sh").write_text(REPORT)
        (folder / "report.sh").chmod(0o755)
        (folder / "single.sh").write_text(SINGLE)

        self.store = open_store(sqlite_url(self.home))
        self.routes = routes_of(load_settings({}, folder))

    def add(self, text: str) -> None:
        me = Token("t", "ana", "ana", frozenset(), frozenset(), 0)
        new = NewTask(text, Person("", "Ana"), TaskSource.CLI)
        self.store.write(task_reporting.add_task, me, new, self.routes)

    def cancel(self, task: int) -> None:
        self.store.write(cancel_task, task, Person("", "Ana"))

    def show(self, task: int = 1) -> dict[str, Any]:
        me = Token("t", "ana", "ana", frozenset(), frozenset(), 0)
        found = self.store.read(task_reporting.read_task, me, task, self.routes)
        return whole_task_document(found.task, found.events, found.run, found.place)

    def ends(self, task: int = 1) -> dict[str, Any]:
        return ended(lambda: self.show(task))

    @contextlib.contextmanager
    def up(self, *arguments: str, **changes: str) -> Iterator["subprocess.Popen[str]"]:
        with up(
            self.folder, "--no-slack", *arguments, FAULTBOOK_HOME=str(self.home), **changes
        ) as it:
            yield it.process


def ended(show: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Wait for a task's end, and give it as it is then."""
    found: dict[str, Any] = {}

    def has_ended() -> bool:
        found.update(show())
        return found["state"] in {"done", "failed", "lost", "cancelled"}

    until(has_ended)
    return found


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    folder = tmp_path / "team"
    folder.mkdir()
    made = Team(folder)
    yield made
    made.store.close()


def test_a_command_does_its_routes_tasks_where_the_settings_are(team: Team) -> None:
    team.add("report November")  # before there is anybody: it waits
    with team.up():
        first = team.ends(1)
        team.add("report --help; rm -rf *")
        second = team.ends(2)
    assert (first["state"], second["state"]) == ("done", "done")
    assert first["run"]["artifacts"][0]["name"] == "out/T-1.txt"
    assert first["run"]["task_id"] == "T-1"
    assert (team.folder / "out" / "T-2.txt").read_text() == "report --help; rm -rf *\n"
    assert first["worker"].startswith("faultbook@")


def test_commands_that_write_the_same_file_run_one_at_a_time(team: Team) -> None:
    for _ in range(3):
        team.add("single")
    with team.up():
        ends = [team.ends(number) for number in (1, 2, 3)]
    assert [end["state"] for end in ends] == ["done"] * 3
    log = (team.folder / "log").read_text().split()
    assert log == [word for n in (1, 2, 3) for word in ("begin", f"T-{n}", "end", f"T-{n}")]


def test_what_goes_wrong_is_told_apart(team: Team) -> None:
    for text in ("quick one", "gone away"):
        team.add(text)
    with team.up():
        hung, gone = team.ends(1), team.ends(2)
    assert (hung["state"], hung["reason"]) == ("failed", "timed_out")
    assert (gone["state"], gone["reason"], gone["attempts"]) == ("failed", "command_not_found", 1)
    assert "./nowhere.sh" in gone["detail"]


def test_slacks_secrets_are_no_business_of_a_command(team: Team) -> None:
    team.add("nosy")
    secrets = {
        "SLACK_BOT_TOKEN": "xoxb-1234567890-canarycanary",
        "SLACK_SIGNING_SECRET": "canary" * 5,
        "FAULTBOOK_TOKEN": "fb_canary",
        "FAULTBOOK_SECRET_STRIPE": "canary",
        "KEPT": "yes",
    }
    with team.up(**secrets):
        team.ends(1)
    told = (team.folder / "env.txt").read_text()
    assert "canary" not in told
    assert "KEPT=yes" in told
    assert f"FAULTBOOK_HOME={team.home}" in told
    assert (team.folder / "pwd.txt").read_text().strip() == str(team.folder)


def test_a_cancelled_task_ends_its_command(team: Team) -> None:
    team.add("hang")
    with team.up():
        pid = _pid(team)
        team.cancel(1)
        until(lambda: not is_alive(pid))
    assert team.show()["state"] == "cancelled"


@pytest.mark.long
def test_an_orderly_stop_ends_the_command_and_gives_the_task_back_at_once(team: Team) -> None:
    team.add("hang")
    with team.up():
        pid = _pid(team)
    assert not is_alive(pid)
    shown = team.show()
    assert shown["state"] == "queued"
    assert (shown["run"]["verdict"], shown["events"][-1]["kind"]) == ("failed", "released")
    with team.up():
        until(lambda: (team.folder / "pid").read_text().strip() not in ("", str(pid)))


@pytest.mark.long
def test_after_a_crash_the_lease_runs_out_and_the_task_is_tried_again(team: Team) -> None:
    team.add("hang")
    with team.up() as process:
        pid = _pid(team)
        process.kill()
        process.wait(10)
    assert is_alive(pid)
    (team.folder / "faultbook.toml").write_text(ROUTES.replace("while :;", "while false;"))
    with team.up():
        shown = team.ends(1)
    kinds = [event["kind"] for event in shown["events"]]
    assert kinds == ["received", "claimed", "lapsed", "claimed", "closed"]
    assert shown["attempts"] == 2
    assert not is_alive(pid)


@pytest.mark.long
def test_the_samples_do_a_task_over_http_and_one_by_a_command(team: Team) -> None:
    (team.folder / "faultbook.toml").write_text("")
    arguments = ("--samples", "--workspace-port", "0")
    with up(team.folder, *arguments, FAULTBOOK_HOME=str(team.home)) as running:
        secret = make_token(team.store, Scope.TASKS_WRITE, Scope.TASKS_READ, agent="ana")
        head = {"Authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=running.api, headers=head) as client:
            for text in ("export the November invoices", "count the stock"):
                assert client.post("/v1/tasks", json={"text": text}).status_code == 201
            invoices = ended(lambda: client.get("/v1/tasks/T-1").json())
            stock = ended(lambda: client.get("/v1/tasks/T-2").json())
    assert (invoices["state"], stock["state"]) == ("done", "done")
    assert invoices["worker"].startswith("invoice-bot-")
    told = [event["text"] for event in invoices["events"] if event["kind"] == "progress"]
    assert "page 3 of 9" in told
    assert [each["name"] for each in invoices["run"]["artifacts"]] == ["invoices.csv"]
    assert [each["name"] for each in stock["run"]["artifacts"]] == ["T-2.csv"]


def _pid(team: Team) -> int:
    path = team.folder / "pid"
    until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())
