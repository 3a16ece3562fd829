"""Reads words one after another; phrases are written as plain strings of folded words."""

from collections.abc import Iterable, Sequence

from faultbook.intake.slack.words import Word


class Phrases:
    """A set of phrases, found by their first word and the longest first."""

    def __init__(self, *phrases: str) -> None:
        self.all = frozenset(phrases)
        by_first: dict[str, set[tuple[str, ...]]] = {}
        for parts in (tuple(phrase.split()) for phrase in self.all):
            by_first.setdefault(parts[0], set()).add(parts)
        # Looked up by what stands there, one length after the other: many begin with "what".
        self._by_first = {
            first: (tuple(sorted({len(parts) for parts in found}, reverse=True)), found)
            for first, found in by_first.items()
        }
        self.by_length = sorted((tuple(p.split()) for p in self.all), key=len, reverse=True)

    def __or__(self, other: "Phrases") -> "Phrases":
        return Phrases(*self.all, *other.all)

    def __contains__(self, phrase: object) -> bool:
        return phrase in self.all

    def may_begin(self, folded: str) -> bool:
        """Tell whether any of them begins with this word."""
        return folded in self._by_first

    def length_at(self, folded: Sequence[str], at: int) -> int:
        """Tell how many words the longest phrase that stands there has; 0 where none does."""
        if at < len(folded) and (known := self._by_first.get(folded[at])) is not None:
            lengths, found = known
            for length in lengths:
                if at + length <= len(folded) and tuple(folded[at : at + length]) in found:
                    return length
        return 0


class Reader:
    """A position in a row of words."""

    def __init__(self, words: Iterable[Word]) -> None:
        self._words = tuple(words)
        self._folded = [word.folded for word in self._words]
        self._end = len(self._words)
        self.at = 0

    @property
    def rest(self) -> tuple[Word, ...]:
        """The words that were not read yet."""
        return self._words[self.at : self._end]

    @property
    def is_done(self) -> bool:
        """Tell whether every word was read."""
        return self.at >= self._end

    def take(self, phrases: Phrases) -> str | None:
        """Read the longest of these phrases, if one stands here."""
        length = phrases.length_at(self._folded, self.at)
        if not length:
            return None
        start = self.at
        self.at += length
        return " ".join(self._folded[start : self.at])

    def take_all(self, phrases: Phrases) -> None:
        """Read as many of these phrases as stand here one after another."""
        while length := phrases.length_at(self._folded, self.at):
            self.at += length

    def next(self) -> Word | None:
        """Read one word."""
        if self.is_done:
            return None
        word = self._words[self.at]
        self.at += 1
        return word

    def drop_tail(self, phrases: Phrases) -> None:
        """Leave phrases off the end, but never the whole of what is left."""
        while (length := self._tail(phrases)) is not None:
            self._end -= length
            del self._folded[self._end :]

    def _tail(self, phrases: Phrases) -> int | None:
        left = self._end - self.at
        return next(
            (
                len(parts)
                for parts in phrases.by_length
                if len(parts) < left
                and self._folded[-1] == parts[-1]
                and tuple(self._folded[-len(parts) :]) == parts
            ),
            None,
        )
