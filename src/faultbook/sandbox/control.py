"""The control API: how the page and the tests act as people, look at everything, and cause faults.

Every address is `/_control/…`, answers JSON, and is open to this machine and this page only. POST
takes a JSON object; errors are `{"ok": false, "error": CODE}` with status 400. `user` is an id or
a name; `channel` an id, a name, or `dm` for the person's conversation with the bot.

Acting as a person:
    POST upload         user, name, content (base64)            → file, a person's own
    POST say            user, channel, text, thread_ts?, files? (ids) → ts, message
    POST say_all        messages: a list of what `say` takes → ts list, in one go
    POST edit           user, channel, ts, text
    POST delete         user, channel, ts
    POST react, unreact user, channel, ts, name
    POST click          user, channel, ts, action_id, block_id?, value?, values?  (a message)
    POST click          user, view_id ("home" for App Home), action_id, …         (a view)
    POST submit         user, view_id?, values (of a file input: ids) → outcome, errors?
    POST close          user, all?
    POST slash          user, channel, command, text
    POST shortcut       user, callback_id, channel?, ts?
    POST open_home      user, tab ("home" or "messages")
    POST dismiss        user, ts      (an ephemeral message)
    POST read           user, channel, ts

The directory:
    POST new_channel    name, members?, private?, bot? (default true), topic?
    POST new_user       name, real_name?, guest?
    POST change_user    user, deleted?, guest?     (deactivated; a guest)
    POST new_group      handle, name?, users
    POST join, leave    user, channel, by?  (user may be the bot)
    POST archive        channel, archived?

Looking:
    GET  state          user?         everything the page needs
    GET  messages       channel, user?, thread?   with blocks and metadata, oldest first
    GET  ephemerals     user
    GET  views          user          stack, errors, home
    GET  wire           after?, name?, most?   the wire log
    GET  deliveries                   unsettled events and those given up
    GET  stream                       server-sent changes

Causing trouble (see `faultbook.sandbox.faults` for the kinds and their fields):
    POST fault          kind, method?, count? (null: until cleared), rate?, seed?, ms?, status?,
                        error?, retry_after?
    POST clear_faults   kind?
    GET  faults
    POST disconnect     reason ("warning", "refresh_requested", "link_disabled",
                        "too_many_websockets", or "" to cut the line), grace?
    POST deafen         makes the open sockets deaf
    POST options        see `faultbook.sandbox.options.Options`; GET shows them
    POST advance        seconds       moves the clock that triggers and response URLs live by
    POST retry_now                    makes pending redeliveries due at once
    POST forget_events                drops every unsettled event
    POST verify_url                   asks the bot's request URL to echo a challenge
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from faultbook.sandbox import acts, looks, responses, talk, trouble
from faultbook.sandbox.api import files
from faultbook.sandbox.clock import new_id
from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.errors import SlackError, bad_arguments, read_object
from faultbook.sandbox.kinds import Json, as_dict, as_list, as_text
from faultbook.sandbox.seed import new_channel, new_direct, new_user
from faultbook.sandbox.state import Channel, Group

Act: TypeAlias = Callable[["Control", Json], Awaitable[Json]]


class Control:
    """The handler of `/_control/{act}`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Does something."""
        act = ACTS.get(request.match_info["act"])
        try:
            body = read_object(await request.text() or "{}")
            answer = await (act or _unknown)(self, body)
        except SlackError as error:
            return web.json_response(error.answer(), status=400)
        return web.json_response({"ok": True, **answer})

    def user(self, body: Json, name: str = "user") -> str:
        """Finds the person a request names.

        Raises:
            SlackError: `user_not_found`.
        """
        user = self.sandbox.state.named_user(as_text(body.get(name)))
        if user is None:
            raise SlackError("user_not_found")
        return user.id

    def channel(self, body: Json) -> Channel:
        """Finds the conversation a request names.

        Raises:
            SlackError: `channel_not_found`.
        """
        state, wanted = self.sandbox.state, as_text(body.get("channel"))
        channel = state.channels.get(wanted) or state.named_channel(wanted)
        if wanted == "dm":
            channel = state.direct(self.user(body))
        if channel is None:
            raise SlackError("channel_not_found")
        return channel


async def _unknown(control: Control, body: Json) -> Json:
    del control, body
    raise SlackError("unknown_method", known=sorted(ACTS))


async def _upload(control: Control, body: Json) -> Json:
    name = as_text(body.get("name")).strip()
    try:
        content = base64.b64decode(as_text(body.get("content")), validate=True)
    except binascii.Error as error:
        raise bad_arguments("content is no base64") from error
    if not name:
        raise bad_arguments("a file has a name")
    return {"file": files.add_file(control.sandbox, control.user(body), name, content)}


async def _say(control: Control, body: Json) -> Json:
    user, channel = control.user(body), control.channel(body)
    thread_ts = as_text(body.get("thread_ts"))
    found = [files.find_file(control.sandbox, one) for one in as_list(body.get("files"))]
    given = [files.shown(one) for one in found]
    said = as_text(body.get("text"))
    message = talk.say(control.sandbox, user, channel, said, thread_ts, given)
    return {"ts": message["ts"], "channel": channel.id, "message": message}


async def _say_all(control: Control, body: Json) -> Json:
    with control.sandbox.store.transaction():
        said = [await _say(control, as_dict(one)) for one in as_list(body.get("messages"))]
    return {"ts": [one["ts"] for one in said]}


async def _edit(control: Control, body: Json) -> Json:
    user, channel = control.user(body), control.channel(body)
    ts, text = as_text(body.get("ts")), as_text(body.get("text"))
    return {"message": talk.edit(control.sandbox, user, channel, ts, text)}


async def _delete(control: Control, body: Json) -> Json:
    user, channel = control.user(body), control.channel(body)
    message = talk.find(control.sandbox, channel.id, body.get("ts"))
    if message.get("user") != user:
        raise SlackError("cant_delete_message")
    with control.sandbox.store.transaction():
        talk.delete(control.sandbox, channel, message)
    return {}


async def _react(control: Control, body: Json) -> Json:
    user, channel = control.user(body), control.channel(body)
    ts, name = as_text(body.get("ts")), as_text(body.get("name")).strip(":")
    with control.sandbox.store.transaction():
        talk.react(control.sandbox, user, channel, ts, name)
    return {}


async def _unreact(control: Control, body: Json) -> Json:
    user, channel = control.user(body), control.channel(body)
    ts, name = as_text(body.get("ts")), as_text(body.get("name")).strip(":")
    with control.sandbox.store.transaction():
        talk.unreact(control.sandbox, user, channel, ts, name)
    return {}


async def _click(control: Control, body: Json) -> Json:
    user = control.user(body)
    if body.get("view_id"):
        return await acts.click_view(control.sandbox, user, as_text(body["view_id"]), body)
    channel = control.channel(body)
    return await acts.click(control.sandbox, user, channel, as_text(body.get("ts")), body)


async def _submit(control: Control, body: Json) -> Json:
    user, view_id = control.user(body), as_text(body.get("view_id"))
    return await acts.submit(control.sandbox, user, view_id, as_dict(body.get("values")))


async def _close(control: Control, body: Json) -> Json:
    everything = bool(body.get("all"))
    return await acts.close(control.sandbox, control.user(body), everything=everything)


async def _slash(control: Control, body: Json) -> Json:
    user, channel = control.user(body), control.channel(body)
    command, text = as_text(body.get("command")), as_text(body.get("text"))
    if user not in channel.members:
        raise SlackError("not_in_channel")
    return await acts.slash(control.sandbox, user, channel, command, text)


async def _shortcut(control: Control, body: Json) -> Json:
    channel = control.channel(body) if body.get("channel") else None
    callback_id, ts = as_text(body.get("callback_id")), as_text(body.get("ts"))
    return await acts.shortcut(control.sandbox, control.user(body), callback_id, channel, ts)


async def _open_home(control: Control, body: Json) -> Json:
    tab = as_text(body.get("tab"), "home")
    return acts.open_home(control.sandbox, control.user(body), tab)


async def _dismiss(control: Control, body: Json) -> Json:
    responses.forget(control.sandbox, control.user(body), as_text(body.get("ts")))
    return {}


async def _read(control: Control, body: Json) -> Json:
    user, channel = control.user(body), control.channel(body)
    control.sandbox.state.save_read(user, channel.id, as_text(body.get("ts")))
    return {}


async def _new_channel(control: Control, body: Json) -> Json:
    state, name = control.sandbox.state, as_text(body.get("name")).removeprefix("#")
    if not name or state.named_channel(name):
        raise bad_arguments(f"there is a channel called {name!r}, or it has no name")
    people = [one.id for one in state.users.values() if not one.is_bot]
    given = body.get("members")
    if given is not None:
        people = [control.user({"user": one}) for one in as_list(given)]
    members = [*people, control.sandbox.bot.id] if body.get("bot", True) else people
    channel = new_channel(
        name,
        people[0] if people else control.sandbox.bot.id,
        members,
        private=bool(body.get("private")),
        topic=as_text(body.get("topic")),
    )
    state.save_channel(channel)
    control.sandbox.live.push("directory", {})
    return {"id": channel.id, "name": channel.name}


async def _new_user(control: Control, body: Json) -> Json:
    state, name = control.sandbox.state, as_text(body.get("name")).lower()
    if not name or state.named_user(name):
        raise bad_arguments(f"there is somebody called {name!r}, or they have no name")
    user = new_user(name, as_text(body.get("real_name")))
    user.is_restricted = bool(body.get("guest"))
    with state.store.transaction():
        state.save_user(user)
        state.save_channel(new_direct(control.sandbox.bot.id, user.id))
    control.sandbox.live.push("directory", {})
    return {"id": user.id, "name": user.name}


async def _change_user(control: Control, body: Json) -> Json:
    state = control.sandbox.state
    user = state.users[control.user(body)]
    user.deleted = bool(body.get("deleted", user.deleted))
    user.is_restricted = bool(body.get("guest", user.is_restricted))
    state.save_user(user)
    control.sandbox.live.push("directory", {})
    return {"id": user.id}


async def _new_group(control: Control, body: Json) -> Json:
    state, handle = control.sandbox.state, as_text(body.get("handle"))
    users = [control.user({"user": one}) for one in as_list(body.get("users"))]
    known = next((one for one in state.groups.values() if one.handle == handle), None)
    group = Group(
        id=known.id if known else new_id("S"),
        handle=handle,
        name=as_text(body.get("name"), handle),
        users=users,
    )
    state.save_group(group)
    return {"id": group.id}


async def _join(control: Control, body: Json) -> Json:
    user, channel = control.user(body), control.channel(body)
    inviter = control.user(body, "by") if body.get("by") else ""
    with control.sandbox.store.transaction():
        return {"joined": talk.join(control.sandbox, user, channel, inviter)}


async def _leave(control: Control, body: Json) -> Json:
    user, channel = control.user(body), control.channel(body)
    if user in channel.members:
        channel.members.remove(user)
        control.sandbox.state.save_channel(channel)
        control.sandbox.live.push("directory", {})
    return {}


async def _archive(control: Control, body: Json) -> Json:
    channel = control.channel(body)
    channel.archived = bool(body.get("archived", True))
    control.sandbox.state.save_channel(channel)
    control.sandbox.live.push("directory", {})
    return {}


ACTS: dict[str, Act] = {
    "upload": _upload,
    "say": _say,
    "say_all": _say_all,
    "edit": _edit,
    "delete": _delete,
    "react": _react,
    "unreact": _unreact,
    "click": _click,
    "submit": _submit,
    "close": _close,
    "slash": _slash,
    "shortcut": _shortcut,
    "open_home": _open_home,
    "dismiss": _dismiss,
    "read": _read,
    "new_channel": _new_channel,
    "new_user": _new_user,
    "change_user": _change_user,
    "new_group": _new_group,
    "join": _join,
    "leave": _leave,
    "archive": _archive,
    **trouble.ACTS,
}


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    """Gives the routes of the control API."""
    control = Control(sandbox)
    return [*looks.routes(sandbox), web.post("/_control/{act}", control.post)]
