"""`faultbook up` as a process: it connects where it is told, and says what is wrong."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.benchmarks.servers import free_port
from tests.journeys.conftest import MANIFEST
from tests.sandbox.driver import Workspace

QUESTION = "@faultbook what's failing?"


@dataclass
class Up:
    """A running `faultbook up`."""

    process: "subprocess.Popen[str]"
    said: str

    @property
    def api(self) -> str:
        return self.said.split("HTTP API", 1)[1].split()[0]

    @property
    def page(self) -> str:
        return self.said.split("Ask it", 1)[1].split()[0]


def environment(home: Path, **changes: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FAULTBOOK_", "SLACK_"))}
    return kept | {"FAULTBOOK_HOME": str(home)} | changes


@contextlib.contextmanager
def up(home: Path, *arguments: str, **changes: str) -> Iterator[Up]:
    home.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "faultbook", "up", "--port", "0", *arguments],
        cwd=home,
        env=environment(home, **changes),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if "Stop it" in line:
                break
        assert "Stop it" in said, said
        yield Up(process, said)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()


def refused(home: Path, *arguments: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "faultbook", "up", *arguments],
        cwd=home,
        env=environment(home, **changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.start(tmp_path / "slack", manifest=MANIFEST) as started:
        yield started


def _is_answered(slack: Workspace) -> str:
    ts = slack.say("ana", "general", QUESTION)
    answers = slack.wait_for(lambda: slack.from_bot("general", thread=ts))
    return str(answers[0]["text"])


def test_with_slacks_settings_it_connects_there_in_socket_mode(
    slack: Workspace, tmp_path: Path
) -> None:
    with up(tmp_path / "home", **slack.environment) as running:
        assert "in Slack" in running.said
        assert "no run is recorded yet" in _is_answered(slack)
        assert not (tmp_path / "home" / "workspace").exists()


def test_with_a_signing_secret_it_takes_signed_requests(slack: Workspace, tmp_path: Path) -> None:
    told = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_SIGNING_SECRET": slack.signing_secret,
        "SLACK_API_URL": slack.api_url,
    }
    with up(tmp_path / "home", **told) as running:
        slack.options(bot_url=f"{running.api}/slack/events")
        assert "no run is recorded yet" in _is_answered(slack)
        assert not (tmp_path / "home" / "workspace").exists()


def test_with_both_socket_mode_wins_unless_the_settings_say_otherwise(
    slack: Workspace, tmp_path: Path
) -> None:
    both = {**slack.environment, "SLACK_SIGNING_SECRET": slack.signing_secret}
    with up(tmp_path / "home", **both) as running:
        assert httpx.post(f"{running.api}/slack/events").status_code == 404
    with up(tmp_path / "home", **both, FAULTBOOK_SLACK__MODE="http") as running:
        assert httpx.post(f"{running.api}/slack/events").status_code == 401


def test_without_a_token_it_starts_a_workspace_and_ends_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home, "--workspace-port", "0") as running:
        page = running.page
        assert httpx.get(page).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(page)
    assert running.process.returncode == 0


def test_a_killed_bot_leaves_the_workspace_and_the_next_one_finds_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home, "--workspace-port", "0") as first:
        first.process.kill()
        first.process.wait(10)
        assert httpx.get(first.page).status_code == 200
        with up(home, "--workspace-port", "0") as second:
            assert second.page == first.page
    with pytest.raises(httpx.ConnectError):
        httpx.get(first.page)


def test_without_slack_it_serves_http_alone(tmp_path: Path) -> None:
    with up(tmp_path / "home", "--no-slack") as running:
        assert "Ask it" not in running.said
        health = httpx.get(f"{running.api}/healthz")
        assert health.json()["status"] == "ok"


def test_what_was_kept_while_the_server_was_away_is_delivered_when_it_starts(
    tmp_path: Path,
) -> None:
    home, port = tmp_path / "home", free_port()
    home.mkdir()
    server = {"FAULTBOOK_URL": f"http://127.0.0.1:{port}", "FAULTBOOK_TOKEN": "fb_none"}
    done = subprocess.run(
        [sys.executable, "-m", "faultbook", "run", "--workflow", "kept", "--", "false"],
        env=environment(home, **server),
        cwd=home,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 1
    assert list((home / "spool").glob("*.json"))
    with up(home, "--no-slack", "--port", str(port), FAULTBOOK_URL=server["FAULTBOOK_URL"]):
        for _ in range(100):
            if not list((home / "spool").glob("*.json")):
                break
            time.sleep(0.1)
    told = subprocess.run(
        [sys.executable, "-m", "faultbook", "failing"],
        env=environment(home),
        cwd=home,
        check=False,
        capture_output=True,
        text=True,
    )
    assert "kept" in told.stdout
    assert told.returncode == 1


def test_a_port_that_is_taken_ends_it_with_what_to_do(tmp_path: Path) -> None:
    with up(tmp_path / "first", "--no-slack") as running:
        port = running.api.rsplit(":", 1)[1]
        done = refused(tmp_path / "second", "--no-slack", "--port", port)
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_that_slack_refuses_ends_it_with_the_variable_to_set(
    slack: Workspace, tmp_path: Path
) -> None:
    told = slack.environment | {"SLACK_BOT_TOKEN": "xoxb-wrong"}
    done = refused(tmp_path / "home", "--port", "0", **told)
    assert done.returncode == 2
    assert "SLACK_BOT_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_alone_is_refused_with_what_is_missing(slack: Workspace, tmp_path: Path) -> None:
    told = {"SLACK_BOT_TOKEN": slack.bot_token, "SLACK_API_URL": slack.api_url}
    done = refused(tmp_path / "home", "--port", "0", **told)
    assert done.returncode == 2
    assert "SLACK_APP_TOKEN" in done.stderr


def test_an_unknown_setting_is_refused_before_anything_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = refused(home, "--port", "0", FAULTBOOK_MAIN_BRNCH="x")
    assert done.returncode == 2
    assert "FAULTBOOK_MAIN_BRANCH" in done.stderr
    assert not (home / "faultbook.db").exists()


def test_those_who_wait_for_a_task_are_answered_as_it_stops(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "faultbook.toml").write_text(
        '[[routes]]\nname = "invoices"\nagent = "invoice-bot"\n', encoding="utf-8"
    )
    told = ("--agent", "invoice-bot", "--owner", "ana", "--scope", "tasks:work")
    made = subprocess.run(
        [sys.executable, "-m", "faultbook", "token", "create", *told],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}

    def wait(api: str) -> httpx.Response:
        return httpx.post(
            f"{api}/v1/tasks:claim", json={"wait_seconds": 30}, headers=headers, timeout=60
        )

    with ThreadPoolExecutor(1) as pool:
        with up(home, "--no-slack") as bot:
            assert httpx.post(f"{bot.api}/v1/tasks:claim", headers=headers).status_code == 204
            waiting = pool.submit(wait, bot.api)
            time.sleep(0.5)  # nothing tells from outside that it waits
        assert waiting.result(20).status_code == 204
