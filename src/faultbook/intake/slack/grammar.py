"""The small closed grammar of what may be asked in chat.

A message is one of our questions, chit-chat, a request, or unclear. Of a question every word has to
be understood: guessing would answer one that nobody asked. What is none of ours and asks for work
becomes a task (`intent`); what reads as anything else is unclear, and its author is asked.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

from faultbook.base.clock import Instant
from faultbook.base.errors import InvalidError
from faultbook.base.when import parse_when
from faultbook.intake.slack import phrases
from faultbook.intake.slack.approval_names import (
    DECISIONS,
    approval_of,
    decision_about,
    waits_for_me,
)
from faultbook.intake.slack.asks import (
    Ask,
    ChitChat,
    DiffRequest,
    Failing,
    Help,
    Lessons,
    OpenIncident,
    Review,
    StatusOf,
    TaskRequest,
    Unclear,
    Unreadable,
    WhatDoing,
)
from faultbook.intake.slack.filters import (
    Filters,
    UnclearError,
    read_filter,
    read_filters,
    read_subject,
)
from faultbook.intake.slack.intent import Intent, is_command, read_intent
from faultbook.intake.slack.points import read_points
from faultbook.intake.slack.reader import Phrases, Reader
from faultbook.intake.slack.task_ids import read_status_of
from faultbook.intake.slack.words import Word, plain_words, read_words
from faultbook.model.diff import Moment

_NO_MENTION = "<@>"


def parse(text: str, mention: str, now: Instant) -> Ask:
    """Understand a message; `mention` is the start of the token that names the bot."""
    said = read_words(text, mention)
    if said.is_long:
        return _wish(plain_words(text, mention), is_long=True)
    if not said.words:
        return ChitChat() if said.has_emoji else Help()
    found = _understand(said.words, now)
    return _wish(plain_words(text, mention)) if isinstance(found, Unclear) else found


def parse_filters(text: str, now: Instant) -> Ask:
    """Understand what follows `/failing`: limits with or without a preposition, or a question."""
    said = read_words(text, _NO_MENTION)
    filters = Filters()
    try:
        read_filters(Reader(said.words), filters, now, bare=True)
        return Unclear() if said.is_long else Failing(filters.query())
    except UnclearError:
        return _understand(said.words, now)
    except InvalidError as error:
        return Unreadable(error)


def parse_diff(text: str, now: Instant) -> Ask:
    """Understand what follows `/faultbook diff`."""
    said = read_words(text, _NO_MENTION)
    try:
        return Unclear() if said.is_long else DiffRequest(*read_points(said.words, now))
    except InvalidError as error:
        return Unreadable(error)


def visible_words(text: str) -> str:
    """Give the words that follow a verb, as they were written."""
    return " ".join(word.text for word in read_words(text, _NO_MENTION).words)


def _understand(words: Sequence[Word], now: Instant) -> Ask:
    chat = _chit_chat(words)
    if chat is not None:
        return chat
    stripped = Reader(words)
    stripped.take_all(phrases.LEAD_INS)
    stripped.take(phrases.WHETHER)
    stripped.drop_tail(phrases.TAILS)
    try:
        for candidate in dict.fromkeys((tuple(words), stripped.rest)):
            reader = Reader(candidate)
            for form in _forms_for(candidate[0].folded if candidate else ""):
                reader.at = 0
                found = _try(form, reader, now)
                if found is not None:
                    return found
    except InvalidError as error:
        return Unreadable(error)
    return Unclear()


def _wish(text: str, *, is_long: bool = False) -> Ask:
    """Tell what a message is that is none of our questions."""
    intent = read_intent(text, is_long=is_long)
    if intent is Intent.REQUEST and text:
        return TaskRequest(text)
    return ChitChat() if intent is Intent.THANKS else Unclear()


def _chit_chat(words: Sequence[Word]) -> Ask | None:
    """Tell chit-chat; a greeting alone is answered with help, since it is often the first word.

    A greeting to a group is for people, though.
    """
    reader = Reader(words)
    chatted = False
    while not reader.is_done:
        if reader.take(phrases.CHAT) or reader.take(phrases.GROUPS):
            chatted = True
        elif not reader.take(phrases.NO_QUESTION):
            return None
    return ChitChat() if chatted else Help()


Form: TypeAlias = Callable[[Reader, Instant], Ask]
"""One way to ask; raises UnclearError where the words are not of that way."""


def _try(form: Form, reader: Reader, now: Instant) -> Ask | None:
    try:
        return form(reader, now)
    except UnclearError:
        return None


def _need(found: object) -> None:
    if not found:
        raise UnclearError


def _help(reader: Reader, now: Instant) -> Ask:
    del now
    _need(reader.take(phrases.HELP) and reader.is_done)
    return Help()


def _status_of(reader: Reader, now: Instant) -> Ask:
    """`status of T-41`, `is task 41 done yet`, `T-41`."""
    del now
    number = read_status_of(reader)
    if number is None:
        raise UnclearError
    return StatusOf(number)


def _what_doing(reader: Reader, now: Instant) -> Ask:
    """`what are you doing`, `open tasks`, `what did I ask for`."""
    del now
    mine = reader.take(phrases.DOING_FOR_ME)
    _need((mine or reader.take(phrases.DOING)) and reader.is_done)
    return WhatDoing(mine=bool(mine))


def _seen_before(reader: Reader, now: Instant) -> Ask:
    """`have we seen this before`, `have we seen pdf missing before`, `lessons about pdf`."""
    del now
    if reader.take(phrases.SEEN_THIS) and reader.is_done:
        return Lessons()
    reader.at = 0
    _need(reader.take(phrases.SEEN))
    reader.drop_tail(phrases.BEFORE)
    return Lessons(_rest(reader))


def _review(reader: Reader, now: Instant) -> Ask:
    """`review billing`, `what should I read before I automate billing`."""
    del now
    _need(reader.take(phrases.REVIEW))
    return Review(_rest(reader))


def _open_incident(reader: Reader, now: Instant) -> Ask:
    del now
    _need(reader.take(phrases.OPEN_INCIDENT) and reader.is_done)
    return OpenIncident()


def _rest(reader: Reader) -> str:
    return " ".join(word.text for word in reader.rest)


def _changed(reader: Reader, now: Instant) -> Ask:
    """`what changed since yesterday`, `diff a1b2c3d 9f8e7d6`."""
    asked = reader.take(phrases.WHAT_CHANGED)
    _need(asked)
    if reader.is_done and asked not in {"diff", "compare"}:
        return DiffRequest(Moment(parse_when("yesterday", now)))
    return DiffRequest(*read_points(reader.rest, now))


def _plain(reader: Reader, now: Instant) -> Ask:
    """`failures`, `status prod`."""
    _need(reader.take(phrases.PLAIN_QUESTIONS))
    return _limited(reader, Filters(), now, bare=True)


def _how_things_are(reader: Reader, now: Instant) -> Ask:
    _need(reader.take(phrases.HOW_THINGS_ARE))
    return _limited(reader, Filters(), now)


def _which(reader: Reader, now: Instant) -> Ask:
    """`what is failing`, `which jobs in prod have failed since Monday`."""
    filters = Filters()
    _need(reader.take(phrases.WHICH))
    reader.take(phrases.ARTICLES)
    reader.take(phrases.NOUNS)
    _between(reader, filters, now)
    reader.take(phrases.BE_OR_HAVE)
    reader.take_all(phrases.ADVERBS)
    _need(reader.take(phrases.STATES_AND_PAST))
    reader.take(phrases.NOUNS)
    return _limited(reader, filters, now)


def _anything(reader: Reader, now: Instant) -> Ask:
    """`is anything failing`, `any failures in prod`, `everything ok`."""
    filters = Filters()
    verb = reader.take(phrases.AUXILIARIES)
    about = reader.take(phrases.EVERYTHING)
    reader.take_all(phrases.ADVERBS)
    about = reader.take(phrases.NOUNS) or about
    _between(reader, filters, now, is_asked=bool(verb))
    reader.take(phrases.BE_OR_HAVE)
    reader.take_all(phrases.ADVERBS)
    state = reader.take(phrases.ANY_STATE)
    _need(state and (about or state in phrases.CLEARLY_BAD))
    return _limited(reader, filters, now)


def _one(reader: Reader, now: Instant) -> Ask:
    """`is invoice-sync failing in prod`, `why did the export job fail`, `prod broken`."""
    filters = Filters()
    start = reader.take(phrases.QUESTION_STARTS)
    verb = reader.take(phrases.AUXILIARIES)
    first = reader.rest[0].folded if reader.rest else ""
    _need(read_subject(reader, filters))
    _between(reader, filters, now, is_asked=bool(start or verb))
    verb = reader.take(phrases.BE_OR_HAVE) or verb
    reader.take_all(phrases.ADVERBS)
    state = reader.take(phrases.STATES_AND_PAST)
    # `restart failed job import` is an order; `deploy failed in prod` is about the deploy.
    is_order = not verb and is_command(first) and reader.take(phrases.NOUNS)
    _need(state and (verb or state in phrases.BAD) and not is_order)
    return _limited(reader, filters, now)


def _wrong_with(reader: Reader, now: Instant) -> Ask:
    """`what is wrong with invoice-sync`, `how is prod doing`, `status of branch release/2`."""
    filters = Filters()
    _need(reader.take(phrases.WRONG_WITH))
    if not read_subject(reader, filters):
        _need(read_filter(reader, filters, now))
    _between(reader, filters, now)
    reader.take(phrases.STATES)
    return _limited(reader, filters, now)


def _limited(reader: Reader, filters: Filters, now: Instant, *, bare: bool = False) -> Ask:
    read_filters(reader, filters, now, bare=bare)
    return Failing(filters.query())


def _between(reader: Reader, filters: Filters, now: Instant, *, is_asked: bool = True) -> None:
    """Read the limits that stand here; where nothing was asked yet, a strange one is none of ours.

    Raises:
        UnclearError: `copy from staging` is no question.
        InvalidError: a time in a question can't be read.
    """
    try:
        while read_filter(reader, filters, now):
            pass
    except InvalidError:
        if is_asked:
            raise
        raise UnclearError from None


_FORMS: tuple[Form, ...] = (
    _help,
    _status_of,
    approval_of,
    decision_about,
    waits_for_me,
    _what_doing,
    _seen_before,
    _review,
    _open_incident,
    _changed,
    _plain,
    _how_things_are,
    _which,
    _anything,
    _wrong_with,
    _one,
)

# Every mention passes here: a form whose first words are known is tried only where they may stand.
_OPENINGS: dict[Form, tuple[Phrases, ...]] = {
    _help: (phrases.HELP,),
    decision_about: (DECISIONS,),
    _what_doing: (phrases.DOING_FOR_ME, phrases.DOING),
    _seen_before: (phrases.SEEN_THIS, phrases.SEEN),
    _review: (phrases.REVIEW,),
    _open_incident: (phrases.OPEN_INCIDENT,),
    _changed: (phrases.WHAT_CHANGED,),
    _plain: (phrases.PLAIN_QUESTIONS,),
    _how_things_are: (phrases.HOW_THINGS_ARE,),
    _which: (phrases.WHICH,),
    _wrong_with: (phrases.WRONG_WITH,),
}


@lru_cache(maxsize=1024)
def _forms_for(first: str) -> tuple[Form, ...]:
    """Give the forms that a message of this first word may have."""
    return tuple(
        form
        for form in _FORMS
        if form not in _OPENINGS or any(one.may_begin(first) for one in _OPENINGS[form])
    )
