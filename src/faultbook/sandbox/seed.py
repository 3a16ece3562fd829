"""The people and channels a new workspace starts with."""

import time

from faultbook.sandbox.clock import new_id
from faultbook.sandbox.home import Identity
from faultbook.sandbox.state import Channel, Group, State, User

_PEOPLE: tuple[tuple[str, str, str, dict[str, bool]], ...] = (
    ("ana", "Ana Ruiz", "Owner", {"is_owner": True, "is_admin": True}),
    ("ben", "Ben Okafor", "Engineer", {}),
    ("chris", "Chris Lind", "Finance", {}),
    ("gil", "Gil Moreau", "Guest", {"is_restricted": True}),
)
_CHANNELS = (
    ("general", "Everything that concerns everyone", ("ana", "ben", "chris")),
    ("ops", "Jobs, alerts and incidents", ("ana", "ben", "chris", "gil")),
    ("agents", "What the agents do", ("ana", "ben")),
)

_GROUPS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("finance-approvers", "Finance approvers", ("ben", "chris")),
    ("on-call", "On call", ("ana",)),
)


def plant(state: State, identity: Identity, bot_name: str) -> None:
    """Fills an empty workspace; a filled one only learns the bot's current name."""
    bot = User(id=identity.bot_user_id, name=bot_name, real_name=bot_name, is_bot=True)
    with state.store.transaction():
        state.save_user(bot)
        if state.channels:
            return
        ids = {}
        for name, real_name, title, rights in _PEOPLE:
            user = new_user(name, real_name, title=title)
            for right, value in rights.items():
                setattr(user, right, value)
            state.save_user(user)
            ids[name] = user.id
        for name, topic, members in _CHANNELS:
            everyone = [*(ids[one] for one in members), bot.id]
            state.save_channel(new_channel(name, ids["ana"], everyone, topic=topic))
        for user_id in ids.values():
            state.save_channel(new_direct(bot.id, user_id))
        for handle, title, people in _GROUPS:
            group = Group(new_id("S"), handle, title, [ids[one] for one in people])
            state.save_group(group)


def new_user(name: str, real_name: str = "", *, title: str = "") -> User:
    """Makes a person with an address."""
    return User(
        id=new_id("U"),
        name=name,
        real_name=real_name or name.capitalize(),
        email=f"{name}@example.com",
        title=title,
    )


def new_channel(
    name: str, creator: str, members: list[str], *, private: bool = False, topic: str = ""
) -> Channel:
    """Makes a public or private channel."""
    return Channel(
        id=new_id("C"),
        name=name,
        kind="private" if private else "public",
        creator=creator,
        created=int(time.time()),
        members=members,
        topic=topic,
    )


def new_direct(bot: str, user: str) -> Channel:
    """Makes the conversation between the bot and a person."""
    return Channel(
        id=new_id("D"),
        name="",
        kind="im",
        creator=bot,
        created=int(time.time()),
        members=[bot, user],
        user=user,
    )
