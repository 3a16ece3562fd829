"""Whether two rules say the same: their words compared, without those that carry nothing.

A copy shares nearly all its words. One other noun or number makes another rule: "validate vendor
JSON" is not "validate vendor XML".
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence

from faultbook.model.lesson import Lesson

_TOKEN = re.compile(r"[^\W_]+")
_EMPTY = frozenset(
    """
    a an the of to in on at by for from with and or is are be been was were it its this that these
    those we you they our your their any all every each must should shall will always do does so as
    if when then than please only also just
    """.split()  # noqa: SIM905 - a list of eighty quoted words is harder to read
)
_SAME = 0.85


def tokens(text: str) -> list[str]:
    """Split text into its words: case folded, accents and punctuation off."""
    bare = text.casefold()
    if not bare.isascii():
        plain = unicodedata.normalize("NFKD", bare).replace("\u2019", "'")
        bare = "".join(char for char in plain if not unicodedata.combining(char))
    return _TOKEN.findall(bare.replace("'", ""))


def likeness(one: str, other: str) -> float:
    """Tell how much of two texts' words they share, from 0 to 1."""
    return _shared(_bag(one), _bag(other))


class KnownRules:
    """The rules of a ledger, read once, to be compared with many others."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        self.lessons = lessons
        self._words: dict[int, frozenset[str]] = {}
        self._with_word: dict[str, list[int]] = defaultdict(list)
        for index, lesson in enumerate(lessons):
            words = _bag(lesson.rule)
            self._words[index] = words
            for word in words:
                self._with_word[word].append(index)

    def nearest(self, rule: str, besides: Collection[int | None] = ()) -> Lesson | None:
        """Find the lesson whose rule this is; None where no rule is so near.

        Args:
            rule: the rule to look for.
            besides: numbers of lessons that may say the same; retired ones may always.
        """
        words = _bag(rule)
        if not words:
            return None
        best: tuple[float, int] | None = None
        for index in self._candidates(words):
            lesson = self.lessons[index]
            if lesson.number is None or lesson.number in besides or lesson.retired:
                continue
            near = _shared(words, self._words[index])
            if near >= _SAME and (best is None or near > best[0]):
                best = (near, index)
        return self.lessons[best[1]] if best else None

    def says(self, number: int, rule: str) -> bool:
        """Tell whether the lesson of a number says the same as a rule."""
        words = _bag(rule)
        return any(
            _shared(words, self._words[index]) >= _SAME
            for index, lesson in enumerate(self.lessons)
            if lesson.number == number
        )

    def _candidates(self, words: frozenset[str]) -> set[int]:
        """Give the lessons that share one of the rarest words: a copy lacks few of them."""
        missing = int(len(words) * (1 - _SAME)) + 1
        rarest = sorted(words, key=lambda word: len(self._with_word.get(word, ())))[:missing]
        return {index for word in rarest for index in self._with_word.get(word, ())}


def _bag(text: str) -> frozenset[str]:
    words = [word for word in tokens(text) if word not in _EMPTY]
    return frozenset(_stem(word) for word in words)


def _stem(word: str) -> str:
    for ending, least in (("ing", 6), ("ed", 5), ("es", 5), ("s", 4)):
        if len(word) >= least and word.endswith(ending) and not word.endswith("ss"):
            return word[: -len(ending)].rstrip("e")
    return word.rstrip("e") if len(word) > 3 else word  # noqa: PLR2004 - short words keep their e


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    if not one or not other:
        return 0.0
    return len(one & other) / len(one | other)
