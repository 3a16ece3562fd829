"""Clicks, commands, shortcuts and response URLs: what the bot is sent, and may answer."""

import httpx
import pytest
from slack_bolt.async_app import AsyncApp
from tests.sandbox.bots import Bot
from tests.sandbox.driver import ControlError, Json, Workspace
from tests.sandbox.recorder import (
    OPTIONS,
    SELECT,
    USER,
    Recorder,
    actions,
    button,
    post,
)


def test_a_click_in_a_message_carries_what_slack_sends(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    parent = slack.say("ana", "general", "a thread")
    ts = post(slack, actions(button("go", value="7"), SELECT), thread_ts=parent)
    assert slack.click("ana", "general", ts, "go")["acked"]
    body = recorder.last("block_actions")
    assert set(body) == {
        "type",
        "user",
        "team",
        "api_app_id",
        "token",
        "container",
        "trigger_id",
        "channel",
        "message",
        "response_url",
        "state",
        "actions",
        "enterprise",
        "is_enterprise_install",
    }
    assert set(body["user"]) == USER
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": slack.channel_id("general"),
        "is_ephemeral": False,
        "thread_ts": parent,
    }
    assert body["channel"] == {"id": slack.channel_id("general"), "name": "general"}
    assert body["message"]["blocks"][0]["block_id"] == "acts"
    action = body["actions"][0]
    assert set(action) == {"type", "action_id", "block_id", "text", "value", "action_ts"}
    assert action["value"] == "7"
    assert body["state"]["values"]["acts"]["severity"] == {
        "type": "static_select",
        "selected_option": None,
    }


@pytest.mark.parametrize(
    ("element", "value", "expected"),
    [
        (SELECT, "low", {"selected_option": OPTIONS[1]}),
        ({**SELECT, "type": "multi_static_select"}, ["high"], {"selected_options": [OPTIONS[0]]}),
        ({**SELECT, "type": "radio_buttons"}, "high", {"selected_option": OPTIONS[0]}),
        ({**SELECT, "type": "checkboxes"}, ["low"], {"selected_options": [OPTIONS[1]]}),
        ({**SELECT, "type": "overflow"}, "low", {"selected_option": OPTIONS[1]}),
        ({"type": "users_select", "action_id": "severity"}, "U1", {"selected_user": "U1"}),
        ({"type": "channels_select", "action_id": "severity"}, "C1", {"selected_channel": "C1"}),
        (
            {"type": "datepicker", "action_id": "severity"},
            "2026-11-20",
            {"selected_date": "2026-11-20"},
        ),
        ({"type": "timepicker", "action_id": "severity"}, "09:14", {"selected_time": "09:14"}),
    ],
)
def test_each_kind_of_choice_has_its_own_field(
    slack: Workspace, bot: Bot, recorder: Recorder, element: Json, value: object, expected: Json
) -> None:
    del bot
    ts = post(slack, actions(element))
    slack.click("ana", "general", ts, "severity", value=value)
    action = recorder.last("block_actions")["actions"][0]
    assert {key: action[key] for key in expected} == expected
    assert action["type"] == element["type"]


def test_a_click_on_what_is_not_there_is_refused_by_name(slack: Workspace, bot: Bot) -> None:
    del bot
    ts = post(slack, actions(button("go"), SELECT))
    for action_id, value, code in (
        ("gone", None, "element_not_found"),
        ("severity", "purple", "invalid_arguments"),
    ):
        with pytest.raises(ControlError) as refused:
            slack.click("ana", "general", ts, action_id, value=value)
        assert refused.value.code == code
    with pytest.raises(ControlError) as refused:
        slack.click("gil", "general", ts, "go")
    assert refused.value.code == "not_in_channel"


def test_a_command_carries_what_slack_sends_and_may_answer_at_once(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    recorder.ack = {"text": "all well"}
    slack.slash("ana", "general", "/failing", "in prod, ask @ben in #ops & <all>")
    body = recorder.last()
    assert set(body) == {
        "token",
        "team_id",
        "team_domain",
        "channel_id",
        "channel_name",
        "user_id",
        "user_name",
        "command",
        "text",
        "api_app_id",
        "is_enterprise_install",
        "response_url",
        "trigger_id",
    }
    ben, ops = slack.user_id("ben"), slack.channel_id("ops")
    assert body["text"] == f"in prod, ask <@{ben}|ben> in <#{ops}|ops> &amp; &lt;all&gt;"
    assert slack.ephemerals("ana")[-1]["text"] == "all well"
    recorder.ack = {"text": "for all", "response_type": "in_channel"}
    slack.slash("ana", "general", "/failing")
    assert slack.from_bot("general")[-1]["text"] == "for all"


def test_a_response_url_takes_five_answers_in_thirty_minutes(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    slack.slash("ana", "general", "/failing")
    url = recorder.last()["response_url"]
    for number in range(5):
        assert httpx.post(url, json={"text": f"{number}"}).text == "ok"
    used = httpx.post(url, json={"text": "six"})
    assert (used.status_code, used.json()["error"]) == (404, "used_url")
    slack.slash("ana", "general", "/failing")
    slack.advance(1801)
    late = httpx.post(recorder.last()["response_url"], json={"text": "late"})
    assert (late.status_code, late.json()["error"]) == (404, "expired_url")
    assert httpx.post(url + "x", json={"text": "who"}).status_code == 404


def test_an_answer_is_ephemeral_unless_it_says_otherwise(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.respond = [
        {"text": "to you"},
        {"text": "to all", "response_type": "in_channel"},
        {"text": "instead", "replace_original": True},
        {"delete_original": True},
    ]
    slack.click("ana", "general", ts, "go")
    slack.wait_for(lambda: ts not in [one["ts"] for one in slack.messages("general")])
    assert slack.ephemerals("ana")[-1]["text"] == "to you"
    assert slack.from_bot("general")[-1]["text"] == "to all"


def test_an_ephemeral_message_can_be_clicked_replaced_and_removed(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    recorder.ack = {"text": "x", "blocks": [actions(button("post_here"))]}
    slack.slash("ana", "general", "/failing")
    shown = slack.ephemerals("ana")[-1]
    recorder.ack, recorder.respond = {}, [{"text": "replaced", "replace_original": True}]
    slack.click("ana", "general", shown["ts"], "post_here")
    body = recorder.last("block_actions")
    assert body["container"]["is_ephemeral"] is True
    assert "message" not in body
    slack.wait_for(lambda: slack.ephemerals("ana")[-1]["text"] == "replaced")
    count = len(slack.ephemerals("ana"))
    answer = httpx.post(body["response_url"], json={"delete_original": True})
    assert answer.text == "ok"
    assert len(slack.ephemerals("ana")) == count - 1
    with pytest.raises(ControlError):
        slack.click("ben", "general", shown["ts"], "post_here")


def test_refused_blocks_are_refused_in_answers_too(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    slack.slash("ana", "general", "/failing")
    url = recorder.last()["response_url"]
    bad = httpx.post(url, json={"text": "x", "blocks": [{"type": "shout"}]})
    assert bad.json()["error"] == "invalid_blocks"
    assert httpx.post(url, json={"replace_original": True, "text": "x"}).json()["error"] == (
        "message_not_found"
    )
    assert httpx.post(url, content=b"nonsense").json()["error"] == "invalid_json"


def test_shortcuts_reach_the_bot_from_a_message_and_from_anywhere(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    ts = slack.say("ben", "general", "it broke")
    slack.shortcut("ana", "open_incident", "general", ts)
    body = recorder.last("message_action")
    assert body["message"]["text"] == "it broke"
    assert {"callback_id", "trigger_id", "message_ts", "channel", "response_url", "user"} <= set(
        body
    )
    slack.shortcut("ana", "whats_failing")
    body = recorder.last("shortcut")
    assert {"callback_id", "trigger_id", "action_ts", "user", "team"} <= set(body)
    assert not {"channel", "response_url", "message"} & set(body)


def test_a_bot_that_acks_too_late_is_told_of_by_the_person(slack: Workspace) -> None:
    slack.options(ack_seconds=0.1)

    def setup(app: AsyncApp) -> None:
        @app.action("go")
        async def never(body: Json) -> None:
            del body

    with Bot(slack, setup):
        ts = post(slack, actions(button("go")))
        answer = slack.click("ana", "general", ts, "go")
        assert answer == {
            "ok": True,
            "acked": False,
            "complaint": "faultbook did not answer in time.",
        }


def test_a_command_answered_with_refused_blocks_tells_the_person(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    recorder.ack = {"text": "x", "blocks": [{"type": "shout"}]}
    answer = slack.slash("ana", "general", "/failing")
    assert "invalid_blocks" in answer["complaint"]
    assert "invalid_blocks" in slack.ephemerals("ana")[-1]["text"]
