"""The sample agents of `make run` as processes: what is said when one ends."""

import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from faultbook.intake.timer import samples
from faultbook.intake.timer.samples import SampleAgent
from tests.intake.wrapper.harness import until

_ENDS = """
import os, pathlib, signal
with pathlib.Path("starts").open("a") as starts:
    starts.write("x")
"""


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGINT)", []),
        ("raise KeyboardInterrupt", []),
        ("raise SystemExit(3)", [3]),
    ],
)
async def test_an_agent_that_ends_by_itself_is_warned_of_and_one_that_ctrl_c_ended_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, said: list[int]
) -> None:
    monkeypatch.setattr(samples, "_AGENT_RESTS_SECONDS", 0.01)
    script = tmp_path / "agent.py"
    script.write_text(_ENDS + how, encoding="utf-8")
    agent = SampleAgent(script, tmp_path, os.environ)
    with capture_logs() as logs:
        agent.start()
        await asyncio.to_thread(until, lambda: _count(tmp_path / "starts") > 1)
        warned = [log["exit_code"] for log in logs if log["event"] == "sample_agent_ended"]
        await agent.stop()
    assert warned[:1] == said


def _count(starts: Path) -> int:
    return len(starts.read_text("utf-8")) if starts.exists() else 0
