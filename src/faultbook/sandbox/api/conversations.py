"""conversations.* and reactions.*: reading what was said, and reacting to it."""

import re

from faultbook.sandbox import talk
from faultbook.sandbox.api.call import Call, Page, method
from faultbook.sandbox.api.chat import permalink
from faultbook.sandbox.clock import micros
from faultbook.sandbox.errors import SlackError
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.seed import new_direct
from faultbook.sandbox.state import Channel

_KINDS = {"public_channel": "public", "private_channel": "private", "im": "im", "mpim": "mpim"}
_HISTORY_MOST = 999
_REPLIES_MOST = 1000
_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
_SCOPE = {"public": "channels", "private": "groups", "im": "im"}
_NAME = re.compile(r"[a-z0-9_+'-]{1,100}(::skin-tone-[2-6])?")


def channel_json(call: Call, channel: Channel) -> Json:
    """Gives a conversation as the Web API shows it."""
    bot = call.sandbox.identity.bot_user_id
    if channel.kind == "im":
        return _direct_json(call, channel)
    private = channel.kind == "private"
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not private,
        "is_group": private,
        "is_im": False,
        "is_mpim": False,
        "is_private": private,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_general": channel.name == "general",
        "unlinked": 0,
        "name_normalized": channel.name,
        "is_shared": False,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "context_team_id": call.sandbox.identity.team_id,
        "updated": channel.created * 1000,
        "creator": channel.creator,
        "is_ext_shared": False,
        "shared_team_ids": [call.sandbox.identity.team_id],
        "is_member": bot in channel.members,
        "topic": {"value": channel.topic, "creator": channel.creator, "last_set": 0},
        "purpose": {"value": channel.topic, "creator": channel.creator, "last_set": 0},
        "previous_names": [],
        "num_members": len(channel.members),
    }


def _direct_json(call: Call, channel: Channel) -> Json:
    return {
        "id": channel.id,
        "created": channel.created,
        "is_archived": False,
        "is_im": True,
        "is_org_shared": False,
        "context_team_id": call.sandbox.identity.team_id,
        "updated": channel.created * 1000,
        "user": channel.user,
        "is_user_deleted": False,
        "is_open": True,
        "priority": 0,
    }


def _need_scope(call: Call, channel: Channel, right: str) -> None:
    needed = f"{_SCOPE[channel.kind]}:{right}"
    provided = call.sandbox.manifest.scopes
    if needed not in provided:
        raise SlackError("missing_scope", needed=needed, provided=",".join(provided))


@method("conversations.list", "t2", *_READ)
def list_(call: Call) -> Json:
    """Lists conversations the bot may see."""
    types = (call.text("types") or "public_channel").replace(" ", "").split(",")
    if any(one not in _KINDS for one in types):
        raise SlackError("invalid_types")
    kinds = {_KINDS[one] for one in types}
    bot = call.sandbox.identity.bot_user_id
    found = [
        channel
        for channel in call.sandbox.state.channels.values()
        if channel.kind in kinds
        and (channel.kind == "public" or bot in channel.members)
        and not (channel.archived and call.flag("exclude_archived"))
    ]
    page = call.page(found)
    return {
        "channels": [channel_json(call, one) for one in page.items],
        "response_metadata": {"next_cursor": page.cursor},
    }


@method("conversations.info", "t3", *_READ)
def info(call: Call) -> Json:
    """Shows one conversation."""
    channel = call.channel()
    _need_scope(call, channel, "read")
    shown = channel_json(call, channel)
    if not call.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


@method("conversations.members", "t4", *_READ)
def members(call: Call) -> Json:
    """Lists who is in a conversation."""
    page = call.page(call.channel().members)
    return {"members": list(page.items), "response_metadata": {"next_cursor": page.cursor}}


@method("conversations.open", "t3", "im:write", "channels:manage", "groups:write", "mpim:write")
def open_(call: Call) -> Json:
    """Opens the bot's conversation with a person."""
    if call.text("channel"):
        return {"channel": {"id": call.channel().id}}
    people = [one for one in call.text("users").split(",") if one]
    if isinstance(call.args.get("users"), list):
        people = [str(one) for one in call.args["users"]]
    if not people:
        raise SlackError("users_list_not_supplied")
    if len(people) > 1:
        raise SlackError("method_not_supported_for_channel_type")
    state = call.sandbox.state
    if people[0] not in state.users or people[0] == call.sandbox.identity.bot_user_id:
        raise SlackError("user_not_found")
    channel = state.direct(people[0])
    answer: Json = {"no_op": True, "already_open": True}
    if channel is None:
        channel = new_direct(call.sandbox.identity.bot_user_id, people[0])
        state.save_channel(channel)
        answer = {}
    shown = channel_json(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {**answer, "channel": shown}


@method("conversations.join", "t3", "channels:join")
def join(call: Call) -> Json:
    """Joins the bot to a public channel."""
    channel = call.channel()
    if channel.kind != "public":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    answer: Json = {"channel": channel_json(call, channel)}
    if not talk.join(call.sandbox, call.sandbox.identity.bot_user_id, channel):
        answer.update(warning="already_in_channel")
        answer["response_metadata"] = {"warnings": ["already_in_channel"]}
    return {**answer, "channel": channel_json(call, channel)}


@method("conversations.history", "t3", *_HISTORY)
def history(call: Call) -> Json:
    """Reads a channel, newest first, without replies."""
    channel = call.channel(member=True)
    _need_scope(call, channel, "history")
    said = [
        message
        for message in reversed(call.sandbox.state.messages[channel.id].values())
        if message.get("thread_ts", message["ts"]) == message["ts"]
        or message.get("subtype") == "thread_broadcast"
    ]
    page = call.page(_between(call, said), most=_HISTORY_MOST)
    return {**_shown(call, page), "pin_count": 0, "channel_actions_ts": None}


@method("conversations.replies", "t3", *_HISTORY)
def replies(call: Call) -> Json:
    """Reads a thread, oldest first, beginning with its parent."""
    call.need("ts")
    channel = call.channel(member=True)
    _need_scope(call, channel, "history")
    said = call.sandbox.state.messages[channel.id]
    asked = said.get(call.text("ts"))
    if asked is None:
        raise SlackError("thread_not_found")
    root = str(asked.get("thread_ts", asked["ts"]))
    parent = [said[root]] if root in said else []
    found = _between(call, call.sandbox.state.replies(channel.id, root))
    page = call.page([*parent, *found], default=_REPLIES_MOST, most=_REPLIES_MOST)
    return _shown(call, page)


def _between(call: Call, said: list[Json]) -> list[Json]:
    oldest = call.stamp("oldest", "invalid_ts_oldest")
    latest = call.stamp("latest", "invalid_ts_latest")
    slack = 0 if call.flag("inclusive") else 1
    return [
        message
        for message in said
        if (oldest is None or micros(message["ts"]) >= oldest + slack)
        and (latest is None or micros(message["ts"]) <= latest - slack)
    ]


def _shown(call: Call, page: Page[Json]) -> Json:
    keep = call.flag("include_all_metadata")
    messages = [
        message if keep else {key: value for key, value in message.items() if key != "metadata"}
        for message in page.items
    ]
    answer: Json = {"messages": messages, "has_more": bool(page.cursor)}
    if page.cursor:
        answer["response_metadata"] = {"next_cursor": page.cursor}
    return answer


def _item(call: Call) -> tuple[Channel, str]:
    if not call.text("channel") or not call.text("timestamp"):
        raise SlackError("no_item_specified")
    if micros(call.text("timestamp")) < 0:
        raise SlackError("bad_timestamp")
    return call.channel(), call.text("timestamp")


def _reaction_name(call: Call) -> str:
    name = call.text("name").strip(":")
    if not _NAME.fullmatch(name):
        raise SlackError("invalid_name")
    return name


@method("reactions.add", "t3", "reactions:write")
def reactions_add(call: Call) -> Json:
    """Reacts to a message as the bot."""
    channel, ts = _item(call)
    name = _reaction_name(call)
    if channel.archived:
        raise SlackError("is_archived")
    talk.react(call.sandbox, call.sandbox.identity.bot_user_id, channel, ts, name)
    return {}


@method("reactions.remove", "t2", "reactions:write")
def reactions_remove(call: Call) -> Json:
    """Takes the bot's reaction back."""
    channel, ts = _item(call)
    name = _reaction_name(call)
    talk.unreact(call.sandbox, call.sandbox.identity.bot_user_id, channel, ts, name)
    return {}


@method("reactions.get", "t3", "reactions:read")
def reactions_get(call: Call) -> Json:
    """Shows a message with its reactions."""
    channel, ts = _item(call)
    message = talk.find(call.sandbox, channel.id, ts)
    shown = {**message, "permalink": permalink(call, channel.id, message)}
    return {"type": "message", "channel": channel.id, "message": shown}
