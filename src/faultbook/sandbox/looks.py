"""The control API's reading half: state, messages, views, the wire log, the live stream."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict

from aiohttp import web

from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.state import Channel

_HEARTBEAT = 15
_UNREAD_SHOWN = 99


def _find(sandbox: Sandbox, request: web.Request) -> tuple[str, Channel | None]:
    state = sandbox.state
    user = state.named_user(request.query.get("user", ""))
    wanted = request.query.get("channel", "")
    channel = state.channels.get(wanted) or state.named_channel(wanted)
    if wanted == "dm" and user is not None:
        channel = state.direct(user.id)
    return (user.id if user else ""), channel


def _state(sandbox: Sandbox, request: web.Request) -> Json:
    user, _ = _find(sandbox, request)
    state, manifest = sandbox.state, sandbox.manifest
    guest = user in state.users and state.users[user].is_restricted
    seen = [
        one
        for one in state.channels.values()
        if user in one.members or (one.kind == "public" and not guest)
    ]
    return {
        "team": {"id": sandbox.identity.team_id, "name": "Local workspace"},
        "bot": sandbox.bot.id,
        "bot_id": sandbox.identity.bot_id,
        "connected": len(sandbox.hub.sockets),
        "http": bool(sandbox.options.bot_url),
        "home_tab": manifest.home_tab,
        "users": {key: asdict(one) for key, one in state.users.items()},
        "groups": {key: asdict(one) for key, one in state.groups.items()},
        "channels": [{**asdict(one), **_unread(sandbox, user, one)} for one in seen],
        "commands": [asdict(one) for one in manifest.commands],
        "shortcuts": [asdict(one) for one in manifest.shortcuts],
        "prompts": sandbox.prompts,
        "home": sandbox.modals.homes.get(user),
        **sandbox.view_state(user),
    }


def _unread(sandbox: Sandbox, user: str, channel: Channel) -> Json:
    if user not in channel.members:
        return {"unread": 0, "last_read": ""}
    last = sandbox.state.reads[user].get(channel.id, "")
    count = 0
    for message in reversed(sandbox.state.messages[channel.id].values()):
        if message["ts"] <= last or count > _UNREAD_SHOWN:
            break
        count += message.get("user") != user
    return {"unread": count, "last_read": last}


def _messages(sandbox: Sandbox, request: web.Request) -> Json:
    user, channel = _find(sandbox, request)
    if channel is None:
        raise web.HTTPNotFound
    said = list(sandbox.state.messages[channel.id].values())
    thread = request.query.get("thread")
    if thread:
        said = [one for one in said if thread in {one["ts"], one.get("thread_ts")}]
    mine = [one for one in sandbox.state.ephemerals[user] if one["channel"] == channel.id]
    return {"messages": said, "ephemerals": mine}


def _ephemerals(sandbox: Sandbox, request: web.Request) -> Json:
    user, _ = _find(sandbox, request)
    return {"messages": sandbox.state.ephemerals[user]}


def _views(sandbox: Sandbox, request: web.Request) -> Json:
    user, _ = _find(sandbox, request)
    return {**sandbox.view_state(user), "home": sandbox.modals.homes.get(user)}


def _wire(sandbox: Sandbox, request: web.Request) -> Json:
    after = request.query.get("after", "0")
    number = int(after) if after.isdigit() else 0
    entries = sandbox.wire.read(after=number, name=request.query.get("name", ""))
    most = request.query.get("most", "")
    return {"entries": entries[: int(most)] if most.isdigit() else entries}


def _deliveries(sandbox: Sandbox, request: web.Request) -> Json:
    del request
    unsettled = [
        {"event_id": one.event_id, "attempts": one.attempts, "parked": one.parked}
        for one in sandbox.deliverer.unsettled.values()
    ]
    return {"unsettled": unsettled, "given_up": sandbox.deliverer.given_up}


def _faults(sandbox: Sandbox, request: web.Request) -> Json:
    del request
    return {"faults": [one.as_json() for one in sandbox.faults.on]}


def _options(sandbox: Sandbox, request: web.Request) -> Json:
    del request
    return {"options": sandbox.options.as_json()}


async def _stream(sandbox: Sandbox, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    await response.prepare(request)
    queue = sandbox.live.open()
    try:
        await response.write(b"retry: 500\n\n")
        while True:
            try:
                frame = await asyncio.wait_for(queue.get(), _HEARTBEAT)
            except TimeoutError:
                frame = b": still here\n\n"
            if frame is None:
                break
            await response.write(frame)
    except ConnectionError:
        pass
    finally:
        sandbox.live.close(queue)
    return response


_LOOKS: dict[str, Callable[[Sandbox, web.Request], Json]] = {
    "state": _state,
    "messages": _messages,
    "ephemerals": _ephemerals,
    "views": _views,
    "wire": _wire,
    "deliveries": _deliveries,
    "faults": _faults,
    "options": _options,
}


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    """Gives the reading routes of the control API."""

    async def look(request: web.Request) -> web.StreamResponse:
        read = _LOOKS.get(request.match_info["look"])
        if read is None:
            raise web.HTTPNotFound
        return web.json_response({"ok": True, **read(sandbox, request)})

    async def stream(request: web.Request) -> web.StreamResponse:
        return await _stream(sandbox, request)

    return [web.get("/_control/stream", stream), web.get("/_control/{look}", look)]
