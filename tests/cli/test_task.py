"""`faultbook task` as a program of its own, on a local store."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.intake.wrapper.harness import until

ROUTES = """\
[[routes]]
name = "invoices"
match = "export*"
agent = "invoice-bot"
attempts = 2
backoff_seconds = 0
[[routes]]
name = "reports"
match = "report*"
command = ["./report.sh", "{text}"]
"""
WRITES = ("sh", "-c", "date > report.txt")


@dataclass
class Team:
    """A folder with settings, and the command line in it."""

    folder: Path

    def environ(self, **changes: str) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("FAULTBOOK_")}
        return kept | {"USER": "ana", "LOGNAME": "ana"} | changes

    def task(self, *words: str, **changes: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "faultbook", "task", *words],
            cwd=self.folder,
            env=self.environ(**changes),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def started(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "faultbook", "task", *words],
            cwd=self.folder,
            env=self.environ(),
            stderr=subprocess.PIPE,
            text=True,
        )

    def work(self, *command: str, options: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - what `task` gives
        return self.task("work", "--agent", "invoice-bot", "--once", *options, "--", *command)

    def shown(self, task: str = "1") -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.task("show", task, "--json").stdout)
        return told


@pytest.fixture
def team(tmp_path: Path) -> Team:
    (tmp_path / "faultbook.toml").write_text(ROUTES)
    return Team(tmp_path)


def test_a_task_is_given_listed_done_and_shown(team: Team) -> None:
    added = team.task("add", "export", "November")
    assert (added.returncode, added.stdout) == (0, "T-1 queued for invoices. It is next.\n")
    assert team.task("add", "export December").stdout == "T-2 queued for invoices. 1 before it.\n"
    assert team.task("add", "dance").stdout == "T-3 waits for a taker. No route matches.\n"
    listed = team.task("list").stdout
    assert "3 queued" in listed
    assert "· queued  T-2  invoices   export December\n          ana, 1 before it" in listed
    done = team.work(*WRITES, options=("--artifact", "report.txt"))
    assert (done.returncode, done.stdout) == (0, "")
    assert "T-1 done: passed" in done.stderr
    shown = team.task("show", "T-1").stdout
    assert shown.startswith("T-1 · invoices · done · ana\n    export November\n")
    assert "verified  report.txt" in shown
    assert "Next: faultbook timeline " in shown
    assert "✓ done  T-1" in team.task("list", "--state", "done").stdout


def test_everything_is_told_as_json_too(team: Team) -> None:
    link = "https://files.example/november.xlsx"
    given = team.task("add", "--json", "--priority", "5", "--link", link, "export November")
    task = json.loads(given.stdout)
    assert (task["id"], task["requester"], task["priority"]) == ("T-1", "ana", 5)
    assert task["links"] == [{"name": "november.xlsx", "url": link}]
    [listed] = json.loads(team.task("list", "--json").stdout)["tasks"]
    assert (listed["id"], listed["before"]) == ("T-1", 0)
    done = team.work(*WRITES, options=("--json", "--artifact", "report.txt"))
    closed = json.loads(done.stdout)
    assert (closed["state"], closed["verdict"]) == ("done", "passed")
    shown = team.shown()
    assert [event["kind"] for event in shown["events"]] == ["received", "claimed", "closed"]
    assert shown["run"]["artifacts"][0]["check"] == "verified"


def test_once_says_no_when_the_task_did_not_pass_and_nothing_to_do_is_no_failure(
    team: Team,
) -> None:
    team.task("add", "export November")
    done = team.work("true", options=("--artifact", "report.txt"))
    assert done.returncode == 1
    assert "missing_artifact_ref" in done.stderr
    assert "not proven" in team.task("list", "--state", "failed").stdout
    idle = team.work("true")
    assert (idle.returncode, "nothing to do" in idle.stderr) == (0, True)


def test_a_command_that_is_not_there_fails_the_task_and_is_named(team: Team) -> None:
    team.task("add", "export November")
    assert team.work("./nowhere.sh").returncode == 1
    shown = team.shown()
    assert (shown["state"], shown["reason"]) == ("failed", "command_not_found")
    assert "./nowhere.sh" in shown["detail"]


def test_its_output_passes_through_and_its_stdin_is_the_task(team: Team) -> None:
    team.task("add", "export November")
    done = team.work("sh", "-c", "cat; echo loud >&2", options=("--json",))
    first, _, rest = done.stdout.partition("\n")
    assert json.loads(first)["text"] == "export November"
    assert json.loads(rest)["state"] == "failed"
    assert "loud\n" in done.stderr


def test_cancel_and_retry_say_no_where_they_can_not(team: Team) -> None:
    team.task("add", "export November")
    assert team.task("retry", "T-1").returncode == 1
    cancelled = team.task("cancel", "T-1")
    assert (cancelled.returncode, cancelled.stdout) == (0, "T-1 cancelled. Nothing ran.\n")
    again = team.task("cancel", "t-1")
    assert (again.returncode, again.stdout) == (1, "")
    assert "T-1 is cancelled by ana already; nothing changed." in again.stderr
    assert team.task("retry", "1").stdout == "T-1 queued for invoices. It is next.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "--route", "invoces", "x"), "Nearest: `invoices`"),
        (("add", " "), "The task says nothing"),
        (("add", "x" * 12_001), "12,000 are the most"),
        (("add", "--link", "javascript:1", "x"), "is no link"),
        (("show", "T-9"), "There is no task T-9"),
        (("show", "forty"), "is no task's id"),
        (("work", "--agent", "nobody", "--", "true"), 'agent = "nobody"'),
        (("work", "--agent", "faultbook", "--", "true"), "which `faultbook up` runs itself"),
        (("work", "--agent", "invoice-bot", "--routes", "reports", "--", "true"), "is not one of"),
        (("work", "--agent", "invoice-bot", "--", "{text}"), "can't be filled in"),
        (("work", "--agent", "invoice-bot"), "COMMAND"),
        (("progress", "page 3"), "FAULTBOOK_TASK_ID or FAULTBOOK_TASK_LEASE is not set"),
        (("list", "--route", "invoces"), "Nearest: `invoices`"),
    ],
)
def test_what_can_not_be_is_told_with_what_to_do(
    team: Team, words: tuple[str, ...], told: str
) -> None:
    done = team.task(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_program_in_the_settings_is_never_filled_in(team: Team) -> None:
    path = team.folder / "faultbook.toml"
    path.write_text('[[routes]]\nname = "any"\ncommand = ["{text}"]\n')
    refused = team.task("list")
    assert refused.returncode == 2
    assert "never filled in" in refused.stderr


def test_no_task_yet_is_said_so(team: Team) -> None:
    listed = team.task("list")
    assert (listed.returncode, listed.stdout) == (0, "")
    assert "No open task. Give one" in listed.stderr


def test_progress_by_whoever_holds_the_lease_and_no_more_once_it_is_gone(team: Team) -> None:
    team.task("add", "export November")
    # A worker of another kind: no file that is looked at, only the lease.
    code = (
        f"FAULTBOOK_TASK_PROGRESS= {sys.executable} -m faultbook task progress page 3 of 9"
        ' && printf %s "$FAULTBOOK_TASK_LEASE" > lease && date > report.txt'
    )
    assert team.work("sh", "-c", code, options=("--artifact", "report.txt")).returncode == 0
    told = [event["text"] for event in team.shown()["events"] if event["kind"] == "progress"]
    assert told == ["page 3 of 9"]
    lease = (team.folder / "lease").read_text()
    late = team.task("progress", "page 4", FAULTBOOK_TASK_ID="T-1", FAULTBOOK_TASK_LEASE=lease)
    assert late.returncode == 1
    assert "T-1 was done at" in late.stderr


def test_a_worker_that_is_asked_twice_to_end_gives_its_task_back(team: Team) -> None:
    team.task("add", "export November")
    worker = team.started(
        *("work", "--agent", "invoice-bot", "--worker", "bot-2", "--"),
        *("sh", "-c", "echo $$ > pid; exec sleep 300"),
    )
    until((team.folder / "pid").exists)
    worker.send_signal(signal.SIGTERM)
    assert worker.stderr is not None
    said = ""
    while "to end" not in said:
        said += worker.stderr.readline()
    worker.send_signal(signal.SIGTERM)
    _, rest = worker.communicate(timeout=30)
    assert worker.returncode == 0
    assert "T-1 went back to the queue" in rest
    shown = team.shown()
    assert (shown["state"], shown["attempts"]) == ("queued", 1)
    assert shown["events"][-1]["text"] == "bot-2 was stopped"


def test_an_idle_worker_ends_when_it_is_asked_to(team: Team) -> None:
    worker = team.started("work", "--agent", "invoice-bot", "--", "true")
    team.task("add", "export November")  # once that is taken it is at work for sure
    until(lambda: team.shown()["state"] == "failed")
    worker.send_signal(signal.SIGINT)
    assert worker.wait(30) == 0
    assert worker.stderr is not None
    worker.stderr.close()
