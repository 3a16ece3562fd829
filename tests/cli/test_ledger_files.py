"""What teams take from us: the pre-commit hook, the CI check, and our own ledger as an example."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

from faultbook.assembly.templates import template
from faultbook.ledger.history import ROW
from tests.cli.ledgers import Team, environment

ROOT = Path(__file__).parents[2]


def test_the_hook_runs_the_check_for_the_ledgers_files_only() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert (hook["id"], hook["language"]) == ("faultbook-ledger-check", "python")
    assert (hook["entry"], hook["pass_filenames"]) == ("faultbook ledger check", False)
    files = re.compile(hook["files"])
    for path in (
        "lessons/_ledger.md",
        "lessons/incidents/2026-11-18-x.md",
        "templates/incident.md",
    ):
        assert files.search(path), path
    for path in (
        "README.md",
        "lessons/notes.md",
        "src/lessons_ledger.md",
        "lessons/incidents/a/b.md",
    ):
        assert not files.search(path), path


def test_the_ci_check_fetches_what_numbers_are_compared_with() -> None:
    workflow = yaml.safe_load(template("ledger-ci.yml").read_text("utf-8"))
    checkout, *_, check = workflow["jobs"]["check"]["steps"]
    assert checkout["with"]["fetch-depth"] == 0
    assert check == {"run": "faultbook ledger check"}
    assert workflow["permissions"] == {"contents": "read"}


def test_our_own_ledger_passes_its_check() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "faultbook", "ledger", "check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("No problems")


_BARE = """
from markdown_it import MarkdownIt
text = open("lessons/_ledger.md", encoding="utf-8", newline="").read()
MarkdownIt("commonmark").enable("table").disable("inline").parse(text)
"""


def test_ten_thousand_rows_are_checked_within_twice_a_bare_parse(team: Team) -> None:
    header = "| # | What failed | Fix | One-rule lesson |\n|---|---|---|---|\n"
    rows = "".join(
        f"| {n} | Export {n} wrote no file and nobody saw it for a day, since it exited 0"
        f" | Rerun it by hand | Step {n} fails without its own file (tests/test_{n}.py) |\n"
        for n in range(1, 10_001)
    )
    team.write(f"# Lessons\n\n{header}{rows}".encode())
    team.commit(f"Many\n\n{ROW}: 10000")

    def seconds(*command: str) -> float:
        """Run a program and give the processor's time it took, git's included."""
        begun = os.times()
        done = subprocess.run(
            [sys.executable, *command],
            cwd=team.root,
            env=environment(team.root.parent / "person"),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        ended = os.times()
        spent = ended.children_user - begun.children_user
        return spent + ended.children_system - begun.children_system

    # The best of a few each: what else runs on this machine only ever adds.
    bare = min(seconds("-c", _BARE) for _ in range(3))
    checked = min(seconds("-m", "faultbook", "ledger", "check") for _ in range(3))
    print(f"bare {bare:.2f} s, checked {checked:.2f} s")
    assert checked <= 2 * bare
