"""One call of a Web API method, and the register of methods."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from faultbook.sandbox.clock import micros
from faultbook.sandbox.core import Sandbox
from faultbook.sandbox.errors import SlackError, bad_arguments
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.state import Channel, User

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of a call, from wherever they came.

    Attributes:
        sandbox: The workspace.
        method: The method's name.
        args: The arguments: strings from query and forms, values from JSON.
        is_json: Whether they came as JSON.
    """

    sandbox: Sandbox
    method: str
    args: Json
    is_json: bool = False

    def text(self, name: str, default: str = "") -> str:
        """Reads a string argument; numbers are taken as their digits."""
        value = self.args.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return default

    def flag(self, name: str) -> bool:
        """Reads a boolean argument: true, 1, "true", "1"."""
        return self.args.get(name) in (True, "true", "1")

    def need(self, *names: str) -> None:
        """Makes sure that arguments are there.

        Raises:
            SlackError: `invalid_arguments`, naming each missing one.
        """
        missing = [name for name in names if self.args.get(name) in (None, "")]
        if missing:
            raise bad_arguments(*(f"missing required field: {name}" for name in missing))

    def number(self, name: str, default: int, *, least: int = 1, most: int) -> int:
        """Reads a whole number within bounds.

        Raises:
            SlackError: `invalid_limit`.
        """
        raw = self.args.get(name)
        if raw in (None, ""):
            return default
        try:
            value = int(str(raw))
        except ValueError as error:
            raise SlackError("invalid_limit") from error
        if value < least or value > most:
            raise SlackError("invalid_limit")
        return value

    def structure(self, name: str, error: str) -> object:
        """Reads an argument that is JSON, or a string holding JSON.

        Args:
            name: The argument.
            error: The error code if it can't be read.

        Raises:
            SlackError: With that code.
        """
        value = self.args.get(name)
        if isinstance(value, str) and value:
            try:
                return json.loads(value)
            except ValueError as cause:
                raise SlackError(error) from cause
        return value or None

    def channel(self, name: str = "channel", *, member: bool = False) -> Channel:
        """Finds the conversation an argument names by its id.

        Args:
            name: The argument.
            member: Whether the bot must be in it.

        Raises:
            SlackError: `channel_not_found` or `not_in_channel`.
        """
        channel = self.sandbox.state.channels.get(self.text(name))
        hidden = channel is not None and channel.kind != "public" and not self._in(channel)
        if channel is None or hidden:
            raise SlackError("channel_not_found")
        if member and not self._in(channel):
            raise SlackError("not_in_channel")
        return channel

    def _in(self, channel: Channel) -> bool:
        return self.sandbox.identity.bot_user_id in channel.members

    def user(self, name: str, error: str = "user_not_found") -> User:
        """Finds the person an argument names by id.

        Raises:
            SlackError: `user_not_found`, or the given code.
        """
        user = self.sandbox.state.users.get(self.text(name))
        if user is None:
            raise SlackError(error)
        return user

    def stamp(self, name: str, error: str) -> int | None:
        """Reads a timestamp argument as microseconds.

        Raises:
            SlackError: With the given code if it is none.
        """
        value = self.text(name)
        if not value:
            return None
        read = micros(value)
        if read < 0:
            raise SlackError(error)
        return read

    def page(self, items: Sequence[_T], *, default: int = 100, most: int = 1000) -> "Page[_T]":
        """Cuts the page that `cursor` and `limit` ask for out of a list.

        Raises:
            SlackError: `invalid_cursor` or `invalid_limit`.
        """
        limit = self.number("limit", default, least=0, most=most) or default
        start = _read_cursor(self.text("cursor"))
        rest = items[start + limit :]
        following = _cursor(start + limit) if rest else ""
        return Page(items[start : start + limit], following)


@dataclass(frozen=True, slots=True)
class Page(Generic[_T]):
    """Some of a list, and the cursor to the next part."""

    items: Sequence[_T]
    cursor: str


def _cursor(offset: int) -> str:
    return base64.b64encode(f"offset:{offset}".encode()).decode()


def _read_cursor(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        kind, _, offset = base64.b64decode(cursor, validate=True).decode().partition(":")
        if kind == "offset":
            return int(offset)
    except (binascii.Error, ValueError):
        pass
    raise SlackError("invalid_cursor")


Handler: TypeAlias = Callable[[Call], Json]


@dataclass(frozen=True, slots=True)
class Method:
    """A method and what it asks for.

    Attributes:
        run: The function.
        tier: Its rate tier.
        scopes: Any one of these scopes allows it; none means no scope is needed.
        key: Which token it takes: `bot`, `app`, or `` for none.
    """

    run: Handler
    tier: str
    scopes: tuple[str, ...] = ()
    key: str = "bot"


METHODS: dict[str, Method] = {}


def method(name: str, tier: str, *scopes: str, key: str = "bot") -> Callable[[Handler], Handler]:
    """Registers a function as a Web API method."""

    def register(run: Handler) -> Handler:
        METHODS[name] = Method(run, tier, scopes, key)
        return run

    return register
