"""The wrapper and the import, reporting to the real server over HTTP."""

import json
import os
from pathlib import Path

import pytest

from faultbook.base.clock import DAY, SECOND, system_clock
from faultbook.base.settings import LimitSettings, Settings
from faultbook.client.http import HttpClient
from faultbook.intake.wrapper.record import Record
from faultbook.intake.wrapper.to_server import ServerRecorder
from faultbook.intake.wrapper.watch import Watch
from faultbook.model.evidence import Check
from faultbook.model.run import RunState
from faultbook.model.token import Scope
from faultbook.model.verdict import Reason, Verdict
from faultbook.operations.recording import close_overdue
from tests.intake.wrapper.harness import Wrapper, all_runs, python, sh, until
from tests.intake.wrapper.servers import Server, running

OUT = ("--artifact", "out.txt")
REPORT = '<testsuite><testcase classname="t" name="a"><failure/></testcase></testsuite>'
ATTEST = (Scope.RUNS_WRITE, Scope.RUNS_ATTEST)


def test_a_run_is_opened_before_the_job_and_closed_with_its_evidence(
    wrapper: Wrapper, server: Server
) -> None:
    wrapper.environ |= server.environ()
    process = wrapper.start(
        *sh("touch started; while [ ! -e go ]; do sleep 0.02; done; echo result > out.txt"),
        options=(*OUT, "--verbose"),
    )
    until((wrapper.work / "started").exists)
    [open_run] = all_runs(server.store)
    assert (open_run.state, open_run.start.promised) == (RunState.RUNNING, ("out.txt",))
    (wrapper.work / "go").touch()
    _, said = process.communicate(timeout=30)
    [run] = all_runs(server.store)
    assert run.run_id == open_run.run_id
    assert (run.verdict, run.start.agent_name) == (Verdict.PASSED, "cron")
    [artifact] = run.artifacts
    assert (artifact.check, artifact.excerpt) == (Check.VERIFIED, "result\n")
    assert f"recorded {run.run_id[-8:]} as passed in {server.url}".encode() in said
    assert wrapper.records() == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("true", Reason.STALE_ARTIFACT),
        ("rm out.txt", Reason.MISSING_ARTIFACT_REF),
        (": > out.txt", Reason.EMPTY_OUTPUT),
        ("rm out.txt; mkdir out.txt", Reason.ARTIFACT_UNREACHABLE),
        ("exit 9", Reason.NONZERO_EXIT),
    ],
)
def test_the_server_comes_to_the_same_as_the_store_would(
    script: str, reason: Reason, wrapper: Wrapper, server: Server
) -> None:
    wrapper.environ |= server.environ(*ATTEST)
    (wrapper.work / "out.txt").write_text("old")
    wrapper.run(*sh(script), options=OUT)
    [run] = all_runs(server.store)
    assert run.findings[0].reason is reason


def test_large_evidence_is_uploaded_and_read_by_the_server(
    wrapper: Wrapper, server: Server
) -> None:
    wrapper.environ |= server.environ()
    code = "open('out.txt', 'w').write('line\\n' * 200_000)"
    wrapper.run(*python(code), options=OUT)
    [run] = all_runs(server.store)
    assert run.verdict is Verdict.PASSED
    [artifact] = run.artifacts
    assert (artifact.check, artifact.size) == (Check.VERIFIED, 1_000_000)


def test_a_file_that_changes_between_its_check_and_its_upload_is_a_mismatch(
    wrapper: Wrapper, server: Server
) -> None:
    path = wrapper.work / "out.txt"
    path.write_bytes(b"checked\n" * 100_000)
    watch = Watch([str(path)])
    watch.look()
    path.write_bytes(b"written\n" * 100_000)
    found = {each.artifact.name: each for each in watch.check()}
    path.write_bytes(b"altered\n" * 100_000)
    record = Record("key", {"workflow": "w", "exit_code": 0, "promised": [*found]})
    client = HttpClient(server.url, server.environ()["FAULTBOOK_TOKEN"])
    receipt = ServerRecorder(server.url, client, 10_000_000).finish(record, found)
    client.close()
    assert (receipt.verdict, receipt.reason) == ("failed", "digest_mismatch")


@pytest.mark.parametrize(
    ("scopes", "verdict"),
    [((Scope.RUNS_WRITE,), Verdict.INCONCLUSIVE), (ATTEST, Verdict.PASSED)],
)
def test_evidence_over_the_limit_stands_by_the_wrappers_word_where_it_may_attest(
    scopes: tuple[Scope, ...], verdict: Verdict, wrapper: Wrapper, tmp_path: Path
) -> None:
    limits = Settings(limits=LimitSettings(artifact_bytes=500_000))
    with running(tmp_path / "small", limits) as server:
        wrapper.environ |= server.environ(*scopes)
        for own_limit in ("1500000", "500000"):  # the server refuses it; or it is not even sent
            wrapper.run(
                *python(f"open('out.txt', 'w').write('{own_limit[:3]}\\n' * 250_000)"),
                options=OUT,
                environ={"FAULTBOOK_LIMITS__ARTIFACT_BYTES": own_limit},
            )
        found = all_runs(server.store)
    assert [run.verdict for run in found] == [verdict, verdict]
    if verdict is Verdict.INCONCLUSIVE:
        assert found[0].findings[0].reason is Reason.ARTIFACT_UNREACHABLE


def test_a_test_report_is_counted_by_the_server(wrapper: Wrapper, server: Server) -> None:
    wrapper.environ |= server.environ()
    wrapper.run(*sh(f"echo '{REPORT}' > out.xml"), options=("--artifact", "out.xml"))
    [run] = all_runs(server.store)
    assert run.findings[0].reason is Reason.TESTS_FAILED
    assert run.tests is not None
    assert run.tests.failed_names == ("t::a",)


def test_a_late_close_is_said(wrapper: Wrapper, server: Server) -> None:
    wrapper.environ |= server.environ()
    process = wrapper.start(*sh("touch started; while [ ! -e go ]; do sleep 0.02; done"))
    until((wrapper.work / "started").exists)
    server.store.clock = lambda: system_clock() + 2 * DAY
    assert server.store.write(close_overdue) == 1
    (wrapper.work / "go").touch()
    _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"late_close" in said
    assert not wrapper.spooled()


def test_a_host_whose_clock_is_ahead_is_recorded_by_the_servers_clock(
    wrapper: Wrapper, server: Server
) -> None:
    wrapper.environ |= server.environ()
    server.store.clock = lambda: system_clock() - 3600 * SECOND
    done = wrapper.run(*sh("echo x > out.txt"), options=OUT)
    assert done.stderr == b""
    [run] = all_runs(server.store)
    assert run.verdict is Verdict.PASSED
    hour_ago = system_clock() - 3600 * SECOND
    assert abs(run.start.started_at - hour_ago) < 60 * SECOND


def test_a_token_that_is_refused_keeps_the_record_for_a_better_one(
    wrapper: Wrapper, server: Server
) -> None:
    good = server.environ()
    bad = good | {"FAULTBOOK_TOKEN": "fb_" + "x" * 38}
    done = wrapper.run(*sh("echo x > out.txt; exit 4"), options=OUT, environ=bad)
    assert done.returncode == 4
    assert b"auth_rejected" in done.stderr
    assert len(wrapper.spooled()) == 1
    wrapper.run("true", workflow="other", environ=good)
    assert not wrapper.spooled()
    assert [run.start.series.workflow for run in all_runs(server.store)] == ["other", "job"]


def test_a_record_that_is_refused_as_wrong_is_put_aside(wrapper: Wrapper, server: Server) -> None:
    wrapper.environ |= server.environ()
    wrapper.spool.mkdir(mode=0o700, parents=True)
    done = wrapper.run("true", environ={"FAULTBOOK_URL": "http://127.0.0.1:9"})
    [kept] = wrapper.spooled()
    told = json.loads(kept.read_text())
    assert kept.stat().st_mode & 0o777 == 0o600
    told["run"]["workflow"] = "two\nlines"
    told["target"] = None
    kept.write_text(json.dumps(told))
    done = wrapper.run("true", workflow="next")
    assert (done.returncode, wrapper.spooled()) == (0, [])
    assert b"a kept record was not taken" in done.stderr
    assert [path.name for path in (wrapper.spool / "refused").iterdir()] == [kept.name]
    assert [run.start.series.workflow for run in all_runs(server.store)] == ["next"]


def test_imported_reports_go_to_the_server_once(wrapper: Wrapper, server: Server) -> None:
    wrapper.environ |= server.environ()
    path = wrapper.work / "report.xml"
    path.write_text(REPORT)
    for mtime in (1_795_000_000, 1_795_000_000, 1_794_000_000):
        os.utime(path, (mtime, mtime))
        done = wrapper.faultbook("import", "junit", "report.xml")
        assert done.returncode == 1, done.stderr
    [run] = all_runs(server.store)
    assert run.findings[0].reason is Reason.TESTS_FAILED
    # A file from the future is from now.
    assert run.start.started_at <= system_clock()


def test_an_import_that_nobody_takes_records_nothing_and_says_so(wrapper: Wrapper) -> None:
    (wrapper.work / "report.xml").write_text(REPORT)
    wrapper.environ |= {"FAULTBOOK_URL": "http://127.0.0.1:9"}
    done = wrapper.faultbook("import", "junit", "report.xml")
    assert done.returncode == 2
    assert b"The server does not answer" in done.stderr
    assert not wrapper.spool.exists()


def test_a_report_too_large_for_a_document_travels_by_itself(
    wrapper: Wrapper, server: Server
) -> None:
    wrapper.environ |= server.environ()
    case = '<testcase classname="t" name="a"><system-out>' + "x" * 1000 + "</system-out></testcase>"
    (wrapper.work / "report.xml").write_text(f"<testsuite>{case * 5000}</testsuite>")
    for _ in range(2):
        done = wrapper.faultbook("import", "junit", "report.xml")
        assert done.returncode == 0, done.stderr
    [run] = all_runs(server.store)
    assert run.verdict is Verdict.PASSED
    assert run.tests is not None
    assert run.tests.executed == 5000
