"""How a retired lesson says so: in its rule's cell, before the old rule, which stays.

The exact forms, `Was:` being what separates the reason from the old rule:

    Retired: see 14. Was: <old rule>
    Retired: see 14, <why>. Was: <old rule>
    Retired: <why>. Was: <old rule>

A hand that leaves `Was:` out is understood: what follows the first full stop is the old rule.
"""

import re
from dataclasses import dataclass

_FORM = re.compile(
    r"Retired:\s*(?:see\s+(?:lesson\s+)?#?([1-9][0-9]{0,8})(?![0-9]))?(.*)", re.IGNORECASE
)
_SEPARATOR = ". Was: "
_WAS = re.compile(r"\. Was:(?: |$)")
_STOP = re.compile(r"\.(?: |$)")


@dataclass(frozen=True, slots=True)
class RuleCell:
    """What a rule's cell says: the rule, and whether and by what it is retired."""

    text: str
    retired: bool = False
    superseded_by: int | None = None
    why: str = ""


def retired_words(superseded_by: int | None, why: str) -> str:
    """Write the words that stand before an old rule, up to and including the blank.

    Args:
        superseded_by: the lesson that takes its place; None where none does.
        why: one line; its own full stop at the end is left out.
    """
    reason = why.strip().rstrip(".").replace(". Was:", "; was:")
    see = f"see {superseded_by}" if superseded_by is not None else ""
    return f"Retired: {', '.join(part for part in (see, reason) if part)}{_SEPARATOR}"


def read_rule(text: str) -> RuleCell:
    """Read a rule's cell."""
    match = _FORM.fullmatch(text) if text[:8].casefold() == "retired:" else None
    if match is None:
        return RuleCell(text)
    why, rule = _split(match[2])
    number = int(match[1]) if match[1] else None
    return RuleCell(rule, retired=True, superseded_by=number, why=why.strip(" ,:;"))


def _split(rest: str) -> tuple[str, str]:
    cut = _WAS.search(rest) or _STOP.search(rest)
    if cut is None:
        return rest, ""
    return rest[: cut.start()], rest[cut.end() :].strip()
