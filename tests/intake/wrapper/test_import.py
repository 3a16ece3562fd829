"""Importing test reports into the local store, through the real command."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from faultbook.base.clock import iso, system_clock
from faultbook.model.evidence import Check
from faultbook.model.verdict import Reason, Verdict
from tests.intake.wrapper.harness import FAULTBOOK, Wrapper

PASSED = '<testsuite><testcase classname="t" name="a"/></testsuite>'
FAILED = '<testsuites><testsuite><testcase classname="t" name="b"><error/></testcase></testsuite>'
FAILED += '<testsuite><testcase name="c"/></testsuite></testsuites>'
SKIPPED = '<testsuite><testcase name="d"><skipped/></testcase></testsuite>'


def _write(wrapper: Wrapper, **reports: str) -> list[str]:
    for name, text in reports.items():
        (wrapper.work / f"{name}.xml").write_text(text)
    return [f"{name}.xml" for name in reports]


def _import(wrapper: Wrapper, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return wrapper.faultbook("import", "junit", *arguments)


@pytest.mark.parametrize(
    ("report", "code", "verdict", "reason"),
    [
        (PASSED, 0, Verdict.PASSED, None),
        (FAILED, 1, Verdict.FAILED, Reason.TESTS_FAILED),
        (SKIPPED, 2, Verdict.INCONCLUSIVE, Reason.NO_TESTS_EXECUTED),
        ("<testsuites tests='9'/>", 2, Verdict.INCONCLUSIVE, Reason.NO_TESTS_EXECUTED),
    ],
)
def test_one_report_is_a_run_of_the_tests(
    report: str, code: int, verdict: Verdict, reason: Reason | None, wrapper: Wrapper
) -> None:
    [path] = _write(wrapper, report=report)
    os.utime(wrapper.work / path, (1_795_000_000, 1_795_000_000))
    done = _import(
        wrapper, path, "--environment", "ci", "--branch", "topic", "--code-version", "v1"
    )
    assert done.returncode == code, done.stderr
    run = wrapper.record()
    assert (run.verdict, run.findings[0].reason if run.findings else None) == (verdict, reason)
    series = run.start.series
    assert (series.workflow, series.environment, series.branch) == ("tests", "ci", "topic")
    assert run.start.started_at == min(1_795_000_000_000_000, run.start.received_at)
    assert run.ended_at == run.start.started_at
    [artifact] = run.artifacts
    assert (artifact.name, artifact.check) == ("report.xml", Check.VERIFIED)


def test_the_answer_names_the_failed_tests(wrapper: Wrapper) -> None:
    done = _import(wrapper, *_write(wrapper, report=FAILED))
    run_id = wrapper.record().run_id
    expected = f"tests  failed: 2 of 2 tests ran, 1 failed  (run {run_id[-8:]})\n    t::b\n"
    assert done.stdout.decode() == expected


def test_several_reports_are_a_run_each_and_the_worst_decides_the_exit_code(
    wrapper: Wrapper,
) -> None:
    done = _import(wrapper, *_write(wrapper, unit=PASSED, e2e=FAILED, later=SKIPPED))
    assert done.returncode == 1
    found = {run.start.series.workflow: run.verdict for run in wrapper.records()}
    assert found == {
        "unit": Verdict.PASSED,
        "e2e": Verdict.FAILED,
        "later": Verdict.INCONCLUSIVE,
    }


def test_several_reports_of_one_workflow_are_one_run(wrapper: Wrapper) -> None:
    paths = _write(wrapper, unit=PASSED, e2e=FAILED, later=SKIPPED)
    done = _import(wrapper, "--workflow", "all tests", *paths, *paths)
    assert done.returncode == 1
    run = wrapper.record()
    assert run.tests is not None
    assert (run.tests.total, run.tests.executed, run.tests.failed) == (4, 3, 1)
    assert [artifact.name for artifact in run.artifacts] == ["e2e.xml", "later.xml", "unit.xml"]


def test_reports_of_the_same_name_have_to_be_told_apart(wrapper: Wrapper) -> None:
    (wrapper.work / "a").mkdir()
    paths = [*_write(wrapper, unit=PASSED), "a/unit.xml"]
    (wrapper.work / "a" / "unit.xml").write_text(PASSED)
    done = _import(wrapper, *paths)
    assert done.returncode == 2
    assert b"unit.xml and a/unit.xml have the same name" in done.stderr
    assert wrapper.records() == []


def test_the_same_report_makes_one_run_however_often_and_with_whatever_date(
    wrapper: Wrapper,
) -> None:
    [path] = _write(wrapper, report=PASSED)
    answers = []
    for mtime in (1_790_000_000, 1_790_000_000, 1_791_000_000):
        os.utime(wrapper.work / path, (mtime, mtime))
        done = _import(wrapper, path, "--json")
        assert done.returncode == 0
        answers.append(json.loads(done.stdout)[0]["run_id"])
    run_id = wrapper.record().run_id
    assert answers == [run_id, run_id, None]
    assert b"was recorded before" in _import(wrapper, path).stdout
    assert _import(wrapper, path, "--branch", "other").returncode == 0
    assert len(wrapper.records()) == 2


def test_a_dry_run_says_what_it_would_be_and_records_nothing(new_wrapper: Wrapper) -> None:
    done = _import(new_wrapper, *_write(new_wrapper, report=FAILED), "--dry-run", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == [
        {
            "files": ["report.xml"],
            "workflow": "tests",
            "run_id": None,
            "verdict": "failed",
            "reason": "tests_failed",
            "failure_class": "persistent",
            "tests": {"total": 2, "executed": 2, "failed": 1, "failed_names": ["t::b"]},
        }
    ]
    assert not new_wrapper.home.exists()


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("", "bad.xml: Line 1: the report is no well-formed XML"),
        ("<testsuite>\n<testcase>\n</testsuite>", "bad.xml: Line 3: the report is no well-formed"),
        ("\n<html/>", "bad.xml: Line 2: the root is `html`"),
        ("<!DOCTYPE x><testsuite/>", "bad.xml: Line 1: the report declares a DOCTYPE"),
    ],
)
def test_a_report_that_can_not_be_read_records_nothing_of_any_file(
    report: str, words: str, new_wrapper: Wrapper
) -> None:
    done = _import(new_wrapper, *_write(new_wrapper, good=PASSED, bad=report))
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert done.stdout == b""
    assert not new_wrapper.home.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.xml"], b"none.xml can't be read: No such file"),
        (["."], b". can't be read: Is a directory"),
        ([], b"Missing argument"),
        (["good.xml", "--started-at", "yesterday"], b"`started_at` is no time with a zone"),
        (["good.xml", "--started-at", "2026-11-18T11:00:00"], b"`started_at` is no time"),
        (["good.xml", "--workflow", "a\nb"], b"`workflow` does not fit"),
        (["good.xml", "--url", "file:///x"], b"`url`"),
        (["good.xml", "--started-at", "2126-11-18T11:00:00Z"], b"ahead of"),
    ],
)
def test_wrong_usage_is_said_and_records_nothing(
    arguments: list[str], words: bytes, wrapper: Wrapper
) -> None:
    _write(wrapper, good=PASSED)
    done = _import(wrapper, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert wrapper.records() == []


def test_a_report_over_the_limit_is_not_even_opened(new_wrapper: Wrapper) -> None:
    path = new_wrapper.work / "huge.xml"
    with path.open("wb") as file:
        file.truncate(60_000_000)
    done = _import(new_wrapper, "huge.xml")
    assert done.returncode == 2
    assert b"huge.xml has 60000000 bytes; 50000000 are read at most" in done.stderr


def test_when_it_ran_can_be_said(wrapper: Wrapper) -> None:
    [path] = _write(wrapper, report=PASSED)
    _import(wrapper, path, "--started-at", "2026-01-02T03:04:05+02:00")
    assert iso(wrapper.record().start.started_at) == "2026-01-02T01:04:05Z"


def test_the_projects_own_report_imports_and_a_broken_test_is_named(
    wrapper: Wrapper, tmp_path: Path
) -> None:
    (tmp_path / "test_own.py").write_text("def test_totals(): pass\ndef test_broken(): assert 0\n")
    report = wrapper.work / "report.xml"
    subprocess.run(
        [FAULTBOOK[0], "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull,
         "--rootdir", str(tmp_path), f"--junit-xml={report}", "test_own.py"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    before = system_clock()
    assert _import(wrapper, "report.xml").returncode == 1
    run = wrapper.record()
    assert "test_own::test_broken" in run.findings[0].detail
    assert run.start.started_at <= before
