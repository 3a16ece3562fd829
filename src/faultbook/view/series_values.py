"""A series, an incident's beginning and a suggestion as the values of buttons and modals."""

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from faultbook.base.errors import InvalidError
from faultbook.base.text import cut
from faultbook.model.draft import IncidentFacts, Origin
from faultbook.model.run import SeriesKey

_DETAIL = 300
_LINK = 500
_FACTS = tuple(each.name for each in fields(IncidentFacts))


def write_series(key: SeriesKey) -> str:
    """Put a series into a button's value."""
    return _dump([key.workflow, key.environment, key.branch])


def read_series(value: str) -> SeriesKey | None:
    """Take a series back from a button's value; None where it names none.

    Raises:
        InvalidError: the value is none of ours.
    """
    if not value:
        return None
    names = _load(value)
    if not isinstance(names, list) or [type(name) for name in names] != [str] * 3:
        raise _unknown()
    return SeriesKey(*names)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a modal about an incident carries along, unseen.

    Attributes:
        draft_id: the draft that is written on; empty where there is none yet.
    """

    facts: IncidentFacts = field(default_factory=IncidentFacts)
    origin: Origin = field(default_factory=Origin)
    draft_id: str = ""


def write_beginning(beginning: Beginning) -> str:
    """Put an incident's beginning into a modal, within the 3000 characters of its metadata."""
    facts = {name: value for name, value in asdict(beginning.facts).items() if value}
    for name, most in (("detail", _DETAIL), ("permalink", _LINK)):
        if name in facts:
            facts[name] = cut(facts[name], most)
    origin = beginning.origin
    return _dump([facts, origin.channel, origin.thread_ts, beginning.draft_id])


def read_beginning(metadata: str) -> Beginning:
    """Take an incident's beginning back from a modal.

    Raises:
        InvalidError: the modal is none of ours.
    """
    try:
        facts, channel, thread_ts, draft_id = _load(metadata)
        known = IncidentFacts(**{name: facts[name] for name in _FACTS if name in facts})
    except (ValueError, TypeError, AttributeError) as error:
        raise _unknown() from error
    return Beginning(known, Origin(channel, thread_ts), draft_id)


@dataclass(frozen=True, slots=True)
class SuggestionValue:
    """What a button under a suggestion answers for.

    Attributes:
        run_id: the run that was shown; a yes counts it as a repeat.
        lesson: which lesson a yes is for.
    """

    fingerprint: str
    run_id: str
    series: SeriesKey
    lesson: int | None = None


def write_suggestion(value: SuggestionValue) -> str:
    """Put an answer to a suggestion into a button's value."""
    key = value.series
    named = [key.workflow, key.environment, key.branch]
    return _dump([value.fingerprint, value.run_id, value.lesson, *named])


def read_suggestion(value: str) -> SuggestionValue:
    """Take an answer to a suggestion back from a button's value.

    Raises:
        InvalidError: the value is none of ours.
    """
    try:
        fingerprint, run_id, lesson, *names = _load(value)
        return SuggestionValue(fingerprint, run_id, SeriesKey(*names), lesson)
    except (ValueError, TypeError) as error:
        raise _unknown() from error


def _dump(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _load(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except ValueError as error:
        raise _unknown() from error


def _unknown() -> InvalidError:
    return InvalidError(
        "This is from another version, so nothing happened.",
        code="unknown_button",
        next_step="Ask again, and use the buttons of the new answer.",
    )
