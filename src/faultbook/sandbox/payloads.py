"""The shapes of what a person's act sends to the bot."""

from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.state import Channel
from faultbook.sandbox.triggers import ResponseUrl


def person(sandbox: Sandbox, user_id: str) -> Json:
    """Names who acted."""
    user = sandbox.state.users[user_id]
    return {
        "id": user.id,
        "username": user.name,
        "name": user.name,
        "team_id": sandbox.identity.team_id,
    }


def team(sandbox: Sandbox) -> Json:
    """Names the workspace."""
    return {"id": sandbox.identity.team_id, "domain": sandbox.identity.team_domain}


def channel_name(channel: Channel) -> str:
    """Gives the name payloads carry; a direct conversation has none of its own."""
    return {"im": "directmessage", "private": "privategroup"}.get(channel.kind, channel.name)


def _frame(sandbox: Sandbox, kind: str, user: str) -> Json:
    return {
        "type": kind,
        "team": team(sandbox),
        "user": person(sandbox, user),
        "api_app_id": sandbox.identity.app_id,
        "token": sandbox.identity.verification_token,
        "enterprise": None,
        "is_enterprise_install": False,
    }


def message_container(channel: str, message: Json) -> Json:
    """Describes the message something happened in."""
    container: Json = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel,
        "is_ephemeral": bool(message.get("is_ephemeral")),
    }
    if message.get("thread_ts"):
        container["thread_ts"] = message["thread_ts"]
    return container


def in_message(
    sandbox: Sandbox, user: str, channel: Channel, message: Json, action: Json, values: Json
) -> Json:
    """Builds the `block_actions` of a message."""
    ephemeral = bool(message.get("is_ephemeral"))
    given = ResponseUrl(
        user=user,
        channel=channel.id,
        made=sandbox.clock.now(),
        message_ts=message["ts"],
        thread_ts=message.get("thread_ts", ""),
        ephemeral=ephemeral,
    )
    payload: Json = {
        **_frame(sandbox, "block_actions", user),
        "container": message_container(channel.id, message),
        "trigger_id": sandbox.triggers.trigger(user),
        "channel": {"id": channel.id, "name": channel_name(channel)},
        "state": {"values": values},
        "response_url": response_url(sandbox, "actions", given),
        "actions": [action],
    }
    if not ephemeral:
        payload["message"] = message
    return payload


def in_view(sandbox: Sandbox, user: str, view: Json, action: Json, values: Json) -> Json:
    """Builds the `block_actions` of a modal or Home."""
    return {
        **_frame(sandbox, "block_actions", user),
        "container": {"type": "view", "view_id": view["id"]},
        "trigger_id": sandbox.triggers.trigger(user, view["id"]),
        "view": {**view, "state": {"values": values}},
        "actions": [action],
    }


def submission(sandbox: Sandbox, user: str, view: Json, values: Json) -> Json:
    """Builds a `view_submission`."""
    return {
        **_frame(sandbox, "view_submission", user),
        "trigger_id": sandbox.triggers.trigger(user, view["id"]),
        "view": {**view, "state": {"values": values}},
        "response_urls": [],
    }


def closed(sandbox: Sandbox, user: str, view: Json, values: Json, *, cleared: bool) -> Json:
    """Builds a `view_closed`."""
    return {
        **_frame(sandbox, "view_closed", user),
        "view": {**view, "state": {"values": values}},
        "is_cleared": cleared,
    }


def slash(sandbox: Sandbox, user: str, channel: Channel, command: str, text: str) -> Json:
    """Builds a slash command."""
    identity = sandbox.identity
    given = ResponseUrl(user=user, channel=channel.id, made=sandbox.clock.now())
    return {
        "token": identity.verification_token,
        "team_id": identity.team_id,
        "team_domain": identity.team_domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": user,
        "user_name": sandbox.state.users[user].name,
        "command": command,
        "text": text,
        "api_app_id": identity.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url(sandbox, "commands", given),
        "trigger_id": sandbox.triggers.trigger(user),
    }


def global_shortcut(sandbox: Sandbox, user: str, callback_id: str) -> Json:
    """Builds a global `shortcut`."""
    frame = _frame(sandbox, "shortcut", user)
    frame.pop("api_app_id")
    return {
        **frame,
        "action_ts": sandbox.clock.ts(),
        "callback_id": callback_id,
        "trigger_id": sandbox.triggers.trigger(user),
    }


def message_shortcut(
    sandbox: Sandbox, user: str, channel: Channel, message: Json, callback_id: str
) -> Json:
    """Builds a `message_action`."""
    given = ResponseUrl(
        user=user,
        channel=channel.id,
        made=sandbox.clock.now(),
        message_ts=message["ts"],
        thread_ts=message.get("thread_ts", ""),
    )
    frame = _frame(sandbox, "message_action", user)
    frame.pop("api_app_id")
    return {
        **frame,
        "action_ts": sandbox.clock.ts(),
        "callback_id": callback_id,
        "trigger_id": sandbox.triggers.trigger(user),
        "response_url": response_url(sandbox, "app", given),
        "message_ts": message["ts"],
        "message": message,
        "channel": {"id": channel.id, "name": channel_name(channel)},
    }


def response_url(sandbox: Sandbox, kind: str, given: ResponseUrl) -> str:
    """Makes a response URL."""
    team_id = sandbox.identity.team_id
    return f"{sandbox.base_url}{kind}/{team_id}/{sandbox.triggers.url(given)}"
