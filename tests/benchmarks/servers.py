"""The servers that are measured, each a process of its own, stopped by its own id."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.sandbox.driver import Workspace

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Running:
    """A server under load."""

    port: int
    pid: int
    ready_seconds: float

    def memory_mb(self) -> float:
        """Tell its resident memory in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text("utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else float("nan")


def free_port() -> int:
    """Find a port that nobody holds."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def floor(kind: str) -> Iterator[int]:
    """Run a bare floor; gives its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.floors", kind, str(port)], cwd=ROOT
    )
    try:
        _await_port(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def up(home: Path, slack: Workspace | None = None) -> Iterator[Running]:
    """Run `faultbook up`, in HTTP mode on a Slack-compatible server if one is given."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FAULTBOOK_", "SLACK_"))
    }
    environ["FAULTBOOK_HOME"] = str(home)
    command = [sys.executable, "-m", "faultbook", "up", "--port", "0"]
    if slack is None:
        command.append("--no-slack")
    else:
        environ |= {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "SLACK_API_URL": slack.api_url,
        }
    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=home, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        port = 0
        for line in process.stdout:
            if "HTTP API" in line:
                port = int(line.rsplit(":", 1)[1])
            if "Stop it" in line:
                break
        yield Running(port, process.pid, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()


def make_token(home: Path) -> str:
    """Make a token in a home."""
    command = [sys.executable, "-m", "faultbook", "token", "create", "--agent", "bench"]
    command += ["--owner", "bench", "--scope", "runs:write", "--scope", "runs:read"]
    environ = {name: value for name, value in os.environ.items() if "FAULTBOOK" not in name}
    done = subprocess.run(
        command,
        cwd=home,
        env=environ | {"FAULTBOOK_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.025)
    raise RuntimeError(json.dumps({"port": port, "exit": process.returncode}))
