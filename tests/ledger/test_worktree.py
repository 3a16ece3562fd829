"""Files in a working tree: replaced only if they are still what was read, all or none."""

import threading
from pathlib import Path

import pytest

from faultbook.base.errors import ConflictError, InvalidError, NotFoundError
from faultbook.ledger.worktree import Worktree, find_worktree

LEDGER = "lessons/_ledger.md"
INCIDENT = "lessons/incidents/2026-11-18-x.md"


@pytest.fixture
def tree(tmp_path: Path) -> Worktree:
    (tmp_path / "lessons/incidents").mkdir(parents=True)
    (tmp_path / LEDGER).write_bytes(b"one\r\n")
    (tmp_path / INCIDENT).write_bytes(b"incident")
    return Worktree(tmp_path, "lessons", has_git=False)


def names(tree: Worktree) -> set[str]:
    return {
        path.relative_to(tree.root).as_posix() for path in tree.root.rglob("*") if path.is_file()
    }


def test_files_are_read_and_written_by_their_paths(tree: Worktree) -> None:
    (tree.root / LEDGER).chmod(0o640)
    before = tree.read_files()
    assert before == {LEDGER: b"one\r\n", INCIDENT: b"incident"}
    new = "lessons/incidents/2026-11-19-y.md"
    written = tree.write(before, {LEDGER: b"two\r\n", INCIDENT: b"incident", new: b"new"})
    assert written == [LEDGER, new]
    assert tree.read_files() == {LEDGER: b"two\r\n", INCIDENT: b"incident", new: b"new"}
    assert (tree.root / LEDGER).stat().st_mode & 0o777 == 0o640
    assert names(tree) == {LEDGER, INCIDENT, new}


def test_a_file_that_was_changed_meanwhile_stays_and_so_do_all_others(tree: Worktree) -> None:
    before = tree.read_files()
    (tree.root / INCIDENT).write_bytes(b"edited by hand")
    with pytest.raises(ConflictError, match="was changed while this command ran") as caught:
        tree.write(before, {LEDGER: b"two", INCIDENT: b"mine"})
    assert (caught.value.code, caught.value.where) == ("file_changed", INCIDENT)
    assert tree.read_files() == {LEDGER: b"one\r\n", INCIDENT: b"edited by hand"}
    assert names(tree) == {LEDGER, INCIDENT}


def test_a_file_that_appeared_meanwhile_is_not_replaced(tree: Worktree) -> None:
    before = tree.read_files()
    new = "lessons/incidents/2026-11-19-y.md"
    (tree.root / new).write_bytes(b"theirs")
    with pytest.raises(ConflictError):
        tree.write(before, {new: b"mine"})
    assert (tree.root / new).read_bytes() == b"theirs"


def test_a_file_that_vanished_meanwhile_is_not_made_again(tree: Worktree) -> None:
    before = tree.read_files()
    (tree.root / LEDGER).unlink()
    with pytest.raises(ConflictError):
        tree.write(before, {LEDGER: b"two"})
    assert names(tree) == {INCIDENT}


@pytest.mark.parametrize("path", ["../outside.md", "lessons/incidents/../../../outside.md"])
def test_nothing_is_written_outside_of_the_tree(tree: Worktree, path: str) -> None:
    with pytest.raises(InvalidError, match="leads out of the repository"):
        tree.write({}, {path: b"x"})
    assert not (tree.root.parent / "outside.md").exists()


def test_a_file_of_absurd_size_is_not_read(tree: Worktree) -> None:
    with (tree.root / LEDGER).open("wb") as file:
        file.truncate(40_000_000)
    with pytest.raises(InvalidError, match="is larger than 32 MB"):
        tree.read_files()


def test_one_command_at_a_time_holds_a_ledger(tree: Worktree) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with tree.lock():
            order.append("second")

    thread = threading.Thread(target=second)
    with tree.lock():
        thread.start()
        waiting.wait(5)
        thread.join(0.1)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]


def test_the_nearest_ledger_upward_is_found_without_git(tree: Worktree, tmp_path: Path) -> None:
    deep = tree.root / "a/b"
    deep.mkdir(parents=True)
    assert find_worktree(deep, "lessons") == tree
    with pytest.raises(NotFoundError) as caught:
        find_worktree(tmp_path.parent, "lessons")
    assert caught.value.code == "no_ledger"


def test_a_rule_names_a_test_only_if_it_is_here(tree: Worktree) -> None:
    (tree.root / "tests").mkdir()
    (tree.root / "tests/test_export.py").touch()
    (tree.root / "export.py").touch()
    assert tree.names_test("Exports fail without their file (tests/test_export.py).")
    assert tree.names_test("tests/test_export.py::test_x holds it")
    assert not tree.names_test("Held by tests/test_import.py")
    assert not tree.names_test("Held by export.py")
    assert not tree.names_test("Held by ../../etc/tests.conf and /etc/test.conf")
