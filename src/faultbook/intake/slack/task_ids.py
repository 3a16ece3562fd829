"""The names of tasks in chat: `T-41`, `task 41`, `#41`."""

import re
from collections.abc import Sequence
from itertools import pairwise

from faultbook.intake.slack import phrases
from faultbook.intake.slack.reader import Reader

# Longer numbers fit no store.
_ID = re.compile(r"t-([0-9]{1,15})(?:'s)?", re.IGNORECASE)
_NUMBER = re.compile(r"#?([0-9]{1,15})")
_NAME_PART = re.compile(r"tasks?|t-[0-9]+|#[0-9]+|,|and")
_TASK_WORDS = frozenset({"task", "tasks"})


def read_task(reader: Reader) -> int | None:
    """Read the name of a task; a number alone names one only after the word `task`."""
    named = reader.take(phrases.TASK_WORDS)
    word = reader.next()
    if word is None:
        return None
    found = _ID.fullmatch(word.text) or (_NUMBER.fullmatch(word.text) if named else None)
    return int(found[1]) if found else None


def is_tasks_only(folded: Sequence[str]) -> bool:
    """Tell whether words say nothing but which tasks are meant; also where there are none."""
    return all(
        _NAME_PART.fullmatch(word) or (word.isdigit() and before in _TASK_WORDS)
        for before, word in pairwise(["", *folded])
    )
