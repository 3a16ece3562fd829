"""A chat message as plain words: tokens resolved, marks and emoji off, quotes kept together.

https://docs.slack.dev/messaging/formatting-message-text says what arrives: `&`, `<` and `>` are
escaped, and `<…>` holds mentions, channels and links.
"""

import re
import unicodedata
from dataclasses import dataclass

from faultbook.base.redaction import redact
from faultbook.base.text import visible

_LONGEST = 1000
"""No question of ours is longer; what is longer is none."""
_TOKEN = re.compile(r"<([^<>]*)>")
_QUOTED = re.compile(r"`+([^`]+)`+|\"([^\"]+)\"")
_EMOJI_CODE = re.compile(r"(?<![\w:]):[a-z0-9_+'-]+(?:::skin-tone-\d)?:(?![\w:])")
_MARKS = "*_~?!.,;:…()[]{}'\""
_LEADING_MARKS = "*_~?!,;:…()[]{}'\""  # a leading dot may be part of a name
_STRAIGHT = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " "}
)
_CONTRACTED = frozenset(
    {"anything", "everything", "how", "something", "that", "there", "what", "where", "which", "who"}
)
_SPELLED = {
    "whats": "what is",
    "wat's": "what is",
    "what're": "what are",
    "hows": "how is",
    "isn't": "is not",
    "isnt": "is not",
    "aren't": "are not",
    "arent": "are not",
    "i'd": "i would",
    "we're": "we are",
    "it's": "it is",
    "how're": "how are",
    "things're": "things are",
}


@dataclass(frozen=True, slots=True)
class Word:
    """One word, or quoted words that name one thing.

    Attributes:
        text: as it was written.
        folded: for comparison; empty where it was quoted, since quoted words are only ever names.
    """

    text: str
    folded: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a message comes to.

    Attributes:
        has_emoji: something was said with an emoji.
        is_long: longer than any question; its words were not read.
    """

    words: tuple[Word, ...]
    has_emoji: bool
    is_long: bool


def plain_words(text: str, mention: str) -> str:
    """Give a message as its author typed it: tokens resolved, line ends and marks kept."""
    plain = _TOKEN.sub(lambda token: _resolve(token[0], mention), _without_mention(text, mention))
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def whole_words(text: str, mention: str) -> str:
    """Give a message as a worker needs it: like `plain_words`, with people and addresses kept."""
    plain = _TOKEN.sub(lambda token: _resolve_whole(token[1]), _without_mention(text, mention))
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def read_words(text: str, mention: str) -> Said:
    """Read a message's words; `mention` is the start of the token that names the bot."""
    plain = _TOKEN.sub(lambda token: _resolve(token[0], mention), text[: _LONGEST * 2])
    plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    plain = plain.translate(_STRAIGHT)
    bare = without_emoji(plain)
    if len(bare.strip()) > _LONGEST:
        return Said((), has_emoji=False, is_long=True)
    words: list[Word] = []
    at = 0
    has_emoji = bare != plain
    whole = _QUOTED.fullmatch(bare.strip())
    bare = (whole[1] or whole[2]) if whole else bare  # a quoted sentence is a sentence
    for quoted in _QUOTED.finditer(bare):
        words += _split(bare[at : quoted.start()])
        inner = (quoted[1] or quoted[2]).strip()
        words += [Word(_kept(inner), "")] if inner else []
        at = quoted.end()
    words += _split(bare[at:])
    return Said(tuple(words), has_emoji=has_emoji, is_long=False)


def _without_mention(text: str, mention: str) -> str:
    """Take the bot's mention out with the blanks around it: `hey @me, go` becomes `hey, go`."""

    def gap(found: re.Match[str]) -> str:
        before, after = text[: found.start()][-1:], text[found.end() :][:1]
        return "" if before in {"", "\n"} or after in {"", *"\n,.;:!?"} else " "

    token = re.escape(mention) + r"(?:\|[^<>]*)?>"
    return re.sub(rf"[ \t]*{token}[ \t]*", gap, text)


def _resolve(token: str, mention: str) -> str:
    inner = token[1:-1]
    target, _, label = inner.partition("|")
    if token.startswith(mention) and token[len(mention)] in "|>":
        return " "
    if target.startswith("!"):
        return " "  # a broadcast or a date: no word of a question
    if target.startswith("#"):
        return label or target
    if target.startswith("@"):
        return " @somebody "
    return label or target


def _resolve_whole(inner: str) -> str:
    target, _, label = inner.partition("|")
    if target.startswith(("@", "#")):
        return f"{target[0]}{label.lstrip('@#') or target[1:]}"
    if target.startswith("!"):
        return label or f"@{target[1:].partition('^')[0]}"
    if not label or target.partition(":")[0] in {"mailto", "tel"}:
        return label or target
    # Slack shortens what it made a link of by itself.
    return target if label.rstrip("/") in target else f"{label} ({target})"


def without_emoji(text: str) -> str:
    """Leave emoji out, as codes and as characters; a blank stands for each."""
    text = _EMOJI_CODE.sub(" ", text) if ":" in text else text
    if text.isascii():
        return text
    return "".join(" " if _is_emoji(char) else char for char in text)


def _is_emoji(char: str) -> bool:
    # Symbols of the "other" kind, skin tones, the joiner and the variation selectors.
    is_symbol = unicodedata.category(char) in {"So", "Sk"} and char not in "^`"
    return is_symbol or char in "\u200d\ufe0f"


def _split(text: str) -> list[Word]:
    found: list[Word] = []
    for raw in text.split():
        text = raw.rstrip(_MARKS).lstrip(_LEADING_MARKS)
        if not text or not any(char.isalnum() for char in text):
            continue
        found += _expand(text)
    return found


def _expand(text: str) -> list[Word]:
    folded = text.casefold()
    if folded.endswith("'s") and folded[:-2] in _CONTRACTED:
        return [Word(folded[:-2], folded[:-2]), Word("is", "is")]
    if folded in _SPELLED:
        return [Word(part, part) for part in _SPELLED[folded].split()]
    return [Word(_kept(text), folded)]


def _kept(text: str) -> str:
    """Make a word fit to be kept: a name from outside may be anything."""
    return redact(text if text.isascii() and text.isprintable() else visible(text))
