"""The inputs of modals; each block's id is its field's name, its element's id is `FIELD`.

Limits are Slack's (https://docs.slack.dev/reference/block-kit/blocks/input-block).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from faultbook.base.text import cut
from faultbook.view.message import Block
from faultbook.view.slack_blocks import plain_text

FIELD = "field"
"""The action id of every input that tells us nothing before it is submitted."""
LONGEST = 3000
_LABEL, _HINT, _PLACEHOLDER, _OPTION = 200, 400, 150, 75


@dataclass(frozen=True, slots=True)
class Field:
    """What every input has.

    Attributes:
        name: of the block; errors and values go by it.
    """

    name: str
    label: str
    hint: str = ""
    optional: bool = False


def text_input(
    field: Field, *, initial: str = "", multiline: bool = False, most: int = LONGEST
) -> Block:
    """Make an input for words."""
    element: Block = {"type": "plain_text_input", "action_id": FIELD, "max_length": most}
    if multiline:
        element["multiline"] = True
    if initial:
        element["initial_value"] = cut(initial, most)
    return _input(field, element)


def number_input(field: Field, *, initial: str = "") -> Block:
    """Make an input for a whole number; a phone shows its digits for it."""
    element: Block = {"type": "number_input", "action_id": FIELD, "is_decimal_allowed": False}
    element["min_value"] = "1"
    if initial.isdecimal():
        element["initial_value"] = initial
    return _input(field, element)


def select_input(field: Field, options: Sequence[tuple[str, str]], *, initial: str = "") -> Block:
    """Make an input that offers a few values, each with its words."""
    shown = {value: _option(value, words) for value, words in options}
    element: Block = {
        "type": "static_select",
        "action_id": FIELD,
        "options": list(shown.values()),
    }
    if initial in shown:
        element["initial_option"] = shown[initial]
    return _input(field, element)


def person_input(field: Field, action_id: str, *, initial: str = "") -> Block:
    """Make an input for a person; a choice is told to us at once, so that their name is known."""
    element: Block = {"type": "users_select", "action_id": action_id}
    if initial:
        element["initial_user"] = initial
    return _input(field, element) | {"dispatch_action": True}


def url_input(field: Field) -> Block:
    """Make an input for a link."""
    return _input(field, {"type": "url_text_input", "action_id": FIELD})


def file_input(field: Field, *, most: int) -> Block:
    """Make an input for files, which Slack keeps; the app reads them with `files:read`."""
    return _input(field, {"type": "file_input", "action_id": FIELD, "max_files": most})


def channel_input(field: Field) -> Block:
    """Make an input for a channel, public or private."""
    element: Block = {
        "type": "conversations_select",
        "action_id": FIELD,
        "filter": {"include": ["public", "private"], "exclude_bot_users": True},
    }
    return _input(field, element)


def person_select(action_id: str, placeholder: str) -> Block:
    """Make a menu of people for an actions block; choosing one acts."""
    return {
        "type": "users_select",
        "action_id": action_id,
        "placeholder": plain_text(placeholder, _PLACEHOLDER),
    }


def _option(value: str, words: str) -> Block:
    return {"text": plain_text(words, _OPTION), "value": value}


def _input(field: Field, element: Block) -> Block:
    block: Block = {
        "type": "input",
        "block_id": field.name,
        "label": plain_text(field.label, _LABEL),
        "element": element,
    }
    if field.hint:
        block["hint"] = plain_text(field.hint, _HINT)
    if field.optional:
        block["optional"] = True
    return block
