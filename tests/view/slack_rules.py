"""What every message and view must keep to, whoever made it."""

import re
from collections.abc import Iterator
from typing import Any

from slack_sdk.models.blocks import Block as SdkBlock

from faultbook.sandbox.blockkit import check_message, check_view
from faultbook.view.message import Block, Message

_OWN_TOKEN = re.compile(r"<!date\^\d+\^\u200b\{date_short_pretty\} at \{time\}\|[^<>|]+ UTC>")
_OWN_LINK = re.compile(r"<https?://[^<>|\s]+\|[^<>|]*>")
_OWN_MENTION = re.compile(r"<@[UW][A-Z0-9]{2,30}>")
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")


def texts(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """Find every text object."""
    if isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, dict):
        if value.get("type") in {"mrkdwn", "plain_text"}:
            yield value
        else:
            yield from texts(list(value.values()))


def assert_inert(text: str) -> None:
    """Hold that nothing in a text is live but our own times and links."""
    rest = _OWN_LINK.sub("", _OWN_TOKEN.sub("", text))
    assert "<" not in rest, rest
    assert ">" not in rest, rest
    assert not re.search(r"&(?!amp;|lt;|gt;)", rest), rest
    assert not _HIDDEN.search(text), text


def assert_message(
    message: Message,
    *,
    budget: int = 8000,
    text_budget: int = 3900,
    mentions: int = 0,
    buttons_a_row: int = 3,
) -> None:
    """Hold a message to Slack's limits and to our budgets; `mentions` are those it may make."""
    assert check_message(message.blocks) == []
    SdkBlock.parse_all(message.blocks)
    assert len(message.blocks) <= 20
    shown = [found["text"] for block in message.blocks for found in texts(block)]
    assert sum(len(text) for text in shown) <= budget
    for block in message.blocks:
        if block["type"] == "section":
            assert block["expand"] is True
            assert len(block["text"]["text"]) <= 600
        if block["type"] == "actions":
            assert len(block["elements"]) <= buttons_a_row
    assert 0 < len(message.text) <= text_budget
    assert "\n" not in message.text
    _assert_texts(message.blocks, mentions)
    assert "<" not in message.text
    assert_inert(message.text)


def assert_view(view: Block, *, mentions: int = 0) -> None:
    """Hold a view to Slack's limits; `mentions` are those it may make, which notify nobody."""
    assert check_view(view) == []
    SdkBlock.parse_all(view["blocks"])
    assert len(view["blocks"]) <= (60 if view["type"] == "home" else 100)
    assert len(str(view).encode()) < 250_000
    _assert_texts(view["blocks"], mentions)


def _assert_texts(blocks: list[Block], mentions: int = 0) -> None:
    made = 0
    for found in texts(blocks):
        if found["type"] == "mrkdwn":
            assert found["verbatim"] is True
            bare, count = _OWN_MENTION.subn("", found["text"]) if mentions else (found["text"], 0)
            made += count
            assert_inert(bare)
            assert found["text"].count("`") % 2 == 0
    assert made == mentions
    for button in buttons(blocks):
        assert button["text"]["text"]
        assert len(button["text"]["text"]) <= 20
        assert button["accessibility_label"].startswith(button["text"]["text"][:5])
        assert len(button.get("value", "")) <= 2000


def row_buttons(blocks: list[Block]) -> Iterator[Block]:
    """Find the buttons that stand in rows of their own."""
    return buttons([block for block in blocks if block["type"] == "actions"])


def buttons(blocks: list[Block]) -> Iterator[Block]:
    """Find every button."""
    for block in blocks:
        for element in (*block.get("elements", ()), block.get("accessory")):
            if element and element["type"] == "button":
                yield element


def labels(message: Message | list[Block]) -> list[str]:
    """Say what every button says."""
    blocks = message.blocks if isinstance(message, Message) else message
    return [button["text"]["text"] for button in buttons(blocks)]
