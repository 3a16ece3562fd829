"""The entry of the command line."""

import subprocess
import sys

import pytest

from faultbook.base.errors import NotFoundError
from faultbook.cli.main import explain


def faultbook(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "faultbook", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_mistyped_command_names_the_nearest() -> None:
    done = faultbook("falling")
    assert done.returncode == 2
    assert "Nearest: `failing`" in done.stderr


def test_help_lists_every_command_without_importing_them() -> None:
    done = faultbook("--help")
    assert done.returncode == 0
    for name in ("failing", "run", "import", "up", "token", "diff", "timeline", "sandbox"):
        assert name in done.stdout
    code = "import sys, faultbook.cli.main; print('sqlalchemy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_what_another_program_says_can_not_move_the_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    explain(NotFoundError("gone \x1b[2J\x9b2J", next_step="look \u202e there"))
    assert capsys.readouterr().err == (
        "faultbook: gone \\u001b[2J\\u009b2J [not_found]\n    next: look \\u202e there\n"
    )
