"""What a person does besides talking: clicks, submits, commands, shortcuts, opening Home."""

import asyncio
import json

from faultbook.sandbox import fields, payloads, talk
from faultbook.sandbox.api import files
from faultbook.sandbox.api.chat import read_blocks
from faultbook.sandbox.api.views import read_view
from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.errors import SlackError, bad_arguments
from faultbook.sandbox.kinds import Json, as_dict, as_list
from faultbook.sandbox.sockets import Ack
from faultbook.sandbox.state import Channel
from faultbook.sandbox.text import Typed

NO_ANSWER = "{} did not answer in time."
NOT_CONNECTED = "{} is not connected."


async def ask(sandbox: Sandbox, kind: str, payload: Json, *, accepts: bool) -> Ack:
    """Sends an interaction, once, and waits for its acknowledgement.

    Args:
        sandbox: The workspace.
        kind: `interactive` or `slash_commands`.
        payload: What happened.
        accepts: Whether the acknowledgement may carry an answer.
    """
    if sandbox.hub.sockets:
        result: asyncio.Future[Ack] = asyncio.get_running_loop().create_future()
        sandbox.hub.send(
            kind,
            payload,
            lambda ack: None if result.done() else result.set_result(ack),
            accepts_response_payload=accepts,
        )
        ack = await result
    elif sandbox.options.bot_url:
        door = sandbox.http.slash if kind == "slash_commands" else sandbox.http.interactive
        ack = await door(payload)
    else:
        ack = Ack("not_connected")
    if ack.payload is not None and not accepts:
        sandbox.wire.note("note", "ack", "payload not accepted", body=json.dumps(ack.payload))
        return Ack(ack.outcome)
    return ack


def complaint(sandbox: Sandbox, ack: Ack) -> str:
    """Says what a person sees when the bot took nothing; empty if it did."""
    if ack.good:
        return ""
    away = ack.outcome in {"not_connected", "connection_failed"}
    words = NOT_CONNECTED if away else NO_ANSWER
    return words.format(sandbox.bot.name)


def visible(sandbox: Sandbox, user: str, channel: str, ts: str) -> Json:
    """Finds a message as a person sees it, ephemeral ones included.

    Raises:
        SlackError: `message_not_found`.
    """
    for message in sandbox.state.ephemerals[user]:
        if message["ts"] == ts and message["channel"] == channel:
            return message
    return talk.find(sandbox, channel, ts)


async def click(sandbox: Sandbox, user: str, channel: Channel, ts: str, wanted: Json) -> Json:
    """Uses an element of a message.

    Args:
        sandbox: The workspace.
        user: Who.
        channel: Where.
        ts: The message.
        wanted: `action_id`, and optionally `block_id`, `value` and `values` of other inputs.
    """
    if user not in channel.members:
        raise SlackError("not_in_channel")
    message = visible(sandbox, user, channel.id, ts)
    blocks = message.get("blocks", [])
    action, values = _used(sandbox, f"{user}:{channel.id}:{ts}", blocks, wanted)
    payload = payloads.in_message(sandbox, user, channel, message, action, values)
    ack = await ask(sandbox, "interactive", payload, accepts=False)
    return {"acked": ack.good, "complaint": complaint(sandbox, ack)}


async def click_view(sandbox: Sandbox, user: str, view_id: str, wanted: Json) -> Json:
    """Uses an element of a modal or Home."""
    view = _view(sandbox, user, view_id)
    action, values = _used(sandbox, view["id"], view["blocks"], wanted)
    payload = payloads.in_view(sandbox, user, view, action, values)
    ack = await ask(sandbox, "interactive", payload, accepts=False)
    return {"acked": ack.good, "complaint": complaint(sandbox, ack)}


def _used(sandbox: Sandbox, key: str, blocks: list[Json], wanted: Json) -> tuple[Json, Json]:
    action_id, block_id = str(wanted.get("action_id", "")), str(wanted.get("block_id", ""))
    block, element = fields.locate(blocks, action_id, block_id)
    raw = wanted.get("value")
    action = fields.action(block, element, raw, sandbox.clock.ts())
    entered = sandbox.modals.inputs.setdefault(key, {})
    fields.merge(entered, fields.spread(blocks, as_dict(wanted.get("values"))))
    if "value" in wanted and element["type"] not in {"button", "overflow"}:
        fields.merge(entered, {block["block_id"]: {action_id: raw}})
    return action, fields.state(blocks, entered)


def _view(sandbox: Sandbox, user: str, view_id: str) -> Json:
    home = sandbox.modals.homes.get(user)
    if home is not None and view_id in {home["id"], "home"}:
        return home
    stack = sandbox.modals.stack(user)
    if not view_id and stack:
        return stack[-1]
    for view in stack:
        if view["id"] == view_id:
            return view
    raise SlackError("not_found")


async def submit(sandbox: Sandbox, user: str, view_id: str, given: Json) -> Json:
    """Submits a modal.

    Returns:
        `outcome`: closed, errors, updated, pushed, cleared or failed; with errors `errors`.
    """
    view = _view(sandbox, user, view_id)
    entered = sandbox.modals.inputs.setdefault(view["id"], {})
    fields.merge(entered, fields.spread(view["blocks"], given))
    values = fields.state(view["blocks"], entered)
    errors = fields.complaints(view["blocks"], values)
    if errors:
        return _refuse(sandbox, user, view, errors)
    payload = payloads.submission(sandbox, user, view, _with_files(sandbox, values))
    ack = await ask(sandbox, "interactive", payload, accepts=True)
    if not ack.good:
        return {"outcome": "failed", "complaint": complaint(sandbox, ack)}
    with sandbox.store.transaction():
        try:
            return _answered(sandbox, user, view, ack.payload or {})
        except SlackError as error:
            sandbox.wire.note("note", "ack", error.code, body=json.dumps(error.answer()))
            return {"outcome": "failed", "complaint": f"The answer was refused: {error.code}"}


def _with_files(sandbox: Sandbox, values: Json) -> Json:
    """Puts the files' records where a person chose files, which are known by id."""

    def whole(entry: Json) -> Json:
        if entry.get("type") != "file_input":
            return entry
        chosen = [files.find_file(sandbox, one) for one in as_list(entry.get("files"))]
        return {**entry, "files": [files.shown(one) for one in chosen]}

    return {
        block_id: {action_id: whole(entry) for action_id, entry in entries.items()}
        for block_id, entries in values.items()
    }


def _refuse(sandbox: Sandbox, user: str, view: Json, errors: Json) -> Json:
    sandbox.modals.errors[view["id"]] = errors
    sandbox.show_views(user)
    return {"outcome": "errors", "errors": errors}


def _answered(sandbox: Sandbox, user: str, view: Json, answer: Json) -> Json:
    modals = sandbox.modals
    asked = answer.get("response_action")
    if asked == "errors":
        errors = as_dict(answer.get("errors"))
        inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
        if not errors or not set(errors) <= inputs:
            raise bad_arguments("errors must name input blocks of this view")
        return _refuse(sandbox, user, view, errors)
    if asked == "update":
        modals.update(view["id"], read_view(answer.get("view"), "modal"))
        outcome = "updated"
    elif asked == "push":
        modals.push(user, read_view(answer.get("view"), "modal"))
        outcome = "pushed"
    elif asked == "clear":
        modals.close(user, everything=True)
        outcome = "cleared"
    elif modals.owner(view["id"]):
        modals.close(user, everything=False)
        outcome = "closed"
    else:
        outcome = "closed"
    sandbox.show_views(user)
    return {"outcome": outcome}


async def close(sandbox: Sandbox, user: str, *, everything: bool) -> Json:
    """Closes a person's top modal or all, telling the bot about those that want it."""
    stack = sandbox.modals.stack(user)
    if not stack:
        raise SlackError("not_found")
    everything = everything or stack[-1]["clear_on_close"]
    told = []
    for view in stack[::-1] if everything else stack[-1:]:
        entered = sandbox.modals.inputs.get(view["id"], {})
        told.append((view, fields.state(view["blocks"], entered)))
    with sandbox.store.transaction():
        sandbox.modals.close(user, everything=everything)
    sandbox.show_views(user)
    for view, values in told:
        if view["notify_on_close"]:
            payload = payloads.closed(sandbox, user, view, values, cleared=everything)
            await ask(sandbox, "interactive", payload, accepts=False)
    return {"closed": [view["id"] for view, _ in told]}


async def slash(sandbox: Sandbox, user: str, channel: Channel, command: str, raw: str) -> Json:
    """Runs a slash command.

    Raises:
        SlackError: `unknown_command` if the app has none of that name.
    """
    known = {one.command: one for one in sandbox.manifest.commands}
    if sandbox.manifest.given and command not in known:
        raise SlackError("unknown_command")
    names = known[command].should_escape if command in known else True
    text = Typed(sandbox.state, raw).text(names=True) if names else raw
    payload = payloads.slash(sandbox, user, channel, command, text.strip())
    ack = await ask(sandbox, "slash_commands", payload, accepts=True)
    words = complaint(sandbox, ack)
    answer = ack.payload or {}
    if answer.get("text") or answer.get("blocks"):
        try:
            answer_here(sandbox, user, channel, answer)
        except SlackError as error:
            sandbox.wire.note("note", "ack", error.code, body=json.dumps(error.answer()))
            words = f"its answer was refused with {error.code}."
    if words:
        content: Json = {"text": f"`{command}` failed: {words}"}
        author = {"user": "USLACKBOT", "username": "Slackbot"}
        talk.whisper(sandbox, channel.id, user, content, author=author)
    return {"acked": ack.good, "complaint": words}


def answer_here(
    sandbox: Sandbox, user: str, channel: Channel, answer: Json, thread_ts: str = ""
) -> Json | None:
    """Shows an answer to an act: to the actor alone, or to the channel.

    Raises:
        SlackError: `no_text`, `invalid_blocks` and the like.
    """
    blocks = read_blocks(answer.get("blocks"))
    content: Json = {"text": answer.get("text") or "", "blocks": blocks}
    if not content["text"] and not blocks:
        raise SlackError("no_text")
    if answer.get("response_type") != "in_channel":
        return talk.whisper(sandbox, channel.id, user, {**content, "thread_ts": thread_ts})
    message: Json = {
        **talk.bot_author(sandbox),
        "type": "message",
        "ts": "",
        **{key: value for key, value in content.items() if value is not None},
    }
    with sandbox.store.transaction():
        talk.add(sandbox, channel, message, thread_ts)
    return message


async def shortcut(
    sandbox: Sandbox, user: str, callback_id: str, channel: Channel | None, ts: str
) -> Json:
    """Uses a shortcut: on a message if one is named, else a global one."""
    if channel is not None and ts:
        message = talk.find(sandbox, channel.id, ts)
        payload = payloads.message_shortcut(sandbox, user, channel, message, callback_id)
    else:
        payload = payloads.global_shortcut(sandbox, user, callback_id)
    ack = await ask(sandbox, "interactive", payload, accepts=False)
    return {"acked": ack.good, "complaint": complaint(sandbox, ack)}


def open_home(sandbox: Sandbox, user: str, tab: str) -> Json:
    """Opens the app's Home or messages tab."""
    channel = sandbox.state.direct(user)
    if channel is None:
        raise SlackError("channel_not_found")
    event: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": channel.id,
        "tab": tab,
        "event_ts": sandbox.clock.ts(),
    }
    view = sandbox.modals.homes.get(user)
    if view is not None and tab == "home":
        event["view"] = view
    with sandbox.store.transaction():
        sandbox.emit(event)
    return {"view": view}
