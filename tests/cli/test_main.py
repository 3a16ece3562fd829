"""The entry of the command line."""

import subprocess
import sys


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
