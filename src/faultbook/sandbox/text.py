"""What a person types becomes what Slack sends: escaped text with mentions, and rich text.

Typed characters are data: `&`, `<` and `>` are escaped, so that nobody can type a live token.
Mentions, links and emoji are found outside code only.
"""

import re
from collections.abc import Callable, Iterator

from faultbook.sandbox.clock import new_id
from faultbook.sandbox.kinds import Json
from faultbook.sandbox.state import State

_FENCE = re.compile(r"```\n?(.*?)\n?```", re.DOTALL)
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|(?P<link>https?://[^\s<>|]+[^\s<>|.,;:!?)'\"])"
    r"|(?<![\w@])@(?P<at>[A-Za-z0-9][A-Za-z0-9._-]*)"
    r"|(?<![\w#&])#(?P<hash>[a-z0-9][a-z0-9_-]*)"
    r"|:(?P<emoji>[a-z0-9_+-]+):"
    r"|(?<![\w*])\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*(?!\w)"
    r"|(?<![\w_])_(?P<italic>[^\s_](?:[^_\n]*[^\s_])?)_(?!\w)"
    r"|(?<![\w~])~(?P<strike>[^\s~](?:[^~\n]*[^\s~])?)~(?!\w)"
)
_BROADCASTS = {"here", "channel", "everyone"}
_MARKS = {"bold": "*", "italic": "_", "strike": "~"}


def escape(text: str) -> str:
    """Escapes the three characters Slack gives meaning to."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Reads escaped text back."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class Typed:
    """One typed text, read against the people and channels there are."""

    def __init__(self, state: State, raw: str) -> None:
        self._state = state
        self._raw = raw.replace("\r\n", "\n")

    def text(self, *, names: bool = False) -> str:
        """Gives the text with mentions as tokens.

        Args:
            names: Whether tokens carry names, as in slash commands: `<@U1|ana>`.
        """
        parts = []
        for fenced, piece in _fences(self._raw):
            if fenced:
                parts.append(f"```{escape(piece)}```")
            else:
                parts.extend(token for token, _ in self._tokens(piece, names=names))
        return "".join(parts)

    def blocks(self) -> list[Json]:
        """Gives the rich text that Slack's composer would make."""
        elements: list[Json] = []
        for fenced, piece in _fences(self._raw):
            if fenced:
                elements.append(_rich("rich_text_preformatted", [{"type": "text", "text": piece}]))
            else:
                elements.extend(self._paragraphs(piece))
        return [{"type": "rich_text", "block_id": new_id("", 5), "elements": elements}]

    def _paragraphs(self, piece: str) -> Iterator[Json]:
        quoted, lines = False, list[str]()
        for line in piece.strip("\n").split("\n") if piece.strip() else ():
            is_quote = line.startswith(">")
            if is_quote != quoted and lines:
                yield self._paragraph(lines, quoted=quoted)
                lines = []
            quoted = is_quote
            lines.append(line.lstrip(">").removeprefix(" ") if is_quote else line)
        if lines:
            yield self._paragraph(lines, quoted=quoted)

    def _paragraph(self, lines: list[str], *, quoted: bool) -> Json:
        elements = [element for _, element in self._tokens("\n".join(lines), names=False)]
        return _rich("rich_text_quote" if quoted else "rich_text_section", elements)

    def _tokens(self, piece: str, *, names: bool) -> Iterator[tuple[str, Json]]:
        at = 0
        for match in _INLINE.finditer(piece):
            if match.start() > at:
                yield _plain(piece[at : match.start()])
            kind = match.lastgroup or ""
            yield self._token(kind, match.group(kind), match.group(), names=names)
            at = match.end()
        if at < len(piece):
            yield _plain(piece[at:])

    def _token(self, kind: str, value: str, whole: str, *, names: bool) -> tuple[str, Json]:
        readers: dict[str, Callable[[str, bool], tuple[str, Json] | None]] = {
            "at": self._mention,
            "hash": self._channel,
        }
        if kind in readers:
            return readers[kind](value, names) or _plain(whole)
        if kind == "link":
            return f"<{escape(value)}>", {"type": "link", "url": value}
        if kind == "emoji":
            return whole, {"type": "emoji", "name": value}
        styled: Json = {"type": "text", "text": value, "style": {kind: True}}
        if kind == "code":
            return escape(whole), styled
        mark = _MARKS[kind]
        inner = "".join(token for token, _ in self._tokens(value, names=names))
        return f"{mark}{inner}{mark}", styled

    def _mention(self, value: str, names: bool) -> tuple[str, Json] | None:  # noqa: FBT001 - one of a table of readers
        rest = value[len(value.rstrip(".-_")) :]
        name = value.rstrip(".-_").lower()
        found: tuple[str, Json] | None = None
        if name in _BROADCASTS:
            found = f"<!{name}>", {"type": "broadcast", "range": name}
        for user in self._state.users.values():
            if user.name == name and not user.deleted:
                token = f"<@{user.id}|{user.name}>" if names else f"<@{user.id}>"
                found = token, {"type": "user", "user_id": user.id}
        for group in self._state.groups.values():
            if group.handle == name:
                token = f"<!subteam^{group.id}|@{name}>" if names else f"<!subteam^{group.id}>"
                found = token, {"type": "usergroup", "usergroup_id": group.id}
        if found is None or not rest:
            return found
        return found[0] + rest, found[1]

    def _channel(self, value: str, names: bool) -> tuple[str, Json] | None:  # noqa: FBT001 - one of a table of readers
        channel = self._state.named_channel(value)
        if channel is None:
            return None
        token = f"<#{channel.id}|{channel.name if names else ''}>"
        return token, {"type": "channel", "channel_id": channel.id}


def _fences(raw: str) -> Iterator[tuple[bool, str]]:
    at = 0
    for match in _FENCE.finditer(raw):
        if match.start() > at:
            yield False, raw[at : match.start()]
        yield True, match.group(1)
        at = match.end()
    if at < len(raw):
        yield False, raw[at:]


def _plain(text: str) -> tuple[str, Json]:
    return escape(text), {"type": "text", "text": text}


def _rich(kind: str, elements: list[Json]) -> Json:
    return {"type": kind, "elements": elements}
