"""Tells a request from a question and from a remark, where a message is none of our questions.

By principle, not by guess: a request is an order (a verb, and what it is to be done to), a polite
form, or a thing that is said to be needed. In doubt it is no request: asking costs its author one
click, a task that nobody wanted costs more.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from faultbook.intake.slack import phrases
from faultbook.intake.slack import request_words as vocabulary
from faultbook.intake.slack.reader import Phrases, Reader
from faultbook.intake.slack.task_ids import is_about_task
from faultbook.intake.slack.words import Word, read_words, without_emoji

_QUOTE = re.compile(r"```.*?```|`[^`\n]{1,300}`|\"[^\"\n]{1,300}\"|“[^”\n]{1,300}”", re.DOTALL)
_END = re.compile(r"([.!?…\uff1f\u061f\u3002]+)[)\]}\"”'*_~]*(?=\s|$)|(?<!:)\n+")
_CLAUSE_END = re.compile(r"[,;:](?:\s+|$)|\s+[-\u2013\u2014]+\s+|\u2014")
_LABEL = re.compile(r"\W*(?:new\s+)?(?:task|todo|to-do|request)\s*:.*\w", re.IGNORECASE)
_NO_BASE_FORM = ("ing", "ed", "ly", "tion")
_ASKING = frozenset("?\uff1f\u061f")
_STRAIGHT = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'"})
_SLICE = 900
"""Characters of a sentence that are read: what a sentence is stands at its beginning."""
_ENDS_OF_LONG = 50
"""Sentences that are read at the beginning and at the end of a long text."""
_SHORTEST_UNKNOWN = 3
"""Words of an order whose verb is unknown: the verb, a determiner, a noun."""

_COMMA = Word(",", ",")
_COMMAS = Phrases(",")
_LEADS = vocabulary.LEADS | _COMMAS
_TAILS = vocabulary.TAILS | vocabulary.PLEASE | _COMMAS
_SOFTENERS = vocabulary.SOFTENERS | _COMMAS
_NO_WORK = vocabulary.KNOWING | vocabulary.ABILITY
_SPEAKERS = frozenset({"i", "we", "you", "he", "she", "they"})


class Intent(Enum):
    """What a message wants that is none of our questions."""

    QUESTION = auto()
    REQUEST = auto()
    THANKS = auto()
    REMARK = auto()


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    is_asked: bool


def read_intent(text: str, *, is_long: bool = False) -> Intent:
    """Tell what a message wants; `text` is plain, without the mention.

    A long text is a request unless it has the marks of a question: nobody writes that much to chat.
    """
    sentences = list(_sentences(text))
    if len(sentences) > 2 * _ENDS_OF_LONG:
        sentences = sentences[:_ENDS_OF_LONG] + sentences[-_ENDS_OF_LONG:]
    intents: list[Intent] = []
    for sentence in sentences:
        is_first = Intent.REMARK not in intents and Intent.REQUEST not in intents
        intent = _read(sentence, is_first=is_first)
        if intent is Intent.QUESTION:
            return intent
        intents += [intent] if intent is not None else []
    if is_long or Intent.REQUEST in intents:
        return Intent.REQUEST
    return Intent.REMARK if Intent.REMARK in intents or not intents else Intent.THANKS


def is_command(word: str) -> bool:
    """Tell whether a folded word is known as a verb that asks for work."""
    return word in vocabulary.VERBS or word in vocabulary.NOUN_VERBS or _is_verb_again(word)


def _sentences(text: str) -> Iterator[_Sentence]:
    text = without_emoji(text.translate(_STRAIGHT)).strip()
    whole = _QUOTE.fullmatch(text)
    text = text.strip('`"“”') if whole else _QUOTE.sub(' "quoted" ', text)
    # What is quoted by lines is somebody else's.
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith(">"))
    at = 0
    for end in _END.finditer(text):
        yield _Sentence(text[at : end.start()], not _ASKING.isdisjoint(end[1] or ""))
        at = end.end()
    yield _Sentence(text[at:], is_asked=False)


def _read(sentence: _Sentence, *, is_first: bool) -> Intent | None:
    """Tell what one sentence wants; None where it says nothing."""
    if _LABEL.match(sentence.text):
        return Intent.QUESTION if sentence.is_asked else Intent.REQUEST
    reader = Reader(_words(sentence.text))
    thanks, is_polite = _take_leads(reader)
    is_polite = _drop_tails(reader) or is_polite
    body = [word.folded for word in reader.rest]
    if not body:
        return None
    if not thanks:
        return _judge(body, is_first=is_first, is_asked=sentence.is_asked, is_polite=is_polite)
    asks = _asks_later(body) or (not sentence.is_asked and _asks_within(body))
    if not asks and sentence.is_asked:
        return Intent.QUESTION
    return Intent.REQUEST if asks else Intent.THANKS


def _judge(body: Sequence[str], *, is_first: bool, is_asked: bool, is_polite: bool) -> Intent:
    polite = _polite_form(body)
    is_question = polite is False or (
        polite is None and is_first and vocabulary.QUESTIONS.length_at(body, 0) > 0
    )
    if not is_question and (polite or _asks_later(body)):
        return Intent.REQUEST
    if is_question or is_asked:
        return Intent.QUESTION
    is_request = _asks_within(body) or _is_request(body, is_polite=is_polite)
    return Intent.REQUEST if is_request else Intent.REMARK


def _words(text: str) -> list[Word]:
    """Give a sentence's words, with a comma between its clauses."""
    row: list[Word] = []
    for clause in _CLAUSE_END.split(text[:_SLICE]):
        words = read_words(clause, "<@>").words
        row += [_COMMA, *words] if row and words else words
    return row


def _take_leads(reader: Reader) -> tuple[bool, bool]:
    """Skip what stands before the matter; tells whether that is thanks, and whether please."""
    is_polite = False
    while not reader.is_done:
        if reader.take(phrases.THANKS_FOR):
            return True, is_polite
        if reader.take(vocabulary.PLEASE):
            is_polite = True
        elif not _take_lead(reader):
            break
    return False, is_polite


def _take_lead(reader: Reader) -> bool:
    """Skip a lead, or chit-chat that is a clause by itself: `take care of it` is none."""
    start = reader.at
    if reader.take(phrases.CHAT) and (reader.is_done or reader.rest[0] == _COMMA):
        return True
    reader.at = start
    return reader.take(_LEADS) is not None


def _drop_tails(reader: Reader) -> bool:
    """Leave off what stands behind the matter; tells whether it says please."""
    whole = reader.rest
    reader.drop_tail(_TAILS)
    dropped = [word.folded for word in whole[len(reader.rest) :]]
    return any(vocabulary.PLEASE.length_at(dropped, at) for at in range(len(dropped)))


def _later_clauses(body: Sequence[str]) -> Iterator[Sequence[str]]:
    """Give what follows each comma, without words such as `and`."""
    for comma in (at for at, word in enumerate(body) if word == ","):
        start = _skip(body, comma + 1, _LEADS)
        yield body[start:]


def _asks_later(body: Sequence[str]) -> bool:
    """Tell a polite form behind a comma: `it failed, could you rerun it?`."""
    return any(_polite_form(clause) for clause in _later_clauses(body))


def _skip(body: Sequence[str], at: int, skipped: Phrases) -> int:
    while length := skipped.length_at(body, at):
        at += length
    return at


def _polite_form(body: Sequence[str]) -> bool | None:
    """Read `could you please VERB …`; None where it is no such form, False where it is no order."""
    length = vocabulary.MINDING.length_at(body, 0)
    if length:
        rest = body[_skip(body, length, _SOFTENERS) :]
        return (
            _has_object(rest) and rest[0].endswith("ing") and rest[0] not in vocabulary.NO_WORK_ING
        )
    length = vocabulary.POLITE.length_at(body, 0)
    if not length:
        return None
    rest = body[_skip(body, length, _SOFTENERS) :]
    if not _has_object(rest) or (_NO_WORK.length_at(rest, 0) and not _is_phrasal(rest)):
        return False
    return is_command(rest[0]) or _may_be_verb(rest[0]) or _is_phrasal(rest)


def _is_request(body: Sequence[str], *, is_polite: bool) -> bool:
    length = vocabulary.NEEDING.length_at(body, 0)
    if length:
        rest = body[length:]
        return _has_object(rest) and rest[0] in vocabulary.DETERMINERS and "help" not in rest
    if vocabulary.KNOWING.length_at(body, 0) or not _has_object(body):
        return False
    return _is_order(body) or (is_polite and _is_wanted_thing(body))


def _is_order(body: Sequence[str]) -> bool:
    """Tell an order by its verb and by what stands around it."""
    verb, following = body[0], body[1]
    if _is_phrasal(body):
        return body[-1] not in vocabulary.DEMONSTRATIVES  # `look at this` may be said to anybody
    if _states(body, 1):
        return False
    if verb in vocabulary.NOUN_VERBS:
        is_noun = following in vocabulary.AFTER_NOUNS or _is_about_trouble(body)
        return not is_noun and not _is_statement(body)
    if is_command(verb):
        return True
    return (
        following in vocabulary.DETERMINERS
        and len(body) >= _SHORTEST_UNKNOWN
        and _may_be_verb(verb)
        and not _is_statement(body)
    )


def _is_wanted_thing(body: Sequence[str]) -> bool:
    """Tell what `please` makes a request: `the November invoices, please`."""
    first = body[0]
    if vocabulary.QUESTIONS.length_at(body, 0) or vocabulary.ABILITY.length_at(body, 0):
        return False
    is_thing = first in vocabulary.DETERMINERS or first not in vocabulary.FUNCTION_WORDS
    if _is_phrasal(body):
        return True
    return is_thing and first not in vocabulary.NO_COMMANDS and not _is_statement(body)


def _asks_within(body: Sequence[str]) -> bool:
    """Tell a request behind a remark: `it failed, please rerun it`, `prod is down, restart it`."""
    for at in range(len(body)):
        length = vocabulary.PLEASE.length_at(body, at)
        rest = body[at + length :]
        if length and _has_object(rest) and is_command(rest[0]):
            return True
    return body[0] not in _SPEAKERS and any(
        _has_object(clause)
        and (clause[0] in vocabulary.VERBS or _is_verb_again(clause[0]))
        and (clause[1] in vocabulary.DETERMINERS or clause[1] in vocabulary.PRONOUNS)
        for clause in _later_clauses(body)
    )


def _has_object(body: Sequence[str]) -> bool:
    """Tell whether there is a word after the first that is more than the name of a task of ours.

    `cancel T-41` is about a task of ours: it is none itself.
    """
    if len(body) > 1 and body[-1] in vocabulary.DEMONSTRATIVES:
        return True
    return not is_about_task([word for word in body[1:] if word not in vocabulary.DETERMINERS])


def _is_statement(body: Sequence[str]) -> bool:
    """Tell whether the first clause says something of its first words, as `invoice 4 is wrong`."""
    for at, word in enumerate(body):
        if word == "," or (at and word in vocabulary.OPENERS):
            return False
        if at and _states(body, at):
            return True
    return False


def _states(body: Sequence[str], at: int) -> bool:
    if body[at] in vocabulary.FINITE:
        return True
    if body[at] not in vocabulary.PARTICIPLES:
        return False
    following = body[at + 1] if at + 1 < len(body) else ","
    return following == "," or following in vocabulary.FUNCTION_WORDS or following.endswith("ly")


def _is_about_trouble(body: Sequence[str]) -> bool:
    return not body[2:] and (body[1] in phrases.FAILURES or body[1] in phrases.NOUNS)


def _is_phrasal(body: Sequence[str]) -> bool:
    length = vocabulary.PHRASAL_VERBS.length_at(body, 0)
    return 0 < length < len(body)


def _is_verb_again(word: str) -> bool:
    return any(
        word.startswith(start)
        and (word[len(start) :] in vocabulary.VERBS or word[len(start) :] in vocabulary.NOUN_VERBS)
        for start in vocabulary.AGAIN
    )


def _may_be_verb(word: str) -> bool:
    """Tell whether an unknown word has the looks of a verb's base form."""
    return (
        len(word) > 1
        and word.replace("-", "").isalpha()
        and word not in vocabulary.FUNCTION_WORDS
        and word not in vocabulary.NO_COMMANDS
        and not word.endswith(_NO_BASE_FORM)
        and (not word.endswith("s") or word.endswith("ss"))
    )
