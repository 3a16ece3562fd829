"""What a question is limited to: environment, workflow, branch and time, in plain words."""

import re
from dataclasses import dataclass, field

from faultbook.base.clock import Instant
from faultbook.base.errors import InvalidError
from faultbook.base.when import parse_when
from faultbook.intake.slack.phrases import (
    ALL_BRANCHES,
    ARTICLES,
    KIND_OF,
    KINDS,
    NEVER_NAMES,
    PREPOSITIONS,
    TAILS,
)
from faultbook.intake.slack.reader import Phrases, Reader
from faultbook.model.answer import FailingQuery

_LONGEST_NAME = 200
_SINCE = Phrases("since", "after", "from")
_WITHIN = Phrases(
    *(
        f"{preposition}{article}{word}"
        for preposition in ("in ", "within ", "over ", "during ", "for ", "")
        for article in ("the ", "")
        for word in ("last", "past")
    )
)
_ON = Phrases("on")
_DAYS = Phrases("today", "yesterday", "this week", "this morning")
_ON_DAY = re.compile(r"(mon|tues|wednes|thurs|fri|satur|sun)day")
# What a bare preposition most likely names, where a question has several names.
_MEANING = {"in": "environment", "on": "branch", "for": "workflow", "of": "workflow"}


class UnclearError(Exception):
    """A word that the grammar does not hold."""


@dataclass(slots=True)
class Filters:
    """The limits that were read so far.

    Attributes:
        subject: the name that the question itself is about.
        places: names whose kind was not said, with their preposition.
    """

    since: Instant | None = None
    all_branches: bool = False
    subject: str | None = None
    named: dict[str, str] = field(default_factory=dict)
    places: list[tuple[str, str]] = field(default_factory=list)

    def put(self, kind: str, name: str) -> None:
        """Take a name of a kind.

        Raises:
            UnclearError: there is one of that kind already.
        """
        if kind in self.named:
            raise UnclearError
        self.named[kind] = name

    def query(self) -> FailingQuery:
        """Come to the question that these limits make.

        One name without a kind may be any; of several, the prepositions decide.

        Raises:
            UnclearError: they can't all hold.
        """
        place = self.subject
        if place is None and len(self.places) == 1:
            place = self.places[0][1]
        else:
            for preposition, name in self.places:
                self.put(_MEANING.get(preposition, "workflow"), name)
        return FailingQuery(
            environment=self.named.get("environment"),
            workflow=self.named.get("workflow"),
            branch=self.named.get("branch"),
            place=place,
            since=self.since,
            all_branches=self.all_branches,
        )


def read_filters(reader: Reader, filters: Filters, now: Instant, *, bare: bool = False) -> None:
    """Read every limit that is left; `bare` takes a name without a preposition, too.

    Raises:
        UnclearError: a word is left that is no limit.
        InvalidError: a time can't be read.
    """
    while not reader.is_done:
        if not read_filter(reader, filters, now) and not (bare and _bare(reader, filters)):
            raise UnclearError


def read_filter(reader: Reader, filters: Filters, now: Instant) -> bool:
    """Read one limit, if one stands here.

    Raises:
        UnclearError: it contradicts another.
        InvalidError: a time can't be read.
    """
    if reader.take(ALL_BRANCHES):
        filters.all_branches = True
        return True
    if _read_time(reader, filters, now):
        return True
    start = reader.at
    preposition = reader.take(PREPOSITIONS)
    reader.take(ARTICLES)
    if _read_named(reader, filters):
        return True
    name = _read_name(reader) if preposition is not None else None
    if name is None:
        reader.at = start
        return False
    kind = reader.take(KINDS)
    if kind is not None:
        filters.put(KIND_OF[kind], name)
    else:
        filters.places.append((preposition or "", name))
    return True


def read_subject(reader: Reader, filters: Filters) -> bool:
    """Read what a question is about, such as `the invoice-sync job`, if it stands here.

    Raises:
        UnclearError: it contradicts another.
    """
    start = reader.at
    reader.take(ARTICLES)
    if _read_named(reader, filters):
        return True
    name = _read_name(reader)
    if name is None:
        reader.at = start
        return False
    kind = reader.take(KINDS)
    if kind is not None:
        filters.put(KIND_OF[kind], name)
    else:
        filters.subject = name
    return True


def _read_named(reader: Reader, filters: Filters) -> bool:
    """Read `branch release/2`."""
    start = reader.at
    kind = reader.take(KINDS)
    name = _read_name(reader) if kind is not None else None
    if kind is None or name is None:
        reader.at = start
        return False
    filters.put(KIND_OF[kind], name)
    return True


def _read_name(reader: Reader) -> str | None:
    word = reader.next()
    if word is None:
        return None
    if word.folded in NEVER_NAMES or len(word.text) > _LONGEST_NAME:
        reader.at -= 1
        return None
    return word.text


def _bare(reader: Reader, filters: Filters) -> bool:
    name = _read_name(reader)
    if name is None or name.casefold() in TAILS:
        return False
    kind = reader.take(KINDS)
    if kind is not None:
        filters.put(KIND_OF[kind], name)
    else:
        filters.places.append(("", name))
    return True


def _read_time(reader: Reader, filters: Filters, now: Instant) -> bool:
    start = reader.at
    day = reader.take(_DAYS)
    if day is not None:
        _put_since(filters, parse_when("today" if day == "this morning" else day, now))
        return True
    if reader.take(_SINCE):
        _put_since(filters, _longest_when(reader, now))
        return True
    if reader.take(_WITHIN):
        moment = _read_span(reader, now)
        if moment is not None:
            _put_since(filters, moment)
            return True
    elif reader.take(_ON) and reader.rest and _ON_DAY.fullmatch(reader.rest[0].folded):
        _put_since(filters, _longest_when(reader, now))
        return True
    reader.at = start
    return False


def _read_span(reader: Reader, now: Instant) -> Instant | None:
    """Read the rest of `in the last 3 hours`, or `in the last hour`."""
    for length in (2, 1):
        words = [word.folded for word in reader.rest[:length]]
        if len(words) < length:
            continue
        for form in ("{} ago", "1 {} ago"):
            try:
                moment = parse_when(form.format(" ".join(words)), now)
            except InvalidError:
                continue
            reader.at += length
            return moment
    return None


def _longest_when(reader: Reader, now: Instant) -> Instant:
    """Read the longest run of words that names a moment.

    Raises:
        InvalidError: none does.
    """
    words = [word.text for word in reader.rest]
    problem: InvalidError | None = None
    for length in range(min(len(words), 6), 0, -1):
        try:
            moment = parse_when(" ".join(words[:length]), now)
        except InvalidError as error:
            # What is still to come says more than what is unknown.
            problem = problem if problem and problem.code == "future_time" else error
        else:
            reader.at += length
            return moment
    if problem is None:
        raise UnclearError
    raise problem


def _put_since(filters: Filters, moment: Instant) -> None:
    if filters.since is not None:
        raise UnclearError
    filters.since = moment
