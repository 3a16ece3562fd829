"""What Slack sends, read once into values; the rest of the door sees no raw payload.

Shapes: https://docs.slack.dev/apis/events-api/ and
https://docs.slack.dev/reference/interaction-payloads/. Payloads are signed, or come over our own
socket, so a missing field reads as empty rather than as an error.
"""

from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from faultbook.model.task import TaskLink

Json: TypeAlias = dict[str, Any]
"""A payload as it came."""

_FILES = 20


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this bot is, as `auth.test` said."""

    team_id: str
    bot_user_id: str
    bot_id: str
    name: str = "faultbook"
    team: str = ""
    enterprise_id: str | None = None

    @property
    def mention(self) -> str:
        """How a message names the bot, up to where a label may follow."""
        return f"<@{self.bot_user_id}"


def read_links(message: Json) -> tuple[TaskLink, ...]:
    """Read the files that came with a message, by name and the page that shows them."""
    files = message.get("files")
    found = files[:_FILES] if isinstance(files, list) else []
    return tuple(
        TaskLink(text_of(one, "name") or text_of(one, "title") or "file", text_of(one, "permalink"))
        for one in found
        if isinstance(one, dict) and text_of(one, "permalink")
    )


@dataclass(frozen=True, slots=True)
class Click:
    """A person used an element of a message, a modal or Home.

    Attributes:
        message_ts, thread_ts: the message it is in; empty in a view.
        user_name: the short name that the payload carries.
        block_id: names the record where an element has no value of its own.
        value: of a button or a chosen option; the chosen person's id for a menu of people.
        view_id, view_hash: the view it is in; empty in a message.
        is_ephemeral: only who clicked sees the message, so nothing can be said in its thread.
        metadata: what we put into that view, unseen.
        values: what stands in that view's inputs, by block and action.
        response_url: where an ephemeral answer may go; empty in a view.
    """

    team: str
    user: str
    action_id: str
    value: str
    action_ts: str
    trigger_id: str
    channel: str
    message_ts: str
    thread_ts: str | None
    view_id: str
    view_hash: str
    view_type: str
    response_url: str
    user_name: str = ""
    block_id: str = ""
    is_ephemeral: bool = False
    metadata: str = ""
    values: Json = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Identify the click, however often it is delivered."""
        return f"click:{self.team}:{self.user}:{self.action_id}:{self.action_ts}"


def read_click(body: Json, me: Identity) -> Click:
    """Read a `block_actions` payload."""
    action: Json = (body.get("actions") or [{}])[0]
    container: Json = body.get("container") or {}
    view: Json = body.get("view") or {}
    message: Json = body.get("message") or {}
    return Click(
        team=team_of(body, me),
        user=text_of(body.get("user") or {}, "id"),
        action_id=text_of(action, "action_id"),
        value=_value_of(action),
        action_ts=text_of(action, "action_ts"),
        trigger_id=text_of(body, "trigger_id"),
        channel=text_of(body.get("channel") or {}, "id") or text_of(container, "channel_id"),
        message_ts=text_of(container, "message_ts"),
        thread_ts=container.get("thread_ts") or message.get("thread_ts") or None,
        view_id=text_of(view, "id"),
        view_hash=text_of(view, "hash"),
        view_type=text_of(view, "type"),
        response_url=text_of(body, "response_url"),
        user_name=text_of(body.get("user") or {}, "name"),
        block_id=text_of(action, "block_id"),
        is_ephemeral=bool(container.get("is_ephemeral")),
        metadata=text_of(view, "private_metadata"),
        values=_values(view),
    )


def _value_of(action: Json) -> str:
    chosen: Json = action.get("selected_option") or {}
    return text_of(action, "value") or text_of(action, "selected_user") or text_of(chosen, "value")


def _values(view: Json) -> Json:
    found = (view.get("state") or {}).get("values")
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Submission:
    """A person submitted a modal.

    Attributes:
        callback_id: which modal it is.
        metadata: what we put into it, unseen.
        values: what was entered, by block and action.
    """

    team: str
    user: str
    user_name: str
    callback_id: str
    view_id: str
    view_hash: str
    metadata: str
    values: Json

    @property
    def keys(self) -> tuple[str, str]:
        """Identify the submission, however often it is delivered, and the modal it settles."""
        return (
            f"submission:{self.team}:{self.view_id}:{self.view_hash}",
            settles_view(self.team, self.view_id),
        )


def settles_view(team: str, view_id: str) -> str:
    """Name what a modal comes to once: kept as a draft, or submitted."""
    return f"view:{team}:{view_id}"


def read_submission(body: Json, me: Identity) -> Submission:
    """Read a `view_submission` payload."""
    view: Json = body.get("view") or {}
    user: Json = body.get("user") or {}
    return Submission(
        team=team_of(body, me),
        user=text_of(user, "id"),
        user_name=text_of(user, "name"),
        callback_id=text_of(view, "callback_id"),
        view_id=text_of(view, "id"),
        view_hash=text_of(view, "hash"),
        metadata=text_of(view, "private_metadata"),
        values=_values(view),
    )


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A person used a shortcut on a message.

    Attributes:
        click: who, where and by which trigger, as for a click.
        message_text: the message's text, escaped as Slack sends it.
    """

    callback_id: str
    click: Click
    message_text: str
    links: tuple[TaskLink, ...] = ()


def read_shortcut(body: Json, me: Identity) -> Shortcut:
    """Read a `message_action` or `shortcut` payload."""
    message: Json = part_of(body, "message")
    callback_id = text_of(body, "callback_id")
    ts = text_of(message, "ts") or text_of(body, "message_ts")
    click = replace(
        read_click(body, me),
        action_id=callback_id,
        action_ts=text_of(body, "action_ts"),
        message_ts=ts,
        thread_ts=text_of(message, "thread_ts") or ts or None,
    )
    return Shortcut(callback_id, click, text_of(message, "text"), read_links(message))


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command."""

    name: str
    text: str
    user: str
    channel: str
    response_url: str
    team: str = ""
    user_name: str = ""
    trigger_id: str = ""

    def as_click(self) -> Click:
        """Show it as what opens a window: its trigger can, as that of a click."""
        return Click(
            team=self.team,
            user=self.user,
            action_id=self.name,
            value=self.text,
            action_ts=self.trigger_id,  # once for each command
            trigger_id=self.trigger_id,
            channel=self.channel,
            message_ts="",
            thread_ts=None,
            view_id="",
            view_hash="",
            view_type="",
            response_url=self.response_url,
            user_name=self.user_name,
        )


def read_command(body: Json) -> Command:
    """Read a slash command's fields."""
    return Command(
        name=text_of(body, "command").lower(),
        text=text_of(body, "text").strip(),
        user=text_of(body, "user_id"),
        channel=text_of(body, "channel_id"),
        response_url=text_of(body, "response_url"),
        team=text_of(body, "team_id"),
        user_name=text_of(body, "user_name"),
        trigger_id=text_of(body, "trigger_id"),
    )


def team_of(body: Json, me: Identity) -> str:
    """Tell which workspace a payload came from."""
    team = body.get("team_id") or (body.get("team") or {}).get("id")
    return str(team or me.team_id)


def part_of(values: Json, name: str) -> Json:
    """Read an object within a payload; empty where there is none."""
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def text_of(values: Json, name: str) -> str:
    """Read a text of a payload; empty where there is none."""
    value = values.get(name)
    return value if isinstance(value, str) else ""
