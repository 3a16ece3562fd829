"""auth.*, users.*, usergroups.*, bots.*, team.*, emoji.*, api.*, apps.*: who and where."""

import hashlib
import time

from faultbook.sandbox.api.call import Call, method
from faultbook.sandbox.errors import SlackError
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.state import Group, User


def user_json(call: Call, user: User, *, email: bool) -> Json:
    """Gives a person as the Web API shows them."""
    team = call.sandbox.identity.team_id
    profile: Json = {
        "title": user.title,
        "phone": "",
        "skype": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "status_text": "",
        "status_emoji": "",
        "avatar_hash": hashlib.sha256(user.id.encode()).hexdigest()[:12],
        "team": team,
    }
    if user.is_bot:
        identity = call.sandbox.identity
        profile.update(api_app_id=identity.app_id, bot_id=identity.bot_id, always_active=True)
    elif email:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": team,
        "name": user.name,
        "deleted": user.deleted,
        "color": profile["avatar_hash"][:6],
        "real_name": user.real_name,
        "tz": "Etc/UTC",
        "tz_label": "Coordinated Universal Time",
        "tz_offset": 0,
        "profile": profile,
        "is_admin": user.is_admin,
        "is_owner": user.is_owner,
        "is_primary_owner": user.is_owner,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "updated": 0,
        "is_email_confirmed": True,
    }


@method("api.test", "t4", key="")
def api_test(call: Call) -> Json:
    """Echoes its arguments; with `error`, fails with it."""
    if call.text("error"):
        raise SlackError(call.text("error"), args=call.args)
    return {"args": {key: value for key, value in call.args.items() if key != "token"}}


@method("auth.test", "t5")
def auth_test(call: Call) -> Json:
    """Tells whose token this is."""
    identity = call.sandbox.identity
    return {
        "url": call.sandbox.base_url,
        "team": "Local workspace",
        "user": call.sandbox.bot.name,
        "team_id": identity.team_id,
        "user_id": identity.bot_user_id,
        "bot_id": identity.bot_id,
        "is_enterprise_install": False,
    }


@method("apps.connections.open", "t3", key="app")
def connections_open(call: Call) -> Json:
    """Hands out a one-use WebSocket address."""
    base = call.sandbox.base_url.replace("http", "ws", 1)
    app_id = hashlib.sha256(call.sandbox.identity.app_id.encode()).hexdigest()
    return {"url": f"{base}link/?ticket={call.sandbox.hub.ticket()}&app_id={app_id}"}


@method("users.info", "t4", "users:read")
def users_info(call: Call) -> Json:
    """Shows one person."""
    user = call.user("user")
    return {"user": user_json(call, user, email=_sees_email(call))}


def _sees_email(call: Call) -> bool:
    return "users:read.email" in call.sandbox.manifest.scopes


@method("users.list", "t2", "users:read")
def users_list(call: Call) -> Json:
    """Lists everybody."""
    page = call.page(list(call.sandbox.state.users.values()), default=1000)
    members = [user_json(call, one, email=_sees_email(call)) for one in page.items]
    return {
        "members": members,
        "cache_ts": int(time.time()),
        "response_metadata": {"next_cursor": page.cursor},
    }


@method("users.lookupByEmail", "t3", "users:read.email")
def lookup_by_email(call: Call) -> Json:
    """Finds a person by address."""
    call.need("email")
    wanted = call.text("email").lower()
    for user in call.sandbox.state.users.values():
        if user.email and user.email.lower() == wanted and not user.deleted:
            return {"user": user_json(call, user, email=True)}
    raise SlackError("users_not_found")


def _group_json(call: Call, group: Group) -> Json:
    shown: Json = {
        "id": group.id,
        "team_id": call.sandbox.identity.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 0,
        "date_update": 0,
        "date_delete": 0,
        "auto_type": None,
        "created_by": "USLACKBOT",
        "updated_by": "USLACKBOT",
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.users),
    }
    if call.flag("include_users"):
        shown["users"] = list(group.users)
    return shown


@method("usergroups.list", "t2", "usergroups:read")
def usergroups_list(call: Call) -> Json:
    """Lists the user groups."""
    return {"usergroups": [_group_json(call, one) for one in call.sandbox.state.groups.values()]}


@method("usergroups.users.list", "t2", "usergroups:read")
def usergroups_users(call: Call) -> Json:
    """Lists who is in a user group."""
    group = call.sandbox.state.groups.get(call.text("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


@method("bots.info", "t3", "users:read")
def bots_info(call: Call) -> Json:
    """Shows the bot."""
    identity = call.sandbox.identity
    if call.text("bot", identity.bot_id) != identity.bot_id:
        raise SlackError("bot_not_found")
    return {
        "bot": {
            "id": identity.bot_id,
            "deleted": False,
            "name": call.sandbox.bot.name,
            "updated": 0,
            "app_id": identity.app_id,
            "user_id": identity.bot_user_id,
            "icons": {},
        }
    }


@method("team.info", "t3", "team:read")
def team_info(call: Call) -> Json:
    """Shows the workspace."""
    identity = call.sandbox.identity
    if call.text("team", identity.team_id) != identity.team_id:
        raise SlackError("team_not_found")
    return {
        "team": {
            "id": identity.team_id,
            "name": "Local workspace",
            "url": call.sandbox.base_url,
            "domain": identity.team_domain,
            "email_domain": "example.com",
            "icon": {"image_default": True},
        }
    }


@method("emoji.list", "t2", "emoji:read")
def emoji_list(call: Call) -> Json:
    """Lists custom emoji; there are none here."""
    return {"emoji": {}, "cache_ts": str(int(call.sandbox.clock.now()))}
