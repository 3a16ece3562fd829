"""The app manifest: what the bot is allowed, subscribed to, and offers."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from faultbook.sandbox.kinds import Json, as_dict, as_list, as_text
from faultbook.sandbox.options import DEFAULT_EVENTS

ALL_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:join",
    "channels:manage",
    "channels:read",
    "chat:write",
    "chat:write.customize",
    "chat:write.public",
    "commands",
    "emoji:read",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "groups:write",
    "im:history",
    "im:read",
    "im:write",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
    "users:read.email",
)


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command the app offers."""

    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = True


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A global or message shortcut the app offers."""

    name: str
    kind: str
    callback_id: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The parts of a manifest that this workspace obeys.

    Attributes:
        given: Whether a file was given; without one everything is allowed.
        bot_name: The bot's display name.
        scopes: The bot token's scopes.
        events: The event subscriptions.
        commands: The slash commands.
        shortcuts: The shortcuts.
        home_tab: Whether the app has a Home tab.
    """

    given: bool = False
    bot_name: str = "faultbook"
    scopes: tuple[str, ...] = ALL_SCOPES
    events: tuple[str, ...] = DEFAULT_EVENTS
    commands: tuple[Command, ...] = (
        Command("/faultbook", "Everything the bot can do", "help"),
        Command("/failing", "What is failing, and how do we know", "[in prod]"),
        Command("/incident", "Open an incident", "[title]"),
    )
    shortcuts: tuple[Shortcut, ...] = field(
        default=(
            Shortcut("Open incident", "message", "open_incident"),
            Shortcut("Make this a task", "message", "make_task"),
            Shortcut("What's failing?", "global", "whats_failing"),
        )
    )
    home_tab: bool = True


def load(path: Path | None) -> Manifest:
    """Reads a manifest file, YAML or JSON; the built-in one without a path.

    Raises:
        ValueError: If the file holds no manifest.
    """
    if path is None:
        return Manifest()
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        document = json.loads(text)
    else:
        import yaml  # noqa: PLC0415 - only a workspace with a manifest pays for it

        document = yaml.safe_load(text)
    if not isinstance(document, dict) or "display_information" not in document:
        raise ValueError(f"{path} is no app manifest: it has no display_information")
    return _read(document)


def _read(document: Json) -> Manifest:
    features = as_dict(document.get("features"))
    settings = as_dict(document.get("settings"))
    scopes = as_dict(as_dict(document.get("oauth_config")).get("scopes"))
    name = as_text(as_dict(features.get("bot_user")).get("display_name"))
    return Manifest(
        given=True,
        bot_name=name or as_text(as_dict(document["display_information"]).get("name"), "bot"),
        scopes=tuple(as_list(scopes.get("bot"))),
        events=tuple(as_list(as_dict(settings.get("event_subscriptions")).get("bot_events"))),
        commands=tuple(
            Command(
                command=as_text(one.get("command")),
                description=as_text(one.get("description")),
                usage_hint=as_text(one.get("usage_hint")),
                should_escape=bool(one.get("should_escape", False)),
            )
            for one in as_list(features.get("slash_commands"))
        ),
        shortcuts=tuple(
            Shortcut(
                name=as_text(one.get("name")),
                kind=as_text(one.get("type")),
                callback_id=as_text(one.get("callback_id")),
                description=as_text(one.get("description")),
            )
            for one in as_list(features.get("shortcuts"))
        ),
        home_tab=bool(as_dict(features.get("app_home")).get("home_tab_enabled", False)),
    )
