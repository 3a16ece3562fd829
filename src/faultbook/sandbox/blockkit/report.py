"""What a check finds, and the small checks that bigger ones are made of.

A check takes a value, its JSON pointer, and the list to report to.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from faultbook.sandbox.kinds import Json

Check: TypeAlias = "Callable[[object, str, list[Problem]], None]"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        message: In words, as Slack puts it.
        pointer: Where, as a JSON pointer.
        constraint: Which rule, as `blocks.validate` reports it.
    """

    message: str
    pointer: str
    constraint: Json = field(default_factory=dict)

    def as_error(self) -> Json:
        """Gives the entry of `blocks.validate`'s list of errors."""
        return {
            "code": "failed_constraint",
            "message": self.message,
            "pointer": self.pointer,
            "constraint": self.constraint,
        }

    def as_message(self) -> str:
        """Gives the line of `response_metadata.messages`."""
        return f"{self.message} [json-pointer:{self.pointer}]"


def report(problems: list[Problem], pointer: str, message: str, kind: str, value: object) -> None:
    """Adds a problem."""
    problems.append(Problem(message, pointer, {"type": kind, "expected": value}))


def string(*, most: int | None = None, least: int = 0, pattern: str = "") -> Check:
    """Checks a string's length and form."""
    form = re.compile(pattern) if pattern else None

    def check(value: object, pointer: str, problems: list[Problem]) -> None:
        if not isinstance(value, str):
            report(problems, pointer, "must be a string", "type", "string")
        elif most is not None and len(value) > most:
            words = f"must be less than {most + 1} characters"
            report(problems, pointer, words, "max_length", most)
        elif len(value) < least:
            words = f"must be more than {least - 1} characters"
            report(problems, pointer, words, "min_length", least)
        elif form is not None and not form.fullmatch(value):
            report(problems, pointer, "has an invalid format", "format", pattern)

    return check


def boolean(value: object, pointer: str, problems: list[Problem]) -> None:
    """Checks a boolean."""
    if not isinstance(value, bool):
        report(problems, pointer, "must be a boolean", "type", "boolean")


def integer(least: int, most: int | None = None) -> Check:
    """Checks a whole number's range."""

    def check(value: object, pointer: str, problems: list[Problem]) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            report(problems, pointer, "must be an integer", "type", "integer")
        elif value < least:
            report(problems, pointer, f"must be at least {least}", "minimum", least)
        elif most is not None and value > most:
            report(problems, pointer, f"must be at most {most}", "maximum", most)

    return check


def enum(*allowed: str) -> Check:
    """Checks that a string is one of a few."""

    def check(value: object, pointer: str, problems: list[Problem]) -> None:
        if value not in allowed:
            report(problems, pointer, f"unsupported value: {value}", "enum", list(allowed))

    return check


def array(item: Check, *, least: int = 0, most: int | None = None) -> Check:
    """Checks a list's length and each item."""

    def check(value: object, pointer: str, problems: list[Problem]) -> None:
        if not isinstance(value, list):
            report(problems, pointer, "must be an array", "type", "array")
            return
        if most is not None and len(value) > most:
            report(problems, pointer, f"no more than {most} items allowed", "max_items", most)
        if len(value) < least:
            report(problems, pointer, f"no less than {least} items allowed", "min_items", least)
        for number, one in enumerate(value):
            item(one, f"{pointer}/{number}", problems)

    return check


def anything(value: object, pointer: str, problems: list[Problem]) -> None:
    """Accepts whatever is there."""


def record(
    needed: Mapping[str, Check], allowed: Mapping[str, Check] | None = None, *, more: bool = False
) -> Check:
    """Checks an object's fields.

    Args:
        needed: Fields that must be there.
        allowed: Fields that may be there.
        more: Whether unknown fields pass too.
    """
    known = {**needed, **(allowed or {}), "type": anything}

    def check(value: object, pointer: str, problems: list[Problem]) -> None:
        if not isinstance(value, dict):
            report(problems, pointer, "must be an object", "type", "object")
            return
        for name in needed:
            if value.get(name) is None:
                report(problems, pointer, f"missing required field: {name}", "required", name)
        for name, one in value.items():
            if name not in known:
                if not more:
                    words = f"invalid additional property: {name}"
                    report(problems, pointer, words, "additional_property", name)
            elif one is not None:
                known[name](one, f"{pointer}/{name}", problems)

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """Checks an object by the rule for its `type`."""

    def check(value: object, pointer: str, problems: list[Problem]) -> None:
        if not isinstance(value, dict):
            report(problems, pointer, "must be an object", "type", "object")
            return
        kind = value.get("type")
        if not isinstance(kind, str):
            report(problems, pointer, "missing required field: type", "required", "type")
        elif kind not in kinds:
            words = f"unsupported type: {kind}"
            report(problems, f"{pointer}/type", words, "enum", sorted(kinds))
        else:
            kinds[kind](value, pointer, problems)

    return check


def either(first: str, second: str, inner: Check) -> Check:
    """Checks that exactly one of two fields is there, and the rest by another check."""

    def check(value: object, pointer: str, problems: list[Problem]) -> None:
        if isinstance(value, dict) and (first in value) == (second in value):
            words = f"must have exactly one of {first} and {second}"
            report(problems, pointer, words, "one_of", [first, second])
        inner(value, pointer, problems)

    return check
