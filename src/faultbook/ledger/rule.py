"""The prevention rule that every incident must have: one sentence a stranger can check.

Refused are no rule, the template's words, an empty promise, another lesson's rule over again, and a
rule that nobody in person wrote. A rule that is merely short or plain is not: refusing a good one
would cost more than letting a weak one pass.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence

from faultbook.base.errors import InvalidError
from faultbook.base.text import cut, one_line
from faultbook.ledger.promises import is_promise
from faultbook.ledger.similar import KnownRules, tokens
from faultbook.model.lesson import Lesson

HINT = "One sentence a stranger can check: when X, do Y, held by Z."
_EXAMPLE = "The wrapper fails any export without report.pdf (tests/test_export.py)."
_SHOWN = 120
_MIN_SHARED = 3
# Whoever reads "team" as an author can ask nobody what the rule means.
_NOBODY = frozenset(
    {
        *("", "n/a", "na", "none", "nobody", "no one", "noone", "unknown", "anonymous", "tbd"),
        *("team", "the team", "we", "us", "all", "everyone", "everybody", "someone", "somebody"),
        *("me", "myself", "i", "you", "author", "owner", "rule author", "name", "your name"),
        *("bot", "faultbook", "the bot", "agent", "the agent", "ai", "assistant", "ci", "cron"),
        *("system", "admin", "root", "user", "test", "automation", "script", "todo", "null"),
    }
)
_NOT_A_PERSON = re.compile(
    r".*(?:\bbot|\[bot\]|\bteams?|\bagents?|\bgroup|\bdepartment|\bsquad|\bcrew)", re.IGNORECASE
)


def check_rule(
    rule: str,
    *,
    author: str,
    template_words: str,
    lessons: Sequence[Lesson],
    repeats: int | None = None,
    enforcement_change: str | None = None,
) -> None:
    """Refuse what is no prevention rule; a good rule of the ledger stands in the next step.

    Args:
        rule: as the person wrote it.
        author: the person's name.
        template_words: the incident template, whole; none of its lines is a rule.
        lessons: the ledger's, to find copies, and a good rule to show.
        repeats: the lesson that the incident names as repeated; its rule may be taken up again,
            if `enforcement_change` says what enforces it from now on.
        enforcement_change: one sentence, such as "a test instead of a document".

    Raises:
        InvalidError: `rule_missing`, `rule_template`, `rule_vacuous`, `rule_copy` or
            `rule_author_missing`, in this order.
    """
    check_known(
        rule,
        author=author,
        template_words=template_words,
        known=KnownRules(lessons),
        repeats=repeats,
        enforcement_change=enforcement_change,
    )


def check_known(
    rule: str,
    *,
    author: str,
    template_words: str,
    known: KnownRules,
    repeats: int | None = None,
    enforcement_change: str | None = None,
    besides: Collection[int | None] = (),
) -> None:
    """Do what `check_rule` does, with rules that were read once for many checks.

    Args:
        rule: as there, like the others.
        author: as there.
        template_words: as there.
        known: the ledger's rules.
        repeats: as there.
        enforcement_change: as there.
        besides: the incident's own lessons, which say the same by right.

    Raises:
        InvalidError: as there.
    """
    said = one_line(rule)
    if not any(char.isalnum() for char in said):
        raise _refused("rule_missing", "There is no prevention rule.", HINT, known)
    if is_template(said, template_words):
        raise _refused("rule_template", "These are the template's words.", "Write your own.", known)
    if is_promise(said):
        raise _refused(
            "rule_vacuous",
            f"“{cut(said, _SHOWN)}” can't be checked.",
            "Say what stops it, and where.",
            known,
        )
    _check_copy(said, known, repeats, enforcement_change, besides)
    if not is_person(author):
        raise InvalidError(
            "Nobody is named as the rule's author.",
            code="rule_author_missing",
            next_step="Name the person who wrote it: not a bot, not a team.",
            where="rule_author",
        )


def is_template(rule: str, template_words: str) -> bool:
    """Tell whether a rule is the template's own words, a hint or a placeholder of it."""
    said = tokens(rule)
    if len(said) < _MIN_SHARED:
        return False
    shown = f" {' '.join(said)} "
    texts = [HINT, *template_words.splitlines()]
    return any(shown in f" {' '.join(tokens(text))} " for text in texts)


def is_person(author: str) -> bool:
    """Tell whether a name is a person's, as far as a name can tell."""
    name = unicodedata.normalize("NFKC", one_line(author)).casefold().strip(" @.<>[](){}*_\"'-?!")
    if name in _NOBODY or not any(char.isalpha() for char in name):
        return False
    return _NOT_A_PERSON.fullmatch(one_line(author).strip()) is None


def good_rule(known: KnownRules) -> str:
    """Give a rule to learn from: the ledger's newest that says where it is held, else ours."""
    for lesson in reversed(known.lessons):
        if lesson.retired or lesson.number is None or is_promise(lesson.rule):
            continue
        if re.search(r"[\w-]+[/.][\w-]+|`[^`]+`|\b(?:CI|tests?|gate|check)\b", lesson.rule):
            return f"Lesson {lesson.number}: “{cut(lesson.rule.rstrip('.'), _SHOWN)}.”"
    return f"For example: “{_EXAMPLE}”"


def _check_copy(
    rule: str,
    known: KnownRules,
    repeats: int | None,
    enforcement_change: str | None,
    besides: Collection[int | None],
) -> None:
    lesson = known.nearest(rule, besides={repeats, *besides})
    if lesson is not None:
        raise InvalidError(
            f"Lesson {lesson.number} says this.",
            code="rule_copy",
            next_step="Record a repeat, or say what it missed.",
            where="prevention_rule",
        )
    changed = one_line(enforcement_change or "")
    is_repeated = repeats is not None and known.says(repeats, rule)
    if is_repeated and (not any(char.isalnum() for char in changed) or is_promise(changed)):
        raise InvalidError(
            f"Lesson {repeats} says this, and it happened again.",
            code="rule_copy",
            next_step="Say what enforces it from now on: a check, a test or a gate, and where.",
            where="enforcement_change",
        )


def _refused(code: str, message: str, next_step: str, known: KnownRules) -> InvalidError:
    return InvalidError(
        message,
        code=code,
        next_step=f"{next_step} {good_rule(known)}",
        where="prevention_rule",
    )
