"""`faultbook up` with approvals: an agent waits over a restart, people decide where they are."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faultbook.base.errors import UnavailableError
from faultbook.client import Client, Outcome
from tests.assembly.test_up import environment, up
from tests.benchmarks.servers import free_port

POLICIES = """\
[[policies]]
name = "refund-prod"
kinds = ["refund"]
[[policies.thresholds]]
users = ["UBEN"]
"""
GROUPS = """\
[[policies]]
name = "deploys"
kinds = ["deploy"]
[[policies.thresholds]]
groups = ["SDEV"]
"""
WITH_A_GROUP = POLICIES + 'groups = ["SDEV"]\n'


def faultbook(home: Path, *words: str, **changes: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "faultbook", *words],
        cwd=home,
        env=environment(home, **changes),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _home(folder: Path, policies: str) -> tuple[Path, str, str]:
    """Make a home with policies; gives it with the secrets of an agent and of Ben."""
    home = folder / "home"
    home.mkdir()
    (home / "faultbook.toml").write_text(policies, encoding="utf-8")
    agent = ("--agent", "refund-bot", "--owner", "ana", "--scope", "approvals:request")
    ben = ("--person", "UBEN", "--scope", "approvals:decide")
    secrets = [faultbook(home, "token", "create", *whose).stdout.strip() for whose in (agent, ben)]
    return home, secrets[0], secrets[1]


def test_an_agent_waits_over_a_restart_and_a_person_decides_on_the_command_line(
    tmp_path: Path,
) -> None:
    home, agent, ben = _home(tmp_path, POLICIES)
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    with ThreadPoolExecutor(1) as pool, Client(url, agent) as client:
        with up(home, "--no-slack", "--port", port):
            request = client.approve("refund", "c_881", {"amount": "120.00"}, why="twice")
            waiting = pool.submit(request.wait)
            time.sleep(0.5)  # nothing tells from outside that it waits
        digits = request.digest[:12]
        said = ("approval", "approve", request.id, "--digest", digits)
        decided = faultbook(home, *said, FAULTBOOK_TOKEN=ben)  # while the server is away
        assert decided.returncode == 0, decided.stderr
        with up(home, "--no-slack", "--port", port):
            outcome: Outcome = waiting.result(60)
            assert (outcome.state, bool(outcome)) == ("approved", True)
            with request.execute() as action:
                action.outcome = "re_1"
            assert request.outcome.state == "executed"
    verified = faultbook(home, "audit", "verify")
    assert verified.returncode in {0, 2}
    assert "intact" in (verified.stdout + verified.stderr).lower()


@pytest.mark.parametrize("policies", [POLICIES + GROUPS, WITH_A_GROUP])
def test_without_slack_ids_decide_unless_their_own_policy_counts_on_groups(
    tmp_path: Path, policies: str
) -> None:
    home, agent, ben = _home(tmp_path, policies)
    with up(home, "--no-slack") as bot, Client(bot.api, agent) as client:
        request = client.approve("refund", "c_881", {"amount": "120.00"}, why="twice")
        changes = {"FAULTBOOK_URL": bot.api, "FAULTBOOK_TOKEN": ben}
        said = ("approval", "approve", request.id, "--digest", request.digest)
        decided = faultbook(home, *said, **changes)
        if policies != WITH_A_GROUP:
            assert decided.returncode == 0, decided.stderr
            with request.execute():
                pass
            return
        assert decided.returncode == 2
        assert "Slack didn't confirm that you may decide" in decided.stderr
        local = faultbook(home, *said, FAULTBOOK_TOKEN=ben)
        assert local.returncode == 0, local.stderr  # the settings name Ben
        with pytest.raises(UnavailableError, match="Slack is not connected"), request.execute():
            pytest.fail("it ran")
        assert request.wait(0.1).state == "approved"
