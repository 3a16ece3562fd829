"""Workspaces for tests: one per test file, and a fresh one where a test needs its own home."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sandbox.bots import Bot
from tests.sandbox.driver import Workspace
from tests.sandbox.recorder import Recorder

DEFAULTS = {
    "ack_seconds": 3.0,
    "trigger_seconds": 3.0,
    "response_url_seconds": 1800.0,
    "response_url_uses": 5,
    "retry_delays": [0.2, 60.0, 300.0],
    "rate_limits": False,
    "bot_url": "",
}


@pytest.fixture(scope="module")
def one_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with Workspace.start(tmp_path_factory.mktemp("slack")) as workspace:
        yield workspace


@pytest.fixture
def slack(one_workspace: Workspace) -> Workspace:
    one_workspace.clear_faults()
    one_workspace.forget_events()
    one_workspace.options(**DEFAULTS)
    return one_workspace


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "slack"


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def bot(slack: Workspace, recorder: Recorder) -> Iterator[Bot]:
    with Bot(slack, recorder.setup) as running:
        for person in ("ana", "ben"):
            while slack.modals(person):
                slack.close_modal(person, everything=True)
        recorder.bodies.clear()
        yield running
