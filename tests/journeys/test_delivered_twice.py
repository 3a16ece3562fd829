"""Slack delivers at least once; each question is answered once."""

from functools import partial
from pathlib import Path

import pytest

from faultbook.assembly.bot import BotOptions
from faultbook.store.schema import notices
from faultbook.store.transaction import Transaction
from tests.journeys.conftest import MANIFEST
from tests.journeys.running import RunningBot, running_bot, settings_for
from tests.sandbox.driver import Workspace

QUESTION = "@faultbook what's failing?"


def wait_quiet(workspace: Workspace) -> None:
    """Wait until every event is settled and one more question was answered after them."""
    workspace.wait_for(lambda: not workspace.deliveries()["unsettled"])
    ts = workspace.say("ben", "ops", QUESTION)
    workspace.wait_for(lambda: workspace.from_bot("ops", thread=ts), timeout=15)


def test_an_event_that_comes_twice_is_answered_once(workspace: Workspace, bot: RunningBot) -> None:
    del bot
    workspace.fault("duplicate_events", count=3)
    asked = [workspace.say("ana", "general", QUESTION) for _ in range(3)]
    for ts in asked:
        workspace.wait_for(partial(workspace.from_bot, "general", ts))
    wait_quiet(workspace)
    for ts in asked:
        assert len(workspace.from_bot("general", thread=ts)) == 1


def test_a_mention_that_is_told_by_two_events_is_answered_once(
    workspace: Workspace, bot: RunningBot
) -> None:
    del bot
    workspace.options(
        subscriptions=["app_mention", "message.channels", "message.im", "app_home_opened"]
    )
    before = len(workspace.wire("events_api"))
    ts = workspace.say("ana", "general", QUESTION)
    workspace.wait_for(lambda: workspace.from_bot("general", thread=ts))
    wait_quiet(workspace)
    told = [entry for entry in workspace.wire("events_api")[before:] if ts in entry["body"]]
    assert len([entry for entry in told if entry["dir"] == "out"]) >= 2
    assert len(workspace.from_bot("general", thread=ts)) == 1


def test_an_acknowledgement_that_got_lost_leads_to_no_second_answer(
    workspace: Workspace, bot: RunningBot
) -> None:
    del bot
    workspace.options(ack_seconds=0.3, retry_delays=[0.1, 0.1, 0.1])
    workspace.fault("no_ack", method="events_api", count=2)
    ts = workspace.say("ana", "general", QUESTION)
    workspace.wait_for(lambda: workspace.from_bot("general", thread=ts))
    wait_quiet(workspace)
    assert len(workspace.from_bot("general", thread=ts)) == 1
    assert workspace.deliveries()["given_up"] == []


def test_a_redelivery_after_a_restart_is_still_known(tmp_path: Path) -> None:
    with Workspace.start(tmp_path / "slack", manifest=MANIFEST) as workspace:
        workspace.options(ack_seconds=0.3, retry_delays=[0.8, 0.1, 0.1])
        settings = settings_for(workspace, tmp_path / "home")
        workspace.fault("no_ack", method="events_api", count=1)
        with running_bot(settings):
            ts = workspace.say("ana", "general", QUESTION)
            workspace.wait_for(lambda: workspace.from_bot("general", thread=ts))
        with running_bot(settings):
            wait_quiet(workspace)
        assert len(workspace.from_bot("general", thread=ts)) == 1


def test_a_stored_post_whose_answer_got_lost_is_found_and_not_repeated(
    workspace: Workspace, bot: RunningBot
) -> None:
    workspace.fault("drop_response", method="chat.postMessage", count=1)
    ts = workspace.say("ana", "general", QUESTION)
    workspace.wait_for(lambda: bot.house.store.read(_receipts))
    assert bot.house.store.read(_receipts)[0]["found"] is True
    assert len(workspace.from_bot("general", thread=ts)) == 1


def test_a_stored_direct_post_whose_answer_got_lost_is_found_too(
    workspace: Workspace, bot: RunningBot
) -> None:
    workspace.fault("drop_response", method="chat.postMessage", count=1)
    workspace.say("ana", "dm", "what's failing?")
    workspace.wait_for(lambda: bot.house.store.read(_receipts))
    assert len(workspace.from_bot("dm", user="ana")) == 1


def test_too_many_requests_are_waited_out(workspace: Workspace, bot: RunningBot) -> None:
    del bot
    workspace.fault("rate_limit", method="chat.postMessage", count=2, retry_after=1)
    ts = workspace.say("ana", "general", QUESTION)
    workspace.wait_for(lambda: workspace.from_bot("general", thread=ts))
    posts = [one for one in workspace.wire("chat.postMessage") if one["dir"] == "in"]
    assert len(posts) == 3
    assert posts[1]["at"] - posts[0]["at"] >= 0.95


@pytest.mark.parametrize("fault", ["error", "http_status"])
def test_a_passing_failure_of_slack_is_tried_again(
    workspace: Workspace, bot: RunningBot, fault: str
) -> None:
    del bot
    workspace.fault(fault, method="chat.postMessage", count=1)
    ts = workspace.say("ana", "general", QUESTION)
    workspace.wait_for(lambda: workspace.from_bot("general", thread=ts))
    assert len(workspace.from_bot("general", thread=ts)) == 1


def ask_everywhere(workspace: Workspace, channels: int, each: int) -> dict[str, list[str]]:
    """Ask in many channels at once, with duplicates among the deliveries."""
    names = [f"team-{number}" for number in range(channels)]
    for name in names:
        workspace.new_channel(name)
    workspace.fault("duplicate_events", count=0, rate=0.3, seed=7)
    asked: dict[str, list[str]] = {name: [] for name in names}
    for _ in range(each):
        for name in names:
            asked[name].append(workspace.say("ana", name, QUESTION))
    return asked


def answers_each_once(workspace: Workspace, asked: dict[str, list[str]], timeout: float) -> None:
    """Wait until all is answered, then count the answers of each question."""

    def answered() -> bool:
        return all(
            len([one for one in workspace.from_bot(name) if one.get("thread_ts")]) >= len(asked)
            for name, asked in asked.items()
        )

    workspace.wait_for(answered, timeout=timeout, every=0.25)
    workspace.clear_faults()
    wait_quiet(workspace)
    for name, questions in asked.items():
        threads = [one.get("thread_ts") for one in workspace.from_bot(name)]
        assert sorted(thread for thread in threads if thread) == sorted(questions)


@pytest.mark.long
def test_five_hundred_questions_over_ten_channels_get_an_answer_each(
    workspace: Workspace, bot: RunningBot
) -> None:
    del bot
    asked = ask_everywhere(workspace, channels=10, each=50)
    answers_each_once(workspace, asked, timeout=60)


@pytest.mark.long
def test_at_slacks_own_pace_no_question_is_lost_and_none_is_refused(tmp_path: Path) -> None:
    slack = Workspace.start(tmp_path / "slack", manifest=MANIFEST, rate_limits=True)
    settings = settings_for(slack, tmp_path / "home")
    options = BotOptions()
    with slack as workspace, running_bot(settings, options):
        asked = ask_everywhere(workspace, channels=5, each=5)
        answers_each_once(workspace, asked, timeout=40)
        refused = [one for one in workspace.wire("chat.postMessage") if one.get("status") == 429]
        assert refused == []


def _receipts(tx: Transaction) -> list[dict[str, object]]:
    settled = notices.select().where(notices.c.state == "settled")
    return [row.receipt for row in tx.execute(settled)]
