"""`faultbook task` against a server, with a token: the same words as on a local store."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faultbook.base.settings import Settings
from faultbook.intake.http.app import build_app
from faultbook.model.policy import Policy
from faultbook.model.token import Scope
from faultbook.operations.tasks import find_task
from faultbook.store.engine import Store, open_store, sqlite_url
from tests.intake.http.conftest import make_token, serving
from tests.intake.wrapper.bench import AGENT, ROUTES

Task = Callable[..., "subprocess.CompletedProcess[str]"]
ALL = (Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.TASKS_WORK)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_url(tmp_path / "home"))
    yield opened
    opened.close()


@pytest.fixture
def task(store: Store, tmp_path: Path) -> Iterator[Task]:
    """Give the command line of somebody elsewhere, with the agent's token."""
    app = build_app(store, Policy(), Settings(), ROUTES)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FAULTBOOK_")}
    with serving(app) as url:

        def call(
            *words: str, scopes: tuple[Scope, ...] = ALL
        ) -> "subprocess.CompletedProcess[str]":
            told = {
                "FAULTBOOK_URL": url,
                "FAULTBOOK_TOKEN": make_token(store, *scopes, agent=AGENT),
                "LOGNAME": "ana",
            }
            return subprocess.run(
                [sys.executable, "-m", "faultbook", "task", *words],
                cwd=tmp_path,
                env=kept | told,
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )

        yield call
        app.state.stop_waiting()


def test_a_task_goes_its_way_over_the_server(task: Task, store: Store) -> None:
    added = task("add", "export November")
    assert (added.returncode, added.stdout) == (0, "T-1 queued for export. It is next.\n")
    assert store.read(find_task, 1).requester.name == "ana"
    assert "· queued  T-1  export   export November" in task("list").stdout
    code = (
        f"{sys.executable} -m faultbook task progress page 1 of 1; sleep 1; date > $1; date > big; "
        "head -c 300000 /dev/zero | tr '\\0' x >> big"
    )
    options = ("--agent", AGENT, "--once", "--artifact", "{task}.txt", "--artifact", "big")
    done = task("work", *options, "--", "sh", "-c", code, "sh", "{task}.txt")
    assert (done.returncode, "T-1 done" in done.stderr) == (0, True), done.stderr
    shown = task("show", "T-1").stdout
    assert "verified  T-1.txt" in shown
    assert "verified  big" in shown
    assert "page 1 of 1" in shown


def test_cancel_and_retry_are_answered_as_locally(task: Task) -> None:
    task("add", "export November")
    assert task("cancel", "1").stdout == "T-1 cancelled. Nothing ran.\n"
    again = task("cancel", "1")
    assert again.returncode == 1
    assert f"T-1 is cancelled by {AGENT} already; nothing changed." in again.stderr
    assert task("retry", "1").stdout == "T-1 queued for export. It is next.\n"


def test_a_token_that_may_not_is_told_so(task: Task) -> None:
    refused = task("add", "x", scopes=(Scope.TASKS_READ,))
    assert (refused.returncode, "tasks:write" in refused.stderr) == (2, True)
    work = ("work", "--agent", AGENT, "--", "true")
    assert task(*work, scopes=(Scope.TASKS_READ,)).returncode == 2
    foreign = task("work", "--agent", "price-bot", "--", "true")
    assert (foreign.returncode, f"This token is {AGENT}'s" in foreign.stderr) == (2, True)
