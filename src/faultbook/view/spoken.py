"""A message's plain text, built from the lines of its blocks: what is heard instead of seen."""

from collections.abc import Sequence

from faultbook.base.clock import Instant
from faultbook.view.lines import Line, escape, plain, sentence

_LONGEST = 3900  # chat.update refuses more than 4000 characters
_AND_MORE = "And more."


def spoken_text(
    head: Sequence[Line], body: Sequence[Line], tail: Sequence[Line], now: Instant
) -> str:
    """Say lines as sentences; of the body as many as fit, of head and tail all."""
    first, told, last = (
        [escape(sentence(plain(line, now))) for line in lines if line]
        for lines in (head, body, tail)
    )
    room = _LONGEST - sum(len(part) + 1 for part in (*first, *last, _AND_MORE))
    kept: list[str] = []
    for part in told:
        room -= len(part) + 1
        if room < 0:
            kept.append(_AND_MORE)
            break
        kept.append(part)
    return " ".join((*first, *kept, *last))
