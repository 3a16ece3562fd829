"""chat.*: posting, changing and removing messages."""

from faultbook.sandbox import talk
from faultbook.sandbox.api.call import Call, method
from faultbook.sandbox.blockkit import Problem, check_message, check_view, text_length
from faultbook.sandbox.errors import SlackError
from faultbook.sandbox.kinds import Json, as_dict, as_list
from faultbook.sandbox.modals import with_ids
from faultbook.sandbox.state import Channel

TEXT_MOST = 40_000
UPDATE_MOST = 4_000
BLOCKS_MOST = 13_000
MARKDOWN_MOST = 12_000
_METADATA_MOST = 8_000
_ATTACHMENTS_MOST = 100


def blocks_refused(problems: list[Problem], code: str = "invalid_blocks") -> SlackError:
    """Builds the refusal of blocks, with every problem in words."""
    lines = [problem.as_message() for problem in problems]
    return SlackError(
        code,
        errors=lines,
        response_metadata={"messages": [f"[ERROR] {line}" for line in lines]},
    )


def read_blocks(raw: object) -> list[Json] | None:
    """Checks the blocks of a message.

    Raises:
        SlackError: `invalid_blocks_format`, `invalid_blocks` or `msg_blocks_too_long`.
    """
    if raw is None:
        return None
    if not isinstance(raw, list):
        raise SlackError("invalid_blocks_format")
    problems = check_message(raw)
    if problems:
        raise blocks_refused(problems)
    if text_length(raw) > BLOCKS_MOST:
        raise SlackError("msg_blocks_too_long")
    return with_ids(raw)


def read_content(call: Call, *, most: int, fails: bool) -> tuple[Json, list[str]]:
    """Reads what a message shall say.

    Args:
        call: The call.
        most: The longest text.
        fails: Whether longer text is refused; otherwise it is cut with a warning.

    Returns:
        The message's parts, and warnings.

    Raises:
        SlackError: As Slack has it for text, blocks, attachments and metadata.
    """
    blocks = read_blocks(call.structure("blocks", "invalid_blocks_format"))
    attachments = as_list(call.structure("attachments", "invalid_attachments"))
    if len(attachments) > _ATTACHMENTS_MOST:
        raise SlackError("too_many_attachments")
    text = call.text("text")
    blocks = _read_markdown(call, text, blocks)
    if not text and not blocks and not attachments:
        raise SlackError("no_text")
    warnings = []
    if len(text) > most:
        if fails:
            raise SlackError("msg_too_long")
        text, warnings = text[:most], ["message_truncated"]
    content: Json = {"text": text, "blocks": blocks, "attachments": attachments or None}
    if "metadata" in call.args:
        content["metadata"] = _metadata(call)
    return content, warnings


def _read_markdown(call: Call, text: str, blocks: list[Json] | None) -> list[Json] | None:
    markdown = call.text("markdown_text")
    if not markdown:
        return blocks
    if text or blocks:
        raise SlackError("markdown_text_conflict")
    if len(markdown) > MARKDOWN_MOST:
        raise SlackError("msg_too_long")
    return with_ids([{"type": "markdown", "text": markdown}])


def _metadata(call: Call) -> Json | None:
    raw = call.structure("metadata", "invalid_metadata_format")
    if not raw:
        return None
    if not isinstance(raw, dict):
        raise SlackError("invalid_metadata_format")
    if not isinstance(raw.get("event_type"), str) or not isinstance(raw.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    if len(str(raw)) > _METADATA_MOST:
        raise SlackError("metadata_too_large")
    return raw


def _target(call: Call) -> Channel:
    """Finds where to post: by id, name, or person."""
    call.need("channel")
    state = call.sandbox.state
    wanted = call.text("channel")
    channel = state.channels.get(wanted) or state.named_channel(wanted)
    if wanted in state.users:
        channel = state.direct(wanted)
    bot = call.sandbox.identity.bot_user_id
    if channel is None or (channel.kind != "public" and bot not in channel.members):
        raise SlackError("channel_not_found")
    if channel.archived:
        raise SlackError("is_archived")
    return channel


def _must_belong(call: Call, channel: Channel) -> None:
    scopes = call.sandbox.manifest.scopes
    public = call.sandbox.manifest.given and "chat:write.public" in scopes
    if call.sandbox.identity.bot_user_id not in channel.members and not (
        public and channel.kind == "public"
    ):
        raise SlackError("not_in_channel")


@method("chat.postMessage", "t5", "chat:write")
def post_message(call: Call) -> Json:
    """Posts a message as the bot."""
    channel = _target(call)
    _must_belong(call, channel)
    content, warnings = read_content(call, most=TEXT_MOST, fails=False)
    call.sandbox.limits.check_post(channel.id)
    message: Json = {
        **talk.bot_author(call.sandbox),
        "type": "message",
        "ts": "",
        **{key: value for key, value in content.items() if value is not None},
    }
    if call.text("username"):
        message["username"] = call.text("username")
    thread_ts = call.text("thread_ts")
    if thread_ts and thread_ts not in call.sandbox.state.messages[channel.id]:
        raise SlackError("cannot_reply_to_message")
    talk.add(call.sandbox, channel, message, thread_ts)
    if call.flag("reply_broadcast") and thread_ts:
        message["subtype"] = "thread_broadcast"
        call.sandbox.state.save_message(channel.id, message)
        call.sandbox.show_message(channel.id, message)
    answer: Json = {"channel": channel.id, "ts": message["ts"], "message": message}
    if warnings:
        answer["warning"] = ",".join(warnings)
        answer["response_metadata"] = {"warnings": warnings}
    _clear_status(call, channel.id, message.get("thread_ts", ""))
    return answer


def _clear_status(call: Call, channel: str, thread_ts: str) -> None:
    if call.sandbox.statuses.pop((channel, thread_ts), None) is not None:
        call.sandbox.live.push("status", {"channel": channel, "thread_ts": thread_ts, "status": ""})


@method("chat.postEphemeral", "t4", "chat:write")
def post_ephemeral(call: Call) -> Json:
    """Shows a message to one person in a channel."""
    call.need("user")
    channel = _target(call)
    _must_belong(call, channel)
    if call.text("user") not in channel.members:
        raise SlackError("user_not_in_channel")
    content, _ = read_content(call, most=TEXT_MOST, fails=True)
    content.pop("metadata", None)
    content["thread_ts"] = call.text("thread_ts")
    shown = talk.whisper(call.sandbox, channel.id, call.text("user"), content)
    return {"message_ts": shown["ts"]}


@method("chat.update", "t3", "chat:write")
def update(call: Call) -> Json:
    """Replaces one of the bot's own messages."""
    call.need("channel", "ts")
    channel = call.channel(member=True)
    message = talk.find(call.sandbox, channel.id, call.text("ts"))
    if message.get("bot_id") != call.sandbox.identity.bot_id:
        raise SlackError("cant_update_message")
    content, _ = read_content(call, most=UPDATE_MOST, fails=True)
    if "blocks" not in call.args and "markdown_text" not in call.args and not content["text"]:
        content.pop("blocks")
    editor = call.sandbox.identity.bot_user_id
    new = talk.change(call.sandbox, channel, message, content, editor=editor)
    return {"channel": channel.id, "ts": new["ts"], "text": new["text"], "message": new}


@method("chat.delete", "t3", "chat:write")
def delete(call: Call) -> Json:
    """Removes one of the bot's own messages."""
    call.need("channel", "ts")
    channel = call.channel()
    message = talk.find(call.sandbox, channel.id, call.text("ts"))
    if message.get("bot_id") != call.sandbox.identity.bot_id:
        raise SlackError("cant_delete_message")
    talk.delete(call.sandbox, channel, message)
    return {"channel": channel.id, "ts": message["ts"]}


@method("chat.getPermalink", "t5")
def get_permalink(call: Call) -> Json:
    """Gives the address of a message on the page."""
    call.need("channel", "message_ts")
    channel = call.channel()
    message = talk.find(call.sandbox, channel.id, call.text("message_ts"))
    return {"channel": channel.id, "permalink": permalink(call, channel.id, message)}


def permalink(call: Call, channel: str, message: Json) -> str:
    """Builds the address of a message on the page."""
    address = f"{call.sandbox.base_url}archives/{channel}/p{message['ts'].replace('.', '')}"
    thread_ts = message.get("thread_ts", message["ts"])
    if thread_ts != message["ts"]:
        address += f"?thread_ts={thread_ts}&cid={channel}"
    return address


@method("blocks.validate", "t3", key="")
def validate(call: Call) -> Json:
    """Checks blocks, a message or a view, and lists every problem."""
    given = [name for name in ("blocks", "message", "view") if call.args.get(name)]
    if len(given) != 1:
        raise SlackError(
            "invalid_arguments",
            response_metadata={
                "messages": ["must provide exactly one of `blocks`, `view`, or `message`"]
            },
        )
    kind = given[0]
    value = call.structure(kind, "invalid_arguments")
    if kind == "view":
        problems = check_view(value, "")
    elif kind == "message":
        problems = check_message(as_dict(value).get("blocks", []))
    else:
        problems = check_message(value, "")
    if problems:
        raise SlackError(f"invalid_{kind}", errors=[one.as_error() for one in problems])
    return {}
