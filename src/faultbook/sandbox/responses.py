"""Response URLs: what the bot answers to an interaction after its acknowledgement."""

import json

from aiohttp import web

from faultbook.sandbox import acts, talk
from faultbook.sandbox.api.chat import read_blocks
from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.errors import SlackError, read_object
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.triggers import ResponseUrl

_GONE = {"invalid_url", "expired_url", "used_url"}


async def handle(sandbox: Sandbox, request: web.Request) -> web.Response:
    """Answers one POST to a response URL."""
    text = await request.text()
    try:
        body = read_object(text)
        given = sandbox.triggers.use_url(request.match_info["key"])
        with sandbox.store.transaction():
            respond(sandbox, given, body)
    except SlackError as error:
        status = 404 if error.code in _GONE else 200
        answer = json.dumps(error.answer())
        sandbox.wire.note("in", "response_url", error.code, body=text, status=status)
        return web.Response(text=answer, status=status, content_type="application/json")
    sandbox.wire.note("in", "response_url", "ok", body=text, status=200)
    return web.Response(text="ok")


def respond(sandbox: Sandbox, given: ResponseUrl, body: Json) -> None:
    """Does what an answer asks for.

    Raises:
        SlackError: If there is no original to change, or the content is refused.
    """
    channel = sandbox.state.channels[given.channel]
    if body.get("delete_original"):
        _need_original(given)
        if given.ephemeral:
            forget(sandbox, given.user, given.message_ts)
        else:
            talk.delete(sandbox, channel, talk.find(sandbox, channel.id, given.message_ts))
        return
    if body.get("replace_original"):
        _need_original(given)
        _replace(sandbox, given, body)
        return
    thread_ts = str(body.get("thread_ts") or "")
    acts.answer_here(sandbox, given.user, channel, body, thread_ts)


def _need_original(given: ResponseUrl) -> None:
    if not given.message_ts:
        raise SlackError("message_not_found")


def _replace(sandbox: Sandbox, given: ResponseUrl, body: Json) -> None:
    blocks = read_blocks(body.get("blocks"))
    content: Json = {"text": body.get("text") or "", "blocks": blocks}
    if not content["text"] and not blocks:
        raise SlackError("no_text")
    if given.ephemeral:
        for message in sandbox.state.ephemerals[given.user]:
            if message["ts"] == given.message_ts:
                message.update(content)
                sandbox.live.push("ephemeral", {"user": given.user, "message": message})
                return
        raise SlackError("message_not_found")
    channel = sandbox.state.channels[given.channel]
    message = talk.find(sandbox, channel.id, given.message_ts)
    editor = sandbox.identity.bot_user_id
    talk.change(sandbox, channel, message, content, editor=editor)


def forget(sandbox: Sandbox, user: str, ts: str) -> None:
    """Removes an ephemeral message from a person's sight."""
    kept = sandbox.state.ephemerals[user]
    kept[:] = [message for message in kept if message["ts"] != ts]
    sandbox.live.push("ephemeral_gone", {"user": user, "ts": ts})
