"""Socket Mode: tickets, hello, envelopes, acknowledgements, redelivery, disconnects."""

import time

import pytest
from slack_bolt.async_app import AsyncApp, AsyncSay
from tests.sandbox.bots import Bot, RawBot
from tests.sandbox.driver import Json, Workspace


def answering(app: AsyncApp) -> None:
    @app.event("app_mention")
    async def answer(event: Json, say: AsyncSay) -> None:
        await say(text=f"heard: {event['text']}", thread_ts=event["ts"])


def test_a_real_bolt_app_answers_a_mention_within_a_blink(slack: Workspace) -> None:
    with Bot(slack, answering):
        slack.say("ana", "general", "@faultbook warm up")
        slack.wait_for(lambda: slack.from_bot("general"))
        started = time.perf_counter()
        ts = slack.say("ana", "general", "@faultbook what's failing?")
        answer = slack.wait_for(lambda: slack.from_bot("general", thread=ts), every=0.002)
        assert time.perf_counter() - started < 1
        assert answer[0]["text"].startswith(f"heard: <@{slack.bot_user_id}> what's failing?")
        slack.wait_for(lambda: not slack.deliveries()["unsettled"])


def test_hello_comes_first_and_pings_are_echoed(slack: Workspace) -> None:
    with RawBot(slack) as bot:
        hello = slack.wait_for(lambda: bot.frames)[0]
        assert set(hello) == {"type", "num_connections", "debug_info", "connection_info"}
        assert hello["num_connections"] == 1
        assert hello["debug_info"]["approximate_connection_time"] > 0
        bot.ping(b"sdk-ping-pong:1234.5")
        assert slack.wait_for(lambda: bot.pongs) == [b"sdk-ping-pong:1234.5"]


def test_a_ticket_opens_one_connection_only(slack: Workspace) -> None:
    with RawBot(slack) as first:
        slack.wait_for(lambda: first.frames)
        with RawBot(slack, url=first.url) as second:
            assert second.closed.wait(5)
            assert second.status == 403
    with RawBot(slack, url=first.url.partition("?")[0]) as none:
        assert none.closed.wait(5)
        assert none.status == 403


def test_an_event_envelope_has_the_recorded_fields(slack: Workspace) -> None:
    with RawBot(slack) as bot:
        slack.say("ana", "general", "@faultbook hi")
        envelope = slack.wait_for(bot.envelopes)[0]
        assert set(envelope) == {
            "envelope_id",
            "payload",
            "type",
            "accepts_response_payload",
            "retry_attempt",
            "retry_reason",
        }
        assert envelope["accepts_response_payload"] is False
        assert (envelope["retry_attempt"], envelope["retry_reason"]) == (0, "")
        slack.wait_for(lambda: not slack.deliveries()["unsettled"])


def test_each_payload_goes_to_exactly_one_of_several_sockets(slack: Workspace) -> None:
    with RawBot(slack) as one, RawBot(slack) as two:
        slack.wait_for(lambda: slack.connected() == 2)
        message = {"user": "ana", "channel": "general", "text": "@faultbook hi"}
        slack.say_all([message] * 40)
        slack.wait_for(lambda: not slack.deliveries()["unsettled"])
        first, second = len(one.envelopes()), len(two.envelopes())
        assert first + second == 40
        assert first
        assert second


def test_an_unacknowledged_event_is_sent_again_and_then_given_up(slack: Workspace) -> None:
    slack.options(ack_seconds=0.1, retry_delays=[0.02, 0.05, 0.05])
    with RawBot(slack, acks=False) as bot:
        slack.say("ana", "general", "@faultbook hi")
        slack.wait_for(lambda: len(bot.envelopes()) == 4)
        sent = bot.envelopes()
        assert [one["retry_attempt"] for one in sent] == [0, 1, 2, 3]
        assert [one["retry_reason"] for one in sent] == ["", "timeout", "timeout", "timeout"]
        assert len({one["payload"]["event_id"] for one in sent}) == 1
        assert len({one["envelope_id"] for one in sent}) == 4
        slack.wait_for(lambda: not slack.deliveries()["unsettled"])
        assert sent[0]["payload"]["event_id"] in slack.deliveries()["given_up"]


def test_the_acknowledgement_of_a_retry_settles_the_event(slack: Workspace) -> None:
    slack.options(ack_seconds=0.5, retry_delays=[0.02, 60, 60])
    with RawBot(slack, acks=False) as bot:
        slack.say("ana", "general", "@faultbook hi")
        slack.wait_for(lambda: len(bot.envelopes()) == 2)
        bot.send({"envelope_id": bot.envelopes()[1]["envelope_id"]})
        slack.wait_for(lambda: not slack.deliveries()["unsettled"])
        time.sleep(0.6)
        assert len(bot.envelopes()) == 2


def test_clicks_and_commands_are_never_sent_again(slack: Workspace) -> None:
    slack.options(ack_seconds=0.1, retry_delays=[0.01, 0.01, 0.01])
    with RawBot(slack, acks=False) as bot:
        answer = slack.slash("ana", "general", "/failing")
        assert answer["acked"] is False
        assert "did not answer" in answer["complaint"]
        time.sleep(0.2)
        assert len(bot.envelopes("slash_commands")) == 1
        assert "failed" in slack.ephemerals("ana")[-1]["text"]


def test_without_a_bot_events_wait_and_clicks_fail_at_once(slack: Workspace) -> None:
    ts = slack.say("ana", "general", "@faultbook are you there?")
    assert slack.deliveries()["unsettled"][0]["parked"] is True
    assert slack.slash("ana", "general", "/failing")["complaint"].endswith("is not connected.")
    with RawBot(slack) as bot:
        envelope = slack.wait_for(bot.envelopes)[0]
        assert envelope["payload"]["event"]["ts"] == ts
        assert envelope["retry_attempt"] == 0


def test_an_event_that_lost_its_socket_is_redelivered_to_the_next(slack: Workspace) -> None:
    with RawBot(slack, acks=False) as bot:
        slack.say("ana", "general", "@faultbook hi")
        first = slack.wait_for(bot.envelopes)[0]
    slack.wait_for(lambda: slack.connected() == 0)
    with RawBot(slack) as bot:
        again = slack.wait_for(bot.envelopes)[0]
        assert again["payload"]["event_id"] == first["payload"]["event_id"]
        assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "link_disabled"])
def test_a_disconnect_frame_gives_its_reason_and_the_line_is_closed(
    slack: Workspace, reason: str
) -> None:
    with RawBot(slack) as bot:
        slack.wait_for(lambda: bot.frames)
        assert slack.disconnect(reason, grace=0.05) == 1
        frame = slack.wait_for(lambda: [one for one in bot.frames if one["type"] == "disconnect"])
        assert frame[0]["reason"] == reason
        assert bot.closed.wait(5)


def test_a_line_can_be_cut_without_a_word(slack: Workspace) -> None:
    with RawBot(slack) as bot:
        slack.wait_for(lambda: bot.frames)
        slack.disconnect("")
        assert bot.closed.wait(5)
        assert len(bot.frames) == 1
        slack.wait_for(lambda: slack.connected() == 0)


def test_an_eleventh_socket_is_one_too_many(slack: Workspace) -> None:
    bots = [RawBot(slack) for _ in range(11)]
    try:
        for bot in bots:
            bot.__enter__()
        frame = slack.wait_for(lambda: bots[-1].frames[1:])[0]
        assert frame["reason"] == "too_many_websockets"
        assert slack.connected() == 10
    finally:
        for bot in bots:
            bot.__exit__(None, None, None)


def test_bolt_comes_back_after_a_refresh_and_misses_nothing(slack: Workspace) -> None:
    slack.new_channel("refresh")
    with Bot(slack, answering):
        slack.disconnect("refresh_requested", grace=0.2)
        message = {"user": "ana", "channel": "refresh", "text": "@faultbook hi"}
        stamps = slack.say_all([message] * 20)
        slack.wait_for(lambda: len(slack.from_bot("refresh")) >= 20)
        answered = {one["thread_ts"] for one in slack.from_bot("refresh")}
        assert answered == set(stamps)
