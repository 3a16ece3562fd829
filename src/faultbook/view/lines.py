"""Lines of an answer, written once and shown as Slack's mrkdwn or as plain text.

A line is made of spans. A plain string is inert in both forms: what comes from outside can't make
a mention, a link, an emoji or code of its own. mrkdwn has no escape but for `&`, `<` and `>`
(https://docs.slack.dev/messaging/formatting-message-text), so a backtick becomes a look-alike
letter, and an emoji's name is broken by a zero-width space.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote, urlsplit

from faultbook.base.clock import SECOND, Instant, to_datetime
from faultbook.base.text import cut_middle, duration, one_line
from faultbook.model.policy import LEAD

NAME_LENGTH = 60
WORDS_LENGTH = 120
_SHA_SHOWN = 7
_LINK_LENGTH = 1000
_ZERO_WIDTH_SPACE = "\u200b"
_GRAVE = "\u02cb"  # looks like a backtick, and ends no code span
_BAR = "\u00a6"  # looks like a bar
_EMOJI = re.compile(r":(?=[\w+'-]+:)")
_SHA = re.compile(r"[0-9a-f]{12,64}")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,30}")
_GROUP = re.compile(r"S[A-Z0-9]{2,30}")
_NOT_BOLD = re.compile(r"[*`]|(?<!\w)[_~]|[_~](?!\w)|:[\w+'-]+:")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Bold:
    """Words that stand out."""

    text: str

    def mrkdwn(self) -> str:
        """Show it in Slack; bold can't hold its own sign, so such words are shown as code."""
        return _code(self.text) if _NOT_BOLD.search(self.text) else f"*{_inert(self.text)}*"

    def plain(self, _now: Instant) -> str:
        """Show it as plain text."""
        return self.text


@dataclass(frozen=True, slots=True)
class Code:
    """A reason, a path, a command: shown letter by letter."""

    text: str

    def mrkdwn(self) -> str:
        """Show it in Slack."""
        return _code(self.text)

    def plain(self, _now: Instant) -> str:
        """Show it as plain text."""
        return self.text


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, shown in the reader's zone where that can be."""

    instant: Instant

    def mrkdwn(self) -> str:
        """Show it in Slack."""
        return date_token(self.instant)

    def plain(self, now: Instant) -> str:
        """Show it as plain text, in UTC."""
        return f"{utc(self.instant, now)} UTC"


@dataclass(frozen=True, slots=True)
class Link:
    """A link; `url` is one that `safe_url` gave."""

    url: str
    label: str

    def mrkdwn(self) -> str:
        """Show it in Slack; a bar would part the label once more."""
        label = _inert(self.label).replace("|", _BAR)
        return f"<{escape(self.url)}|{label}>"

    def plain(self, _now: Instant) -> str:
        """Show its label."""
        return self.label


@dataclass(frozen=True, slots=True)
class Mention:
    """A person who is to be notified; what is no id of a person is shown as a name."""

    user_id: str
    name: str

    def mrkdwn(self) -> str:
        """Show it in Slack."""
        return f"<@{self.user_id}>" if _PERSON.fullmatch(self.user_id) else _inert(self.name)

    def plain(self, _now: Instant) -> str:
        """Show the name."""
        return self.name


@dataclass(frozen=True, slots=True)
class GroupMention:
    """A group of people who are to be notified; nothing where it is no group's id."""

    group_id: str

    def mrkdwn(self) -> str:
        """Show it in Slack."""
        return f" <!subteam^{self.group_id}>" if _GROUP.fullmatch(self.group_id) else ""

    def plain(self, _now: Instant) -> str:
        """Show nothing: Slack alone knows their name."""
        return ""


@dataclass(frozen=True, slots=True)
class Sign:
    """An emoji by its name; plain text does without."""

    name: str

    def mrkdwn(self) -> str:
        """Show it in Slack."""
        return f":{self.name}: "

    def plain(self, _now: Instant) -> str:
        """Show nothing."""
        return ""


@dataclass(frozen=True, slots=True)
class Rich:
    """Punctuation that only the blocks need."""

    text: str

    def mrkdwn(self) -> str:
        """Show it in Slack."""
        return self.text

    def plain(self, _now: Instant) -> str:
        """Show nothing."""
        return ""


@dataclass(frozen=True, slots=True)
class Plain:
    """Punctuation that only the plain text needs."""

    text: str

    def mrkdwn(self) -> str:
        """Show nothing."""
        return ""

    def plain(self, _now: Instant) -> str:
        """Show it as plain text."""
        return self.text


Span: TypeAlias = str | Bold | Code | Moment | Link | Mention | GroupMention | Sign | Rich | Plain
Line: TypeAlias = Sequence[Span]

DOT: tuple[Span, ...] = (Rich(" · "), Plain(", "))
"""What stands between facts of one line."""


def join(parts: Iterable[Line], between: Line = DOT) -> list[Span]:
    """Put several pieces of a line together, something between each two."""
    joined: list[Span] = []
    for part in parts:
        if joined and part:
            joined += between
        joined += part
    return joined


def strong(*spans: Span) -> list[Span]:
    """Put part of a line in bold, unless its words hold the sign that would end it."""
    if any("*" in span for span in spans if isinstance(span, str)):
        return list(spans)
    return [Rich("*"), *spans, Rich("*")]


def name(text: str, length: int = NAME_LENGTH) -> str:
    """Fit a name from outside: one line, hidden characters visible, cut in its middle."""
    return _cut_to(one_line(text), length) or "(no name)"


def words(text: str, length: int = WORDS_LENGTH) -> str:
    """Fit words from outside: one line, hidden characters visible, cut in their middle."""
    return _cut_to(one_line(text), length)


def _cut_to(text: str, length: int) -> str:
    """Cut text in its middle to what may be sent: a sign that has to be escaped counts for more."""
    kept = length
    while len(_inert(shown := cut_middle(text, kept))) > length:
        kept -= 1
    return shown


def version(code_version: str) -> str:
    """Shorten a commit's digest to 7 characters; other versions are shown as names."""
    if _SHA.fullmatch(code_version):
        return code_version[:_SHA_SHOWN]
    return name(code_version, 30)


def safe_url(url: str | None) -> str | None:
    """Give a URL that may become a link: http or https, with a host, and of a bearable length."""
    if url is None or len(url) > _LINK_LENGTH:
        return None
    try:
        # What would end the link early, or is no part of a URL, is percent-encoded.
        encoded = quote(url, safe="%/:=&?~#+!$,;'@()*[]-._")
        parts = urlsplit(encoded)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            return None
    except ValueError:
        return None
    linked = f"{parts.scheme}{encoded[len(parts.scheme) :]}"  # the scheme in small letters
    return linked if len(linked) <= _LINK_LENGTH else None


def mrkdwn(line: Line) -> str:
    """Show a line in Slack's mrkdwn."""
    return "".join(_inert(span) if isinstance(span, str) else span.mrkdwn() for span in line)


def plain(line: Line, now: Instant) -> str:
    """Show a line as plain text, without emoji and tokens, its times in UTC."""
    return "".join(span if isinstance(span, str) else span.plain(now) for span in line)


def escape(text: str) -> str:
    """Make text inert in mrkdwn and in a message's `text`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut_escaped(text: str, room: int, *, from_end: bool = False) -> str:
    """Give as much of a text's beginning, or end, as fits into `room` characters once escaped.

    Something is left of every text where there is room for one escaped sign, 5 characters.
    """
    kept = text[-room:] if from_end else text[:room]
    while (over := len(escape(kept)) - room) > 0:
        less = max(1, over // len("&amp;"))  # so many signs never take away too much
        kept = kept[less:] if from_end else kept[:-less]
    return kept


def _inert(text: str) -> str:
    return _EMOJI.sub(f":{_ZERO_WIDTH_SPACE}", escape(text)).replace("`", _GRAVE)


def _code(text: str) -> str:
    return f"`{escape(text).replace('`', _GRAVE)}`"


def code_block(text: str) -> str:
    """Show several lines letter by letter."""
    return f"```{escape(text).replace('`', _GRAVE)}```"


def date_token(instant: Instant) -> str:
    """Write a time that Slack shows in each reader's zone, with UTC for those who can't.

    Slack would write "Today" with a capital inside a sentence; a zero-width space in front keeps
    it small.
    """
    form = f"{_ZERO_WIDTH_SPACE}{{date_short_pretty}} at {{time}}"
    return f"<!date^{instant // SECOND}^{form}|{utc(instant)} UTC>"


def utc(instant: Instant, now: Instant | None = None) -> str:
    """Write a time as `18 Nov 2026 15:04`; without the year where it is that of `now`."""
    moment = to_datetime(instant)
    year = "" if now is not None and to_datetime(now).year == moment.year else f" {moment.year}"
    return f"{moment.day} {_MONTHS[moment.month - 1]}{year} {moment:%H:%M}"


def age(record: Instant, now: Instant) -> str:
    """Say how old a record is: `3 min old`, or that it lies ahead, where a clock was set back."""
    if record > now + LEAD:
        return f"{duration((record - now) / SECOND)} ahead of my clock"
    return f"{duration((now - record) / SECOND)} old"


def distance(record: Instant, now: Instant) -> str:
    """Say how long before an answer a record was: `3 min before`."""
    if record > now + LEAD:
        return f"{duration((record - now) / SECOND)} ahead of my clock"
    return f"{duration((now - record) / SECOND)} before"


def unstopped(text: str) -> str:
    """Leave the full stop to who joins words from outside with others; an ellipsis stays."""
    return text if text.endswith("..") else text.removesuffix(".")


def sentence(text: str) -> str:
    """End a sentence with its full stop."""
    return text if text.endswith((".", ":", "?")) else f"{text}."
