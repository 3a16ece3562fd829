"""Nobody takes the record: the job runs all the same, and its record waits for a later run."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faultbook.intake.wrapper.record import target_of
from faultbook.model.verdict import Verdict
from tests.intake.wrapper.bench import is_alive
from tests.intake.wrapper.harness import FAULTBOOK, Wrapper, all_runs, sh, until
from tests.intake.wrapper.servers import Bystander, Server, answer, free_port, running

JOB = sh("echo x > out.txt; exit 3")
OUT = ("--artifact", "out.txt")
NOBODY = {"FAULTBOOK_URL": "http://127.0.0.1:9"}


@pytest.fixture(params=["nobody", "500", "a web page", "an odd 404", "a login page"])
def trouble(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the address of a server that does not do what it should."""
    answers = {
        "500": answer(500, b"{}"),
        "a web page": answer(200, b"<html>hello</html>", "text/html"),
        "an odd 404": answer(404, b'{"detail": "Not Found"}'),
        "a login page": answer(302, b""),
    }
    if request.param == "nobody":
        yield f"http://127.0.0.1:{free_port()}"
        return
    bystander = Bystander(answers[request.param])
    yield bystander.url
    bystander.close()


def test_whatever_the_server_does_the_job_runs_and_its_record_waits(
    trouble: str, wrapper: Wrapper
) -> None:
    done = wrapper.run(*JOB, options=OUT, environ={"FAULTBOOK_URL": trouble})
    assert done.returncode == 3
    [kept] = wrapper.spooled()
    assert b"The record waits in" in done.stderr
    told = json.loads(kept.read_text())["run"]
    assert (told["workflow"], told["exit_code"]) == ("job", 3)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert wrapper.records() == []


@pytest.mark.long
def test_a_server_that_hangs_holds_the_job_up_for_seconds_only(wrapper: Wrapper) -> None:
    hanging = Bystander(None)
    began = time.time()
    done = wrapper.run(*sh("date +%s.%N > began; exit 3"), environ={"FAULTBOOK_URL": hanging.url})
    hanging.close()
    assert done.returncode == 3
    assert float((wrapper.work / "began").read_text()) - began < 9
    assert time.time() - began < 25
    assert len(wrapper.spooled()) == 1


def test_a_job_that_is_ended_before_its_start_never_starts(wrapper: Wrapper) -> None:
    hanging = Bystander(None)
    wrapper.environ |= {"FAULTBOOK_URL": hanging.url}
    process = wrapper.start(*sh("touch started"))
    until(lambda: bool(hanging.held))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    hanging.close()
    assert process.returncode == 143
    assert not (wrapper.work / "started").exists()
    assert json.loads(wrapper.spooled()[0].read_text())["run"]["signal"] == signal.SIGTERM


def test_the_next_run_delivers_what_waits_in_the_order_of_its_starts(
    wrapper: Wrapper, tmp_path: Path
) -> None:
    port = free_port()
    gone = {"FAULTBOOK_URL": f"http://127.0.0.1:{port}"}
    for code in (1, 0):
        wrapper.run(*sh(f"echo {code} > out.txt; exit {code}"), options=OUT, environ=gone)
    assert len(wrapper.spooled()) == 2
    with running(tmp_path / "server", port=port) as server:
        done = wrapper.run(*sh("echo now > out.txt"), options=OUT, environ=server.environ())
        assert (done.returncode, done.stderr) == (0, b"")
        found = all_runs(server.store)
    assert not wrapper.spooled()
    assert [run.verdict for run in found] == [Verdict.PASSED, Verdict.FAILED, Verdict.PASSED]
    assert found[1].start.started_at < found[2].start.started_at < found[0].start.started_at


def test_a_server_that_dies_during_the_job_gets_the_end_of_the_same_run_later(
    wrapper: Wrapper, tmp_path: Path
) -> None:
    port = free_port()
    with running(tmp_path / "server", port=port) as server:
        wrapper.environ |= server.environ()
        process = wrapper.start(
            *sh("touch started; while [ ! -e go ]; do sleep 0.02; done; echo x > out.txt"),
            options=OUT,
        )
        until((wrapper.work / "started").exists)
    (wrapper.work / "go").touch()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert len(wrapper.spooled()) == 1
    with running(tmp_path / "server", port=port) as server:
        wrapper.run("true", workflow="next")
        found = {run.start.series.workflow: run for run in all_runs(server.store)}
    assert not wrapper.spooled()
    assert len(found) == 2
    assert found["job"].verdict is Verdict.PASSED


def test_a_start_whose_answer_got_lost_is_no_second_run(wrapper: Wrapper, server: Server) -> None:
    """A proxy passes the start on and keeps the answer to itself."""
    proxy = _DeafProxy(server.port)
    wrapper.environ |= server.environ()  # a start is known again by its key and its token
    wrapper.run(*sh("echo x > out.txt"), options=OUT, environ={"FAULTBOOK_URL": proxy.url})
    proxy.close()
    [kept] = wrapper.spooled()
    assert json.loads(kept.read_text())["maybe_started"] is True
    [opened] = all_runs(server.store)
    assert opened.verdict is None
    told = json.loads(kept.read_text())
    told["target"] = target_of("server", server.url)
    kept.write_text(json.dumps(told))
    wrapper.run("true", workflow="next")
    found = all_runs(server.store)
    assert len(found) == 2
    assert (found[0].run_id, found[0].verdict) == (opened.run_id, Verdict.PASSED)


class _DeafProxy(Bystander):
    """Hands on what it is told, and never says what was answered."""

    def __init__(self, port: int) -> None:
        self._behind = port
        super().__init__(None)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, socket.create_connection(("127.0.0.1", self._behind)) as behind:
                behind.sendall(_whole_request(connection))
                behind.recv(1 << 16)


def _whole_request(connection: socket.socket) -> bytes:
    """Read until the body is there too: a client sends it after its head."""
    heard = b""
    while True:
        heard += connection.recv(1 << 16)
        head, ended, body = heard.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if ended and len(body) >= int(length[1] if length else 0):
            return heard


def test_a_locked_database_lets_the_job_run_at_once_and_its_record_wait(wrapper: Wrapper) -> None:
    lock = sqlite3.connect(wrapper.home / "faultbook.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    began = time.time()
    process = wrapper.start(*sh("echo $$ > job; date +%s.%N > began; exit 3"))
    until((wrapper.work / "began").exists)
    until(lambda: bool((wrapper.work / "began").read_text()))
    until(lambda: not is_alive(int((wrapper.work / "job").read_text())))
    assert float((wrapper.work / "began").read_text()) - began < 9
    process.send_signal(signal.SIGTERM)  # who waits is told not to
    _, said = process.communicate(timeout=30)
    assert process.returncode == 3
    assert b"The record waits in" in said
    lock.close()
    [kept] = wrapper.spooled()
    assert json.loads(kept.read_text())["maybe_started"] is True
    wrapper.run("true", workflow="next")
    assert {run.start.series.workflow: run.exit_code for run in wrapper.records()} == {
        "job": 3,
        "next": 0,
    }
    assert not wrapper.spooled()


@pytest.mark.parametrize("home", ["file/home", "/proc/nowhere"])
def test_a_home_that_can_not_be_written_leaves_the_record_with_the_user(
    home: str, wrapper: Wrapper
) -> None:
    (wrapper.work / "file").write_text("no folder")
    done = wrapper.run(*JOB, environ={"FAULTBOOK_HOME": home})
    assert done.returncode == 3
    folder = Path(wrapper.environ["HOME"]) / ".local" / "state" / "faultbook" / "spool"
    assert len(list(folder.glob("*.json"))) == 1
    assert str(folder).encode() in done.stderr


def test_where_even_that_fails_it_waits_among_the_temporary_files(wrapper: Wrapper) -> None:
    done = wrapper.run(*JOB, environ={"FAULTBOOK_HOME": "/proc/nowhere", "HOME": "/proc/nowhere"})
    assert done.returncode == 3
    folder = Path(wrapper.environ["TMPDIR"]) / f"faultbook-spool-{os.getuid()}"
    assert len(list(folder.glob("*.json"))) == 1
    assert folder.stat().st_mode & 0o777 == 0o700


def test_when_nothing_takes_it_the_loss_is_said_and_the_exit_code_stays(wrapper: Wrapper) -> None:
    nowhere = dict.fromkeys(("FAULTBOOK_HOME", "HOME"), "/proc/nowhere")
    (Path(wrapper.environ["TMPDIR"]) / f"faultbook-spool-{os.getuid()}").write_text("in the way")
    done = wrapper.run(*JOB, environ=nowhere)
    assert done.returncode == 3
    assert b"The record of this run is lost" in done.stderr


@pytest.mark.parametrize(
    "environ",
    [
        {"FAULTBOOK_URL": "not an address"},
        {"FAULTBOOK_URL": "https://user:word@faultbook.example"},
        {"FAULTBOOK_MAIN_BRANCHH": "main"},
        {"FAULTBOOK_DATABASE_URL": "nonsense"},
        {"FAULTBOOK_CONFIG": "/no/such/file"},
        {"FAULTBOOK_TOKEN_FILE": "/no/such/file", **NOBODY},
    ],
)
def test_settings_that_do_not_fit_keep_no_job_from_running(
    environ: dict[str, str], wrapper: Wrapper
) -> None:
    done = wrapper.run(*JOB, environ=environ)
    assert done.returncode == 3
    assert b"faultbook: " in done.stderr
    assert b"The record waits in" in done.stderr
    assert b"word" not in done.stderr


def test_broken_settings_that_were_mended_let_the_record_go(wrapper: Wrapper) -> None:
    config = wrapper.work / "faultbook.toml"
    config.write_text("main_branch = \n")
    assert wrapper.run(*JOB).returncode == 3
    config.unlink()
    wrapper.run("true", workflow="next")
    assert {run.start.series.workflow: run.exit_code for run in wrapper.records()} == {
        "job": 3,
        "next": 0,
    }


def test_a_record_goes_to_nobody_but_whom_it_is_for(wrapper: Wrapper, server: Server) -> None:
    wrapper.run(*JOB, environ=NOBODY)
    wrapper.run("true", workflow="local")
    wrapper.run("true", workflow="elsewhere", environ=server.environ())
    assert len(wrapper.spooled()) == 1
    assert [run.start.series.workflow for run in wrapper.records()] == ["local"]
    assert [run.start.series.workflow for run in all_runs(server.store)] == ["elsewhere"]


def test_a_wrapper_that_is_killed_while_it_keeps_a_record_leaves_no_half_file(
    wrapper: Wrapper,
) -> None:
    """The draft has another name; nobody takes it for a record."""
    wrapper.spool.mkdir(mode=0o700)
    (wrapper.spool / ".1-key.json.abcd").write_text('{"format": 1, "ke')
    done = wrapper.run("true")
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--", "true"], b"--workflow"),
        (["--workflow", "a\nb", "--", "true"], b"`workflow` does not fit"),
        (["--workflow", "x" * 201, "--", "true"], b"longer than 200"),
        (["--workflow", "job"], b"COMMAND"),
        (["--workflow", "job", "--", ""], b"The command is empty"),
        (["--workflow", "job", "--timeout", "soon", "--", "true"], b"`soon` is no duration"),
        (["--workflow", "job", "--timeout", "0", "--", "true"], b"`timeout_seconds`"),
        (["--workflow", "job", "--grace", "5", "--", "true"], b"--every"),
        (["--workflow", "job", "--url", "javascript:x", "--", "true"], b"http"),
        (["--workflow", "job", "--schema", "none.json", "--", "true"], b"none.json"),
        (["--workflow", "job", "--schema", "bad.json", "--", "true"], b"bad.json"),
        (["--workflow", "job", "--brnach", "x", "--", "true"], b"--branch"),
    ],
)
def test_wrong_usage_is_said_and_nothing_is_started(
    arguments: list[str], words: bytes, wrapper: Wrapper
) -> None:
    (wrapper.work / "bad.json").write_text('{"type": "nothing"}')
    arguments = [*arguments[:-1], *sh("touch started")] if arguments[-1] == "true" else arguments
    done = subprocess.run(
        [*FAULTBOOK, "run", *arguments],
        cwd=wrapper.work,
        env=wrapper.environ,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert not (wrapper.work / "started").exists()
    assert wrapper.records() == []
