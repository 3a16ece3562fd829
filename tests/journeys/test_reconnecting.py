"""The Socket Mode connection is hurt in every way we know; the bot recovers and answers."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.journeys.running import QUICK, RunningBot, running_bot, settings_for
from tests.sandbox.driver import Workspace

QUESTION = "@faultbook what's failing?"


def ask(workspace: Workspace, timeout: float = 10) -> None:
    ts = workspace.say("ana", "general", QUESTION)
    workspace.wait_for(lambda: workspace.from_bot("general", thread=ts), timeout=timeout)
    assert len(workspace.from_bot("general", thread=ts)) == 1


def refused_handshakes(workspace: Workspace) -> None:
    workspace.fault("refuse_handshake", count=2)
    workspace.disconnect("")


def deaf_now(workspace: Workspace) -> None:
    workspace.deafen()


def deaf_from_the_start(workspace: Workspace) -> None:
    workspace.fault("deaf", count=1)
    workspace.disconnect("")


def limited(workspace: Workspace) -> None:
    workspace.fault("rate_limit", method="apps.connections.open", count=1, retry_after=1)
    workspace.disconnect("")


def refused(workspace: Workspace) -> None:
    workspace.fault("error", method="apps.connections.open", count=1, error="internal_error")
    workspace.disconnect("")


def told(reason: str) -> Callable[[Workspace], None]:
    return lambda workspace: assert_told(workspace, reason)


def assert_told(workspace: Workspace, reason: str) -> None:
    assert workspace.disconnect(reason) == 1


HURTS: dict[str, Callable[[Workspace], None]] = {
    "cut": told(""),
    "warning": told("warning"),
    "refresh": told("refresh_requested"),
    "link disabled": told("link_disabled"),
    "too many": told("too_many_websockets"),
    "refused handshakes": refused_handshakes,
    "deaf": deaf_now,
    "deaf from the start": deaf_from_the_start,
    "limited": limited,
    "refused": refused,
}


@pytest.mark.parametrize("hurt", HURTS)
def test_after_any_hurt_the_bot_is_back_and_answers(
    workspace: Workspace, bot: RunningBot, hurt: str
) -> None:
    ask(workspace)
    opened = bot.bot._supervisor.status().opened if bot.bot._supervisor else 0
    HURTS[hurt](workspace)
    supervisor = bot.bot._supervisor
    assert supervisor is not None
    workspace.wait_for(lambda: supervisor.status().opened > opened)
    ask(workspace)
    assert bot.bot.status().connected


def test_the_next_connection_is_open_before_the_last_is_let_go(
    workspace: Workspace, bot: RunningBot
) -> None:
    del bot
    ask(workspace)
    workspace.disconnect("refresh_requested", grace=5.0)
    asked = [workspace.say("ana", "general", QUESTION) for _ in range(5)]
    for ts in asked:
        workspace.wait_for(partial(workspace.from_bot, "general", ts))
    entries = [one for one in workspace.wire("events_api") if one["dir"] == "out"]
    attempts = [one["body"] for one in entries if '"retry_attempt": 0' not in one["body"]]
    assert attempts == []  # nothing had to be sent a second time


def test_a_workspace_that_is_away_is_waited_for(tmp_path: Path) -> None:
    workspace = Workspace.start(tmp_path / "slack")
    settings = settings_for(workspace, tmp_path / "home")
    workspace.stop()
    with running_bot(settings, QUICK) as bot:
        assert not bot.bot.status().connected
        assert "can't be reached" in bot.bot.status().words
        with workspace.restart() as back:
            back.wait_for(lambda: bot.bot.status().connected, timeout=15)
            ask(back)


def test_a_workspace_that_restarts_finds_the_bot_again(tmp_path: Path) -> None:
    workspace = Workspace.start(tmp_path / "slack")
    with running_bot(settings_for(workspace, tmp_path / "home"), QUICK) as bot:
        ask(workspace)
        workspace.kill()
        workspace.wait_for(lambda: not bot.bot.status().connected)
        with workspace.restart() as back:
            back.wait_for(lambda: bot.bot.status().connected, timeout=15)
            ask(back)
