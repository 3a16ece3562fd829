"""Search over lessons: an SQLite FTS5 index, rebuilt from a commit or a folder whenever it moved.

It is local to the process on either store, so that both answer alike. Words are stemmed (porter)
and OR-ed; the rule counts most, then what failed, then the fix; retired lessons come last.
"""

import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from faultbook.model.lesson import Lesson

_MOST_TERMS = 32
_RAREST = 12
"""Of a long text the rarest words are asked for: common ones cost most and tell least."""

_COMMON_FROM = 100
_COMMON_SHARE = 5
_LONGEST_TERM = 40
_SUGGESTED_FROM = 10
_SHARED_AT_LEAST = 2
"""A lesson is suggested for a failure only if so many of its words speak for it."""

_RANK = "bm25(4.0, 1.0, 6.0, 2.0)"
"""Weights of the columns: what failed, fix, rule, area."""

_WORD = re.compile(r"[^\W_]+")
_FREQUENT = """
a about after again all also am an and any are as at be because been before being both but by can
cannot could did didn do does doesn doing don down during each few for from further had has have
having he her here hers him his how i if in into is isn it its just ll me more most my no nor not
now of off on once only or other our ours out over own re s same she should so some such t than
that the their them then there these they this those through to too under until up us ve very was
we were what when where which while who whom why will with would you your yours
ever seen happened
"""
_STOPWORDS = frozenset(_FREQUENT.split())
"""Words that tell nothing apart: frequent ones of English, and of questions to the bot."""


@dataclass(frozen=True, slots=True)
class Match:
    """A lesson that was found; the higher the score, the better it fits."""

    lesson: Lesson
    score: float


class LessonIndex:
    """All lessons of one state of the ledger, ready to be searched from any thread."""

    def __init__(self, lessons: Sequence[Lesson]) -> None:
        # Those in force first: a search takes them by their row's number, and retired ones after.
        self._lessons = tuple(sorted(lessons, key=lambda lesson: lesson.retired))
        self._in_force = sum(not lesson.retired for lesson in self._lessons)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.execute(
            "CREATE VIRTUAL TABLE lessons USING fts5(what, fix, rule, area, content = '',"
            " tokenize = 'porter unicode61 remove_diacritics 2')"
        )
        self._connection.executemany(
            "INSERT INTO lessons (rowid, what, fix, rule, area) VALUES (?, ?, ?, ?, ?)",
            ((at, *_texts(lesson)) for at, lesson in enumerate(self._lessons)),
        )
        self._connection.execute("INSERT INTO lessons(lessons) VALUES ('optimize')")
        self._connection.execute("INSERT INTO lessons(lessons, rank) VALUES ('rank', ?)", (_RANK,))
        self._connection.commit()

    @classmethod
    def build(cls, lessons: Iterable[Lesson]) -> "LessonIndex":
        """Build an index in memory; 10 000 lessons take a fraction of a second."""
        return cls(tuple(lessons))

    def __len__(self) -> int:
        return len(self._lessons)

    def close(self) -> None:
        """Let go of the index."""
        with self._lock:
            self._connection.close()

    def search(self, words: str, limit: int = 5, area: str | None = None) -> list[Match]:
        """Find the lessons that fit words best, whatever characters these hold; retired ones last.

        Args:
            words: as a person says them; a lesson's number alone finds that lesson first.
            limit: how many at most.
            area: only lessons of it, letters' case aside; subjects under it (`ci/cache`) too.
        """
        terms = _terms(words)
        found = self._ranked(terms, limit, area) if terms else []
        if not found and words.strip():
            found = self._containing(words, limit, area)
        return self._numbered_first(words, found, area)[:limit]

    def similar(self, text: str, limit: int = 3) -> list[Match]:
        """Find what a new failure may be a repeat of: always a question, never a decision.

        Retired lessons are left out, and those that share a single word with the text only.
        """
        terms = _terms(text)
        if not terms:
            return []
        needed = min(_SHARED_AT_LEAST, len(terms))
        query = _any_of(self._telling(terms))
        found = self._ask(query, (0, self._in_force), _SUGGESTED_FROM)
        kept = [(at, score) for at, score in found if self._shares(terms, at, needed)]
        return [Match(self._lessons[at], score) for at, score in kept[:limit]]

    def in_area(self, area: str) -> list[Lesson]:
        """Give the lessons of an area in their order, those in force first."""
        of = [lesson for lesson in self._lessons if _is_within(lesson.area, area)]
        return sorted(of, key=lambda lesson: lesson.retired)

    def _ranked(self, terms: Sequence[str], limit: int, area: str | None) -> list[Match]:
        query, every = _any_of(self._telling(terms)), len(self._lessons)
        within = _words(area or "")
        if within:
            query = f'area : "{" ".join(within)}" AND ({query})'
        found: list[Match] = []
        for span in ((0, self._in_force), (self._in_force, every)):
            if len(found) < limit:
                # An area is asked of each match: all of them have to be taken then.
                taken = self._ask(query, span, limit if area is None else every)
                matches = (Match(self._lessons[at], score) for at, score in taken)
                found += [m for m in matches if area is None or _is_within(m.lesson.area, area)]
        return found[:limit]

    def _ask(self, query: str, span: tuple[int, int], limit: int) -> list[tuple[int, float]]:
        sql = (
            "SELECT rowid, -rank FROM lessons WHERE lessons MATCH ? AND rowid >= ? AND rowid < ?"
            " ORDER BY rank LIMIT ?"
        )
        with self._lock:
            return self._connection.execute(sql, (query, *span, limit)).fetchall()

    def _telling(self, terms: Sequence[str]) -> list[str]:
        """Keep the words that few lessons hold; all of them where there is no such word."""
        common = max(_COMMON_FROM, len(self._lessons) // _COMMON_SHARE)
        sql = "SELECT count(*) FROM (SELECT 1 FROM lessons WHERE lessons MATCH ? LIMIT ?)"
        with self._lock:
            held = {
                term: self._connection.execute(sql, (f'"{term}"', common)).fetchone()[0]
                for term in terms
            }
        telling = [term for term in terms if 0 < held[term] < common]
        return sorted(telling or terms, key=lambda term: held[term])[:_RAREST]

    def _shares(self, terms: Sequence[str], at: int, needed: int) -> bool:
        sql = "SELECT 1 FROM lessons WHERE lessons MATCH ? AND rowid = ?"
        shared = 0
        with self._lock:
            for term in terms:
                shared += self._connection.execute(sql, (f'"{term}"', at)).fetchone() is not None
                if shared >= needed:
                    return True
        return False

    def _containing(self, words: str, limit: int, area: str | None) -> list[Match]:
        """Look for the words as they stand: for scripts without blanks between words."""
        wanted = words.strip().casefold()
        found: list[Match] = []
        for lesson in self._lessons:
            fits = any(wanted in text.casefold() for text in _texts(lesson))
            if fits and (area is None or _is_within(lesson.area, area)):
                found.append(Match(lesson, 0.0))
                if len(found) == limit:
                    break
        return found

    def _numbered_first(self, words: str, found: list[Match], area: str | None) -> list[Match]:
        asked = re.fullmatch(r"\s*(?:lesson\s+)?#?(\d{1,9})\s*", words, re.ASCII | re.IGNORECASE)
        if asked is None:
            return found
        number = int(asked[1])
        named = [
            Match(lesson, float("inf"))
            for lesson in self._lessons
            if lesson.number == number and (area is None or _is_within(lesson.area, area))
        ]
        return [*named, *(match for match in found if match.lesson.number != number)]


def _texts(lesson: Lesson) -> tuple[str, str, str, str]:
    return (lesson.what_failed, lesson.fix, lesson.rule, lesson.area or "")


def _words(text: str) -> list[str]:
    """Take text apart as the index does: at everything that is no letter and no digit."""
    return [word[:_LONGEST_TERM] for word in _WORD.findall(text.casefold())]


def _terms(text: str) -> list[str]:
    """Take the words of a question that tell lessons apart, each once; operators become words."""
    found = _words(text)
    telling = [word for word in found if word not in _STOPWORDS]
    return list(dict.fromkeys(telling or found))[:_MOST_TERMS]


def _any_of(terms: Sequence[str]) -> str:
    """Ask for any of these words; quoted, none of them is an operator."""
    return " OR ".join(f'"{term}"' for term in terms)


def _is_within(area: str | None, asked: str) -> bool:
    known, wanted = (area or "").casefold(), asked.strip().casefold()
    return known == wanted or known.startswith(f"{wanted}/")
