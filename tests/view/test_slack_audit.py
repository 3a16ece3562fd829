"""The audit log's head, as Slack shows it."""

from faultbook.model.audit import Head
from faultbook.view.slack_audit import head_message
from tests.view.slack_rules import assert_message

HASH = "3fa1c09be2d4" + "5" * 52


def test_the_head_is_told_whole_in_blocks_and_text() -> None:
    message = head_message(Head(1204, HASH))
    assert_message(message)
    told, how = message.blocks
    assert told["text"]["text"] == "*Audit log:* 1 204 entries, head `3fa1c09be2d4…`"
    command = f"faultbook audit verify --head 1204:{HASH}"
    assert how["elements"][0]["text"] == f"`{command}` checks the log against it"
    assert message.text == (
        f"Audit log: 1 204 entries, head 3fa1c09be2d4…. {command} checks the log against it."
    )


def test_one_entry_is_one() -> None:
    assert "1 entry, head" in head_message(Head(1, HASH)).text
