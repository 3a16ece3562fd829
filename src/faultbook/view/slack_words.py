"""What the bot says beside answers: help, what it did not understand, notes, its own errors."""

from faultbook.base.errors import FaultbookError
from faultbook.model.answer import FailingQuery
from faultbook.view.actions import ASK_FAILING, ASK_HELP, MODAL_SHOWN, TASK_MAKE, write_query
from faultbook.view.lines import Bold, Code, Line, Span, join, name, strong, words
from faultbook.view.message import Block, Message
from faultbook.view.slack_blocks import (
    CHARACTERS_A_SECTION,
    actions,
    button,
    context,
    modal,
    section,
    text_of,
)
from faultbook.view.spoken import spoken_text

_ERROR_WORDS = 400


def help_message() -> Message:
    """Say what can be asked; a new verb is told here."""
    ask: Line = [
        Bold("Ask"),
        " ",
        Code("@faultbook what's failing?"),
        " (",
        Code("in prod"),
        ", ",
        Code("since Monday"),
        "), ",
        Code("is invoice-sync failing?"),
        ", ",
        Code("what changed since yesterday?"),
        ", ",
        Code("have we seen this before?"),
        ", ",
        Code("status of T-41"),
        ", ",
        Code("what waits for me?"),
    ]
    give: Line = [Bold("Give a task"), " ", Code("@faultbook export November")]
    commands: Line = [
        Bold("Commands"),
        " ",
        *join(
            (
                [Code("/failing")],
                [Code("/incident")],
                [Code("/faultbook task export November")],
                [Code("/faultbook tasks")],
                [Code("/faultbook approvals")],
                [Code("/faultbook break-glass A-7 DIGITS REASON")],
                [Code("/faultbook lesson pdf missing")],
                [Code("/faultbook review billing")],
                [Code("/faultbook diff yesterday")],
                [Code("/faultbook help")],
            ),
            [", "],
        ),
    ]
    threads: Line = ["In threads, mention me: Slack has no commands there."]
    blocks = [section([ask]), section([give]), section([commands]), context([threads])]
    return _message([ask, give, commands, threads], [*blocks, *actions([_whats_failing()])])


def unclear_message(message_ts: str = "") -> Message:
    """Answer what was not understood; it is recorded nowhere.

    `message_ts` names the message that it was said in, which can then be made a task.
    """
    line: Line = ["Is that a question or a task? Nothing is recorded yet."]
    make = [button("Make it a task", TASK_MAKE, message_ts)] if message_ts else []
    return _message([line], [section([line]), *actions([*make, _whats_failing(), _help()])])


def unknown_verb_message(word: str, nearest: str | None) -> Message:
    """Answer a command whose verb is none of ours."""
    line: list[Span] = [Code(name(word)), " is no verb. "]
    line += ["Nearest: ", Code(name(nearest)), "."] if nearest else ["Ask for ", Code("help"), "."]
    return _message([line], [section([line]), *actions([_whats_failing(), _help()])])


def arrival_message() -> Message:
    """Introduce the bot to a channel, once."""
    line: Line = [
        "I'm Faultbook. I say what's failing, from verified evidence, and keep the lessons. I post",
        " here only when something changes.",
    ]
    return _message([line], [section([line]), *actions([_whats_failing(), _help()])])


def refusal_message(error: FaultbookError) -> Message:
    """Say why something asked for was not done: what happened, what to do, and the code last."""
    happened = coded(error.message)
    if "`" not in error.message:  # code stands out by itself
        happened = strong(*happened)
    next_step = join((coded(error.next_step), [Code(error.code)]), [" "])
    whole = join((happened, next_step), [" "])
    if len(text_of([whole])) <= CHARACTERS_A_SECTION:
        return note_message(whole)
    return _message([happened, next_step], [section([happened]), section([next_step])])


def refused_modal(message: Message) -> Block:
    """Say in a window why something was not done, where nothing else can be said."""
    return modal("Not done", message.blocks, callback_id=MODAL_SHOWN)


def repeated_message() -> Message:
    """Say that a command was taken before."""
    return note_message([Bold("That came before."), " Nothing changed."])


def own_error_message(number: str, kept_as: str = "") -> Message:
    """Own up to a bug of ours by its number; `kept_as` is the task that was taken before it."""
    after = "Nothing was recorded; send it again."
    if kept_as:
        after = f"Your message is kept as {kept_as}; don't resend."
    line: Line = [Bold("Faultbook failed"), " (", Code(number), f"). {after}"]
    return note_message(line)


def note_message(line: Line) -> Message:
    """Say one line that tells no time, mostly in private to who acted on something."""
    return _message([line], [section([line])])


def coded(text: str, length: int = _ERROR_WORDS) -> list[Span]:
    """Take a sentence in which backticks stand around what is shown letter by letter."""
    parts = words(text, length).split("`")
    if len(parts) % 2 == 0:  # an odd sign: none of it is meant so
        return ["`".join(parts)]
    return [Code(part) if at % 2 else part for at, part in enumerate(parts) if part]


def _whats_failing() -> Block:
    return button("What's failing?", ASK_FAILING, write_query(FailingQuery()))


def _help() -> Block:
    return button("Help", ASK_HELP)


def _message(lines: list[Line], blocks: list[Block]) -> Message:
    return Message(spoken_text(lines, (), (), 0), blocks)  # no times are told here
