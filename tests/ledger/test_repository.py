"""The bot's clone against real repositories: bytes kept, pushes decided once, history read."""

import os
import threading
from pathlib import Path

import pytest

from faultbook.base.errors import InvalidError, UnavailableError
from faultbook.ledger.history import find_operations, hand_authors, highest_number, who_wrote
from faultbook.ledger.repository import Push, Remote, Repository
from tests.conftest import START
from tests.ledger.remotes import HEADER, LEDGER, ROW, BareRemote, bots_clone, git


@pytest.fixture
def remote(tmp_path: Path) -> BareRemote:
    return BareRemote.make(tmp_path / "remote.git", {LEDGER: HEADER + ROW, "README.md": "# Us\n"})


@pytest.fixture
def clone(tmp_path: Path, remote: BareRemote) -> Repository:
    return bots_clone(tmp_path / "home", remote)


def commit(
    clone: Repository, text: str, trailers: str = "", parent: str | None = None, path: str = LEDGER
) -> str:
    upon = parent or clone.head()
    return clone.commit(upon, {path: text.encode()}, f"Edit\n\n{trailers}", START)


def test_what_is_fetched_is_read_byte_for_byte(tmp_path: Path) -> None:
    text = "\ufeff" + HEADER.replace("\n", "\r\n") + "| 1 | é\u2028漢 | \t| x |"
    remote = BareRemote.make(tmp_path / "remote.git", {LEDGER: text, "a b/ü.md": "x", "c.txt": "y"})
    remote.person().push({".gitattributes": "* text eol=lf ident\n"})
    clone = bots_clone(tmp_path / "home", remote)
    head = clone.fetch()
    assert head == remote.head()
    assert clone.read(head, ["lessons", "a b", "c.txt"]) == {
        LEDGER: text.encode(),
        "a b/ü.md": b"x",
    }


def test_a_commit_changes_its_files_and_nothing_else(clone: Repository, remote: BareRemote) -> None:
    person = remote.person()
    (person.folder / "run.sh").write_text("#!/bin/sh\n")
    (person.folder / "run.sh").chmod(0o755)
    (person.folder / "link").symlink_to("README.md")
    (person.folder / "lessons" / "odd\nname.txt").write_text("x")
    git(person.folder, "add", "-A")
    git(person.folder, "commit", "-q", "-m", "Odd things")
    git(person.folder, "push", "-q", "origin", "HEAD:main")
    before = clone.fetch()
    assert before
    made = clone.commit(
        before,
        {LEDGER: b"new\r\n", "lessons/incidents/2026-11-18-a.md": b"\xff\x00", "run.sh": b"y"},
        "Edit\n",
        START,
    )
    assert clone.push(made, "main", before).outcome is Push.DONE
    told = git(remote.path, "diff-tree", "-r", before, made)
    assert sorted(line.split("\t")[1] for line in told.splitlines()) == [
        LEDGER,
        "lessons/incidents/2026-11-18-a.md",
        "run.sh",
    ]
    assert ":100755 100755" in told  # what was executable stays so
    assert git(remote.path, "fsck", "--strict", "--full") == ""


def test_a_commit_carries_the_settings_name_and_our_clock(
    tmp_path: Path, remote: BareRemote
) -> None:
    clone = bots_clone(tmp_path / "home", remote, author_name="Bot", author_email="bot@x.org")
    before = clone.fetch()
    clone.push(commit(clone, "x"), "main", before)
    assert remote.log("%an <%ae> %cn %at")[-1] == f"Bot <bot@x.org> Bot {START // 1_000_000}"


def test_the_first_commit_of_an_empty_remote_makes_the_branch(tmp_path: Path) -> None:
    remote = BareRemote.make(tmp_path / "remote.git")
    clone = bots_clone(tmp_path / "home", remote)
    assert clone.fetch() is None
    assert clone.read(None, ["lessons"]) == {}
    made = commit(clone, HEADER)
    assert clone.push(made, "main", None).outcome is Push.DONE
    assert clone.head() == remote.head() == made


def test_of_two_pushes_upon_one_head_the_second_changes_nothing(
    tmp_path: Path, clone: Repository, remote: BareRemote
) -> None:
    other = bots_clone(tmp_path / "other", remote)
    before = clone.fetch()
    other.fetch()
    assert clone.push(commit(clone, "first"), "main", before).outcome is Push.DONE
    outrun = other.push(commit(other, "second"), "main", before)
    assert outrun.outcome is Push.RACE
    assert remote.read() == "first"
    assert other.fetch() == clone.head()


def test_a_branch_that_a_person_set_back_is_not_set_forth_again(
    clone: Repository, remote: BareRemote
) -> None:
    first = remote.head()
    remote.person().push({"secret.txt": "oops"})
    before = clone.fetch()
    git(remote.path, "update-ref", "refs/heads/main", first)
    assert clone.push(commit(clone, "x"), "main", before).outcome is Push.RACE
    assert remote.head() == first
    assert clone.fetch() == first


def test_eight_clones_at_once_lose_no_row(tmp_path: Path, remote: BareRemote) -> None:
    def add(name: str) -> None:
        clone = bots_clone(tmp_path / name, remote)
        while True:
            before = clone.fetch()
            text = clone.read(before, [LEDGER])[LEDGER].decode() + f"| {name} |\n"
            if clone.push(commit(clone, text), "main", before).outcome is Push.DONE:
                return

    threads = [threading.Thread(target=add, args=(f"bot{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(remote.read().splitlines()[3:]) == [f"| bot{n} |" for n in range(8)]
    assert len(remote.log()) == 9


def test_a_declined_push_says_what_the_remote_said(clone: Repository, remote: BareRemote) -> None:
    remote.protect()
    before = clone.fetch()
    made = commit(clone, "x")
    declined = clone.push(made, "main", before)
    assert declined.outcome is Push.DECLINED
    assert declined.words == "[remote rejected] (pre-receive hook declined) main is protected"
    assert clone.push(made, "faultbook/27", None).outcome is Push.DONE
    assert clone.push(commit(clone, "y"), "faultbook/27", None).outcome is Push.RACE
    clone.fetch()
    assert clone.branches() == {"faultbook/27": made}


def test_no_hook_of_the_clone_or_of_the_users_settings_runs(
    tmp_path: Path, remote: BareRemote
) -> None:
    ran = tmp_path / "ran"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} $(pwd) >> {ran}\n")
        (hooks / name).chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(f"[core]\n\thooksPath = {hooks}\n[init]\n\ttemplateDir = {tmp_path}\n")
    environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": str(config), "HOME": str(tmp_path)}
    clone = Repository(tmp_path / "home", Remote(str(remote.path)), environ)
    before = clone.fetch()
    assert clone.push(commit(clone, "x"), "main", before).outcome is Push.DONE
    # The remote is a repository on this machine, with hooks of its own.
    lines = ran.read_text().splitlines() if ran.exists() else []
    assert [line for line in lines if not line.endswith("/remote.git")] == []
    assert not list(tmp_path.glob("home/git/*/hooks"))


def test_a_hook_that_starts_the_bot_does_not_lead_it_to_its_own_repository(
    tmp_path: Path, remote: BareRemote
) -> None:
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_DIR": str(tmp_path / "nowhere"),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_OBJECT_DIRECTORY": str(tmp_path / "objects"),
        "GIT_QUARANTINE_PATH": str(tmp_path / "quarantine"),
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_TRACE": str(tmp_path / "trace"),
    }
    clone = Repository(tmp_path / "home", Remote(str(remote.path)), environ)
    before = clone.fetch()
    assert clone.push(commit(clone, "x"), "main", before).outcome is Push.DONE
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "home",
        "remote-person",
        "remote.git",
    ]


def test_a_damaged_clone_is_made_again(
    tmp_path: Path, clone: Repository, remote: BareRemote
) -> None:
    clone.fetch()
    [folder] = (tmp_path / "home" / "git").glob("*.git")
    (folder / "refs/remotes/origin").mkdir(parents=True, exist_ok=True)
    (folder / "refs/remotes/origin/main.lock").touch()  # as a machine leaves it that lost power
    remote.person().push({LEDGER: "changed"})
    assert clone.fetch() == remote.head()
    (folder / "HEAD").write_text("")
    assert clone.fetch() == remote.head()


def test_one_process_at_a_time_holds_a_clone(
    clone: Repository, tmp_path: Path, remote: BareRemote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faultbook.ledger.repository._LOCK_SECONDS", 0.05)
    second = bots_clone(tmp_path / "home", remote)
    with clone.lock(), pytest.raises(UnavailableError, match="another process"), second.lock():
        pass
    with second.lock():
        pass


@pytest.mark.parametrize("path", ["README.md/x.md", "../x.md", "lessons//x.md", "/etc/x.md"])
def test_a_path_that_leads_elsewhere_is_refused(clone: Repository, path: str) -> None:
    head = clone.fetch()
    with pytest.raises(InvalidError):
        clone.commit(head, {path: b"x"}, "x", START)


def test_a_ledger_that_is_a_link_is_neither_read_nor_replaced(
    clone: Repository, remote: BareRemote
) -> None:
    person = remote.person()
    (person.folder / LEDGER).unlink()
    (person.folder / LEDGER).symlink_to("../README.md")
    git(person.folder, "commit", "-q", "-a", "-m", "Link")
    git(person.folder, "push", "-q", "origin", "HEAD:main")
    head = clone.fetch()
    assert clone.read(head, ["lessons"]) == {}
    with pytest.raises(InvalidError, match="no plain file"):
        clone.commit(head, {LEDGER: b"x"}, "x", START)


def test_operations_are_found_in_the_history_by_their_whole_id(
    clone: Repository, remote: BareRemote
) -> None:
    first = clone.fetch()
    made = commit(clone, "x", "Ledger-Op: 0199-ab\nLedger-Row: 14\n")
    clone.push(made, "main", first)
    remote.person().pull()
    quoting = remote.person().push({"b.md": "b"}, "Look\n\nIt said Ledger-Op: 0199-cd there.\n")
    head = clone.fetch()
    assert head == quoting
    found = find_operations(clone.git, ["0199-ab", "0199-cd", "0199"], head)
    assert {name: (one.commit, one.number) for name, one in found.items()} == {
        "0199-ab": (made, 14)
    }
    assert find_operations(clone.git, ["0199-ab"], head, since=made) == {}
    assert list(find_operations(clone.git, ["0199-ab"], head, since=first)) == ["0199-ab"]


def test_the_highest_number_ever_counts_rows_that_were_taken_away(
    clone: Repository, remote: BareRemote
) -> None:
    person = remote.person()
    row = "| [30](incidents/2026-11-18-a.md) | a | b | c |\n"
    other = "\n| # | Year |\n|---|---|\n| 2026 | x |\n"
    person.push({LEDGER: HEADER + ROW + row + other})
    person.push({LEDGER: HEADER + ROW})
    head = clone.fetch()
    assert head
    assert highest_number(clone.git, LEDGER, head) == 30
    assert highest_number(clone.git, LEDGER, head, since=head) == 0
    made = commit(clone, HEADER, "Ledger-Op: 1\nLedger-Row: 41\n")
    assert highest_number(clone.git, LEDGER, made, since=head) == 41


def test_who_wrote_a_line_is_a_person_and_never_the_bot(
    clone: Repository, remote: BareRemote
) -> None:
    since = clone.fetch()
    assert since
    clone.push(commit(clone, HEADER + ROW + "| 2 | bot |\n", "Ledger-Op: 1\n"), "main", since)
    person = remote.person()
    person.pull()
    person.push({LEDGER: person.read() + "| 3 | hand |\n"})
    head = clone.fetch()
    assert head
    assert hand_authors(clone.git, "lessons", head, since) == ["Ben"]
    assert who_wrote(clone.git, LEDGER, 5, head, since) == "Ben"
    assert who_wrote(clone.git, LEDGER, 99, head, since) == "Ben"
    assert who_wrote(clone.git, "README.md", 1, head, since) is None
