"""The modals of tasks, and what is said in private to who acted on one."""

from faultbook.model.task import Task
from faultbook.view.actions import MODAL_SHOWN, TASK_DONE_FORM, TASK_NEW_FORM
from faultbook.view.lines import Bold, Line, words
from faultbook.view.message import Block, Message
from faultbook.view.slack_blocks import modal, plain_text, section
from faultbook.view.slack_inputs import (
    Field,
    channel_input,
    file_input,
    text_input,
    url_input,
)
from faultbook.view.slack_words import note_message

FILES = 5
"""So many files may be given as evidence at once."""
_BUTTON = 24
_SHOWN = 300


def new_task_form(direct: str) -> Block:
    """Ask for a task; `direct` is the conversation that its card goes to if no other is chosen."""
    view = modal(
        "New task",
        [
            text_input(Field("text", "What is to be done"), multiline=True),
            channel_input(
                Field(
                    "channel",
                    "Where its card goes",
                    "I have to be in that channel. Left empty: our direct conversation.",
                    optional=True,
                )
            ),
        ],
        callback_id=TASK_NEW_FORM,
        metadata=direct,
    )
    return view | {"submit": plain_text("Give task", _BUTTON), "close": _cancel()}


def task_done_form(task: Task) -> Block:
    """Ask the person who has a task in hand what shows that it is done."""
    view = modal(
        "Done",
        [
            section([[Bold(task.id), ": ", words(task.text, _SHOWN)]]),
            file_input(
                Field(
                    "files",
                    "Files",
                    "I read them, which proves that they are there.",
                    optional=True,
                ),
                most=FILES,
            ),
            url_input(
                Field(
                    "link",
                    "Link",
                    "Kept with the task. I can't verify a link: with nothing else the task ends as"
                    " not proven.",
                    optional=True,
                )
            ),
        ],
        callback_id=TASK_DONE_FORM,
        metadata=str(task.number),
    )
    return view | {"submit": plain_text("Done", _BUTTON), "close": _cancel()}


def reading_modal(task_id: str) -> Block:
    """Say that a file takes longer to read than Slack waits."""
    told: Line = ["I still read your file. ", Bold(f"Nothing is recorded for {task_id} yet:")]
    after: Line = ["its card says how it ended. If it does not change, press Done again."]
    return modal("Done", [section([told, after])], callback_id=MODAL_SHOWN)


def taken_message(task: Task, *, here: bool = True) -> Message:
    """Say that a command or a shortcut became a task; without us `here`, its card is elsewhere."""
    where = " Its card says where it is."
    if not here:
        where = " I am not in this channel, so its card is in our direct conversation."
    return note_message([Bold(f"Got it: {task.id}."), where])


def already_message(task: Task) -> Message:
    """Say that a message is a task already."""
    return note_message([Bold(f"That message is {task.id} already."), " Nothing changed."])


def stays_message(task: Task) -> Message:
    """Say that a task whose message is gone stays."""
    return note_message([Bold(f"{task.id} stays."), " Only its message is gone."])


def _cancel() -> Block:
    return plain_text("Cancel", _BUTTON)
