"""The names of tasks in chat: `T-41`, `task 41`, `#41`."""

import re
from collections.abc import Sequence

from faultbook.intake.slack import phrases
from faultbook.intake.slack.reader import Reader

# Longer numbers fit no store.
_ID = re.compile(r"t-([0-9]{1,15})(?:'s)?", re.IGNORECASE)
_NUMBER = re.compile(r"#?([0-9]{1,15})")
_NAME = re.compile(r"[ta]-[0-9]+")  # a task's, or an approval's
_NAME_PART = re.compile(r"tasks?|[ta]-[0-9]+|#[0-9]+|,|and|last|latest|previous|other|open|running")
_NAMED = re.compile(r"#?[0-9]+|t-[0-9]+")
_TASK_WORDS = frozenset({"task", "tasks"})


def read_status_of(reader: Reader) -> int | None:
    """Read a question that asks where one task is; None where the words are anything else."""
    reader.take(phrases.TASK_STATUS)
    number = _read_task(reader)
    start = reader.at
    reader.take(phrases.BE_OR_HAVE)
    if not (reader.take(phrases.STATES_AND_PAST) and reader.is_done):
        reader.at = start
        reader.take(phrases.OF_A_TASK)
    return number if reader.is_done else None


def _read_task(reader: Reader) -> int | None:
    """Read the name of a task; a number alone names one only after the word `task`."""
    named = reader.take(phrases.TASK_WORDS)
    word = reader.next()
    if word is None:
        return None
    found = _ID.fullmatch(word.text) or (_NUMBER.fullmatch(word.text) if named else None)
    return int(found[1]) if found else None


def is_about_task(folded: Sequence[str]) -> bool:
    """Tell whether the object of an order is one of our tasks: `T-41 as done`, `my last task`.

    Also where there are no words.
    """
    if folded and _NAME.fullmatch(folded[0]):
        return True
    if folded[1:] and folded[0] in _TASK_WORDS and _NAMED.fullmatch(folded[1]):
        return True
    return all(_NAME_PART.fullmatch(word) for word in folded)
