"""A wrapped job can't tell the difference, and neither can whoever started it."""

import hashlib
import os
import pty
import shlex
import signal
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest

from faultbook.model.verdict import Verdict
from tests.intake.wrapper.harness import Wrapper, python, sh, until

COPY = "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)"


def test_fifty_megabytes_pass_through_unchanged(wrapper: Wrapper, tmp_path: Path) -> None:
    path = tmp_path / "random"
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(50):
            chunk = os.urandom(1_000_000)
            digest.update(chunk)
            file.write(chunk)
    received = hashlib.sha256()
    with path.open("rb") as given, wrapper.start(*python(COPY), stdin=given) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while chunk := process.stdout.read(1 << 20):
            received.update(chunk)
        assert process.stderr.read() == b""
    assert process.returncode == 0
    assert received.hexdigest() == digest.hexdigest()


def test_both_streams_pass_through_at_the_same_time(wrapper: Wrapper) -> None:
    code = "import sys\nfor n in range(20000):\n print(n, file=(sys.stdout, sys.stderr)[n % 2])"
    done = wrapper.run(*python(code))
    assert done.stdout == b"".join(b"%d\n" % n for n in range(0, 20000, 2))
    assert done.stderr == b"".join(b"%d\n" % n for n in range(1, 20000, 2))
    run = wrapper.record()
    assert run.stdout_tail is not None
    assert len(run.stdout_tail.encode()) == 10_000
    assert run.stdout_tail.endswith("19996\n19998\n")
    assert run.stderr_tail is not None
    assert run.stderr_tail.endswith("19999\n")


def test_the_order_of_the_streams_is_kept_where_the_job_does_not_hurry(wrapper: Wrapper) -> None:
    script = "for n in 1 2 3 4 5; do echo out $n; sleep 0.05; echo err $n >&2; sleep 0.05; done"
    done = wrapper.run(
        *sh(script), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, capture_output=False
    )
    assert done.stdout.decode().split("\n")[:-1] == [
        f"{stream} {n}" for n in range(1, 6) for stream in ("out", "err")
    ]


def test_output_arrives_while_the_job_runs(wrapper: Wrapper) -> None:
    process = wrapper.start(*sh("printf prompt; cat > /dev/null"), stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(6) == b"prompt"
    assert process.poll() is None
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_binary_input_arguments_folder_and_environment_are_the_jobs(wrapper: Wrapper) -> None:
    code = (
        "import os, sys; data = sys.stdin.buffer.read();"
        "print(len(data), sys.argv[1:], os.getcwd(), os.environ['CANARY'])"
    )
    done = wrapper.run(
        *python(code), "-n", "--", "a b", "*", "", input=bytes(range(256)), environ={"CANARY": "x"}
    )
    expected = f"256 ['-n', '--', 'a b', '*', ''] {wrapper.work} x\n"
    assert done.stdout.decode() == expected


def test_a_descriptor_that_was_handed_down_reaches_the_job(wrapper: Wrapper) -> None:
    reading, writing = os.pipe()
    code = f"import os; os.write({writing}, b'through')"
    done = wrapper.run(*python(code), pass_fds=(writing,))
    os.close(writing)
    assert done.returncode == 0
    assert os.read(reading, 100) == b"through"
    os.close(reading)


@pytest.mark.parametrize("code", [0, 1, 2, 70, 124, 128, 255])
def test_the_exit_code_is_the_jobs(code: int, wrapper: Wrapper) -> None:
    assert wrapper.run(*sh(f"exit {code}")).returncode == code


def test_a_reader_that_leaves_ends_the_job_as_it_would_without_us(wrapper: Wrapper) -> None:
    process = wrapper.start("yes")
    assert process.stdout is not None
    assert process.stdout.read(2) == b"y\n"
    process.stdout.close()
    assert process.wait(timeout=20) == 128 + signal.SIGPIPE
    assert process.stderr is not None
    process.stderr.close()
    assert wrapper.record().signal == signal.SIGPIPE


def test_a_stream_that_was_closed_before_we_started_is_no_file_of_ours(wrapper: Wrapper) -> None:
    argv = wrapper.argv(*sh("echo out; echo err >&2"))
    closing = 'exec 0<&- 1>&- 2>&-; exec "$@"'
    done = subprocess.run(
        ["sh", "-c", closing, "sh", *argv], cwd=wrapper.work, env=wrapper.environ, check=False
    )
    assert done.returncode == 0
    run = wrapper.record()
    assert (run.stdout_tail, run.stderr_tail) == ("out\n", "err\n")


def test_a_full_disk_behind_stdout_does_not_end_the_job(wrapper: Wrapper) -> None:
    with Path("/dev/full").open("wb") as full:
        done = wrapper.run(
            *sh("echo lost; echo kept > done"),
            stdout=full,
            stderr=subprocess.PIPE,
            capture_output=False,
        )
    assert done.returncode == 0
    assert (wrapper.work / "done").exists()
    assert b"some of its output could not be written" in done.stderr


def test_a_non_blocking_stdout_is_written_whole(wrapper: Wrapper) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    process = wrapper.start(*python("import sys; sys.stdout.write('x' * 1_000_000)"),
                            stdout=writing)  # fmt: skip
    os.close(writing)
    time.sleep(0.3)  # the pipe is full by now, which is what this is about
    received = 0
    while chunk := os.read(reading, 1 << 16):
        received += len(chunk)
    os.close(reading)
    process.communicate(timeout=20)
    assert (process.returncode, received) == (0, 1_000_000)


def test_what_a_job_leaves_running_does_not_hold_the_wrapper(wrapper: Wrapper) -> None:
    began = time.monotonic()
    done = wrapper.run(*sh("sleep 30 & echo $! > left; echo said"))
    assert done.stdout == b"said\n"
    assert time.monotonic() - began < 15
    os.kill(int((wrapper.work / "left").read_text()), signal.SIGKILL)
    assert done.returncode == 0


def test_what_the_job_wrote_last_arrives_although_the_reader_is_slow(wrapper: Wrapper) -> None:
    process = wrapper.start(*python("import sys; sys.stdout.write('x' * 300_000)"))
    time.sleep(3)  # longer than what is waited for what others write
    out, _ = process.communicate(timeout=20)
    assert len(out) == 300_000


REPORT_SIGNALS = """
import os, signal, time
def say(number, frame):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())  # print() bears no second one
for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"):
    signal.signal(getattr(signal, name), say)
os.write(1, b"ready\\n")
end = time.monotonic() + 20
while time.monotonic() < end:
    time.sleep(0.05)
"""


def test_signals_are_passed_on_to_the_job(wrapper: Wrapper) -> None:
    process = wrapper.start(*python(REPORT_SIGNALS))
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"):
        process.send_signal(getattr(signal, name))
        assert process.stdout.readline() == f"{name}\n".encode()
    child = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    os.kill(child, signal.SIGKILL)
    process.communicate(timeout=20)
    assert process.returncode == 137


def test_a_job_hears_what_it_handles_although_it_was_ignored_at_the_start(
    wrapper: Wrapper,
) -> None:
    """As in a script that says `job &`, where shells ignore SIGINT and SIGQUIT."""
    process = wrapper.start(
        *python(REPORT_SIGNALS),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == b"SIGINT\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == b"SIGTERM\n"
    child = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    os.kill(child, signal.SIGKILL)
    process.communicate(timeout=20)
    assert process.returncode == 137


def test_a_job_that_is_stopped_and_continued_often_still_ends(wrapper: Wrapper) -> None:
    process = wrapper.start(*sh("echo $$; while [ ! -e go ]; do sleep 0.01; done; exit 5"))
    assert process.stdout is not None
    job = int(process.stdout.readline())
    for _ in range(200):
        os.kill(job, signal.SIGSTOP)
        os.kill(job, signal.SIGCONT)
    (wrapper.work / "go").touch()
    process.communicate(timeout=30)
    assert process.returncode == 5


def test_the_whole_process_group_is_told(wrapper: Wrapper) -> None:
    process = wrapper.start(*sh("sleep 30 & echo $!; wait"))
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    until(lambda: not _is_alive(grandchild))
    assert process.returncode == 143


def test_what_was_ignored_stays_ignored(wrapper: Wrapper) -> None:
    """As under nohup(1)."""
    process = wrapper.start(
        *sh("echo ready; sleep 0.5; echo still here"),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate(timeout=20)
    assert (out, process.returncode) == (b"still here\n", 0)


@pytest.mark.long
def test_a_timeout_ends_grandchildren_that_do_not_listen(wrapper: Wrapper) -> None:
    stubborn = "trap '' TERM; echo $$ > stubborn; while :; do sleep 0.05; done"
    (wrapper.work / "stubborn.sh").write_text(stubborn)
    began = time.monotonic()
    done = wrapper.run(*sh("sh stubborn.sh & wait"), options=("--timeout", "1"), timeout=60)
    assert done.returncode == 143
    assert not _is_alive(int((wrapper.work / "stubborn").read_text()))
    assert 10 <= time.monotonic() - began < 20


def test_a_script_without_its_first_line_runs_as_a_shell_runs_it(wrapper: Wrapper) -> None:
    script = wrapper.work / "job"
    script.write_text("echo plain $1\n")
    script.chmod(0o755)
    assert wrapper.run("./job", "word").stdout == b"plain word\n"


@pytest.mark.long
def test_twenty_wrappers_at_once_leave_twenty_runs(wrapper: Wrapper) -> None:
    processes = [
        wrapper.start(*sh(f"echo {n} > {n}.txt"), options=("--artifact", f"{n}.txt"))
        for n in range(20)
    ]
    for process in processes:
        _, said = process.communicate(timeout=100)
        assert (process.returncode, said) == (0, b"")
    assert [run.verdict for run in wrapper.records()] == [Verdict.PASSED] * 20


# At a terminal.

ASK = (
    "import os, sys; print([os.isatty(n) for n in (0, 1, 2)], os.get_terminal_size());"
    "print('you said', input(), flush=True)"
)


class Terminal:
    """A terminal with the wrapper at it, as a shell would start it in the foreground."""

    def __init__(self, wrapper: Wrapper, argv: list[str]) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(wrapper.work)
            os.execvpe(argv[0], argv, wrapper.environ)  # noqa: S606 - the program under test
        self.output = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self.fd, 1 << 16)
            except OSError:
                return
            if not chunk:
                return
            self.output += chunk

    def type(self, text: bytes) -> None:
        os.write(self.fd, text)

    def wait(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        self._reader.join(5)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


def test_a_job_at_a_terminal_sees_a_terminal_of_the_same_size(wrapper: Wrapper) -> None:
    terminal = Terminal(wrapper, wrapper.argv(*python(ASK)))
    termios.tcsetwinsize(terminal.fd, (33, 77))
    until(lambda: b"columns" in terminal.output)
    assert b"[True, True, True] os.terminal_size(columns=77, lines=33)" in terminal.output
    terminal.type(b"hello\n")
    assert terminal.wait() == 0
    assert b"you said hello\r\n" in terminal.output
    run = wrapper.record()
    assert run.stdout_tail is not None
    assert "you said hello\n" in run.stdout_tail
    assert run.stderr_tail is None


def test_control_c_at_the_terminal_ends_the_job(wrapper: Wrapper) -> None:
    terminal = Terminal(wrapper, wrapper.argv(*sh("echo ready; sleep 30")))
    until(lambda: b"ready" in terminal.output)
    terminal.type(b"\x03")
    assert terminal.wait() == 130
    assert wrapper.record().signal == signal.SIGINT


def test_a_job_whose_output_goes_elsewhere_still_has_the_keyboard(wrapper: Wrapper) -> None:
    argv = wrapper.argv(*sh("read line < /dev/tty; echo got $line; read line; echo got $line"))
    terminal = Terminal(wrapper, ["sh", "-c", 'exec "$@" > out.log', "sh", *argv])
    terminal.type(b"one\ntwo\n")
    assert terminal.wait() == 0
    assert (wrapper.work / "out.log").read_text() == "got one\ngot two\n"
    assert wrapper.record().stdout_tail == "got one\ngot two\n"


def test_the_terminal_is_put_back_as_it_was(wrapper: Wrapper) -> None:
    argv = wrapper.argv(*sh("echo in the job; exit 3"))
    script = 'stty -a > before; "$@"; echo code $?; stty -a > after'
    terminal = Terminal(wrapper, ["sh", "-c", script, "sh", *argv])
    assert terminal.wait() == 0
    assert b"in the job\r\n" in terminal.output
    assert b"code 3" in terminal.output
    before = (wrapper.work / "before").read_text()
    assert before
    assert (wrapper.work / "after").read_text() == before


def test_a_job_that_is_stopped_at_the_keyboard_stops_and_goes_on_as_a_shells_job(
    wrapper: Wrapper,
) -> None:
    # No shell's loop: stopped between vfork(2) and exec, its child would hold it back for good.
    script = (
        "import time; from pathlib import Path; Path('ready').touch()\n"
        "while not Path('go').exists(): time.sleep(0.02)\n"
        "print('went on')"
    )
    terminal = Terminal(wrapper, ["sh", "-i"])
    terminal.type(f"{shlex.join(wrapper.argv(*python(script)))} > out.log\n".encode())
    until((wrapper.work / "ready").exists)
    terminal.type(b"\x1a")
    until(lambda: b"Stopped" in terminal.output)
    (wrapper.work / "go").touch()
    terminal.type(b"echo still $((40 + 2)) stopped\n")
    until(lambda: b"still 42 stopped" in terminal.output)
    assert (wrapper.work / "out.log").read_text() == ""
    terminal.type(b"fg\n")
    until(lambda: bool((wrapper.work / "out.log").read_text()))
    terminal.type(b"exit\n")
    assert terminal.wait() == 0
    assert (wrapper.work / "out.log").read_text() == "went on\n"
    assert wrapper.record().exit_code == 0


def test_two_jobs_at_one_terminal_leave_it_as_it_was(wrapper: Wrapper) -> None:
    """As under `make -j2`: the one that began first ends first."""
    first = wrapper.argv(*sh("touch one; while [ ! -e two ]; do sleep 0.02; done; echo first"))
    second = wrapper.argv(*sh("touch two; sleep 0.7; echo second"), workflow="other")
    script = (
        "stty -a > before; exec 3<&0; { " + shlex.join(first) + " <&3 & };"
        " while [ ! -e one ]; do sleep 0.02; done; "
        + shlex.join(second)
        + "; wait; stty -a > after"
    )
    terminal = Terminal(wrapper, ["sh", "-c", script])
    assert terminal.wait() == 0
    assert b"first\r\n" in terminal.output
    assert b"second\r\n" in terminal.output
    assert (wrapper.work / "after").read_text() == (wrapper.work / "before").read_text() != ""


def test_a_pipe_into_a_job_at_a_terminal_is_read_whole(wrapper: Wrapper) -> None:
    argv = wrapper.argv(*python("import sys; print(len(sys.stdin.read()), sys.stdout.isatty())"))
    script = 'head -c 100000 /dev/zero | "$@"'
    terminal = Terminal(wrapper, ["sh", "-c", script, "sh", *argv])
    assert terminal.wait() == 0
    assert b"100000 True\r\n" in terminal.output


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
