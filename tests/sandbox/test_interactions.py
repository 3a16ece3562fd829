"""Clicks, modals, commands, shortcuts, Home: what the bot is sent, and what it may answer."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from slack_bolt.async_app import AsyncApp
from tests.sandbox.bots import Bot
from tests.sandbox.driver import ControlError, Json, Workspace

ANY = re.compile(".*", re.DOTALL)
USER = {"id", "username", "name", "team_id"}


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(action_id: str, **more: object) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain(action_id), **more}


def actions(*elements: Json, block_id: str = "acts") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def entry(name: str, element: str = "plain_text_input", **more: object) -> Json:
    return {
        "type": "input",
        "block_id": name,
        "label": plain(name),
        "element": {"type": element, "action_id": f"{name}_field", **more},
    }


def modal(callback_id: str, *blocks: Json, **more: object) -> Json:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain("Title"),
        "submit": plain("Submit"),
        "private_metadata": "kept",
        "blocks": list(blocks),
        **more,
    }


OPTIONS = [{"text": plain("High"), "value": "high"}, {"text": plain("Low"), "value": "low"}]
SELECT = {"type": "static_select", "action_id": "severity", "options": OPTIONS}
RULE = modal("rule", entry("rule"), entry("note", multiline=True) | {"optional": True})


class Recorder:
    """A bot that records every payload and does what a test tells it to."""

    def __init__(self) -> None:
        self.bodies: list[Json] = []
        self.ack: Json = {}
        self.open: Json | None = None
        self.push: Json | None = None
        self.respond: list[Json] = []
        self.error = ""

    def setup(self, app: AsyncApp) -> None:
        @app.middleware
        async def record(body: Json, next_: Any) -> None:  # noqa: ANN401 - Bolt passes a function
            if "event" not in body:
                self.bodies.append(body)
            await next_()

        async def act(ack: Any, body: Json, client: Any, respond: Any) -> None:  # noqa: ANN401 - Bolt's helpers
            view = {"trigger_id": body.get("trigger_id")}
            try:
                if self.open is not None:
                    await client.views_open(view=self.open, **view)
                if self.push is not None:
                    await client.views_push(view=self.push, **view)
            except Exception as error:  # noqa: BLE001 - a test looks at it
                self.error = str(error)
            await ack(**self.ack)
            for one in self.respond:
                await respond(**one)

        app.action(ANY)(act)
        app.view(ANY)(act)
        app.view_closed(ANY)(act)
        app.command(ANY)(act)
        app.shortcut(ANY)(act)
        app.event("app_home_opened")(_quiet)
        app.event("app_mention")(_quiet)
        app.event("message")(_quiet)

    def last(self, kind: str = "") -> Json:
        found = [one for one in self.bodies if not kind or one.get("type") == kind]
        return found[-1]


async def _quiet(event: Json) -> None:
    del event


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


def post(slack: Workspace, *blocks: Json, channel: str = "general", **more: Any) -> str:  # noqa: ANN401 - JSON of any kind
    answer = slack.api("chat.postMessage", channel=channel, text="x", blocks=list(blocks), **more)
    assert answer["ok"], answer
    return str(answer["ts"])


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
    for action_id, value in (("gone", None), ("severity", "purple")):
        with pytest.raises(ControlError) as refused:
            slack.click("ana", "general", ts, action_id, value=value)
        assert refused.value.code == "invalid_arguments"
    with pytest.raises(ControlError) as refused:
        slack.click("gil", "general", ts, "go")
    assert refused.value.code == "not_in_channel"


def test_a_modal_opens_complains_and_closes(slack: Workspace, bot: Bot, recorder: Recorder) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.open = RULE
    slack.click("ana", "general", ts, "go")
    recorder.open = None
    view = slack.modals("ana")[0]
    assert (view["callback_id"], view["private_metadata"]) == ("rule", "kept")
    empty = slack.submit("ana")
    assert empty["errors"] == {"rule": "Please complete this required field."}
    assert not [one for one in recorder.bodies if one["type"] == "view_submission"]
    recorder.ack = {"response_action": "errors", "errors": {"rule": "too vague"}}
    assert slack.submit("ana", {"rule": "be careful"})["outcome"] == "errors"
    assert slack.modal_errors("ana") == {"rule": "too vague"}
    body = recorder.last("view_submission")
    assert {"type", "team", "user", "api_app_id", "token", "trigger_id", "view"} <= set(body)
    assert body["response_urls"] == []
    assert set(body["view"]) >= {
        "id",
        "team_id",
        "type",
        "blocks",
        "private_metadata",
        "callback_id",
        "state",
        "hash",
        "title",
        "submit",
        "close",
        "root_view_id",
        "previous_view_id",
        "app_id",
        "external_id",
        "bot_id",
    }
    assert body["view"]["state"]["values"]["rule"]["rule_field"] == {
        "type": "plain_text_input",
        "value": "be careful",
    }
    assert body["view"]["state"]["values"]["note"]["note_field"]["value"] is None
    recorder.ack = {}
    assert slack.submit("ana", {"rule_field": "when X, do Y"})["outcome"] == "closed"
    assert slack.modals("ana") == []


def test_a_submission_can_update_push_and_clear(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.open = RULE
    slack.click("ana", "general", ts, "go")
    recorder.open = None
    second = modal("second", entry("more"))
    recorder.ack = {"response_action": "update", "view": second}
    before = slack.modals("ana")[0]
    assert slack.submit("ana", {"rule": "x"})["outcome"] == "updated"
    after = slack.modals("ana")[0]
    assert after["id"] == before["id"]
    assert after["hash"] != before["hash"]
    recorder.ack = {"response_action": "push", "view": modal("third", entry("x"))}
    assert slack.submit("ana", {"more": "x"})["outcome"] == "pushed"
    top = slack.modals("ana")[-1]
    assert (top["previous_view_id"], top["root_view_id"]) == (after["id"], after["id"])
    recorder.ack = {"response_action": "clear"}
    assert slack.submit("ana", {"x": "x"})["outcome"] == "cleared"
    assert slack.modals("ana") == []


def test_errors_for_fields_that_are_not_there_fail_the_submission(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.open = RULE
    slack.click("ana", "general", ts, "go")
    recorder.open = None
    recorder.ack = {"response_action": "errors", "errors": {"nowhere": "no"}}
    answer = slack.submit("ana", {"rule": "x"})
    assert answer["outcome"] == "failed"
    assert len(slack.modals("ana")) == 1


def test_a_stack_holds_three_modals(slack: Workspace, bot: Bot, recorder: Recorder) -> None:
    del bot
    ts = post(slack, actions(button("go")))
    recorder.open = modal("first", actions(button("deeper")), submit=None)
    slack.click("ana", "general", ts, "go")
    recorder.open, recorder.push = None, modal("next", actions(button("deeper")), submit=None)
    for _ in range(3):
        slack.click_view("ana", "deeper", view_id=slack.modals("ana")[-1]["id"])
    assert len(slack.modals("ana")) == 3
    assert "push_limit_reached" in recorder.error
    body = recorder.last("block_actions")
    assert body["container"] == {"type": "view", "view_id": slack.modals("ana")[-1]["id"]}
    assert "response_url" not in body
    assert "message" not in body


def test_a_trigger_works_once_and_for_three_seconds(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    slack.slash("ana", "general", "/failing")
    trigger = recorder.last()["trigger_id"]
    view = modal("m", entry("x"))
    assert slack.api("views.open", trigger_id=trigger, view=view)["ok"]
    again = slack.api("views.open", trigger_id=trigger, view=view)
    assert again["error"] == "exchanged_trigger_id"
    assert slack.api("views.open", trigger_id="1.2.3", view=view)["error"] == "invalid_trigger_id"
    slack.slash("ana", "general", "/failing")
    slack.advance(3.1)
    late = slack.api("views.open", trigger_id=recorder.last()["trigger_id"], view=view)
    assert late["error"] == "expired_trigger_id"


def test_a_stale_hash_and_a_closed_view_are_refused(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    slack.slash("ana", "general", "/failing")
    view = modal("m", entry("x"), external_id="only-one")
    opened = slack.api("views.open", trigger_id=recorder.last()["trigger_id"], view=view)["view"]
    updated = slack.api("views.update", view_id=opened["id"], view=view, hash=opened["hash"])
    assert updated["ok"]
    stale = slack.api("views.update", view_id=opened["id"], view=view, hash=opened["hash"])
    assert stale["error"] == "hash_conflict"
    assert slack.api("views.update", external_id="only-one", view=view)["ok"]
    slack.slash("ben", "general", "/failing")
    twice = slack.api("views.open", trigger_id=recorder.last()["trigger_id"], view=view)
    assert twice["error"] == "duplicate_external_id"
    slack.close_modal("ana")
    gone = slack.api("views.update", view_id=opened["id"], view=view)
    assert gone["error"] == "not_found"


def test_closing_is_told_only_to_those_that_asked(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    for notify in (False, True):
        slack.slash("ana", "general", "/failing")
        view = modal("m", entry("x"), notify_on_close=notify)
        slack.api("views.open", trigger_id=recorder.last()["trigger_id"], view=view)
        recorder.bodies.clear()
        slack.close_modal("ana")
        assert len(recorder.bodies) == int(notify)
    body = recorder.last("view_closed")
    assert body["is_cleared"] is False
    assert "trigger_id" not in body


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


def test_home_is_opened_published_and_clicked(
    slack: Workspace, bot: Bot, recorder: Recorder
) -> None:
    del bot
    ana = slack.user_id("ana")
    view = {"type": "home", "blocks": [actions(button("refresh"))]}
    first = slack.api("views.publish", user_id=ana, view=view)["view"]
    second = slack.api("views.publish", user_id=ana, view=view, hash=first["hash"])["view"]
    assert second["id"] == first["id"]
    stale = slack.api("views.publish", user_id=ana, view=view, hash=first["hash"])
    assert stale["error"] == "hash_conflict"
    slack.click_view("ana", "refresh")
    assert recorder.last("block_actions")["view"]["id"] == first["id"]
    wrong = slack.api("views.publish", user_id=ana, view=modal("m", entry("x")))
    assert wrong["error"] == "invalid_arguments"


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
