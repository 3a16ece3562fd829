"""What an executor is told: the stored action, with the secrets that it names filled in.

The values live in memory only, from the environment or a file to the executor's input; whatever an
executor says is stripped of them before it is stored or logged.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faultbook.base.errors import InvalidError
from faultbook.base.redaction import redact
from faultbook.base.settings import EXECUTOR_SECRETS
from faultbook.base.text import cut, one_line
from faultbook.delivery.executor.masking import mask, spellings
from faultbook.model.approval import Approval
from faultbook.model.approval_policy import ExecutorPlan
from faultbook.model.canonical import Json, canonical

_REFERENCE = re.compile(r"secret:([A-Za-z][A-Za-z0-9_]{0,63})")
_LONGEST_WORDS = 300
HEARD_BYTES = 4000
"""How much of what an executor says is read."""


@dataclass(frozen=True, slots=True)
class Order:
    """One execution of an approved action.

    Attributes:
        told: the action as canonical JSON, its secrets filled in.
        hidden: the secrets' values, in each way in which they may be quoted.
    """

    approval: Approval
    plan: ExecutorPlan
    told: bytes = field(repr=False)
    hidden: frozenset[str] = field(default=frozenset(), repr=False)

    def say(self, text: str) -> str:
        """Make words fit to be shown: one line, without secrets."""
        return cut(one_line(redact(mask(text, self.hidden))), _LONGEST_WORDS)

    def say_first(self, heard: bytes) -> str:
        """Show the first line of what an executor said, whose beginning was heard."""
        is_cut = len(heard) >= HEARD_BYTES
        text = mask(_text(heard), self.hidden, cut_after=is_cut)
        return _shown_line(redact(text).split("\n"))

    def say_last(self, heard: bytes) -> str:
        """Show the last line of what an executor said, whose end was heard."""
        is_cut = len(heard) >= HEARD_BYTES
        text = mask(_text(heard), self.hidden, cut_before=is_cut)
        return _shown_line(reversed(redact(text).split("\n")))


def _shown_line(lines: Iterable[str]) -> str:
    line = next((line for line in lines if line.strip()), "")
    return cut(one_line(line), _LONGEST_WORDS)


def _text(heard: bytes) -> str:
    """Read bytes as text, without a character that was cut apart."""
    return heard.decode("utf-8", "replace").strip("\ufffd")


def make_order(approval: Approval, plan: ExecutorPlan, environ: Mapping[str, str]) -> Order:
    """Fill the secrets in that an action names, from `FAULTBOOK_SECRET_NAME` or its `_FILE`.

    Raises:
        InvalidError: a secret is not set or can't be read.
    """
    hidden: set[str] = set()

    def fill(value: Any) -> Json:  # noqa: ANN401 - JSON of any kind
        if isinstance(value, dict):
            return {key: fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item) for item in value]
        if isinstance(value, str) and value.startswith("secret:"):
            found = _find(value, environ)
            hidden.update(spellings(found))
            return found
        told: Json = value
        return told

    action = approval.action
    told = action.as_json() | {"parameters": fill(action.parameters)}
    return Order(approval, plan, canonical(told), frozenset(hidden))


def _find(reference: str, environ: Mapping[str, str]) -> str:
    named = _REFERENCE.fullmatch(reference)
    if named is None:
        raise InvalidError(
            f"`{cut(one_line(redact(reference)), 80)}` names no secret.",
            code="bad_secret_name",
            next_step="Write secret:NAME with letters, digits and underscores.",
            where="parameters",
        )
    variable = f"{EXECUTOR_SECRETS}{named[1].upper()}"
    if environ.get(variable):
        return environ[variable]
    place = environ.get(f"{variable}_FILE")
    try:
        value = Path(place).read_text("utf-8").strip() if place else ""
    except (OSError, UnicodeDecodeError) as error:
        raise _not_had(variable, f"can't be read ({type(error).__name__})") from error
    if not value:
        raise _not_had(variable, "is not set")
    return value


def _not_had(variable: str, why: str) -> InvalidError:
    return InvalidError(
        f"{variable} {why}, so nothing was run.",
        code="secret_missing",
        next_step=f"Set {variable} or {variable}_FILE where Faultbook runs, and ask again.",
        where=variable,
    )
