"""The few blocks that every message is made of, within Slack's limits and our own budgets.

Limits are Slack's (https://docs.slack.dev/reference/block-kit); the budgets keep a message
readable on a phone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from faultbook.base.text import cut
from faultbook.view.lines import Line, mrkdwn
from faultbook.view.message import Block

CHARACTERS_A_SECTION = 600
ROOM = 420
"""Characters that lines of several records may fill in a section; "and 100 more" goes on top.

So an answer of 20 blocks stays below 8000 characters, whatever its names are.
"""
BLOCKS_A_MODAL = 100
CHARACTERS_A_TEXT = 3000
_BUTTON_LABEL = 20
_BUTTONS_A_ROW = 3
_TITLE = 24
_HEADER = 150
_ACCESSIBILITY_LABEL = 75


def text_of(lines: Iterable[Line]) -> str:
    """Write lines as one mrkdwn text."""
    return "\n".join(mrkdwn(line) for line in lines)


def section(lines: Sequence[Line], accessory: Block | None = None) -> Block:
    """Make a section that Slack does not fold."""
    return raw_section(text_of(lines), accessory)


def raw_section(text: str, accessory: Block | None = None) -> Block:
    """Make a section from mrkdwn that is ready."""
    block: Block = {"type": "section", "expand": True, "text": _mrkdwn_object(text)}
    if accessory is not None:
        block["accessory"] = accessory
    return block


def context(lines: Sequence[Line]) -> Block:
    """Make a context block: small print."""
    return {"type": "context", "elements": [_mrkdwn_object(text_of(lines))]}


def _mrkdwn_object(text: str) -> Block:
    # Verbatim: Slack makes no links of its own out of what stands there.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def header(text: str) -> Block:
    """Make a header, for App Home and modals."""
    return {"type": "header", "text": plain_text(text, _HEADER)}


def divider() -> Block:
    """Make a dividing line, for App Home and modals."""
    return {"type": "divider"}


def plain_text(text: str, length: int) -> Block:
    """Make a plain text object, without emoji codes."""
    return {"type": "plain_text", "text": cut(text, length), "emoji": False}


def button(label: str, action_id: str, value: str = "", *, about: str = "") -> Block:
    """Make a button; `about` names the record to those who hear the message."""
    block: Block = {
        "type": "button",
        "text": plain_text(label, _BUTTON_LABEL),
        "action_id": action_id,
        "accessibility_label": cut(f"{label} {about}".strip(), _ACCESSIBILITY_LABEL),
    }
    if value:
        block["value"] = value
    return block


def link_button(label: str, action_id: str, url: str, *, about: str = "") -> Block:
    """Make a button that opens a link; `url` is one that `safe_url` gave."""
    return button(label, action_id, about=about) | {"url": url}


def actions(buttons: Sequence[Block]) -> list[Block]:
    """Put buttons in rows of three; none make no row."""
    rows = range(0, len(buttons), _BUTTONS_A_ROW)
    return [{"type": "actions", "elements": list(buttons[at : at + _BUTTONS_A_ROW])} for at in rows]


def modal(title: str, blocks: Sequence[Block], *, callback_id: str, metadata: str = "") -> Block:
    """Make a modal that only shows something."""
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title, _TITLE),
        "close": plain_text("Close", _TITLE),
        "blocks": list(blocks)[:BLOCKS_A_MODAL],
    }
    if metadata:
        view["private_metadata"] = metadata
    return view


@dataclass(frozen=True, slots=True)
class Pack:
    """Lines in sections, and how many more there are than could be told."""

    sections: list[list[Line]]
    left: int


def packed(lines: Sequence[Line], count: int, *, sections: int = 1) -> Pack:
    """Put as many lines as fit into so many sections; `lines` are the first of `count`."""
    found: list[list[Line]] = []
    shown = 0
    for line in lines:
        if found and fits([*found[-1], line]):
            found[-1].append(line)
        elif len(found) < sections:
            found.append([line])
        else:
            break
        shown += 1
    left = max(0, count - shown)
    if left:
        found[-1].append([f"and {left} more"])
    return Pack(found, left)


def fits(lines: Sequence[Line]) -> bool:
    """Tell whether lines may share a section."""
    return len(text_of(lines)) <= ROOM
