"""What people type, and the events it gives rise to."""

from collections.abc import Callable

import pytest
from tests.sandbox.bots import RawBot
from tests.sandbox.driver import ControlError, Json, Workspace

from faultbook.sandbox.clock import Clock
from faultbook.sandbox.state import Group, State, User
from faultbook.sandbox.store import Store
from faultbook.sandbox.text import Typed, escape, unescape


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    made = State(Store(tmp_path_factory.mktemp("text") / "db"), Clock())
    made.save_user(User("U1", "ana", "Ana"))
    made.save_user(User("U2", "faultbook", "faultbook", is_bot=True))
    made.save_group(Group("S1", "on-call", "On call"))
    return made


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("@ana hello", "<@U1> hello"),
        ("@Faultbook, what's failing?", "<@U2>, what's failing?"),
        ("ask @on-call.", "ask <!subteam^S1>."),
        ("@here", "<!here>"),
        ("@nobody", "@nobody"),
        ("mail@ana.example", "mail@ana.example"),
        ("`@ana`", "`@ana`"),
        ("```\n@ana <x>\n```", "```@ana &lt;x&gt;```"),
        ("<@U1> <!channel>", "&lt;@U1&gt; &lt;!channel&gt;"),
        ("see https://x.example/a?b=1&c=2.", "see <https://x.example/a?b=1&amp;c=2>."),
        ("*bold @ana* snake_case_name", "*bold <@U1>* snake_case_name"),
    ],
)
def test_typed_text_is_escaped_and_names_become_tokens(state: State, typed: str, sent: str) -> None:
    assert Typed(state, typed).text() == sent


def test_typed_text_becomes_rich_text(state: State) -> None:
    block = Typed(state, "@ana *look* at `this` :eyes:\n> quoted\n```\ncode\n```").blocks()[0]
    assert [one["type"] for one in block["elements"]] == [
        "rich_text_section",
        "rich_text_quote",
        "rich_text_preformatted",
    ]
    first = block["elements"][0]["elements"]
    assert first[0] == {"type": "user", "user_id": "U1"}
    assert {"type": "text", "text": "look", "style": {"bold": True}} in first
    assert {"type": "text", "text": "this", "style": {"code": True}} in first
    assert {"type": "emoji", "name": "eyes"} in first


def test_escaping_can_be_undone() -> None:
    for text in ("&amp;", "<&>", "a & b", "&lt;"):
        assert unescape(escape(text)) == text


OUTER = {
    "token",
    "team_id",
    "context_team_id",
    "context_enterprise_id",
    "api_app_id",
    "event",
    "type",
    "event_id",
    "event_time",
    "authorizations",
    "is_ext_shared_channel",
    "event_context",
}


def events(bot: RawBot) -> list[Json]:
    return [one["payload"]["event"] for one in bot.envelopes()]


def test_a_mention_carries_what_slack_sends(slack: Workspace) -> None:
    with RawBot(slack) as bot:
        parent = slack.say("ben", "general", "it broke")
        ts = slack.say("ana", "general", "@faultbook why?", thread=parent)
        slack.wait_for(bot.envelopes)
        outer = bot.envelopes()[0]["payload"]
        assert set(outer) == OUTER
        assert outer["authorizations"][0]["user_id"] == slack.bot_user_id
        event = outer["event"]
        assert set(event) == {
            "user",
            "type",
            "ts",
            "client_msg_id",
            "text",
            "team",
            "blocks",
            "thread_ts",
            "parent_user_id",
            "channel",
            "event_ts",
        }
        assert event["ts"] == event["event_ts"] == ts
        assert event["thread_ts"] == parent
        assert event["text"] == f"<@{slack.bot_user_id}> why?"


def test_only_mentions_in_channels_with_the_bot_reach_it(slack: Workspace) -> None:
    slack.new_channel("without", bot=False)
    with RawBot(slack) as bot:
        slack.say("ana", "general", "no mention")
        slack.say("ana", "without", "@faultbook are you here?")
        ts = slack.say("ana", "general", "@faultbook yes")
        slack.wait_for(bot.envelopes)
        assert [one["ts"] for one in events(bot)] == [ts]
        assert "/invite" in slack.ephemerals("ana")[-1]["text"]


def test_a_direct_message_is_a_message_event_and_no_mention(slack: Workspace) -> None:
    with RawBot(slack) as bot:
        ts = slack.say("ana", "dm", "@faultbook hi")
        slack.wait_for(bot.envelopes)
        event = events(bot)[0]
        assert (event["type"], event["channel_type"], event["ts"]) == ("message", "im", ts)
        assert event["channel"] == slack.channel_id("dm", "ana")
        slack.api("chat.postMessage", channel=event["channel"], text="hello")
        own = slack.wait_for(lambda: events(bot)[1:])[0]
        assert own["bot_id"]
        assert own["user"] == slack.bot_user_id
        slack.wait_for(lambda: not slack.deliveries()["unsettled"])
        assert {one["type"] for one in events(bot)} == {"message"}


def test_edits_and_deletions_are_subtypes_that_carry_both_versions(slack: Workspace) -> None:
    with RawBot(slack) as bot:
        ts = slack.say("ana", "dm", "first")
        slack.edit("ana", "dm", ts, "second")
        slack.delete("ana", "dm", ts)
        slack.wait_for(lambda: len(bot.envelopes()) == 3)
        _, changed, deleted = events(bot)
        assert changed["subtype"] == "message_changed"
        assert changed["message"]["text"] == "second"
        assert changed["message"]["edited"]["user"] == slack.user_id("ana")
        assert changed["previous_message"]["text"] == "first"
        assert deleted["subtype"] == "message_deleted"
        assert deleted["deleted_ts"] == ts
        assert changed["hidden"] is deleted["hidden"] is True


def test_an_edited_mention_comes_again_with_its_own_event_ts(slack: Workspace) -> None:
    with RawBot(slack) as bot:
        ts = slack.say("ana", "general", "@faultbook first")
        slack.edit("ana", "general", ts, "@faultbook second")
        slack.wait_for(lambda: len(bot.envelopes()) == 2)
        first, second = events(bot)
        assert first["ts"] == second["ts"] == ts
        assert second["event_ts"] == second["edited"]["ts"] != first["event_ts"]


def test_joining_reacting_and_opening_home_are_events(slack: Workspace) -> None:
    slack.new_channel("growing", bot=False, members=["ana"])
    with RawBot(slack) as bot:
        slack.post("join", user="faultbook", channel="growing", by="ana")
        ts = slack.say("ana", "growing", "hello")
        slack.react("ben", "growing", ts, "eyes")
        slack.open_home("ana")
        slack.wait_for(lambda: len(bot.envelopes()) == 3)
        joined, reacted, opened = events(bot)
        assert joined["type"] == "member_joined_channel"
        assert joined["user"] == slack.bot_user_id
        assert joined["inviter"] == slack.user_id("ana")
        assert reacted["item"] == {
            "type": "message",
            "channel": slack.channel_id("growing"),
            "ts": ts,
        }
        assert (opened["type"], opened["tab"]) == ("app_home_opened", "home")
        assert opened["channel"] == slack.channel_id("dm", "ana")


def test_people_are_held_to_their_channels_and_messages(slack: Workspace) -> None:
    ts = slack.say("ana", "general", "mine")
    refusals: list[tuple[str, Callable[[], object]]] = [
        ("not_in_channel", lambda: slack.say("gil", "general", "x")),
        ("no_text", lambda: slack.say("ana", "general", "  ")),
        ("thread_not_found", lambda: slack.say("ana", "general", "x", thread="1.000001")),
        ("cant_update_message", lambda: slack.edit("ben", "general", ts, "x")),
        ("cant_delete_message", lambda: slack.delete("ben", "general", ts)),
        ("channel_not_found", lambda: slack.say("ana", "nowhere", "x")),
        ("user_not_found", lambda: slack.say("zoe", "general", "x")),
    ]
    for error, act in refusals:
        with pytest.raises(ControlError) as refused:
            act()
        assert refused.value.code == error


def test_a_guest_sees_only_the_channels_they_are_in(slack: Workspace) -> None:
    names = {one["name"] for one in slack.get("state", user="gil")["channels"]}
    assert "ops" in names
    assert "general" not in names


def test_files_come_with_what_a_person_says(slack: Workspace) -> None:
    file = slack.upload("ana", "report.pdf", b"%PDF")
    with RawBot(slack) as bot:
        slack.say("ana", "dm", "look at this", files=[file])
        slack.wait_for(bot.envelopes)
        event = events(bot)[0]
    assert event["subtype"] == "file_share"
    assert (event["files"][0]["id"], event["files"][0]["name"]) == (file, "report.pdf")
    with pytest.raises(ControlError, match="file_not_found"):
        slack.say("ana", "dm", "look at this", files=["F404"])
