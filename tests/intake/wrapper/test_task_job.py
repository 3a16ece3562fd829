"""A worker's attempt at a task, with real processes, from the store itself and over HTTP."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from faultbook.intake.wrapper.work import ClaimedTask
from faultbook.model.evidence import Check
from faultbook.model.task import TaskState
from faultbook.model.verdict import FailureClass, Reason, Verdict
from faultbook.operations.tasks import read_events
from tests.intake.wrapper.bench import Bench, is_alive, script
from tests.intake.wrapper.harness import until

WRITES = script('mkdir -p out; echo "40 invoices" > out/report.txt')
FOREVER = script("echo $$ > pid; sleep 300 & echo $! > child; wait")


# How attempts end


def test_a_task_is_done_once_its_file_was_verified(bench: Bench) -> None:
    bench.give()
    end = bench.do(*WRITES, artifacts=("out/report.txt",))
    assert (end.passed, end.words) == (True, "T-1 done: passed")
    task, run = bench.task(), bench.run()
    assert (task.state, task.verdict) == (TaskState.DONE, Verdict.PASSED)
    assert (run.start.task_id, run.start.attempt, run.verdict) == ("T-1", 1, Verdict.PASSED)
    [artifact] = run.artifacts
    assert (artifact.name, artifact.check) == ("out/report.txt", Check.VERIFIED)


def test_a_file_too_large_to_travel_inside_is_uploaded_and_verified(bench: Bench) -> None:
    bench.give()
    end = bench.do(
        *script("head -c 400000 /dev/urandom | base64 > big.txt"), artifacts=("big.txt",)
    )
    assert end.passed, end.words
    [artifact] = bench.run().artifacts
    assert (artifact.check, artifact.size) == (Check.VERIFIED, bench.path("big.txt").stat().st_size)


def test_a_worker_that_says_done_without_its_file_is_not_believed(bench: Bench) -> None:
    bench.give()
    end = bench.do("true", artifacts=("out/report.txt",))
    assert not end.passed
    task = bench.task()
    assert (task.state, task.verdict) == (TaskState.FAILED, Verdict.INCONCLUSIVE)
    assert task.reason == Reason.MISSING_ARTIFACT_REF
    assert "out/report.txt was not written" in task.detail


def test_a_file_that_was_there_before_proves_nothing(bench: Bench) -> None:
    bench.path("report.txt").write_text("yesterday\n")
    bench.give()
    bench.do("true", artifacts=("report.txt",))
    assert bench.task().reason == Reason.STALE_ARTIFACT


def test_a_failure_that_may_pass_is_tried_again_and_then_fails(bench: Bench) -> None:
    bench.give()
    end = bench.do(*script("exit 75"))
    assert "T-1 queued again: failed (nonzero_exit" in end.words
    assert (bench.task().state, bench.task().attempts) == (TaskState.QUEUED, 1)
    end = bench.do(*script("echo gone wrong >&2; exit 75"))
    assert "T-1 failed (nonzero_exit" in end.words
    task, run = bench.task(), bench.run()
    assert (task.state, task.attempts) == (TaskState.FAILED, 2)
    assert run.stderr_tail == "gone wrong\n"


def test_a_failure_that_stays_is_not_tried_again(bench: Bench) -> None:
    bench.give()
    bench.do(*script("exit 1"))
    assert (bench.task().state, bench.task().attempts) == (TaskState.FAILED, 1)


def test_a_command_that_hangs_is_ended_at_its_time_limit_with_all_it_started(
    bench: Bench,
) -> None:
    bench.give("quick export")
    end = bench.do(*FOREVER)
    assert "timed_out" in end.words
    task = bench.task()
    assert (task.state, task.reason) == (TaskState.FAILED, Reason.TIMED_OUT)
    until(lambda: not is_alive(int(bench.appears("child"))))


def test_a_command_that_does_not_exist_is_named_and_never_tried_again(bench: Bench) -> None:
    bench.give()
    bench.do("./exprot.sh", "{text}")
    task, run = bench.task(), bench.run()
    assert (task.state, task.reason) == (TaskState.FAILED, Reason.COMMAND_NOT_FOUND)
    assert task.detail == "`./exprot.sh` can't be started: No such file or directory"
    assert run.findings[0].failure_class is FailureClass.MISCONFIG


def test_a_signal_that_ends_the_command_is_named(bench: Bench) -> None:
    bench.give()
    bench.do(*script("kill -9 $$"))
    assert bench.task().reason == Reason.KILLED
    assert bench.task().detail == "ended by SIGKILL"


# What the command is told


def test_the_task_reaches_the_command_as_arguments_variables_and_stdin(bench: Bench) -> None:
    bench.give('export "November"; rm -rf $HOME `id` {task}')
    code = (
        'printf "%s\\n" "$@" > arguments; cat > stdin; '
        'echo "$FAULTBOOK_TASK_ID|$FAULTBOOK_TASK_ATTEMPT|$FAULTBOOK_TASK_REQUESTER" > variables; '
        'printf %s "$FAULTBOOK_TASK_TEXT" > text'
    )
    text = 'export "November"; rm -rf $HOME `id` {task}'
    bench.do(*script(code, "{text}", "--for={requester}", "{task}.pdf", "{other}"))
    told = bench.path("arguments").read_text().splitlines()
    assert told == [text, "--for=Ana", "T-1.pdf", "{other}"]
    assert bench.path("variables").read_text() == "T-1|1|Ana\n"
    assert bench.path("text").read_text() == text
    document = json.loads(bench.path("stdin").read_text())
    assert (document["task"], document["text"], document["attempt"]) == ("T-1", text, 1)


def test_a_text_can_not_become_an_option_and_odd_characters_are_passed_over(local: Bench) -> None:
    task = ClaimedTask("T-1", "--output=/etc/x\x00\ud800", "-Ana", "r", 1, "", "", None, 0, 0.0)
    order = local.order("cp", "{text}", "{requester}", "-v")
    line = order.line(task, local.path("progress"))
    assert line.arguments == ["cp", " --output=/etc/x?", " -Ana", "-v"]


def test_a_text_of_12_000_signs_and_a_command_that_reads_none_of_it(bench: Bench) -> None:
    text = "export " + "ü" * 11_900
    bench.give(text)
    end = bench.do(*script('printf %s "$1" > text', "{text}"), artifacts=("text",))
    assert end.passed, end.words
    assert bench.path("text").read_text() == text


def test_a_file_named_by_its_task_and_a_pattern_are_found_in_the_folder(bench: Bench) -> None:
    bench.give()
    code = script('mkdir out; echo 1 > "out/$1.csv"; echo 2 > out/more.csv', "{task}")
    end = bench.do(*code, artifacts=("out/{task}.csv", "out/m*.csv"))
    assert end.passed, end.words
    assert {each.name for each in bench.run().artifacts} == {"out/T-1.csv", "out/m*.csv"}


def test_a_script_without_its_first_line_is_run_as_shells_do(bench: Bench) -> None:
    path = bench.path("plain.sh")
    path.write_text("echo 1 > made\n")
    path.chmod(0o755)
    bench.give()
    assert bench.do("./plain.sh", artifacts=("made",)).passed


def test_secrets_in_what_it_says_are_not_kept(bench: Bench, tmp_path: Path) -> None:
    bench.give()
    secret = "xoxb-1234567890-canarycanary"
    code = f'echo "token {secret}" | tee "$FAULTBOOK_TASK_PROGRESS"; sleep 1.2; exit 1'
    bench.do(*script(code))
    with sqlite3.connect(tmp_path / "home" / "faultbook.db") as database:
        dump = "\n".join(database.iterdump())
    database.close()
    assert "canarycanary" not in dump
    assert "[REDACTED:slack-bot-token]" in dump


# Progress and signs of life


def test_the_last_line_of_its_progress_is_told(bench: Bench) -> None:
    bench.give()
    code = 'echo "page 1 of 2" > $FAULTBOOK_TASK_PROGRESS; until test -f go; do sleep 0.05; done'
    with bench.doing(bench.job(*script(code))):
        until(lambda: bench.task().progress == "page 1 of 2")
        bench.path("go").write_text("\n")
    assert "progress" in [event.kind for event in bench.store.read(read_events, 1)]


def test_faultbook_itself_runs_inside_a_task_and_tells_progress(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAULTBOOK_HOME", str(tmp_path / "elsewhere"))
    bench.give()
    told = f"{sys.executable} -m faultbook task progress page 3 of 9 && echo ok > told"
    with bench.doing(bench.job(*script(f"{told}; until test -f go; do sleep 0.05; done"))):
        bench.appears("told")
        until(lambda: bench.task().progress == "page 3 of 9")
        bench.path("go").write_text("\n")


def test_signs_of_life_keep_the_lease_while_the_command_runs(bench: Bench) -> None:
    bench.give()
    with bench.doing(bench.job(*script("until test -f go; do sleep 0.05; done"))):
        until(lambda: bench.task().lease is not None)
        first = bench.task().lease
        assert first is not None
        until(lambda: (lease := bench.task().lease) is not None and lease.until > first.until)
        bench.path("go").write_text("\n")


# Tasks that are taken away


def test_a_cancelled_task_ends_its_command_and_is_not_closed_by_it(bench: Bench) -> None:
    bench.give()
    with bench.doing(bench.job(*FOREVER, artifacts=("out/report.txt",))) as ends:
        child = int(bench.appears("child"))
        bench.cancel()
    assert ends[0].closed is None
    assert "T-1 was cancelled by Ana" in ends[0].words
    until(lambda: not is_alive(child))
    assert bench.task().state is TaskState.CANCELLED
    assert bench.run().verdict is Verdict.INCONCLUSIVE


def test_a_lease_that_ran_out_gives_the_task_away_and_the_late_worker_is_told(
    bench: Bench,
) -> None:
    bench.give()
    task = bench.claim()
    _let_leases_run_out(bench)
    assert bench.sweep() == 1
    assert bench.task().state is TaskState.QUEUED
    other = bench.claim()
    end = bench.job(*WRITES, artifacts=("out/report.txt",), task=task).run()
    assert end.closed is None
    assert "T-1 went to another worker" in end.words
    assert bench.job(*script("echo 2 > two"), artifacts=("two",), task=other).run().passed
    assert bench.task().attempts == 2


def test_a_task_whose_workers_go_quiet_too_often_is_lost(bench: Bench) -> None:
    bench.give()
    for _ in range(3):
        bench.claim()
        _let_leases_run_out(bench)
        assert bench.sweep() == 1
    task = bench.task()
    assert (task.state, task.lapses) == (TaskState.LOST, 3)


@pytest.mark.parametrize("noted", ["noted", "not noted yet"])
def test_what_a_killed_worker_left_running_is_ended_before_the_next_attempt(
    bench: Bench, noted: str
) -> None:
    bench.give()
    # A worker of its own process, so that it can be killed as one: after it noted whom it has
    # started, or before.
    code = (
        "import os, sys; from pathlib import Path; "
        "from faultbook.intake.wrapper import command; "
        "from faultbook.intake.wrapper.command import Command, CommandLine; "
        "from faultbook.intake.wrapper.task_lock import alone\n"
        f"if {noted == 'not noted yet'}: command.note_group = lambda *_: None\n"
        "with alone(Path(sys.argv[1])) as lock:\n"
        "    line = CommandLine(['sh', '-c', sys.argv[2]], Path.cwd(), os.environ, lock=lock)\n"
        "    Command(line).run(None)\n"
    )
    name = bench.source.target.replace(":", "-") + "-T-1"
    lock = bench.folder.parent / "locks" / name
    command = [sys.executable, "-c", code, str(lock), FOREVER[2]]
    with subprocess.Popen(command, cwd=bench.folder) as worker:
        child = int(bench.appears("child"))
        until(lambda: lock.read_text().endswith("\n") or noted != "noted")
        worker.kill()
    assert is_alive(child)
    assert bench.do(*script("date > made"), artifacts=("made",)).passed
    assert not is_alive(child)
    assert not lock.exists()


def test_a_worker_that_stops_gives_its_task_back_at_once(bench: Bench) -> None:
    bench.give()
    job = bench.job(*FOREVER)
    with bench.doing(job) as ends:
        child = int(bench.appears("child"))
        run_id = bench.task().run_id
        job.stop(5)
    assert "went back to the queue" in ends[0].words
    until(lambda: not is_alive(child))
    task, run = bench.task(), bench.run()
    assert (task.state, task.run_id) == (TaskState.QUEUED, run_id)
    assert (run.verdict, run.findings[0].reason) == (Verdict.FAILED, Reason.KILLED)
    # What a stop has cost counts for nothing: the route's two attempts are all there.
    bench.do(*script("exit 75"))
    assert bench.task().state is TaskState.QUEUED
    bench.do(*script("exit 75"))
    assert bench.task().state is TaskState.FAILED


def test_a_command_that_ignores_the_stop_is_killed(bench: Bench) -> None:
    bench.give()
    code = "trap '' TERM; echo $$ > pid; while :; do sleep 0.05; done"
    job = bench.job(*script(code))
    with bench.doing(job):
        pid = int(bench.appears("pid"))
        job.stop(0.3)
    assert not is_alive(pid)
    assert bench.task().state is TaskState.QUEUED


def _let_leases_run_out(bench: Bench) -> None:
    """Bring every lease to its end, as time would."""
    with bench.store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tasks SET lease_until = 1 WHERE state = 'running'")
