"""The project's own test report: it imports, and a broken test shows up by its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
BROKEN = """
def test_an_export_without_its_file_is_refused() -> None:
    assert 40 == 38, "two invoices are missing"

def test_that_is_fine() -> None:
    assert True
"""


def faultbook(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FAULTBOOK_", "SLACK_"))}
    return subprocess.run(
        [sys.executable, "-m", "faultbook", *arguments],
        cwd=home,
        env=kept | {"FAULTBOOK_HOME": str(home / "state")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def pytest_report(report: Path, *tests: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    command += [f"--rootdir={ROOT}", f"--junit-xml={report}", *tests]
    environ = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, check=False)
    return done.returncode


def test_the_projects_own_report_imports_as_passed(tmp_path: Path) -> None:
    report = tmp_path / "own.xml"
    assert pytest_report(report, "tests/base/test_text.py") == 0
    done = faultbook(tmp_path, "import", "junit", str(report), "--workflow", "own-tests")
    assert done.returncode == 0, done.stderr
    told = faultbook(tmp_path, "failing")
    assert "Nothing is failing" in told.stdout
    assert told.returncode == 0


def test_a_test_that_was_broken_on_purpose_is_named_in_what_is_failing(tmp_path: Path) -> None:
    (tmp_path / "test_export.py").write_text(BROKEN, "utf-8")
    report = tmp_path / "broken.xml"
    assert pytest_report(report, str(tmp_path / "test_export.py")) == 1
    done = faultbook(tmp_path, "import", "junit", str(report), "--workflow", "own-tests")
    assert done.returncode == 1
    told = faultbook(tmp_path, "failing")
    assert told.returncode == 1
    assert "own-tests" in told.stdout
    assert "tests_failed" in told.stdout
    assert "test_an_export_without_its_file_is_refused" in " ".join(told.stdout.split())
    assert "test_that_is_fine" not in told.stdout
