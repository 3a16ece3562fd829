"""The workspace's memory: people, channels, groups, messages; each change is written through."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field

from faultbook.sandbox.clock import Clock
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.store import Store

EPHEMERALS_KEPT = 200


@dataclass(slots=True)
class User:
    """A person, or the bot."""

    id: str
    name: str
    real_name: str
    email: str = ""
    title: str = ""
    is_admin: bool = False
    is_owner: bool = False
    is_restricted: bool = False
    is_bot: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Channel:
    """A conversation: `public`, `private`, or `im` between the bot and one person."""

    id: str
    name: str
    kind: str
    creator: str
    created: int
    members: list[str] = field(default_factory=list)
    topic: str = ""
    archived: bool = False
    user: str = ""


@dataclass(slots=True)
class Group:
    """A user group, such as finance approvers."""

    id: str
    handle: str
    name: str
    users: list[str] = field(default_factory=list)


class State:
    """Everything a workspace remembers about people and what they said."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.groups: dict[str, Group] = {}
        self.messages: defaultdict[str, dict[str, Json]] = defaultdict(dict)
        self.threads: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self.ephemerals: defaultdict[str, list[Json]] = defaultdict(list)
        self.reads: defaultdict[str, Json] = defaultdict(dict)
        self.files: dict[str, Json] = {}
        self._load(clock)

    def _load(self, clock: Clock) -> None:
        self.users = {key: User(**body) for key, body in self.store.all("user")}
        self.channels = {key: Channel(**body) for key, body in self.store.all("channel")}
        self.groups = {key: Group(**body) for key, body in self.store.all("group")}
        self.files = dict(self.store.all("file"))
        self.reads.update(self.store.all("reads"))
        for key, body in self.store.all("message"):
            channel = key.partition(":")[0]
            self._remember(channel, body)
            clock.seen(body["ts"])

    def _remember(self, channel: str, message: Json) -> None:
        ts = message["ts"]
        self.messages[channel][ts] = message
        parent = str(message.get("thread_ts", ts))
        if parent != ts and ts not in self.threads[channel, parent]:
            self.threads[channel, parent].append(ts)

    def save_user(self, user: User) -> None:
        """Adds or changes a person."""
        self.users[user.id] = user
        self.store.put("user", user.id, asdict(user))

    def save_channel(self, channel: Channel) -> None:
        """Adds or changes a conversation."""
        self.channels[channel.id] = channel
        self.store.put("channel", channel.id, asdict(channel))

    def save_group(self, group: Group) -> None:
        """Adds or changes a user group."""
        self.groups[group.id] = group
        self.store.put("group", group.id, asdict(group))

    def save_file(self, file: Json) -> None:
        """Adds or changes a file's record."""
        self.files[file["id"]] = file
        self.store.put("file", file["id"], file)

    def save_message(self, channel: str, message: Json) -> None:
        """Adds or changes a message."""
        self._remember(channel, message)
        self.store.put("message", f"{channel}:{message['ts']}", message)

    def drop_message(self, channel: str, ts: str) -> None:
        """Removes a message, and from its thread too."""
        message = self.messages[channel].pop(ts)
        self.store.drop("message", f"{channel}:{ts}")
        replies = self.threads.get((channel, message.get("thread_ts", "")), [])
        if ts in replies:
            replies.remove(ts)

    def save_read(self, user: str, channel: str, ts: str) -> None:
        """Remembers how far a person has read."""
        self.reads[user][channel] = ts
        self.store.put("reads", user, self.reads[user])

    def add_ephemeral(self, user: str, message: Json) -> None:
        """Shows a message to one person; it is not kept on disk, as it is not in Slack."""
        kept = self.ephemerals[user]
        kept.append(message)
        del kept[:-EPHEMERALS_KEPT]

    def replies(self, channel: str, ts: str) -> list[Json]:
        """Lists the replies of a thread, oldest first."""
        return [self.messages[channel][one] for one in self.threads.get((channel, ts), [])]

    def direct(self, user: str) -> Channel | None:
        """Finds the conversation between the bot and a person."""
        return next((c for c in self.channels.values() if c.kind == "im" and c.user == user), None)

    def named_channel(self, name: str) -> Channel | None:
        """Finds a channel by its name, with or without `#`."""
        wanted = name.removeprefix("#")
        return next(
            (c for c in self.channels.values() if c.name == wanted and c.kind != "im"), None
        )

    def named_user(self, name: str) -> User | None:
        """Finds a person by id or name, with or without `@`."""
        if name in self.users:
            return self.users[name]
        wanted = name.removeprefix("@").lower()
        return next((u for u in self.users.values() if u.name == wanted), None)
