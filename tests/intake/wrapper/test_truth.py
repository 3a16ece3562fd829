"""The rows of the truth table that the wrapper can cause, through the real wrapper."""

import json
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from faultbook.base.clock import DAY, system_clock
from faultbook.model.evidence import Check
from faultbook.model.run import RunState
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.operations.recording import close_overdue
from tests.intake.wrapper.harness import Wrapper, python, sh, until

PASSING = '<testsuite><testcase name="a"/><testcase name="b"><skipped/></testcase></testsuite>'
FAILING = '<testsuite><testcase classname="t" name="a"><failure/></testcase></testsuite>'
EMPTY_REPORT = "<testsuites><testsuite tests='7'/></testsuites>"
SCHEMA = {"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}

PERSISTENT, TRANSIENT = FailureClass.PERSISTENT, FailureClass.TRANSIENT
AUTH, MISCONFIG = FailureClass.AUTH, FailureClass.MISCONFIG


@dataclass(frozen=True)
class Row:
    """What happens, and what it comes to; `before` lies in the folder already."""

    name: str
    command: Sequence[str]
    verdict: Verdict
    reason: Reason | None = None
    failure_class: FailureClass | None = None
    options: Sequence[str] = ()
    before: str | None = None
    exit_code: int = 0
    detail: str = ""


OUT = ("--artifact", "out.json")
FIT = (*OUT, "--schema", "schema.json")
REPORT = ("--artifact", "report.xml")
WRITE = sh("echo '{\"total\": 3}' > out.json")
INCONCLUSIVE, FAILED, PASSED = Verdict.INCONCLUSIVE, Verdict.FAILED, Verdict.PASSED


def _report(text: str, code: int = 0) -> tuple[str, str, str]:
    return sh(f"cat > report.xml <<'END'\n{text}\nEND\nexit {code}")


ROWS = (
    Row("fresh", WRITE, PASSED, options=OUT),
    Row("rewritten", WRITE, PASSED, options=OUT, before="old"),
    Row("missing", sh("true"), INCONCLUSIVE, Reason.MISSING_ARTIFACT_REF, options=OUT,
        detail="out.json was not written"),
    Row("deleted", sh("rm out.json"), INCONCLUSIVE, Reason.MISSING_ARTIFACT_REF, options=OUT,
        before="old"),
    Row("no bytes", sh(": > out.json"), INCONCLUSIVE, Reason.EMPTY_OUTPUT, options=OUT),
    Row("white space", sh("printf ' \\n\\t' > out.json"), INCONCLUSIVE, Reason.EMPTY_OUTPUT,
        options=OUT),
    Row("left alone", sh("true"), INCONCLUSIVE, Reason.STALE_ARTIFACT, options=OUT, before="old",
        detail="out.json was there before the start and is unchanged"),
    Row("touched", sh("sleep 0.02; touch out.json"), INCONCLUSIVE, Reason.STALE_ARTIFACT,
        options=OUT, before="old"),
    Row("same bytes anew", sh("rm out.json; printf old > out.json"), INCONCLUSIVE,
        Reason.STALE_ARTIFACT, options=OUT, before="old"),
    Row("fits", WRITE, PASSED, options=FIT),
    Row("does not fit", sh("echo '{\"total\": \"x\"}' > out.json"), FAILED,
        Reason.SCHEMA_MISMATCH, PERSISTENT, options=FIT, detail="$.total"),
    Row("no JSON", sh("echo total=3 > out.json"), FAILED, Reason.SCHEMA_MISMATCH, PERSISTENT,
        options=FIT, detail="out.json is no JSON"),
    Row("confirmed", WRITE, PASSED, options=(*OUT, "--confirm", "test -s out.json")),
    Row("unconfirmed", WRITE, INCONCLUSIVE, Reason.SIDE_EFFECT_UNCONFIRMED,
        options=(*OUT, "--confirm", "echo no such row; false")),
    Row("confirmed alone", sh("true"), INCONCLUSIVE, Reason.NO_EVIDENCE_PROMISED,
        options=("--confirm", "true")),
    Row("nothing promised", sh("true"), INCONCLUSIVE, Reason.NO_EVIDENCE_PROMISED),
    Row("exit 1", sh("exit 1"), FAILED, Reason.NONZERO_EXIT, PERSISTENT, exit_code=1),
    Row("exit 125", sh("exit 125"), FAILED, Reason.NONZERO_EXIT, PERSISTENT, exit_code=125),
    Row("evidence, exit 1", sh("echo x > out.json; exit 1"), FAILED, Reason.NONZERO_EXIT,
        PERSISTENT, options=OUT, exit_code=1),
    Row("exit 75", sh("exit 75"), FAILED, Reason.NONZERO_EXIT, TRANSIENT, exit_code=75),
    Row("exit 77", sh("exit 77"), FAILED, Reason.NONZERO_EXIT, AUTH, exit_code=77),
    Row("exit 78", sh("exit 78"), FAILED, Reason.NONZERO_EXIT, MISCONFIG, exit_code=78),
    Row("exit 127", sh("no-such-command"), FAILED, Reason.COMMAND_NOT_FOUND, MISCONFIG,
        exit_code=127),
    Row("not there", ("./no-such-command",), FAILED, Reason.COMMAND_NOT_FOUND, MISCONFIG,
        exit_code=127),
    Row("no program", (".",), FAILED, Reason.COMMAND_NOT_FOUND, MISCONFIG, exit_code=126),
    Row("killed", sh("kill -KILL $$"), FAILED, Reason.KILLED, TRANSIENT, exit_code=137,
        detail="SIGKILL"),
    Row("killed within", sh("exit 143"), FAILED, Reason.KILLED, TRANSIENT, exit_code=143),
    Row("too long", sh("sleep 60"), FAILED, Reason.TIMED_OUT, TRANSIENT,
        options=("--timeout", "300ms"), exit_code=143),
    Row("too long, and says 0", sh("trap 'exit 0' TERM; sleep 60 & wait"), FAILED,
        Reason.TIMED_OUT, TRANSIENT, options=("--timeout", "300ms"), exit_code=124),
    Row("tests passed", _report(PASSING), PASSED, options=REPORT),
    Row("tests failed", _report(FAILING, 1), FAILED, Reason.NONZERO_EXIT, PERSISTENT,
        options=REPORT, exit_code=1),
    Row("tests failed quietly", _report(FAILING), FAILED, Reason.TESTS_FAILED, PERSISTENT,
        options=REPORT, detail="1 of 1 failed: t::a"),
    Row("no test", _report(EMPTY_REPORT), INCONCLUSIVE, Reason.NO_TESTS_EXECUTED, options=REPORT),
    Row("pytest's exit 5", _report(EMPTY_REPORT, 5), INCONCLUSIVE, Reason.NO_TESTS_EXECUTED,
        options=REPORT, exit_code=5),
    Row("half a report", _report("<testsuite>"), FAILED, Reason.SCHEMA_MISMATCH, PERSISTENT,
        options=REPORT),
    Row("a directory", sh("mkdir out.json"), INCONCLUSIVE, Reason.ARTIFACT_UNREACHABLE,
        options=OUT, detail="is a directory"),
    Row("a pipe", sh("mkfifo out.json"), INCONCLUSIVE, Reason.ARTIFACT_UNREACHABLE, options=OUT,
        detail="is a pipe"),
    Row("a loop", sh("ln -s out.json out.json"), INCONCLUSIVE, Reason.ARTIFACT_UNREACHABLE,
        options=OUT, detail="loop of symbolic links"),
    Row("a device", sh("true"), INCONCLUSIVE, Reason.ARTIFACT_UNREACHABLE,
        options=("--artifact", "/dev/zero"), detail="is a device"),
    Row("one of a pattern", sh("echo new > b.csv"), PASSED, options=("--artifact", "*.csv")),
    Row("none of a pattern", sh("true"), INCONCLUSIVE, Reason.MISSING_ARTIFACT_REF,
        options=("--artifact", "*.csv")),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_of_the_truth_table(row: Row, wrapper: Wrapper) -> None:
    (wrapper.work / "schema.json").write_text(json.dumps(SCHEMA))
    if row.before is not None:
        path = wrapper.work / "out.json"
        path.write_text(row.before)
        os.utime(path, (1, 1))
    done = wrapper.run(*row.command, options=row.options)
    run = wrapper.record()
    worst = run.findings[0] if run.findings else None
    found = (run.verdict, worst.reason if worst else None, worst.failure_class if worst else None)
    assert found == (row.verdict, row.reason, row.failure_class)
    assert done.returncode == row.exit_code
    assert row.detail in (worst.detail if worst else "")
    assert run.state is RunState.CLOSED
    assert not wrapper.spooled()


def test_a_heartbeat_is_enough_where_the_settings_say_so(wrapper: Wrapper) -> None:
    (wrapper.work / "faultbook.toml").write_text('[workflows.job]\nevidence = "heartbeat"\n')
    wrapper.run("true")
    run = wrapper.record()
    assert run.verdict is Verdict.PASSED
    assert run.findings[0].reason is Reason.HEARTBEAT_ACCEPTED


def test_all_reasons_are_kept_with_the_worst_first(wrapper: Wrapper) -> None:
    (wrapper.work / "old.txt").write_text("old")
    wrapper.run(
        *sh(": > empty.txt; exit 3"),
        options=("--artifact", "old.txt", "--artifact", "empty.txt", "--artifact", "none.txt"),
    )
    run = wrapper.record()
    assert run.findings[0].reason is Reason.NONZERO_EXIT
    assert {finding.reason for finding in run.findings[1:]} == {
        Reason.STALE_ARTIFACT,
        Reason.EMPTY_OUTPUT,
        Reason.MISSING_ARTIFACT_REF,
    }


def test_a_pattern_is_kept_by_its_fresh_files_and_the_old_ones_do_not_count(
    wrapper: Wrapper,
) -> None:
    (wrapper.work / "out").mkdir()
    (wrapper.work / "out" / "yesterday.csv").write_text("old")
    wrapper.run(
        *sh("echo a > out/a.csv; sleep 0.02; echo b > out/b.csv"),
        options=("--artifact", "out/*.csv"),
    )
    run = wrapper.record()
    assert run.verdict is Verdict.PASSED
    assert [(each.name, each.excerpt) for each in run.artifacts] == [
        ("out/*.csv", "b\n"),
        ("out/a.csv", "a\n"),
    ]


def test_a_killed_wrapper_leaves_an_open_run_that_is_found_abandoned(wrapper: Wrapper) -> None:
    process = wrapper.start(*sh("touch started; sleep 5"), options=("--timeout", "60"))
    until((wrapper.work / "started").exists)
    process.kill()
    process.wait()
    assert wrapper.record().state is RunState.RUNNING
    store = wrapper.open_store(lambda: system_clock() + DAY)
    assert store.write(close_overdue) == 1
    store.close()
    run = wrapper.record()
    assert run.findings[0].reason is Reason.RUN_ABANDONED
    assert run.verdict is Verdict.FAILED
    process.communicate()


def test_a_close_after_the_deadline_changes_nothing_and_is_said(wrapper: Wrapper) -> None:
    process = wrapper.start(
        *sh("touch started; while [ ! -e go ]; do sleep 0.02; done; echo x > out.json"),
        options=(*OUT, "--timeout", "60"),
    )
    until((wrapper.work / "started").exists)
    store = wrapper.open_store(lambda: system_clock() + DAY)
    assert store.write(close_overdue) == 1
    store.close()
    (wrapper.work / "go").touch()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"was closed as failed before" in said
    assert b"late_close" in said
    assert wrapper.record().findings[0].reason is Reason.RUN_ABANDONED
    assert not wrapper.spooled()


def test_a_job_that_keeps_its_limit_is_not_charged_for_our_own_start(wrapper: Wrapper) -> None:
    wrapper.run(*sh("sleep 0.9; echo x > out.json"), options=(*OUT, "--timeout", "1"))
    assert wrapper.record().verdict is Verdict.PASSED


def test_the_record_tells_what_was_said_and_what_was_used(wrapper: Wrapper) -> None:
    before = system_clock()
    wrapper.run(
        *sh("echo out; echo err >&2; echo result > out.json"),
        options=(*OUT, "--environment", "staging", "--branch", "b1", "--code-version", "v7",
                 "--url", "https://ci.example/7", "--timeout", "1h", "--every", "1d",
                 "--grace", "15m"),
    )  # fmt: skip
    run = wrapper.record()
    start = run.start
    assert (start.series.environment, start.series.branch) == ("staging", "b1")
    assert (start.code_version, start.url) == ("v7", "https://ci.example/7")
    assert start.contract.timeout_seconds == 3600
    assert start.schedule is not None
    assert (start.schedule.every_seconds, start.schedule.grace_seconds) == (86_400, 900)
    assert (run.stdout_tail, run.stderr_tail, run.exit_code) == ("out\n", "err\n", 0)
    assert run.ended_at is not None
    assert before <= start.started_at < run.ended_at <= system_clock()
    assert run.usage.cpu_seconds is not None
    [artifact] = run.artifacts
    assert (artifact.check, artifact.size, artifact.excerpt) == (Check.VERIFIED, 7, "result\n")


@pytest.mark.usefixtures("cold")
def test_time_and_memory_are_the_jobs_own(wrapper: Wrapper) -> None:
    busy = "import time\nkept = bytearray(80_000_000)\nend = time.process_time() + 0.3\n"
    wrapper.run(*python(busy + "while time.process_time() < end: pass"), workflow="busy")
    wrapper.run("true", workflow="idle")
    busy_run, idle_run = wrapper.records()
    assert busy_run.usage.cpu_seconds is not None
    assert busy_run.usage.peak_memory_bytes is not None
    assert idle_run.usage.peak_memory_bytes is not None
    assert 0.3 <= busy_run.usage.cpu_seconds < 3
    assert 80_000_000 < busy_run.usage.peak_memory_bytes < 160_000_000
    # What stands for a job that needs next to nothing is the interpreter it was forked from.
    assert idle_run.usage.peak_memory_bytes < 25_000_000


def test_a_secret_is_in_no_tail_no_excerpt_and_no_file_of_the_home(wrapper: Wrapper) -> None:
    secret = "ghp_" + "a1B2" * 9
    wrapper.run(
        *sh(f"echo {secret}; echo {secret} >&2; echo token={secret} > out.txt; exit 1"),
        options=("--artifact", "out.txt"),
        environ={"DEPLOY_KEY": secret},
    )
    run = wrapper.record()
    assert run.stdout_tail == "[REDACTED:github-pat]\n"
    assert secret not in str(run)
    for path in wrapper.home.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_job_that_is_ended_through_the_wrapper_is_recorded_as_killed(
    number: signal.Signals, wrapper: Wrapper
) -> None:
    process = wrapper.start(*sh("touch started; exec sleep 30"))
    until((wrapper.work / "started").exists)
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == 128 + number
    run = wrapper.record()
    assert (run.signal, run.findings[0].reason) == (number, Reason.KILLED)
