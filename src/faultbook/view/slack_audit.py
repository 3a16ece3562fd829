"""What the bot says of the audit log: the head, kept where nobody can rewrite it unseen."""

from faultbook.model.audit import Head
from faultbook.view.audit_text import SHOWN_DIGITS, count
from faultbook.view.lines import Code, Line, strong
from faultbook.view.message import Message
from faultbook.view.slack_blocks import context, section
from faultbook.view.spoken import spoken_text


def head_message(head: Head) -> Message:
    """Tell the head whole: whoever checks the log gives it as it stands here."""
    entries = "entry" if head.size == 1 else "entries"
    told: Line = [
        *strong("Audit log:"),
        f" {count(head.size)} {entries}, head ",
        Code(f"{head.hash[:SHOWN_DIGITS]}…"),
    ]
    how: Line = [Code(f"faultbook audit verify --head {head}"), " checks the log against it"]
    return Message(spoken_text([told], (), [how], 0), [section([told]), context([how])])
