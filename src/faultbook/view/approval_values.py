"""An action's parameters, each exactly as it will run: what a person approves is what is shown.

A value that reads as it is stands plainly. One with characters that nobody sees, or that Slack
would read as formatting, is shown as JSON with those characters written out.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from faultbook.model.approval import Action
from faultbook.view.lines import NAME_LENGTH, Bold, Code, Line, escape, name

_LOOKS_LIKE_JSON = re.compile(r'-?[0-9]+|true|false|null|[\[{"].*', re.DOTALL)
_FORMATS = re.compile(r"[*>]|(?<!\w)[_~]|[_~](?!\w)|:[\w+'-]+:")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that are drawn as nothing.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f]")
_CURRENCY = re.compile(r"\S{1,20}")
_LABEL_LENGTH = 200
_BMP = 0xFFFF


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as it is shown.

    Attributes:
        label: its name; of what is no parameter a word of ours, which no parameter can look like.
        is_code: shown letter by letter.
        is_ours: the label is ours.
    """

    label: str
    value: str
    is_code: bool
    is_ours: bool = False

    def line(self) -> Line:
        """Show it on one line."""
        label = Bold(f"{self.label}:") if self.is_ours else Code(self.label)
        return [label, " ", Code(self.value) if self.is_code else self.value]

    def pieces(self, room: int) -> Iterator[Line]:
        """Show it in lines of at most so many characters, nothing left out."""
        if len(escape(self.label)) <= _LABEL_LENGTH:
            label: Line = [Bold(f"{self.label}:") if self.is_ours else Code(self.label), " "]
            rest, is_code = self.value, self.is_code
        else:
            label, rest, is_code = [], f"{json_text(self.label)}: {self.value}", True
        first = room - (len(escape(self.label)) + 4 if label else 0)
        for piece in _cut_in_pieces(rest, first - 2, room - 2):
            yield [*label, Code(piece) if is_code else piece]
            label = []


def parameters_of(action: Action) -> list[Parameter]:
    """List everything that will run: target and parameters, and what the headline has to cut."""
    shown = [_ours("Target", action.target)]
    for label, value in (("Kind", action.kind), ("Environment", action.environment)):
        if value and (len(escape(value)) > NAME_LENGTH or _must_be_quoted(value)):
            shown.append(_ours(label, value))
    return [*shown, *(_parameter(name, action.parameters[name]) for name in action.parameters)]


def to_whom(action: Action) -> str:
    """Say what an action costs and its target, each cut: `120.00 EUR to c_881`."""
    amount, target = _amount(action), name(exact(action.target))
    return f"{name(amount)} to {target}" if amount else target


def _amount(action: Action) -> str:
    amount, currency = (action.parameters.get(one) for one in ("amount", "currency"))
    if not isinstance(amount, str) or not amount:
        return ""
    shown = exact(amount)
    # What is no single word names no currency: it could read on as if it were our own words.
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        return shown
    return shown if amount.endswith(f" {currency}") else f"{shown} {exact(currency)}"


def exact(value: object) -> str:
    """Show a value so that no other looks like it."""
    if isinstance(value, str) and not _must_be_quoted(value):
        return value
    return json_text(value)


def json_text(value: object) -> str:
    """Write JSON on one line, everything that can't be seen written out."""
    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    return "".join(_written_out(char) if _is_hidden(char) else char for char in text)


def _parameter(name: str, value: object) -> Parameter:
    shown = exact(value)
    label = name if name and not _must_be_quoted(name) else json_text(name)
    return Parameter(label, shown, is_code=shown != value or bool(_FORMATS.search(shown)))


def _ours(label: str, value: str) -> Parameter:
    shown = exact(value)
    is_code = shown != value or bool(_FORMATS.search(shown))
    return Parameter(label, shown, is_code, is_ours=True)


def _must_be_quoted(value: str) -> bool:
    return (
        not value
        or value != value.strip()
        or "  " in value
        or "\\" in value
        or bool(_LOOKS_LIKE_JSON.fullmatch(value))
        or any(_is_hidden(char) for char in value)
    )


def _is_hidden(char: str) -> bool:
    """Tell whether a character is drawn as nothing, as a blank, or as the end of our code."""
    category = unicodedata.category(char)
    is_blank = category == "Zs" and char != " "
    return category in _HIDDEN or is_blank or char == "`" or _BLANK.match(char) is not None


def _written_out(char: str) -> str:
    code = ord(char)
    if code <= _BMP:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def _cut_in_pieces(text: str, first: int, room: int) -> Iterator[str]:
    """Cut a text into pieces that fit once they are escaped."""
    kept: list[str] = []
    length, most = 0, first
    for char in text:
        size = len(escape(char))
        if length + size > most:
            yield "".join(kept)
            kept, length, most = [], 0, room
        kept.append(char)
        length += size
    yield "".join(kept)
