"""`faultbook token`, as a program of its own."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from faultbook.model.audit import AuditRecord
from faultbook.operations.auditing import list_newest
from faultbook.operations.tokens import authenticate, is_well_formed
from faultbook.store.engine import open_store, sqlite_url


def faultbook(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAULTBOOK_")}
    return subprocess.run(
        [sys.executable, "-m", "faultbook", "token", *arguments],
        env=kept | {"FAULTBOOK_HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_token_is_made_shown_once_listed_and_revoked(tmp_path: Path) -> None:
    scopes = ("--scope", "runs:write", "--scope", "runs:attest")
    made = faultbook(
        tmp_path, "create", "--agent", "bot", "--owner", "ana", *scopes, "--workflow", "w"
    )
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    assert is_well_formed(secret)
    assert secret not in made.stderr
    assert "runs:attest, runs:write" in made.stderr
    store = open_store(sqlite_url(tmp_path))
    token = store.read(authenticate, secret)
    store.close()
    assert (token.agent, token.owner, token.workflows) == ("bot", "ana", frozenset({"w"}))
    assert secret.encode() not in (tmp_path / "faultbook.db").read_bytes()
    listed = faultbook(tmp_path, "list", "--json")
    [told] = json.loads(listed.stdout)["tokens"]
    assert (told["id"], told["scopes"]) == (token.id, ["runs:attest", "runs:write"])
    assert told["revoked_at"] is None
    assert faultbook(tmp_path, "revoke", token.id).returncode == 0
    again = faultbook(tmp_path, "revoke", token.id)
    assert (again.returncode, "nothing changed" in again.stderr) == (0, True)
    assert "revoked 20" in faultbook(tmp_path, "list").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("create", "--agent", "b", "--owner", "a", "--scope", "runs:wirte"),
            "Nearest: runs:write",
        ),
        (("create", "--agent", "a\nb", "--owner", "a", "--scope", "runs:read"), "--agent"),
        (
            ("create", "--agent", "a", "--owner", "", "--scope", "runs:read"),
            "1 to 200 characters",
        ),
        (("create", "--agent", "a", "--owner", "a"), "--scope"),
        (("revoke", "tok-nope"), "faultbook token list"),
    ],
)
def test_what_can_not_be_is_told_with_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = faultbook(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_no_token_yet_is_said_so(tmp_path: Path) -> None:
    listed = faultbook(tmp_path, "list")
    assert (listed.returncode, listed.stdout) == (0, "")
    assert "No token yet" in listed.stderr


def test_a_secret_in_a_name_is_refused_and_what_is_hidden_is_shown(tmp_path: Path) -> None:
    named = ("--owner", "ana", "--scope", "runs:read")
    refused = faultbook(tmp_path, "create", "--agent", "xoxb-1234567890-canarycanary", *named)
    assert (refused.returncode, "[secret_in_name]" in refused.stderr) == (2, True)
    assert "canarycanary" not in refused.stderr
    made = faultbook(tmp_path, "create", "--agent", "bot\u202eevil", *named)
    assert made.returncode == 0, made.stderr
    for shown in (faultbook(tmp_path, "list"), faultbook(tmp_path, "list", "--json")):
        assert "bot\\u202eevil" in shown.stdout
        assert "\u202e" not in shown.stdout
    assert "canarycanary" not in (tmp_path / "faultbook.db").read_bytes().decode("latin-1")


def audited(home: Path) -> list[AuditRecord]:
    store = open_store(sqlite_url(home))
    records = store.read(list_newest, 100)
    store.close()
    return records


def test_who_made_and_revoked_a_token_is_in_the_audit_log(tmp_path: Path) -> None:
    faultbook(tmp_path, "create", "--agent", "bot", "--owner", "ana", "--scope", "runs:read")
    faultbook(tmp_path, "revoke", "tok-nope")
    [made] = audited(tmp_path)
    faultbook(tmp_path, "revoke", made.subject)
    faultbook(tmp_path, "revoke", made.subject)  # it changed nothing
    made, revoked = audited(tmp_path)
    assert (made.kind, revoked.kind) == ("token.created", "token.revoked")
    assert made.subject == revoked.subject
    assert f"(uid {os.getuid()}) on the command line" in made.actor
    assert made.actor == revoked.actor
    facts = json.loads(made.record)["facts"]
    assert facts == {"agent": "bot", "owner": "ana", "scopes": ["runs:read"], "workflows": []}
    assert json.loads(revoked.record)["facts"] == facts


def test_a_person_gets_a_token_that_decides(tmp_path: Path) -> None:
    scopes = ("--scope", "approvals:decide", "--scope", "approvals:read")
    made = faultbook(tmp_path, "create", "--person", "UBEN", *scopes)
    assert made.returncode == 0, made.stderr
    assert "UBEN's own; approvals:decide, approvals:read." in made.stderr
    store = open_store(sqlite_url(tmp_path))
    token = store.read(authenticate, made.stdout.strip())
    store.close()
    assert (token.person, token.is_person, token.agent) == ("UBEN", True, "")
    [told] = json.loads(faultbook(tmp_path, "list", "--json").stdout)["tokens"]
    assert (told["person"], told["agent"], told["owner"]) == ("UBEN", None, "UBEN")
    assert "UBEN's own" in faultbook(tmp_path, "list").stdout
    [entry] = audited(tmp_path)
    assert json.loads(entry.record)["facts"]["person"] == "UBEN"


def test_the_help_says_that_people_are_named_by_their_member_id(tmp_path: Path) -> None:
    told = " ".join(faultbook(tmp_path, "create", "--help").stdout.split())
    assert "Who answers for the agent, by Slack's member id." in told
    assert "whose own it is, by Slack's member id." in told
    assert "Copy member ID" in told


@pytest.mark.parametrize("name", ["command-line", "faultbook"])
def test_no_agent_goes_by_a_name_of_ours_and_the_attempt_is_audited(
    tmp_path: Path, name: str
) -> None:
    told = ("create", "--agent", name, "--owner", "UANA", "--scope", "approvals:request")
    made = faultbook(tmp_path, *told)
    assert (made.returncode, made.stdout) == (2, "")
    assert f"`{name}` is Faultbook's own name; no token can have it." in made.stderr
    with closing(open_store(sqlite_url(tmp_path))) as store:
        [entry] = store.read(list_newest, 1)
    assert entry.kind == "token.refused"
    assert "agent_reserved" in entry.record


def test_an_agents_token_can_not_decide_and_the_attempt_is_audited(tmp_path: Path) -> None:
    wanted = ("--scope", "approvals:decide", "--scope", "runs:write")
    refused = faultbook(tmp_path, "create", "--agent", "bot", "--owner", "ana", *wanted)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "`approvals:decide` is a person's" in refused.stderr
    assert "--person MEMBER-ID" in refused.stderr
    assert "No token yet" in faultbook(tmp_path, "list").stderr
    [entry] = audited(tmp_path)
    facts = json.loads(entry.record)["facts"]
    assert (entry.kind, facts["code"], facts["agent"]) == (
        "token.refused",
        "scope_not_for_agents",
        "bot",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--person", "UBEN", "--scope", "runs:write"), "is an agent's"),
        (("--person", "UBEN", "--agent", "bot", "--scope", "audit:read"), "--person alone"),
        (("--agent", "bot", "--scope", "audit:read"), "with its owner"),
        (("--scope", "audit:read"), "Give --agent and --owner"),
        (("--person", "UBEN", "--scope", "audit:read", "--workflow", "w"), "bound to no workflow"),
    ],
)
def test_a_token_is_an_agents_or_a_persons(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = faultbook(tmp_path, "create", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
