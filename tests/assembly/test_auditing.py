"""What `faultbook up` does for the audit log: policies noted, the role looked at, the head told."""

import subprocess
import sys
from pathlib import Path

from faultbook.base.clock import system_clock
from faultbook.model.audit import AuditRecord
from faultbook.operations.auditing import list_newest, read_head
from faultbook.store.engine import open_store, sqlite_url
from tests.assembly.test_up import environment, slack, up
from tests.conftest import PostgresServer
from tests.sandbox.driver import Workspace

__all__ = ["slack"]  # a fixture

_POLICY = """
[[policies]]
name = "refund-prod"
kinds = ["refund"]
per_hour = {per_hour}
[[policies.thresholds]]
users = ["UBEN"]
"""


def audited(home: Path) -> list[AuditRecord]:
    store = open_store(sqlite_url(home), system_clock)
    records = store.read(list_newest, 100)
    store.close()
    return records


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


def test_a_policy_that_is_new_changed_or_gone_is_audited_at_the_start_and_by_nothing_that_reads(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    settings = home / "faultbook.toml"
    settings.write_text(_POLICY.format(per_hour=60))
    assert faultbook(home, "audit", "tail").returncode == 0
    assert faultbook(home, "failing").returncode == 2
    assert audited(home) == []
    for _ in range(2):
        with up(home, "--no-slack") as running:
            assert "Advice" not in running.said
    [new] = audited(home)
    assert (new.kind, new.subject, new.actor) == ("policy.changed", "refund-prod", "settings")
    settings.write_text(_POLICY.format(per_hour=61))
    with up(home, "--no-slack"):
        pass
    settings.write_text("")
    with up(home, "--no-slack"):
        pass
    kinds = [record.kind for record in audited(home)]
    assert kinds == ["policy.changed", "policy.changed", "policy.removed"]


def test_up_advises_where_its_role_owns_the_log(postgres: PostgresServer, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home, "--no-slack", FAULTBOOK_DATABASE_URL=postgres.new_database()) as running:
        assert "Advice" in running.said
        assert "can rewrite the audit log" in running.said
        assert "faultbook store roles" in running.said


def test_the_channel_that_is_named_hears_the_head(slack: Workspace, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    made = faultbook(home, "token", "create", "--person", "UBEN", "--scope", "audit:read")
    assert made.returncode == 0, made.stderr
    channel = slack.channel_id("general")
    told = slack.environment | {"FAULTBOOK_AUDIT__CHANNEL": channel}
    for _ in range(2):
        with up(home, **told):
            [said] = slack.wait_for(lambda: slack.from_bot("general"))
    store = open_store(sqlite_url(home), system_clock)
    head = store.read(read_head)
    store.close()
    assert str(head) in said["text"]
    assert said["text"].startswith("Audit log: 1 entry, head ")
