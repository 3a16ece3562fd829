"""The few blocks that every message is made of, within Slack's limits and our own budgets.

Limits are Slack's (https://docs.slack.dev/reference/block-kit); the budgets keep a message
readable on a phone.
"""

from collections.abc import Iterable, Sequence

from faultbook.base.text import cut
from faultbook.view.lines import Line, mrkdwn
from faultbook.view.message import Block

BLOCKS_A_MESSAGE = 20
CHARACTERS_A_SECTION = 600
CHARACTERS_AN_ANSWER = 8000
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
