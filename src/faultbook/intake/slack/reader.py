"""Reads words one after another; phrases are written as plain strings of folded words."""

from collections.abc import Collection, Sequence

from faultbook.intake.slack.words import Word


class Reader:
    """A position in a row of words."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = tuple(words)
        self.at = 0

    @property
    def rest(self) -> tuple[Word, ...]:
        """The words that were not read yet."""
        return self.words[self.at :]

    @property
    def is_done(self) -> bool:
        """Tell whether every word was read."""
        return self.at >= len(self.words)

    def take(self, phrases: Collection[str]) -> str | None:
        """Read the longest of these phrases, if one stands here."""
        folded = [word.folded for word in self.rest]
        for phrase in sorted(phrases, key=len, reverse=True):
            parts = phrase.split()
            if folded[: len(parts)] == parts:
                self.at += len(parts)
                return phrase
        return None

    def take_all(self, phrases: Collection[str]) -> None:
        """Read as many of these phrases as stand here one after another."""
        while self.take(phrases) is not None:
            pass

    def next(self) -> Word | None:
        """Read one word."""
        if self.is_done:
            return None
        word = self.words[self.at]
        self.at += 1
        return word

    def drop_tail(self, phrases: Collection[str]) -> None:
        """Leave phrases off the end, but never the whole of what is left."""
        parts = sorted((phrase.split() for phrase in phrases), key=len, reverse=True)
        while True:
            folded = [word.folded for word in self.rest]
            cut = next((p for p in parts if len(p) < len(folded) and folded[-len(p) :] == p), None)
            if cut is None:
                return
            self.words = self.words[: -len(cut)]
