"""A workspace, a bot in it, and runs for it to tell of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faultbook.base.clock import HOUR, MINUTE, system_clock
from faultbook.base.settings import LedgerSettings
from faultbook.model.verdict import Verdict
from faultbook.operations.recording import record_runs
from faultbook.store.engine import Store
from tests.builders import whole_run
from tests.journeys.ledger_desk import LEDGER, LedgerDesk, MovedClock
from tests.journeys.running import RunningBot, running_bot, settings_for
from tests.ledger.remotes import BareRemote
from tests.sandbox.driver import Workspace

MANIFEST = Path(__file__).parents[2] / "templates" / "slack-manifest.yaml"


def record_failing(store: Store, workflow: str = "invoice-sync", branch: str = "main") -> None:
    """Record that a workflow passed an hour ago and failed since."""
    now = system_clock()
    runs = [
        whole_run(Verdict.PASSED, at=now - HOUR, workflow=workflow, branch=branch),
        whole_run(Verdict.FAILED, at=now - 5 * MINUTE, workflow=workflow, branch=branch),
    ]
    store.write(record_runs, runs)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """Start a workspace that holds the bot to our own manifest; no rate limits."""
    with Workspace.start(tmp_path / "slack", manifest=MANIFEST) as started:
        yield started


@pytest.fixture
def bot(workspace: Workspace, tmp_path: Path) -> Iterator[RunningBot]:
    """Start a bot in Socket Mode, with one failing workflow to tell of."""
    with running_bot(settings_for(workspace, tmp_path / "home")) as running:
        record_failing(running.house.store)
        yield running


@pytest.fixture
def desk(workspace: Workspace, tmp_path: Path) -> Iterator[LedgerDesk]:
    """Start a bot whose ledger is in a real remote, with one failing workflow to tell of."""
    remote = BareRemote.make(tmp_path / "remote.git", {"lessons/_ledger.md": LEDGER})
    ledger = LedgerSettings(
        remote=str(remote.path),
        channel=workspace.channel_id("ops"),
        web_url="https://git.example/team/repo/blob/main/{path}",
        fetch_seconds=1,
    )
    settings = settings_for(workspace, tmp_path / "home").model_copy(update={"ledger": ledger})
    clock = MovedClock()
    with running_bot(settings, clock=clock) as bot:
        record_failing(bot.house.store)
        desk = LedgerDesk(workspace, bot, remote, clock)
        desk.wait_read(remote.head())
        yield desk
