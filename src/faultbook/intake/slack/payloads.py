"""What Slack sends, read once into values; the rest of the door sees no raw payload.

Shapes: https://docs.slack.dev/apis/events-api/ and
https://docs.slack.dev/reference/interaction-payloads/. Payloads are signed, or come over our own
socket, so a missing field reads as empty rather than as an error.
"""

from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""A payload as it came."""

# A file, or a thread reply sent to the channel too, is still something a person said; every other
# subtype (edits, deletions, joins, other bots) is not.
_SAID = frozenset({"", "file_share", "thread_broadcast"})


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


@dataclass(frozen=True, slots=True)
class Heard:
    """Something a person said to the bot.

    Attributes:
        thread_ts: the thread it was said in; None outside threads.
        is_direct: it was said in the person's own conversation with the bot.
    """

    event_id: str
    team: str
    channel: str
    user: str
    ts: str
    text: str
    thread_ts: str | None
    is_direct: bool


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """A person looks at the bot's Home."""

    user: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """The bot was brought into a channel."""

    event_id: str
    team: str
    channel: str
    user: str
    ts: str


Event: TypeAlias = Heard | HomeOpened | Arrived


def read_event(body: Json, me: Identity) -> Event | None:
    """Read an event that is of interest; None for all others."""
    event: Json = body.get("event") or {}
    kind = event.get("type")
    if kind in {"app_mention", "message"}:
        return _read_heard(body, event, me)
    if kind == "app_home_opened" and event.get("tab", "home") == "home":
        return HomeOpened(_text(event, "user"))
    if kind == "member_joined_channel" and event.get("user") == me.bot_user_id:
        return Arrived(
            event_id=_text(body, "event_id"),
            team=_team(body, me),
            channel=_text(event, "channel"),
            user=_text(event, "inviter"),
            ts=_text(event, "event_ts"),
        )
    return None


def _read_heard(body: Json, event: Json, me: Identity) -> Heard | None:
    user, text = _text(event, "user"), _text(event, "text")
    by_bot = bool(event.get("bot_id")) or user in {"", "USLACKBOT", me.bot_user_id}
    if by_bot or _text(event, "subtype") not in _SAID or event.get("edited"):
        return None
    is_direct = event.get("channel_type") == "im"
    if event["type"] == "message" and not is_direct and me.mention not in text:
        return None
    return Heard(
        event_id=_text(body, "event_id"),
        team=_team(body, me),
        channel=_text(event, "channel"),
        user=user,
        ts=_text(event, "ts"),
        text=text,
        thread_ts=event.get("thread_ts") or None,
        is_direct=is_direct,
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
        team=_team(body, me),
        user=_text(body.get("user") or {}, "id"),
        action_id=_text(action, "action_id"),
        value=_value_of(action),
        action_ts=_text(action, "action_ts"),
        trigger_id=_text(body, "trigger_id"),
        channel=_text(body.get("channel") or {}, "id") or _text(container, "channel_id"),
        message_ts=_text(container, "message_ts"),
        thread_ts=container.get("thread_ts") or message.get("thread_ts") or None,
        view_id=_text(view, "id"),
        view_hash=_text(view, "hash"),
        view_type=_text(view, "type"),
        response_url=_text(body, "response_url"),
        user_name=_text(body.get("user") or {}, "name"),
        block_id=_text(action, "block_id"),
        is_ephemeral=bool(container.get("is_ephemeral")),
        metadata=_text(view, "private_metadata"),
        values=_values(view),
    )


def _value_of(action: Json) -> str:
    chosen: Json = action.get("selected_option") or {}
    return _text(action, "value") or _text(action, "selected_user") or _text(chosen, "value")


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
        team=_team(body, me),
        user=_text(user, "id"),
        user_name=_text(user, "name"),
        callback_id=_text(view, "callback_id"),
        view_id=_text(view, "id"),
        view_hash=_text(view, "hash"),
        metadata=_text(view, "private_metadata"),
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


def read_shortcut(body: Json, me: Identity) -> Shortcut:
    """Read a `message_action` or `shortcut` payload."""
    message: Json = body.get("message") or {}
    callback_id = _text(body, "callback_id")
    ts = _text(message, "ts") or _text(body, "message_ts")
    click = replace(
        read_click(body, me),
        action_id=callback_id,
        action_ts=_text(body, "action_ts"),
        message_ts=ts,
        thread_ts=_text(message, "thread_ts") or ts or None,
    )
    return Shortcut(callback_id, click, _text(message, "text"))


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
        name=_text(body, "command").lower(),
        text=_text(body, "text").strip(),
        user=_text(body, "user_id"),
        channel=_text(body, "channel_id"),
        response_url=_text(body, "response_url"),
        team=_text(body, "team_id"),
        user_name=_text(body, "user_name"),
        trigger_id=_text(body, "trigger_id"),
    )


def _team(body: Json, me: Identity) -> str:
    team = body.get("team_id") or (body.get("team") or {}).get("id")
    return str(team or me.team_id)


def _text(values: Json, name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
