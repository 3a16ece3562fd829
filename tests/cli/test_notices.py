"""`faultbook notices`, as a program of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from faultbook.base.clock import MINUTE
from faultbook.model.notice import NewNotice, Priority
from faultbook.store import notices
from faultbook.store.engine import Store, open_store, sqlite_url


def faultbook(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAULTBOOK_")}
    return subprocess.run(
        [sys.executable, "-m", "faultbook", *arguments],
        env=kept | {"FAULTBOOK_HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(sqlite_url(tmp_path))
    yield opened
    opened.close()


def dead(store: Store, channel: str = "C1", why: str = "is_archived") -> str:
    card = NewNotice("task.card", channel, {"to": {}}, Priority.RECEIPT)
    store.write(notices.append_once, card, f"T-{channel[1:]}")
    [claimed] = store.write(notices.claim, "me", store.clock() + MINUTE, 9)
    store.write(notices.give_up, claimed.id, why)
    return claimed.id


def test_what_was_given_up_is_listed_and_told_what_to_do(tmp_path: Path, store: Store) -> None:
    first = dead(store, "C1")
    dead(store, "C2", "fatal_error \x1b[31m" + "x" * 300)
    done = faultbook(tmp_path, "notices", "list")
    assert done.returncode == 1
    one, two = done.stdout.splitlines()
    assert one.startswith(f"{first[-8:]}  task.card T-1  to C1  1 attempt, ")
    assert one.endswith("ago  is_archived")
    assert "\x1b" not in two
    assert len(two) < 200
    assert "faultbook notices retry ID" in done.stderr
    told = json.loads(faultbook(tmp_path, "notices", "list", "--json").stdout)
    assert told["count"] == 2
    assert told["notices"][0] | {"owed_at": "", "given_up_at": ""} == {
        "id": first,
        "kind": "task.card",
        "target": "C1",
        "subject": "T-1",
        "attempts": 1,
        "owed_at": "",
        "given_up_at": "",
        "error": "is_archived",
    }


def test_nothing_to_list_is_said(tmp_path: Path) -> None:
    done = faultbook(tmp_path, "notices", "list")
    assert (done.returncode, done.stdout) == (0, "")
    assert "No notice was given up" in done.stderr
    done = faultbook(tmp_path, "notices", "drop", "--all")
    assert (done.returncode, "nothing changed" in done.stderr) == (0, True)


def test_some_are_retried_and_the_rest_is_dropped(tmp_path: Path, store: Store) -> None:
    first, second, third = (dead(store, f"C{n}") for n in (1, 2, 3))
    done = faultbook(tmp_path, "notices", "retry", first[-8:], second)
    assert (done.returncode, done.stderr.splitlines()) == (
        0,
        [f"{first[-8:]} owed again.", f"{second[-8:]} owed again."],
    )
    assert store.read(notices.count_owed) == 2
    done = faultbook(tmp_path, "notices", "drop", "--all", "--json")
    assert json.loads(done.stdout) == {"notices": [third]}
    assert store.read(notices.count_dead) == 0


def test_one_that_is_not_dead_changes_none_of_them(tmp_path: Path, store: Store) -> None:
    first = dead(store)
    owed = store.write(notices.append, NewNotice("help", "C2", {"to": {}}))
    done = faultbook(tmp_path, "notices", "drop", first, owed)
    assert done.returncode == 2
    assert "is owed, not dead; nothing changed. [notice_not_dead]" in done.stderr
    assert store.read(notices.count_dead) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("retry",), "say --all"),
        (("drop", "--all", "7c1e90ab"), "say --all"),
        (("drop", "7c1e90ab"), "faultbook notices list"),
    ],
)
def test_what_can_not_be_is_told_with_what_to_do(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = faultbook(tmp_path, "notices", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_whats_failing_counts_them(tmp_path: Path, store: Store) -> None:
    recorded = faultbook(
        *(tmp_path, "run", "--workflow", "hello", "--artifact", "out.txt", "--"),
        *("sh", "-c", "date > out.txt"),
    )
    assert recorded.returncode == 0, recorded.stderr
    dead(store)
    done = faultbook(tmp_path, "failing")
    assert done.returncode == 2
    assert done.stdout.startswith("0 failing, but 1 notice could not be delivered.")
    assert "! undelivered  1 notice could not be delivered: faultbook notices list" in done.stdout
    assert json.loads(faultbook(tmp_path, "failing", "--json").stdout)["undelivered"] == 1
