"""The sample agents of `make run`: owned by a person of the local workspace, and they may ask."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from faultbook.model.token import Scope
from faultbook.operations.approval_rules import MEMBER_ID
from faultbook.store.engine import open_store, sqlite_url
from tests.assembly.test_up import environment, up
from tests.intake.http.conftest import make_token
from tests.intake.wrapper.harness import until

SAMPLES = ("--samples", "--workspace-port", "0")


def tokens(home: Path) -> dict[str, dict[str, Any]]:
    """List the tokens by their ids, as `faultbook token list` tells them."""
    listed = subprocess.run(
        [sys.executable, "-m", "faultbook", "token", "list", "--json"],
        cwd=home,
        env=environment(home),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {told["id"]: told for told in json.loads(listed.stdout)["tokens"]}


@pytest.mark.long
def test_sample_agents_ask_for_a_person_of_the_workspace_and_leave_other_tokens_alone(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with up(home, *SAMPLES) as running:
        first = tokens(home)
        [owner] = {told["owner"] for told in first.values()}
        assert MEMBER_ID.fullmatch(owner)
        store = open_store(sqlite_url(home))
        scopes = (Scope.TASKS_WRITE, Scope.APPROVALS_READ)
        secret = make_token(store, *scopes, agent="refund-bot", owner=owner)
        store.close()
        head = {"Authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=running.api, headers=head) as client:
            given = client.post("/v1/tasks", json={"text": "refund 120.00 EUR to c_881"})
            assert given.status_code == 201, given.text
            until(lambda: bool(client.get("/v1/approvals").json()["approvals"]))
            [asked] = client.get("/v1/approvals").json()["approvals"]
    assert (asked["agent"], asked["state"]) == ("refund-bot", "pending")
    own = tokens(home).keys() - first.keys()
    with up(home, *SAMPLES):
        valid = {name for name, told in tokens(home).items() if told["revoked_at"] is None}
    assert own < valid
    assert valid.isdisjoint(first)
