"""Events, read once into values: what people say, change and take back, Home, and arrivals.

Shapes: https://docs.slack.dev/apis/events-api/.
"""

from dataclasses import dataclass
from typing import TypeAlias

from faultbook.intake.slack.payloads import (
    Identity,
    Json,
    part_of,
    read_links,
    team_of,
    text_of,
)
from faultbook.model.task import TaskLink

# A file, or a thread reply sent to the channel too, is still something a person said; every other
# subtype (edits, deletions, joins, other bots) is not.
_SAID = frozenset({"", "file_share", "thread_broadcast"})


@dataclass(frozen=True, slots=True)
class Heard:
    """Something a person said to the bot.

    Attributes:
        thread_ts: the thread it was said in; None outside threads.
        is_direct: it was said in the person's own conversation with the bot.
        links: the files that came with it.
    """

    event_id: str
    team: str
    channel: str
    user: str
    ts: str
    text: str
    thread_ts: str | None
    is_direct: bool
    links: tuple[TaskLink, ...] = ()

    @property
    def keys(self) -> tuple[str, str]:
        """Identify the delivery, and the message: a mention can come as two events of one."""
        return (
            f"event:{self.team}:{self.event_id}",
            f"message:{self.team}:{self.channel}:{self.ts}",
        )


@dataclass(frozen=True, slots=True)
class Edited:
    """A person changed what they had said.

    Attributes:
        ts: the message's, which stays; `edited_ts` tells one edit from another.
    """

    team: str
    channel: str
    user: str
    ts: str
    text: str
    edited_ts: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """A person took back what they had said."""

    team: str
    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class HomeOpened:
    """A person looks at the bot's Home; `channel` is their conversation with the bot."""

    user: str
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """The bot was brought into a channel."""

    event_id: str
    team: str
    channel: str
    user: str
    ts: str


Event: TypeAlias = Heard | Edited | Deleted | HomeOpened | Arrived


def read_event(body: Json, me: Identity) -> Event | None:
    """Read an event that is of interest; None for all others."""
    event: Json = part_of(body, "event")
    kind = event.get("type")
    if kind in {"app_mention", "message"}:
        return _read_change(body, event, me) or _read_heard(body, event, me)
    if kind == "app_home_opened" and event.get("tab", "home") == "home":
        return HomeOpened(text_of(event, "user"), text_of(event, "channel"))
    if kind == "member_joined_channel" and event.get("user") == me.bot_user_id:
        return Arrived(
            event_id=text_of(body, "event_id"),
            team=team_of(body, me),
            channel=text_of(event, "channel"),
            user=text_of(event, "inviter"),
            ts=text_of(event, "event_ts"),
        )
    return None


def _read_change(body: Json, event: Json, me: Identity) -> Edited | Deleted | None:
    """Read an edit, by its own event or as a mention that comes again; or a deletion."""
    kind, channel = text_of(event, "subtype"), text_of(event, "channel")
    if kind == "message_deleted":
        gone = part_of(event, "previous_message")
        if _is_by_bot(gone, me):
            return None
        return Deleted(team_of(body, me), channel, text_of(event, "deleted_ts"))
    message = part_of(event, "message") if kind == "message_changed" else event
    if kind == "message_changed" and is_gone(message):
        return Deleted(team_of(body, me), channel, text_of(message, "ts"))
    edited_ts = edit_of(message)
    # Without it Slack changed something of its own, such as a link's preview.
    if not edited_ts or _is_by_bot(message, me):
        return None
    return Edited(
        team=team_of(body, me),
        channel=channel,
        user=text_of(message, "user"),
        ts=text_of(message, "ts"),
        text=text_of(message, "text"),
        edited_ts=edited_ts,
    )


def edit_of(message: Json) -> str:
    """Tell when a message was edited, by Slack's clock; empty where it was not."""
    return text_of(part_of(message, "edited"), "ts")


def is_gone(message: Json) -> bool:
    """Tell whether a message is only the stone over one that was deleted while it had replies."""
    return text_of(message, "subtype") == "tombstone"


def _is_by_bot(message: Json, me: Identity) -> bool:
    by = text_of(message, "user")
    return bool(message.get("bot_id")) or by in {"", "USLACKBOT", me.bot_user_id}


def _read_heard(body: Json, event: Json, me: Identity) -> Heard | None:
    user, text = text_of(event, "user"), text_of(event, "text")
    if _is_by_bot(event, me) or text_of(event, "subtype") not in _SAID or event.get("edited"):
        return None
    is_direct = event.get("channel_type") == "im"
    if event["type"] == "message" and not is_direct and me.mention not in text:
        return None
    return Heard(
        event_id=text_of(body, "event_id"),
        team=team_of(body, me),
        channel=text_of(event, "channel"),
        user=user,
        ts=text_of(event, "ts"),
        text=text,
        thread_ts=text_of(event, "thread_ts") or None,
        is_direct=is_direct,
        links=read_links(event),
    )
