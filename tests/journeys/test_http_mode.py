"""Slack calls over HTTP: signed events, clicks and commands through a real server."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from faultbook.base.errors import UnavailableError
from faultbook.intake.slack.desk import Desk
from faultbook.sandbox.httpdoor import sign
from tests.journeys.conftest import MANIFEST, record_failing
from tests.journeys.running import RunningBot, running_bot, settings_for
from tests.sandbox.driver import Workspace

QUESTION = "@faultbook what's failing?"


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.start(tmp_path / "slack", manifest=MANIFEST) as started:
        yield started


@pytest.fixture
def http_bot(slack: Workspace, tmp_path: Path) -> Iterator[RunningBot]:
    with running_bot(settings_for(slack, tmp_path / "home", http=True)) as running:
        record_failing(running.house.store)
        slack.options(bot_url=running.url)
        yield running


def test_the_url_is_verified_as_slack_does_it(slack: Workspace, http_bot: RunningBot) -> None:
    del http_bot
    assert slack.post("verify_url")["verified"]


def test_questions_commands_and_clicks_are_answered(slack: Workspace, http_bot: RunningBot) -> None:
    slack.fault("duplicate_events", count=1)
    ts = slack.say("ana", "general", QUESTION)
    answer = slack.wait_for(lambda: slack.from_bot("general", thread=ts))[0]
    assert "invoice-sync" in answer["text"]
    assert slack.click("ana", "general", answer["ts"], "failing.details")["acked"]
    slack.wait_for(lambda: slack.modals("ana"))
    assert slack.slash("ana", "general", "/failing", "in prod")["acked"]
    assert "invoice-sync" in slack.wait_for(lambda: slack.ephemerals("ana"))[0]["text"]
    slack.open_home("ana")
    assert "invoice-sync" in str(slack.wait_for(lambda: slack.home_view("ana")))
    assert len(slack.from_bot("general", thread=ts)) == 1
    assert http_bot.bot.status().connected
    assert http_bot.bot.status().mode == "http"


def test_a_first_try_that_failed_is_made_good_by_the_redelivery(
    slack: Workspace, http_bot: RunningBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    del http_bot
    accept = Desk.accept
    failed: list[int] = []

    async def fail_once(self: Desk, *args: object) -> bool:
        if not failed:
            failed.append(1)
            raise UnavailableError("The database does not answer.")
        return await accept(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Desk, "accept", fail_once)
    ts = slack.say("ana", "general", QUESTION)
    slack.wait_for(lambda: slack.from_bot("general", thread=ts))
    assert len(slack.from_bot("general", thread=ts)) == 1
    assert slack.deliveries()["given_up"] == []


def test_strangers_and_replays_get_nothing(slack: Workspace, http_bot: RunningBot) -> None:
    fields = {
        "command": "/failing",
        "text": "",
        "user_id": slack.user_id("ana"),
        "channel_id": slack.channel_id("general"),
        "team_id": slack.team_id,
    }
    body = urlencode(fields).encode()
    at = str(int(time.time()))
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": sign(slack.signing_secret, at, body),
    }
    with httpx.Client(trust_env=False) as stranger:
        first = stranger.post(http_bot.url, content=body, headers=headers)
        assert first.status_code == 200
        assert "invoice-sync" in first.json()["text"]
        replay = stranger.post(http_bot.url, content=body, headers=headers)
        assert (replay.status_code, replay.content) == (200, b"")
        forged = {**headers, "X-Slack-Signature": sign("another secret", at, body)}
        assert stranger.post(http_bot.url, content=body, headers=forged).status_code == 401
        assert stranger.post(http_bot.url, content=body).status_code == 401
        huge = stranger.post(http_bot.url, content=b" " * 20_000_000, headers=headers)
        assert huge.status_code == 413
        assert stranger.get(http_bot.url).status_code == 405


def test_many_questions_at_once_are_answered_once_each(
    slack: Workspace, http_bot: RunningBot
) -> None:
    del http_bot
    slack.fault("duplicate_events", count=0, rate=0.5, seed=3)
    asked = [slack.say("ana", "general", QUESTION) for _ in range(30)]
    for ts in asked:
        slack.wait_for(partial(slack.from_bot, "general", ts), timeout=15)
    slack.wait_for(lambda: not slack.deliveries()["unsettled"])
    threads = [one["thread_ts"] for one in slack.from_bot("general")]
    assert sorted(threads) == sorted(asked)
