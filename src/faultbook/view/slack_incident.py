"""Drafts and incidents in a thread: saved, due, handed over; and the modal that closes one."""

import re
from collections.abc import Sequence

from faultbook.base.clock import Instant
from faultbook.base.ids import short_id
from faultbook.model.draft import IncidentDraft
from faultbook.model.standing import RunMark
from faultbook.view.actions import (
    DRAFT_HAND_OVER,
    DRAFT_WRITE,
    INCIDENT_CLOSE_FORM,
    INCIDENT_OPEN,
    MODAL_SHOWN,
)
from faultbook.view.lines import Bold, Line, Mention, Moment, Span, name, strong, utc
from faultbook.view.message import Block, Message
from faultbook.view.slack_blocks import actions, button, modal, plain_text, section
from faultbook.view.slack_inputs import Field, person_select, select_input, text_input
from faultbook.view.slack_words import coded
from faultbook.view.spoken import spoken_text

_TITLE = 120
_RULE = 450
_DRAFT_BLOCK = re.compile(r"draft:([0-9a-f-]{36})")


def draft_saved_message(draft: IncidentDraft, now: Instant) -> Message:
    """Say that a draft is kept, and when its rule is due."""
    line: Line = [
        *_titled("Draft saved: ", draft, "."),
        " Nothing is in git yet. Its prevention rule is due ",
        Moment(draft.due_at),
        ".",
    ]
    return _message([line], [_write(draft)], now)


def draft_reminder_message(draft: IncidentDraft, now: Instant) -> Message:
    """Remind a draft's owner, once: the rule is due."""
    late = draft.due_at <= now
    line: Line = [
        Mention(draft.owner.id, name(draft.owner.name)),
        " ",
        *_titled("", draft, ""),
        " needed its prevention rule by " if late else " needs its prevention rule by ",
        Moment(draft.due_at),
        ".",
    ]
    return _message([line], [_write(draft), _hand_over()], now, f"draft:{draft.id}")


def draft_handed_over_message(draft: IncidentDraft, by: str, now: Instant) -> Message:
    """Tell a draft's new owner."""
    line: Line = [
        Mention(draft.owner.id, name(draft.owner.name)),
        f" {name(by)} handed this over: ",
        *_titled("", draft, ""),
        " needs its prevention rule by ",
        Moment(draft.due_at),
        ".",
    ]
    return _message([line], [_write(draft), _hand_over()], now, f"draft:{draft.id}")


def draft_opened_message(draft: IncidentDraft, now: Instant) -> Message:
    """Say, in place of a reminder that came too late, that nothing is due any more."""
    return _message([[*_titled("", draft, ""), " has its prevention rule."]], [], now)


def draft_kept_modal(title: str) -> Block:
    """Say, where the modal was, that nothing is lost and what comes next."""
    lines: list[Line] = [
        strong("Draft saved: ", name(title, _TITLE)),
        ["Nothing is in git yet. Its prevention rule is due in 24 h; its owner is reminded once."],
    ]
    return modal("Draft saved", [section(lines)], callback_id=MODAL_SHOWN)


def open_incident_message() -> Message:
    """Offer the modal to who asked for it in words: only a button can open one."""
    line: Line = ["An incident needs a title, what failed, and its prevention rule."]
    return _message([line], [button("Open incident", INCIDENT_OPEN)], 0)


def read_draft_block(block_id: str) -> str | None:
    """Take a draft's id from the block of its menu of people."""
    found = _DRAFT_BLOCK.match(block_id)
    return found[1] if found else None


def _titled(before: str, draft: IncidentDraft, after: str) -> list[Span]:
    title = name(draft.form.title or draft.form.what_failed, _TITLE)
    return strong(before, title, after)


def _write(draft: IncidentDraft) -> Block:
    return button("Write rule", DRAFT_WRITE, draft.id, about=f"of {draft.form.title}")


def _hand_over() -> Block:
    return person_select(DRAFT_HAND_OVER, "Hand over")


def _message(
    lines: Sequence[Line], elements: Sequence[Block], now: Instant, block_id: str = ""
) -> Message:
    rows = actions(elements)
    if block_id:  # a menu of people has no value of its own
        rows[0]["block_id"] = block_id
    return Message(spoken_text(lines, (), (), now), [section(lines), *rows])


def close_incident_form(title: str, rule: str, passed: Sequence[RunMark], now: Instant) -> Block:
    """Ask what verifies that an incident is over; `passed` are runs that passed since.

    Nothing closes without it: a run that passed after the fix, or an artifact.
    """
    lines: list[Line] = [[Bold(name(title, _TITLE))], ["Rule: ", *coded(rule, _RULE)]]
    blocks: list[Block] = [section(lines)]
    if passed:
        runs = [(run.run_id, _run(run, now)) for run in passed]
        field = Field("run", "A run that passed after the fix", optional=True)
        blocks.append(select_input(field, runs, initial=passed[0].run_id))
    else:
        blocks.append(section([["No run has passed since it was opened."]]))
    proof = Field(
        "artifact",
        "Or what shows it",
        "A run's id, or the file, page or commit that shows that it works.",
        optional=True,
    )
    blocks.append(text_input(proof, most=300))
    view = modal("Close incident", blocks, callback_id=INCIDENT_CLOSE_FORM)
    return view | {
        "submit": plain_text("Close incident", 24),
        "close": plain_text("Cancel", 24),
    }


def _run(run: RunMark, now: Instant) -> str:
    return f"{short_id(run.run_id)}, passed {utc(run.started_at, now)} UTC"
