"""How soon `faultbook up` is ready, and how much memory the bot takes."""

import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.load import measure
from tests.benchmarks.servers import make_token, up
from tests.sandbox.driver import Workspace

_MUST_SECONDS, _MUST_MB = 2.0, 160


def startup(home: Path) -> list[str]:
    """Measure a second start, with Slack connected, and memory after some load."""
    workspace = Workspace.start(home / "slack")
    try:
        (home / "bot").mkdir()
        with up(home / "bot", workspace):
            token = make_token(home / "bot")
        with up(home / "bot", workspace) as server:
            ready, idle = server.ready_seconds, server.memory_mb()
            measure("records", server.port, clients=8, requests=5_000, token=token)
            loaded = server.memory_mb()
    finally:
        workspace.stop()
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    bare = time.perf_counter() - began
    return [
        f"ready in {ready:.2f} s (must {_MUST_SECONDS:g} s); a bare interpreter takes {bare:.2f} s",
        f"memory {idle:.0f} MB idle, {loaded:.0f} MB after 5 000 records (must {_MUST_MB} MB)",
    ]
