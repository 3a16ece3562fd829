"""`faultbook audit` and `faultbook store`, as commands."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from faultbook.base.clock import system_clock
from faultbook.delivery.git.tagger import HeadTagger
from faultbook.ledger.repository import Remote, Repository
from faultbook.model.audit import AuditEntry
from faultbook.operations.auditing import list_newest, read_head
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.transaction import Transaction
from faultbook.view.audit_text import records_text
from faultbook.view.terminal import Look
from tests.cli.ledgers import Told, call_main
from tests.ledger.remotes import HEADER, LEDGER, BareRemote

Run = Callable[..., Told]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for known in [one for one in os.environ if one.startswith("FAULTBOOK")]:
        monkeypatch.delenv(known)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAULTBOOK_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    assert not home.exists()

    def call(*words: str) -> Told:
        capfd.readouterr()
        code = call_main(words)
        told = capfd.readouterr()
        return Told(code, told.out, told.err)

    return call


@pytest.fixture
def written(home: Path) -> Iterator[Store]:
    """Give the home's store with three entries in its log."""
    store = open_store(sqlite_url(home), system_clock)
    for number in (1, 2, 3):
        store.write(_record, number)
    yield store
    store.close()


def _record(tx: Transaction, number: int) -> None:
    facts = {"decision": "approve", "reason": f"reason {number}\nof \u202emine", "needed": 2}
    tx.audited.append(AuditEntry("vote.approve", f"A-{number}", "Ben (UBEN)", facts))


def _rewrite(store: Store, statement: str) -> None:
    def change(tx: Transaction) -> None:
        tx.execute(text("DROP TRIGGER IF EXISTS audit_never_updated"))
        tx.execute(text("DROP TRIGGER IF EXISTS audit_never_deleted"))
        tx.execute(text("DROP TRIGGER IF EXISTS audit_never_replaced"))
        tx.execute(text(statement))

    store.write(change)


def test_the_head_is_printed_to_be_kept(run: Run, written: Store) -> None:
    told = run("audit", "head")
    assert (told.code, told.out, told.err) == (0, f"{written.read(read_head)}\n", "")


def test_an_intact_log_without_a_head_can_not_be_told_whole(run: Run, written: Store) -> None:
    told = run("audit", "verify")
    digits = written.read(read_head).hash[:12]
    assert told.code == 2
    assert told.out == (
        f"? intact so far  3 entries  head {digits}\n"
        "  Give --head to see whether its end was cut: from within, that can't be seen.\n"
    )
    document = run("audit", "verify", "--json").document
    assert (document["state"], document["anchored_to"]) == ("intact_so_far", None)


def test_a_head_that_fits_makes_it_intact(run: Run, written: Store) -> None:
    head = str(written.read(read_head))
    told = run("audit", "verify", "--head", head)
    assert (told.code, told.out.splitlines()[1]) == (
        0,
        "  Its end is where the head you gave says.",
    )
    assert told.out.startswith("✓ intact  3 entries  head ")
    written.write(_record, 4)
    told = run("audit", "verify", "--head", head)
    assert told.code == 0
    assert "Nothing was cut up to entry 3, says the head you gave; behind it, that" in told.out
    document = run("audit", "verify", "--head", head, "--json").document
    assert (document["state"], document["anchored_to"]) == ("intact", 3)


def test_a_changed_entry_and_a_cut_end_are_named(run: Run, written: Store) -> None:
    head = str(written.read(read_head))
    _rewrite(written, "DELETE FROM audit WHERE sequence = 3")
    assert run("audit", "verify").code == 2
    told = run("audit", "verify", "--head", head)
    assert told.code == 1
    assert told.out == (
        "✗ broken  entry 3\n"
        "  The log ends with entry 2; the head you gave says 3. 2 entries before it are intact.\n"
    )
    _rewrite(written, "UPDATE audit SET record = replace(record, 'approve', 'deny')")
    told = run("audit", "verify")
    assert (told.code, told.out) == (1, "✗ broken  entry 1\n  Its record was changed.\n")
    document = run("audit", "verify", "--json").document
    assert (document["state"], document["broken_at"], document["why"]) == (
        "broken",
        1,
        "its record was changed",
    )


@pytest.mark.parametrize("head", ["", "3", "abc", "3:xyz"])
def test_what_is_no_head_is_refused_with_how_to_write_it(
    run: Run, written: Store, head: str
) -> None:
    assert written.read(read_head).size == 3
    told = run("audit", "verify", "--head", head)
    assert (told.code, told.out) == (2, "")
    assert "[bad_head]" in told.err
    assert "SIZE:HASH" in told.err


def test_the_tags_of_the_ledgers_clone_are_heads_too(
    run: Run, home: Path, written: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = BareRemote.make(tmp_path / "remote.git", {LEDGER: HEADER})
    monkeypatch.setenv("FAULTBOOK_LEDGER__REMOTE", str(remote.path))
    assert run("audit", "verify").code == 2  # nothing is cloned yet
    clone = Repository(home, Remote(str(remote.path)), os.environ)
    with clone.lock():
        clone.fetch()
        HeadTagger(written, clone).tag_due()
    told = run("audit", "verify")
    assert told.code == 0
    assert "Its end is where the tag faultbook-audit/20" in told.out
    _rewrite(written, "DELETE FROM audit WHERE sequence = 3")
    told = run("audit", "verify")
    assert told.code == 1
    assert "The log ends with entry 2; the tag faultbook-audit/20" in told.out
    head = str(written.read(read_head))
    assert run("audit", "verify", "--head", head).code == 0  # the given one is asked alone
    (clone.git.folder / "HEAD").unlink()
    told = run("audit", "verify")
    assert (told.code, "[git_failed]" in told.err) == (2, True)


def test_the_newest_entries_are_shown_in_order(run: Run, written: Store) -> None:
    told = run("audit", "tail", "-n", "2")
    assert told.code == 0
    top, second, third, zone = told.out.splitlines()
    assert top.split() == ["#", "time", "event", "about", "who:", "facts"]
    assert second.startswith(" 2  ")
    assert "vote.approve" in second
    assert r"Ben (UBEN): decision approve, needed 2, reason reason 2 of \u202emine" in second
    assert (third[:4], zone) == (" 3  ", "UTC")
    told = run("audit", "tail", "--subject", "A-1")
    assert [line[:4] for line in told.out.splitlines()[1:-1]] == [" 1  "]
    document = run("audit", "tail", "--json").document
    assert [entry["subject"] for entry in document["entries"]] == ["A-1", "A-2", "A-3"]
    assert document["entries"][2]["hash"] == written.read(read_head).hash
    told = run("audit", "tail", "--subject", "A-9")
    assert (told.code, told.out, told.err) == (0, "", "No entry about it.\n")


def test_a_narrow_terminal_shows_an_entry_whole_beneath_its_number_and_a_wide_pipe_in_a_line(
    written: Store,
) -> None:
    records = written.read(list_newest, 1)
    top, head, *told, zone = records_text(records, Look(width=80)).splitlines()
    assert (head.split()[0], head.split()[-2:], zone) == ("3", ["vote.approve", "A-3"], "UTC")
    words = " ".join(line.strip() for line in told)
    assert words == r"Ben (UBEN): decision approve, needed 2, reason reason 3 of \u202emine"
    assert all(len(line) <= 80 for line in (top, head, *told))
    assert len(records_text(records, Look()).splitlines()) == 3


def test_how_many_is_said_in_the_same_words_by_every_list(run: Run, written: Store) -> None:
    assert written.read(read_head).size == 3
    for words in (("-n", "1"), ("--limit", "1")):
        assert len(run("audit", "tail", *words).out.splitlines()) == 3
        assert run("approval", "list", *words).code == 0
        assert run("task", "list", *words).code == 0


def test_facts_are_told_in_short_and_stand_whole_in_the_json(run: Run, written: Store) -> None:
    action = {
        "kind": "refund",
        "target": "c_881",
        "environment": "demo",
        "parameters": {"amount": "120.00", "currency": "EUR", "customer": "c_881"},
    }
    facts = {
        "action": action,
        "digest": "3fa1c09be2d4" + "0" * 52,
        "owner": "",
        "task": None,
        "expires_at": "1795014240000000",
        "needed": 0,
        "reason": "1795014240000000",
    }
    entry = AuditEntry("approval.requested", "A-4", "invoice-bot", facts)
    written.write(lambda tx: tx.audited.append(entry))
    told = run("audit", "tail", "-n", "1")
    assert told.out.splitlines()[1].partition("invoice-bot: ")[2] == (
        "action refund 120.00 EUR to c_881 in demo, digest 3fa1c09be2d4,"
        " expires_at 18 Nov 2026 15:04, needed 0, reason 1795014240000000"
    )
    document = run("audit", "tail", "-n", "1", "--json").document
    assert json.loads(document["entries"][0]["record"])["facts"] == facts


@pytest.mark.parametrize(
    ("facts", "shown"),
    [
        ({"action": {"kind": "refund"}}, 'action {"kind": "refund"}'),
        ({"action": "refund"}, "action refund"),
        ({"expires_at": "9" * 18}, "expires_at " + "9" * 18),
        ({"expires_at": "soon"}, "expires_at soon"),
    ],
)
def test_facts_that_are_not_what_they_should_be_are_shown_as_they_are(
    run: Run, written: Store, facts: dict[str, object], shown: str
) -> None:
    written.write(lambda tx: tx.audited.append(AuditEntry("odd", "A-4", "somebody", facts)))
    assert run("audit", "tail", "-n", "1").out.splitlines()[1].endswith(f"somebody: {shown}")


def test_a_log_that_somebody_damaged_is_shown_as_far_as_it_can_be(run: Run, written: Store) -> None:
    _rewrite(written, "UPDATE audit SET at = 'never', record = '{' WHERE sequence = 2")
    told = run("audit", "tail")
    assert told.code == 0
    assert "a record that can't be read; see: faultbook audit verify" in told.out
    assert run("audit", "tail", "--json").document["entries"][1]["at"] == "never"
    _rewrite(written, "UPDATE audit SET record = x'ff', kind = x'00' WHERE sequence = 3")
    assert [
        run("audit", *words).code for words in (("tail",), ("tail", "--json"), ("export",))
    ] == [
        0,
        0,
        0,
    ]
    assert run("audit", "verify").code == 1


def test_an_empty_log_is_said_to_be_so(run: Run) -> None:
    told = run("audit", "tail")
    assert (told.code, told.out, told.err) == (0, "", "No entry yet.\n")
    assert run("audit", "head").out == f"0:{'0' * 64}\n"
    told = run("audit", "verify")
    assert (told.code, "intact so far  0 entries" in told.out) == (2, True)
    assert run("audit", "export").out == ""


def test_following_shows_what_is_appended_by_others(home: Path, written: Store) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "faultbook", "audit", "tail", "-n", "1", "--follow", "--json"],
        env=os.environ | {"FAULTBOOK_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert json.loads(process.stdout.readline())["subject"] == "A-3"
        written.write(_record, 4)
        assert json.loads(process.stdout.readline())["subject"] == "A-4"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def test_the_export_can_be_verified_by_the_rule_that_is_documented(
    run: Run, written: Store, tmp_path: Path
) -> None:
    for number in range(4, 1300):
        written.submit(_record, number)
    written.write(_record, 1300)
    out = tmp_path / "audit.jsonl"
    told = run("audit", "export", "--out", str(out))
    assert (told.code, told.out, told.err) == (0, "", f"1300 entries written to {out}.\n")
    previous, lines = "0" * 64, out.read_text("utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        entry = json.loads(line)
        assert (entry["sequence"], entry["previous"]) == (number, previous)
        hashed = b"faultbook-audit-1\x00" + bytes.fromhex(previous) + entry["record"].encode()
        previous = hashlib.sha256(hashed).hexdigest()
        assert entry["hash"] == previous
    assert f"{len(lines)}:{previous}" == str(written.read(read_head))
    assert run("audit", "export").out.splitlines() == lines
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == []


def test_a_file_that_can_not_be_written_is_said_so(
    run: Run, written: Store, tmp_path: Path
) -> None:
    assert written.read(read_head).size == 3
    told = run("audit", "export", "--out", str(tmp_path / "none" / "audit.jsonl"))
    assert (told.code, "[file_not_written]" in told.err) == (2, True)


def test_the_roles_are_printed_for_whom_they_are_asked(run: Run) -> None:
    told = run("store", "roles", "--role", "robot's")
    assert told.code == 0
    assert "rolname = 'robot''s'" in told.out
    assert 'GRANT SELECT, INSERT ON "audit" TO "robot\'s";' in told.out
    assert run("store", "migrate").out.startswith("The tables are up to date")
