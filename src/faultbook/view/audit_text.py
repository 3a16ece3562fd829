"""The audit log as text for a terminal or a pipe, and as JSON."""

import json
import re
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

from faultbook.base.clock import iso, to_datetime
from faultbook.base.text import cut, one_line
from faultbook.model.approval import Action
from faultbook.model.audit import Anchor, AuditRecord, Head
from faultbook.view.approval_values import to_whom
from faultbook.view.lines import name, utc
from faultbook.view.terminal import Look, Row, columns, finished, laid_out

SHOWN_DIGITS = 12
"""Hexadecimal digits of a head that people compare."""
_KIND, _SUBJECT, _ACTOR, _FACTS = 20, 12, 40, 500
_EMPTY: tuple[object, ...] = (None, "", [], {})
_HASH = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"[0-9]{1,18}")


def count(number: int) -> str:
    """Write a number in groups of three: `1 204`."""
    return f"{number:,}".replace(",", " ")


def intact_text(head: Head, anchors: Sequence[Anchor], look: Look) -> str:
    """Say that every entry is what was recorded, and up to where a cut end would be seen."""
    standing, word = ("passing", "intact") if anchors else ("unproven", "intact so far")
    row = Row(standing, word, _entries(head.size), f"head {head.hash[:SHOWN_DIGITS]}", [""])
    more = "Give --head to see whether its end was cut: from within, that can't be seen."
    return _told(row, _reached(head, anchors) if anchors else more, look)


def _reached(head: Head, anchors: Sequence[Anchor]) -> str:
    furthest = max(anchors, key=lambda anchor: anchor.head.size)
    source, size = one_line(furthest.source), furthest.head.size
    if size == head.size:
        return f"Its end is where {source} says."
    return (
        f"Nothing was cut up to entry {count(size)}, says {source}; behind it, that can't be seen."
    )


def broken_text(head: Head, broken_at: int, why: str, look: Look) -> str:
    """Name the first bad entry."""
    row = Row("failing", "broken", f"entry {count(broken_at)}", "", [""])
    good = min(head.size, broken_at - 1)
    before = f"{_entries(good)} before it {'is' if good == 1 else 'are'} intact."
    reason = one_line(why)
    said = f"{reason[:1].upper()}{reason[1:]}."
    return _told(row, f"{said} {before}" if good else said, look)


def _told(row: Row, words: str, look: Look) -> str:
    """Put words under a sign, whole: they may hold what is to be done next."""
    [head] = laid_out([row], look)
    return finished([head.rstrip(), f"  {words}"], [], look)


def _entries(size: int) -> str:
    return "1 entry" if size == 1 else f"{count(size)} entries"


def records_text(records: Sequence[AuditRecord], look: Look, *, headed: bool = True) -> str:
    """Lay records out, a line each; `headed` puts the heads of the columns above them.

    Where a terminal is too narrow for that, who and what stand beneath, whole.
    """
    number = max([2, *(len(str(record.sequence)) for record in records)])
    top = f"{'#':>{number}}  {'time':<20}  {'event':<{_KIND}}  {'about':<{_SUBJECT}}  who: facts"
    lines = [line for record in records for line in _lines(record, number, look)]
    return finished([top] if headed else [], [*lines, *(["UTC"] if headed else [])], look)


def _lines(record: AuditRecord, number: int, look: Look) -> list[str]:
    kind, subject, actor = (_text(one) for one in (record.kind, record.subject, record.actor))
    head = (
        f"{record.sequence!s:>{number}}  {_when(record):<20}  {name(kind, 40):<{_KIND}}"
        f"  {name(subject, 60):<{_SUBJECT}}"
    )
    facts = _facts(record)
    told = f"{name(actor, _ACTOR)}{': ' if facts else ''}{facts}"
    width = None if look.width is None else columns(look.width)
    if width is None or len(head) + 2 + len(told) <= width:
        return [f"{head}  {told}"]
    indent = " " * (number + 2)
    return [head, *wrap(told, width, initial_indent=indent, subsequent_indent=indent)]


def _text(value: object) -> str:
    """Show what should be text; whoever rewrote the log may have put anything there."""
    return value if isinstance(value, str) else repr(value)


def _when(record: AuditRecord) -> str:
    try:
        return f"{utc(record.at)}:{to_datetime(record.at):%S}"
    except (TypeError, OverflowError):
        return "?"


def _facts(record: AuditRecord) -> str:
    try:
        facts = json.loads(record.record)["facts"]
        told = (_fact(key, value) for key, value in facts.items() if value not in _EMPTY)
        return cut(", ".join(told), _FACTS)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "a record that can't be read; see: faultbook audit verify"


def _fact(key: str, value: object) -> str:
    return f"{one_line(key)} {one_line(_in_short(key, value))}"


def _in_short(key: str, value: object) -> str:
    """Show what a fact says to a reader; JSON and the export have it letter by letter."""
    if isinstance(value, str):
        if _HASH.fullmatch(value):
            return value[:SHOWN_DIGITS]
        return _moment(value) if key.endswith("_at") and _INSTANT.fullmatch(value) else value
    action = _action(value) if key == "action" else None
    return json.dumps(value, ensure_ascii=False) if action is None else action


def _moment(value: str) -> str:
    try:
        return utc(int(value))
    except OverflowError:
        return value


def _action(value: object) -> str | None:
    """Say an action in few words; None where it is none."""
    if not isinstance(value, dict):
        return None
    kind, target, place = (value.get(one) for one in ("kind", "target", "environment"))
    parameters = value.get("parameters")
    if not isinstance(kind, str) or not isinstance(target, str) or not isinstance(place, str):
        return None
    if not isinstance(parameters, dict):
        return None
    where = f" in {name(place)}" if place else ""
    return f"{name(kind)} {to_whom(Action(kind, target, place, parameters))}{where}"


def records_document(records: Iterable[AuditRecord]) -> dict[str, Any]:
    """Show records as JSON."""
    return {"entries": [record_document(record) for record in records]}


def record_document(record: AuditRecord) -> dict[str, Any]:
    """Show a record with all that is needed to check its place in the chain."""
    try:
        at = iso(record.at)
    except (TypeError, OverflowError):
        at = _text(record.at)
    return {
        "sequence": record.sequence,
        "at": at,
        "kind": _text(record.kind),
        "subject": _text(record.subject),
        "actor": _text(record.actor),
        "record": _text(record.record),
        "previous": _text(record.previous),
        "hash": _text(record.hash),
    }


def export_line(record: AuditRecord) -> str:
    """Write a record as a line of JSON; what is hashed stands in it letter by letter."""
    told = {
        "sequence": record.sequence,
        "record": _text(record.record),
        "previous": _text(record.previous),
        "hash": _text(record.hash),
    }
    return json.dumps(told)
