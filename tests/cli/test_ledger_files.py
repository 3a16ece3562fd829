"""What teams take from us: the pre-commit hook, the CI check, and our own ledger as an example."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

from faultbook.assembly.templates import template

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
