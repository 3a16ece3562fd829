"""A team's repository, and commands that are run in it."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbook.cli.main import main

LEDGER = b"""\
# Lessons

| # | What failed | Fix | One-rule lesson | Area |
|---|---|---|---|---|
| 1 | Export wrote no PDF | Rerun | The wrapper fails any export without its file | billing |
| 2 | The cache was stale | Purge | Cache keys name the commit (tests/test_cache.py) | ci |
"""
RULE = "Vendor JSON is validated against a schema in CI (tests/test_vendor.py)"
ADD = ("ledger", "add", "--what", "Vendor renamed a field", "--fix", "Map it", "--lesson", RULE)
ROW = f"| 3 | Vendor renamed a field | Map it | {RULE} |  |\n".encode()


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.out)


@dataclass
class Team:
    """A repository with a ledger, and the command line in this process."""

    root: Path
    call: Callable[[Path, tuple[str, ...]], Told]

    def run(self, *words: str, at: str = ".") -> Told:
        return self.call(self.root / at, words)

    def git(self, *words: str) -> str:
        return git(self.root, *words)

    @property
    def ledger(self) -> bytes:
        return (self.root / "lessons/_ledger.md").read_bytes()

    def write(self, data: bytes, path: str = "lessons/_ledger.md") -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def commit(self, message: str = "Change") -> str:
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", message)
        return self.git("rev-parse", "HEAD").strip()


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONUTF8": "1", "TERM": "xterm"}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        env=environment(folder) | {"GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout


def new_repository(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "--quiet", "-b", "main")
    name(root)


def name(root: Path, who: str = "Ana") -> None:
    git(root, "config", "user.name", who)
    git(root, "config", "user.email", "ana@example.com")


def call_main(words: tuple[str, ...]) -> int:
    """Run the command line in this process; gives its exit code."""
    before = sys.argv
    sys.argv = ["faultbook", *words]
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before


class Terminal:
    """A command on a terminal of its own, which is told what it asks for."""

    def __init__(self, team: Team, *words: str, **more: str) -> None:
        self.main, side = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "faultbook", *words],
            cwd=team.root,
            env=environment(team.root.parent / "person") | more,
            stdin=side,
            stdout=subprocess.PIPE,
            stderr=side,
        )
        os.close(side)
        self.said = b""

    def answer(self, question: str, text: str) -> None:
        while question.encode() not in self.said:
            self.said += os.read(self.main, 1000)
        self.said = self.said.partition(question.encode())[2]
        os.write(self.main, text.encode() + b"\n")

    def end(self) -> tuple[int, str]:
        out = self.process.communicate(timeout=30)[0]
        os.close(self.main)
        return self.process.returncode, out.decode()
