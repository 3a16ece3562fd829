"""The Web API, called with the real slack_sdk client."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from tests.sandbox.driver import Json, Workspace

from faultbook.sandbox.api import dispatch
from faultbook.sandbox.api.call import METHODS

assert dispatch.MODULES  # importing it registers the methods
BUTTON = {"type": "button", "text": {"type": "plain_text", "text": "Go"}}


@pytest.fixture
def client(slack: Workspace) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.api_url)


def code(refused: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(refused.value.response["error"])


def section(text: str, **more: object) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def test_auth_test_names_the_bot_and_lists_its_scopes(slack: Workspace, client: WebClient) -> None:
    answer = client.auth_test()
    assert answer["user_id"] == slack.bot_user_id
    assert answer["bot_id"].startswith("B")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


def test_an_unknown_method_is_named_as_such(slack: Workspace) -> None:
    assert slack.api("chat.shout") == {
        "ok": False,
        "error": "unknown_method",
        "req_method": "chat.shout",
    }


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-1-wrong", "invalid_auth")],
)
def test_a_missing_and_a_wrong_token_are_told_apart(
    slack: Workspace, token: str, error: str
) -> None:
    assert slack.api("auth.test", token=token)["error"] == error


def test_each_kind_of_token_opens_only_its_own_methods(slack: Workspace) -> None:
    wrong = slack.api("apps.connections.open", token=slack.bot_token)
    assert wrong["error"] == "not_allowed_token_type"
    wrong = slack.api("chat.postMessage", token=slack.app_token, channel="general", text="x")
    assert wrong["error"] == "not_allowed_token_type"
    assert slack.api("apps.connections.open", token=slack.app_token)["url"].startswith("ws://")


@pytest.mark.parametrize("place", ["query of GET", "query of POST", "form", "json"])
def test_arguments_are_read_from_every_place(slack: Workspace, place: str) -> None:
    url = f"{slack.api_url}users.info"
    args = {"user": slack.bot_user_id}
    bearer = {"Authorization": f"Bearer {slack.bot_token}"}
    request: Callable[[], httpx.Response] = {
        "query of GET": lambda: httpx.get(url, params=args, headers=bearer),
        "query of POST": lambda: httpx.post(url, params=args, headers=bearer),
        "form": lambda: httpx.post(url, data={**args, "token": slack.bot_token}),
        "json": lambda: httpx.post(url, json=args, headers=bearer),
    }[place]
    assert request().json()["user"]["is_bot"] is True


def test_broken_json_is_refused(slack: Workspace) -> None:
    for body, error in ((b"{", "invalid_json"), (b"[]", "json_not_object")):
        answer = httpx.post(
            f"{slack.api_url}api.test", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.json()["error"] == error


def test_a_message_can_be_posted_by_channel_id_name_and_person(
    slack: Workspace, client: WebClient
) -> None:
    general = slack.channel_id("general")
    assert client.chat_postMessage(channel=general, text="a")["channel"] == general
    assert client.chat_postMessage(channel="#general", text="b")["channel"] == general
    ana = slack.user_id("ana")
    posted = client.chat_postMessage(channel=ana, text="c")
    assert posted["channel"] == slack.channel_id("dm", "ana")
    message = posted["message"]
    assert {"user", "bot_id", "app_id", "team", "type", "ts", "text"} <= set(message)
    assert message["user"] == slack.bot_user_id


def test_blocks_get_ids_and_metadata_is_kept_but_shown_on_request_only(
    slack: Workspace, client: WebClient
) -> None:
    channel = slack.new_channel("meta")
    metadata = {"event_type": "faultbook_notice", "event_payload": {"id": "n-1"}}
    blocks = [section("x", accessory=BUTTON)]
    posted = client.chat_postMessage(channel=channel, text="x", blocks=blocks, metadata=metadata)
    assert posted["message"]["blocks"][0]["block_id"]
    assert posted["message"]["blocks"][0]["accessory"]["action_id"]
    history = client.conversations_history(channel=channel)
    assert "metadata" not in history["messages"][0]
    history = client.conversations_history(channel=channel, include_all_metadata=True)
    assert history["messages"][0]["metadata"] == metadata
    client.chat_update(channel=channel, ts=posted["ts"], text="y", blocks=blocks)
    assert slack.messages("meta")[0]["metadata"] == metadata
    client.chat_update(channel=channel, ts=posted["ts"], text="z", metadata={})
    assert "metadata" not in slack.messages("meta")[0]


def test_posting_fails_as_slack_has_it(slack: Workspace, client: WebClient) -> None:
    slack.new_channel("closed", bot=False)
    slack.new_channel("old")
    slack.post("archive", channel="old")
    cases: list[tuple[str, Json]] = [
        ("no_text", {"channel": "general"}),
        ("channel_not_found", {"channel": "C0000", "text": "x"}),
        ("not_in_channel", {"channel": "closed", "text": "x"}),
        ("is_archived", {"channel": "old", "text": "x"}),
        ("invalid_blocks_format", {"channel": "general", "text": "x", "blocks": "{nope"}),
        ("invalid_blocks", {"channel": "general", "text": "x", "blocks": [{"type": "shout"}]}),
        ("markdown_text_conflict", {"channel": "general", "text": "x", "markdown_text": "y"}),
        ("cannot_reply_to_message", {"channel": "general", "text": "x", "thread_ts": "1.000001"}),
        ("invalid_metadata_format", {"channel": "general", "text": "x", "metadata": "nope"}),
        ("invalid_metadata_schema", {"channel": "general", "text": "x", "metadata": {"a": 1}}),
    ]
    for error, args in cases:
        assert slack.api("chat.postMessage", **args)["error"] == error, args
    many = [{"text": "x"}] * 101
    assert slack.api("chat.postMessage", channel="general", attachments=many)["error"] == (
        "too_many_attachments"
    )
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(text="x", channel="")
    assert code(refused) == "invalid_arguments"


def test_text_past_40000_is_cut_with_a_warning(client: WebClient) -> None:
    posted = client.chat_postMessage(channel="general", text="x" * 40_001)
    assert posted["warning"] == "message_truncated"
    assert len(posted["message"]["text"]) == 40_000


def test_an_update_past_4000_fails_and_one_without_blocks_removes_them(
    slack: Workspace, client: WebClient
) -> None:
    channel = slack.channel_id("general")
    posted = client.chat_postMessage(channel=channel, text="a", blocks=[section("a")])
    ts = posted["ts"]
    with pytest.raises(SlackApiError) as refused:
        client.chat_update(channel=channel, ts=ts, text="x" * 4001)
    assert code(refused) == "msg_too_long"
    updated = client.chat_update(channel=channel, ts=ts, text="b")
    assert updated["text"] == "b"
    assert "blocks" not in updated["message"]
    assert updated["message"]["edited"]["user"] == slack.bot_user_id


def test_only_own_messages_can_be_changed_and_only_those_that_are_there(
    slack: Workspace, client: WebClient
) -> None:
    channel = slack.channel_id("general")
    theirs = slack.say("ana", "general", "mine")
    for ts, error in ((theirs, "cant_update_message"), ("1.000001", "message_not_found")):
        assert slack.api("chat.update", channel=channel, ts=ts, text="x")["error"] == error
    assert slack.api("chat.delete", channel=channel, ts=theirs)["error"] == "cant_delete_message"
    mine = client.chat_postMessage(channel=channel, text="a")["ts"]
    client.chat_delete(channel=channel, ts=mine)
    assert mine not in [one["ts"] for one in slack.messages("general")]


def test_a_deleted_parent_leaves_a_tombstone(slack: Workspace, client: WebClient) -> None:
    slack.new_channel("graves")
    ts = slack.say("ana", "graves", "parent")
    slack.say("ben", "graves", "reply", thread=ts)
    slack.delete("ana", "graves", ts)
    assert slack.messages("graves")[0]["subtype"] == "tombstone"
    assert slack.messages("graves", thread=ts)[1]["text"] == "reply"
    channel = slack.channel_id("graves")
    answer = slack.api("reactions.add", channel=channel, timestamp=ts, name="eyes")
    assert answer["error"] == "message_not_found"
    replies = client.conversations_replies(channel=channel, ts=ts)["messages"]
    assert [one["text"] for one in replies][1:] == ["reply"]


def test_an_ephemeral_message_reaches_one_member_and_no_history(
    slack: Workspace, client: WebClient
) -> None:
    channel = slack.new_channel("few", members=["ana"])
    ana, gil = slack.user_id("ana"), slack.user_id("gil")
    answer = client.chat_postEphemeral(channel=channel, user=ana, text="psst")
    assert answer["message_ts"] == slack.ephemerals("ana")[-1]["ts"]
    assert slack.ephemerals("ana")[-1]["text"] == "psst"
    assert slack.messages("few") == []
    with pytest.raises(SlackApiError) as refused:
        client.chat_postEphemeral(channel=channel, user=gil, text="psst")
    assert code(refused) == "user_not_in_channel"


def test_history_pages_newest_first_and_threads_oldest_first(
    slack: Workspace, client: WebClient
) -> None:
    channel = slack.new_channel("long")
    stamps = [slack.say("ana", "long", f"m{number}") for number in range(5)]
    replies = [slack.say("ben", "long", f"r{number}", thread=stamps[0]) for number in range(3)]
    page = client.conversations_history(channel=channel, limit=2)
    assert [one["text"] for one in page["messages"]] == ["m4", "m3"]
    assert page["has_more"] is True
    cursor = page["response_metadata"]["next_cursor"]
    page = client.conversations_history(channel=channel, limit=2, cursor=cursor)
    assert [one["text"] for one in page["messages"]] == ["m2", "m1"]
    between = client.conversations_history(channel=channel, oldest=stamps[1], latest=stamps[3])
    assert [one["text"] for one in between["messages"]] == ["m2"]
    closed = client.conversations_history(
        channel=channel, oldest=stamps[1], latest=stamps[3], inclusive=True
    )
    assert [one["text"] for one in closed["messages"]] == ["m3", "m2", "m1"]
    thread = client.conversations_replies(channel=channel, ts=stamps[0])["messages"]
    assert [one["ts"] for one in thread] == [stamps[0], *replies]
    assert thread[0]["reply_count"] == 3
    assert thread[0]["latest_reply"] == replies[-1]
    assert thread[1]["parent_user_id"] == slack.user_id("ana")


def test_reading_fails_as_slack_has_it(slack: Workspace) -> None:
    channel = slack.channel_id("general")
    outside = slack.new_channel("elsewhere", bot=False)
    cases: list[tuple[str, str, Json]] = [
        ("conversations.history", "not_in_channel", {"channel": outside}),
        ("conversations.history", "invalid_cursor", {"channel": channel, "cursor": "!"}),
        ("conversations.history", "invalid_ts_latest", {"channel": channel, "latest": "yesterday"}),
        ("conversations.replies", "thread_not_found", {"channel": channel, "ts": "1.000001"}),
        ("conversations.info", "channel_not_found", {"channel": "C1"}),
        ("conversations.list", "invalid_types", {"types": "secret"}),
        ("conversations.list", "invalid_limit", {"limit": 5000}),
        ("conversations.open", "users_list_not_supplied", {}),
        ("conversations.open", "user_not_found", {"users": "U1"}),
        ("users.info", "user_not_found", {"user": "U1"}),
        ("users.lookupByEmail", "users_not_found", {"email": "no@example.com"}),
        ("usergroups.users.list", "no_such_subteam", {"usergroup": "S1"}),
        ("bots.info", "bot_not_found", {"bot": "B1"}),
        ("reactions.add", "no_item_specified", {"name": "x"}),
        ("reactions.add", "bad_timestamp", {"name": "x", "channel": channel, "timestamp": "x"}),
        ("reactions.add", "invalid_name", {"name": "A B", "channel": channel, "timestamp": "1.1"}),
        ("files.getUploadURLExternal", "missing_argument", {"filename": "a"}),
        ("files.completeUploadExternal", "file_not_found", {"files": [{"id": "F1"}]}),
        ("assistant.threads.setStatus", "channel_not_found", {"channel_id": "D1"}),
    ]
    for method, error, args in cases:
        assert slack.api(method, **args)["error"] == error, (method, args)


def test_a_private_channel_without_the_bot_does_not_exist_for_it(slack: Workspace) -> None:
    answer = slack.post("new_channel", name="secret", private=True, bot=False)
    assert slack.api("conversations.info", channel=answer["id"])["error"] == "channel_not_found"
    assert slack.api("chat.postMessage", channel="secret", text="x")["error"] == (
        "channel_not_found"
    )


def test_reactions_are_added_once_and_taken_back(slack: Workspace, client: WebClient) -> None:
    channel, ts = slack.channel_id("general"), slack.say("ana", "general", "look")
    client.reactions_add(channel=channel, timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError) as refused:
        client.reactions_add(channel=channel, timestamp=ts, name="eyes")
    assert code(refused) == "already_reacted"
    shown = client.reactions_get(channel=channel, timestamp=ts)["message"]["reactions"]
    assert shown == [{"name": "eyes", "users": [slack.bot_user_id], "count": 1}]
    client.reactions_remove(channel=channel, timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError) as refused:
        client.reactions_remove(channel=channel, timestamp=ts, name="eyes")
    assert code(refused) == "no_reaction"


def test_people_groups_and_guests_can_be_looked_up(slack: Workspace, client: WebClient) -> None:
    members = client.users_list()["members"]
    by_name = {one["name"]: one for one in members}
    assert by_name["ana"]["is_owner"]
    assert by_name["gil"]["is_restricted"]
    assert by_name["ana"]["profile"]["email"] == "ana@example.com"
    found = client.users_lookupByEmail(email="ben@example.com")
    assert found["user"]["id"] == by_name["ben"]["id"]
    groups = {one["handle"]: one for one in client.usergroups_list()["usergroups"]}
    users = client.usergroups_users_list(usergroup=groups["finance-approvers"]["id"])["users"]
    assert users == [by_name["ben"]["id"], by_name["chris"]["id"]]
    assert client.bots_info()["bot"]["user_id"] == slack.bot_user_id
    assert client.team_info()["team"]["id"] == slack.team_id
    assert client.emoji_list()["emoji"] == {}


def test_conversations_are_listed_opened_and_joined(slack: Workspace, client: WebClient) -> None:
    names = [one["name"] for one in client.conversations_list(limit=1000)["channels"]]
    assert {"general", "ops", "agents"} <= set(names)
    ims = client.conversations_list(types="im")["channels"]
    assert all(one["is_im"] for one in ims)
    opened = client.conversations_open(users=[slack.user_id("ben")])
    assert opened["channel"]["id"] == slack.channel_id("dm", "ben")
    channel = slack.new_channel("joinable", bot=False)
    assert client.conversations_info(channel=channel)["channel"]["is_member"] is False
    client.conversations_join(channel=channel)
    assert slack.bot_user_id in client.conversations_members(channel=channel)["members"]
    assert client.conversations_join(channel=channel)["warning"] == "already_in_channel"


def test_a_file_is_uploaded_and_shared(slack: Workspace, client: WebClient) -> None:
    channel = slack.new_channel("files")
    content = b"the evidence"
    client.files_upload_v2(
        channel=channel, content=content.decode(), filename="run.log", initial_comment="look"
    )
    message = slack.messages("files")[0]
    assert message["text"] == "look"
    file = message["files"][0]
    assert file["size"] == len(content)
    assert httpx.get(file["url_private"]).status_code == 302
    bearer = {"Authorization": f"Bearer {slack.bot_token}"}
    served = httpx.get(file["url_private"], headers=bearer)
    assert served.content == content
    assert served.headers["content-disposition"].startswith("attachment")


def test_a_permalink_leads_to_the_page(slack: Workspace, client: WebClient) -> None:
    channel, ts = slack.channel_id("general"), slack.say("ana", "general", "here")
    link = client.chat_getPermalink(channel=channel, message_ts=ts)["permalink"]
    moved = httpx.get(link)
    assert moved.status_code == 302
    assert moved.headers["location"] == f"/#{channel}/p{ts.replace('.', '')}"


def test_prompts_and_status_are_checked_and_kept(slack: Workspace, client: WebClient) -> None:
    channel = slack.channel_id("dm", "ana")
    prompts = [{"title": "What's failing?", "message": "what's failing?"}]
    client.assistant_threads_setSuggestedPrompts(
        channel_id=channel, thread_ts="", prompts=[dict(one) for one in prompts]
    )
    assert slack.get("state", user="ana")["prompts"][channel]["prompts"] == prompts
    answer = slack.api(
        "assistant.threads.setSuggestedPrompts", channel_id=channel, prompts=prompts * 5
    )
    assert answer["error"] == "invalid_arguments"
    answer = slack.api(
        "assistant.threads.setStatus", channel_id=channel, thread_ts="1.000001", status="looks"
    )
    assert answer["error"] == "invalid_thread_ts"


MANIFEST = """
display_information: {name: Small Bot}
features:
  bot_user: {display_name: smallbot}
  app_home: {home_tab_enabled: false}
  slash_commands: [{command: /small, description: Ask, should_escape: false}]
oauth_config: {scopes: {bot: [chat:write, channels:history]}}
settings: {event_subscriptions: {bot_events: [app_mention]}}
"""


def test_a_manifest_holds_the_bot_to_its_scopes(home: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.yaml"
    manifest.write_text(MANIFEST)
    with Workspace.start(home, manifest=manifest) as slack:
        refused = slack.api("users.list")
        assert refused["error"] == "missing_scope"
        assert refused["needed"] == "users:read"
        assert refused["provided"] == "chat:write,channels:history"
        dm = slack.channel_id("dm", "ana")
        assert slack.api("conversations.history", channel=dm)["error"] == "missing_scope"
        assert slack.api("chat.postMessage", channel="general", text="x")["ok"]
        view = {"type": "home", "blocks": []}
        home_refused = slack.api("views.publish", user_id=slack.user_id("ana"), view=view)
        assert home_refused["error"] == "not_enabled"
        assert slack.get("state")["commands"][0]["command"] == "/small"
        assert slack.user_id("smallbot") == slack.bot_user_id
        slack.say("ana", "dm", "not subscribed")
        slack.say("ana", "general", "@smallbot subscribed")
        assert len(slack.deliveries()["unsettled"]) == 1


ODD: list[object] = [None, "", "x", "{", "[]", 0, -1, 1e30, True, [], [[]], {}, {"a": {"b": []}}]


@pytest.mark.parametrize("method", sorted(METHODS))
def test_no_argument_however_odd_breaks_a_method(slack: Workspace, method: str) -> None:
    names = ["channel", "user", "ts", "blocks", "text", "view", "files", "limit", "cursor"]
    names += ["metadata", "name", "timestamp", "prompts", "trigger_id", "users", "thread_ts"]
    token = slack.app_token if method.startswith("apps.") else slack.bot_token
    general, ana = slack.channel_id("general"), slack.user_id("ana")
    good: Json = {"channel": general, "user": ana, "text": "x", "view": {"type": "home"}}
    for odd in ODD:
        for args in (dict.fromkeys(names, odd), {**dict.fromkeys(names, odd), **good}):
            answer = slack.api(method, token=token, **args)
            assert isinstance(answer["ok"], bool)
