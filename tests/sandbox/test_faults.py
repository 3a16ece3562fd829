"""Every fault switch does what it says, as often as it says, and the same for the same seed."""

import time
from pathlib import Path

import httpx
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from tests.sandbox.bots import Bot, RawBot
from tests.sandbox.driver import ControlError, Json, Workspace

from faultbook.sandbox.clock import Clock
from faultbook.sandbox.faults import KINDS, Faults
from faultbook.sandbox.wire import Wire


def mention(slack: Workspace, text: str = "@faultbook hi") -> str:
    return slack.say("ana", "general", text)


def test_an_event_is_delivered_twice_with_the_same_event_id(slack: Workspace) -> None:
    slack.fault("duplicate_events", method="app_mention")
    with RawBot(slack) as bot:
        mention(slack)
        slack.wait_for(lambda: len(bot.envelopes()) == 2)
        one, two = bot.envelopes()
        assert one["payload"]["event_id"] == two["payload"]["event_id"]
        assert one["envelope_id"] != two["envelope_id"]
        assert [one["retry_attempt"], two["retry_attempt"]] == [0, 0]
        mention(slack)
        slack.wait_for(lambda: len(bot.envelopes()) == 3)


def test_a_held_event_is_overtaken(slack: Workspace) -> None:
    slack.fault("delay_events", ms=150)
    with RawBot(slack) as bot:
        first, second = mention(slack), mention(slack)
        slack.wait_for(lambda: len(bot.envelopes()) == 2)
        assert [one["payload"]["event"]["ts"] for one in bot.envelopes()] == [second, first]


def test_a_lost_acknowledgement_causes_a_retry(slack: Workspace) -> None:
    slack.options(ack_seconds=0.1, retry_delays=[0.01])
    slack.fault("no_ack", method="events_api")
    with RawBot(slack) as bot:
        mention(slack)
        slack.wait_for(lambda: len(bot.envelopes()) == 2)
        assert bot.envelopes()[1]["retry_attempt"] == 1
        slack.wait_for(lambda: not slack.deliveries()["unsettled"])


def test_a_late_acknowledgement_causes_a_retry_only_past_the_limit(slack: Workspace) -> None:
    slack.options(ack_seconds=0.5, retry_delays=[0.01])
    with RawBot(slack) as bot:
        slack.fault("late_ack", ms=30)
        mention(slack)
        slack.wait_for(lambda: not slack.deliveries()["unsettled"])
        assert len(bot.envelopes()) == 1
        slack.fault("late_ack", ms=900)
        mention(slack)
        slack.wait_for(lambda: len(bot.envelopes()) == 3)


def test_a_first_attempt_can_come_again_after_its_retry(slack: Workspace) -> None:
    slack.options(ack_seconds=0.1, retry_delays=[0.01])
    slack.fault("no_ack")
    slack.fault("first_attempt_copy")
    with RawBot(slack) as bot:
        mention(slack)
        slack.wait_for(lambda: len(bot.envelopes()) == 3)
        attempts = {(one["envelope_id"], one["retry_attempt"]) for one in bot.envelopes()}
        assert len(attempts) == 2
        assert [one["retry_attempt"] for one in bot.envelopes()].count(0) == 2


def test_a_refused_handshake_uses_the_ticket_up(slack: Workspace) -> None:
    slack.fault("refuse_handshake", count=2)
    with RawBot(slack) as refused:
        assert refused.closed.wait(5)
        assert refused.status == 503
    with RawBot(slack, url=refused.url) as again:
        assert again.closed.wait(5)
        assert again.status == 503
    with RawBot(slack, url=refused.url) as stale:
        assert stale.closed.wait(5)
        assert stale.status == 403


def test_a_deaf_socket_says_hello_and_nothing_more(slack: Workspace) -> None:
    slack.fault("deaf")
    slack.options(ack_seconds=0.1, retry_delays=[30])
    with RawBot(slack) as bot:
        slack.wait_for(lambda: bot.frames)
        mention(slack)
        bot.ping(b"anybody?")
        time.sleep(0.15)
        assert len(bot.frames) == 1
        assert bot.pongs == []
        assert slack.connected() == 1
    with RawBot(slack) as bot:
        slack.wait_for(lambda: slack.connected() == 1)
        assert slack.retry_now() == 1
        slack.wait_for(bot.envelopes)


def test_open_sockets_can_go_deaf(slack: Workspace) -> None:
    with RawBot(slack, acks=False) as bot:
        slack.wait_for(lambda: bot.frames)
        assert slack.deafen() == 1
        mention(slack)
        time.sleep(0.1)
        assert bot.envelopes() == []


def test_a_429_carries_retry_after(slack: Workspace) -> None:
    slack.fault("rate_limit", method="auth.test", retry_after=7)
    bearer = {"Authorization": f"Bearer {slack.bot_token}"}
    response = httpx.post(f"{slack.api_url}auth.test", headers=bearer)
    assert response.status_code == 429
    assert response.headers["retry-after"] == "7"
    assert response.json() == {"ok": False, "error": "ratelimited"}
    assert httpx.post(f"{slack.api_url}auth.test", headers=bearer).status_code == 200


async def test_the_sdk_waits_as_long_as_it_is_told(slack: Workspace) -> None:
    slack.fault("rate_limit", method="users.list", retry_after=1)
    client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
    with pytest.raises(SlackApiError):
        await client.users_list()
    slack.fault("rate_limit", method="users.list", retry_after=1)
    client.retry_handlers.append(AsyncRateLimitErrorRetryHandler(max_retry_count=1))
    started = time.monotonic()
    assert (await client.users_list())["ok"]
    assert time.monotonic() - started >= 1


def test_a_method_can_be_slow_wrong_or_broken(slack: Workspace) -> None:
    slack.fault("slow", method="auth.test", ms=120)
    started = time.monotonic()
    assert slack.api("auth.test")["ok"]
    assert time.monotonic() - started >= 0.12
    slack.fault("error", method="usergroups.users.list", error="fatal_error")
    assert slack.api("usergroups.users.list", usergroup="S")["error"] == "fatal_error"
    slack.fault("http_status", method="auth.test", status=503)
    bearer = {"Authorization": f"Bearer {slack.bot_token}"}
    assert httpx.post(f"{slack.api_url}auth.test", headers=bearer).status_code == 503


def test_a_post_can_be_kept_while_its_response_is_lost(slack: Workspace) -> None:
    slack.new_channel("lossy")
    slack.fault("drop_response", method="chat.postMessage")
    with pytest.raises(httpx.TransportError):
        slack.api("chat.postMessage", channel="lossy", text="once")
    assert [one["text"] for one in slack.messages("lossy")] == ["once"]
    assert slack.api("chat.postMessage", channel="lossy", text="twice")["ok"]


def test_a_mention_comes_as_a_pair_when_messages_are_subscribed(slack: Workspace) -> None:
    before = slack.options()["subscriptions"]
    slack.options(subscriptions=[*before, "message.channels"])
    try:
        with RawBot(slack) as bot:
            ts = mention(slack)
            slack.wait_for(lambda: len(bot.envelopes()) == 2)
            payloads = [one["payload"] for one in bot.envelopes()]
            assert {one["event"]["type"] for one in payloads} == {"message", "app_mention"}
            assert {one["event"]["ts"] for one in payloads} == {ts}
            assert len({one["event_id"] for one in payloads}) == 2
    finally:
        slack.options(subscriptions=before)


def test_bolt_survives_a_line_that_is_cut(slack: Workspace) -> None:
    heard: list[Json] = []

    def setup(app: AsyncApp) -> None:
        @app.event("app_mention")
        async def hear(event: Json) -> None:
            heard.append(event)

    with Bot(slack, setup, ping=0.2):
        slack.disconnect("")
        slack.wait_for(lambda: slack.connected() == 0)
        ts = mention(slack)
        slack.wait_for(lambda: heard)
        assert heard[0]["ts"] == ts


def test_the_same_seed_strikes_at_the_same_times() -> None:
    def strikes(seed: int) -> list[bool]:
        faults = Faults(Wire(Clock().now))
        faults.add({"kind": "no_ack", "count": None, "rate": 0.5, "seed": seed})
        return [faults.take("no_ack") is not None for _ in range(40)]

    assert strikes(1) == strikes(1)
    assert strikes(1) != strikes(2)
    assert 8 < sum(strikes(1)) < 32


def test_switches_are_listed_counted_and_cleared(slack: Workspace) -> None:
    slack.fault("slow", method="auth.test", count=0, ms=1)
    slack.api("auth.test")
    slack.api("auth.test")
    on = slack.get("faults")["faults"]
    assert on[0]["hits"] == 2
    slack.clear_faults()
    assert slack.get("faults")["faults"] == []


@pytest.mark.parametrize(
    "wanted", [{"kind": "shout"}, {"kind": "slow", "loud": True}, {"kind": "slow", "ms": "1"}]
)
def test_an_unknown_fault_or_field_is_refused_by_name(slack: Workspace, wanted: Json) -> None:
    with pytest.raises(ControlError, match=r"known|loud|ms must"):
        slack.post("fault", **wanted)


def test_every_kind_of_fault_is_tested_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f'"{kind}"' not in text] == []
