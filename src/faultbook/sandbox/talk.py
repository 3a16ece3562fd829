"""What happens when a message is posted, edited or deleted: the record, the events, the page."""

import uuid
from collections.abc import Sequence

from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.errors import SlackError
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.modals import with_ids
from faultbook.sandbox.state import Channel
from faultbook.sandbox.text import Typed

_LONGEST = 40_000


def say(
    sandbox: Sandbox,
    user: str,
    channel: Channel,
    raw: str,
    thread_ts: str = "",
    files: Sequence[Json] = (),
) -> Json:
    """Posts what a person typed, with files if any.

    Raises:
        SlackError: `not_in_channel`, `no_text`, `is_archived` or `thread_not_found`.
    """
    if user not in channel.members:
        raise SlackError("not_in_channel")
    if channel.archived:
        raise SlackError("is_archived")
    if not raw.strip() and not files:
        raise SlackError("no_text")
    typed = Typed(sandbox.state, raw[:_LONGEST])
    shared: Json = {"subtype": "file_share", "files": list(files), "upload": False}
    message: Json = {
        "user": user,
        "type": "message",
        "ts": "",
        "client_msg_id": str(uuid.uuid4()),
        "text": typed.text(),
        "team": sandbox.identity.team_id,
        "blocks": typed.blocks(),
        **(shared if files else {}),
    }
    with sandbox.store.transaction():
        add(sandbox, channel, message, thread_ts)
        _mention(sandbox, channel, message)
        _hint_when_absent(sandbox, user, channel, message)
    return message


def add(sandbox: Sandbox, channel: Channel, message: Json, thread_ts: str = "") -> None:
    """Stores a new message, with its thread, and tells bot and pages.

    Raises:
        SlackError: `thread_not_found`.
    """
    state = sandbox.state
    parent = state.messages[channel.id].get(thread_ts) if thread_ts else None
    if thread_ts and parent is None:
        raise SlackError("thread_not_found")
    message["ts"] = sandbox.clock.ts()
    if parent is not None:
        root = str(parent.get("thread_ts", parent["ts"]))
        parent = state.messages[channel.id].get(root, parent)
        message["thread_ts"] = root
        message["parent_user_id"] = parent.get("user", "")
        state.save_message(channel.id, message)
        _count_replies(sandbox, channel, parent)
    else:
        state.save_message(channel.id, message)
    sandbox.show_message(channel.id, message)
    sandbox.emit_message(channel, {**message, "event_ts": message["ts"]})


def _count_replies(sandbox: Sandbox, channel: Channel, parent: Json) -> None:
    replies = sandbox.state.replies(channel.id, parent["ts"])
    users = list(dict.fromkeys(reply.get("user", "") for reply in replies))
    if replies:
        parent.update(
            thread_ts=parent["ts"],
            reply_count=len(replies),
            reply_users_count=len(users),
            latest_reply=replies[-1]["ts"],
            reply_users=users[:5],
            is_locked=False,
            subscribed=False,
        )
    else:
        for key in ("thread_ts", "reply_count", "reply_users_count", "latest_reply", "reply_users"):
            parent.pop(key, None)
    sandbox.state.save_message(channel.id, parent)
    sandbox.show_message(channel.id, parent)


def _mention(sandbox: Sandbox, channel: Channel, message: Json) -> None:
    bot = sandbox.identity.bot_user_id
    if channel.kind == "im" or bot not in channel.members or f"<@{bot}>" not in message["text"]:
        return
    kept = ("user", "type", "ts", "client_msg_id", "text", "team", "blocks", "thread_ts")
    more = ("parent_user_id", "edited", "files", "upload")
    event = {key: message[key] for key in (*kept, *more) if key in message}
    edited = message.get("edited", {}).get("ts")
    event.update(type="app_mention", channel=channel.id, event_ts=edited or message["ts"])
    sandbox.emit(event)


def _hint_when_absent(sandbox: Sandbox, user: str, channel: Channel, message: Json) -> None:
    bot = sandbox.bot
    if bot.id in channel.members or f"<@{bot.id}>" not in message["text"]:
        return
    whisper(
        sandbox,
        channel.id,
        user,
        {"text": f"<@{bot.id}> is not in this channel. Type `/invite @{bot.name}` to add it."},
        author={"user": "USLACKBOT", "username": "Slackbot"},
    )


def edit(sandbox: Sandbox, user: str, channel: Channel, ts: str, raw: str) -> Json:
    """Changes what a person said before.

    Raises:
        SlackError: `message_not_found`, `cant_update_message` or `no_text`.
    """
    message = find(sandbox, channel.id, ts)
    if message.get("user") != user:
        raise SlackError("cant_update_message")
    if not raw.strip():
        raise SlackError("no_text")
    typed = Typed(sandbox.state, raw[:_LONGEST])
    with sandbox.store.transaction():
        changed = {"text": typed.text(), "blocks": typed.blocks()}
        new = change(sandbox, channel, message, changed, editor=user)
        _mention(sandbox, channel, new)
    return new


def change(
    sandbox: Sandbox, channel: Channel, message: Json, changes: Json, *, editor: str
) -> Json:
    """Replaces parts of a message; a part that is None is removed."""
    new = {key: value for key, value in {**message, **changes}.items() if value is not None}
    now = sandbox.clock.ts()
    new["edited"] = {"user": editor, "ts": now}
    sandbox.state.save_message(channel.id, new)
    sandbox.show_message(channel.id, new)
    sandbox.emit_message(
        channel,
        {
            "type": "message",
            "subtype": "message_changed",
            "message": new,
            "previous_message": message,
            "hidden": True,
            "ts": now,
            "event_ts": now,
        },
    )
    return new


def delete(sandbox: Sandbox, channel: Channel, message: Json) -> None:
    """Removes a message; one with replies leaves a tombstone."""
    ts = message["ts"]
    now = sandbox.clock.ts()
    if message.get("reply_count"):
        kept = {key: value for key, value in message.items() if key.startswith("reply_")}
        tombstone: Json = {
            **kept,
            "type": "message",
            "subtype": "tombstone",
            "user": "USLACKBOT",
            "text": "This message was deleted.",
            "hidden": True,
            "ts": ts,
            "thread_ts": ts,
        }
        sandbox.state.save_message(channel.id, tombstone)
        sandbox.show_message(channel.id, tombstone)
    else:
        sandbox.state.drop_message(channel.id, ts)
        sandbox.live.push("deleted", {"channel": channel.id, "ts": ts})
        parent = sandbox.state.messages[channel.id].get(message.get("thread_ts", ""))
        if parent is not None:
            _count_replies(sandbox, channel, parent)
    sandbox.emit_message(
        channel,
        {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": message,
            "deleted_ts": ts,
            "hidden": True,
            "ts": now,
            "event_ts": now,
        },
    )


def find(sandbox: Sandbox, channel: str, ts: object) -> Json:
    """Finds a message.

    Raises:
        SlackError: `message_not_found`.
    """
    message = sandbox.state.messages[channel].get(ts) if isinstance(ts, str) else None
    if message is None or message.get("subtype") == "tombstone":
        raise SlackError("message_not_found")
    return message


def whisper(
    sandbox: Sandbox, channel: str, user: str, content: Json, *, author: Json | None = None
) -> Json:
    """Shows a message to one person only.

    Args:
        sandbox: The workspace.
        channel: Where it appears.
        user: Who sees it.
        content: Text, blocks, thread_ts.
        author: Who it is from, if not the bot.

    Returns:
        The message as it is shown.
    """
    message: Json = {
        "type": "message",
        "subtype": "bot_message" if author is None else "slackbot",
        "is_ephemeral": True,
        "channel": channel,
        "ts": sandbox.clock.ts(),
        **(bot_author(sandbox) if author is None else author),
        **{key: value for key, value in content.items() if value},
    }
    if message.get("blocks"):
        message["blocks"] = with_ids(message["blocks"])
    sandbox.state.add_ephemeral(user, message)
    sandbox.live.push("ephemeral", {"user": user, "message": message})
    return message


def bot_author(sandbox: Sandbox) -> Json:
    """Gives the fields that mark a message as the bot's."""
    identity = sandbox.identity
    return {
        "user": identity.bot_user_id,
        "bot_id": identity.bot_id,
        "app_id": identity.app_id,
        "team": identity.team_id,
        "bot_profile": {
            "id": identity.bot_id,
            "app_id": identity.app_id,
            "user_id": identity.bot_user_id,
            "name": sandbox.bot.name,
            "icons": {},
            "deleted": False,
            "updated": 0,
            "team_id": identity.team_id,
        },
    }


def react(sandbox: Sandbox, user: str, channel: Channel, ts: str, name: str) -> None:
    """Adds a reaction.

    Raises:
        SlackError: `message_not_found` or `already_reacted`.
    """
    message = find(sandbox, channel.id, ts)
    reactions = message.setdefault("reactions", [])
    found = next((one for one in reactions if one["name"] == name), None)
    if found is None:
        found = {"name": name, "users": [], "count": 0}
        reactions.append(found)
    if user in found["users"]:
        raise SlackError("already_reacted")
    found["users"].append(user)
    found["count"] = len(found["users"])
    _reacted(sandbox, user, channel, message, "reaction_added", name)


def unreact(sandbox: Sandbox, user: str, channel: Channel, ts: str, name: str) -> None:
    """Takes a reaction back.

    Raises:
        SlackError: `message_not_found` or `no_reaction`.
    """
    message = find(sandbox, channel.id, ts)
    found = next((one for one in message.get("reactions", []) if one["name"] == name), None)
    if found is None or user not in found["users"]:
        raise SlackError("no_reaction")
    found["users"].remove(user)
    found["count"] = len(found["users"])
    if not found["users"]:
        message["reactions"].remove(found)
    if not message["reactions"]:
        del message["reactions"]
    _reacted(sandbox, user, channel, message, "reaction_removed", name)


def _reacted(
    sandbox: Sandbox, user: str, channel: Channel, message: Json, kind: str, name: str
) -> None:
    sandbox.state.save_message(channel.id, message)
    sandbox.show_message(channel.id, message)
    sandbox.emit(
        {
            "type": kind,
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": channel.id, "ts": message["ts"]},
            "item_user": message.get("user", ""),
            "event_ts": sandbox.clock.ts(),
        }
    )


def join(sandbox: Sandbox, user: str, channel: Channel, inviter: str = "") -> bool:
    """Makes someone a member of a channel; tells whether they were none before."""
    if user in channel.members:
        return False
    channel.members.append(user)
    sandbox.state.save_channel(channel)
    event: Json = {
        "type": "member_joined_channel",
        "user": user,
        "channel": channel.id,
        "channel_type": "C" if channel.kind == "public" else "G",
        "team": sandbox.identity.team_id,
        "event_ts": sandbox.clock.ts(),
    }
    if inviter:
        event["inviter"] = inviter
    if sandbox.identity.bot_user_id in channel.members:
        sandbox.emit(event)
    sandbox.live.push("directory", {})
    return True
