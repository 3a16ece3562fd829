"""Text from outside is one line, visible and bounded wherever it is shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.base.text import cut, cut_middle, duration, one_line


@given(st.text())
def test_one_line_has_no_line_end_and_nothing_hidden(text: str) -> None:
    shown = one_line(text)
    assert len(shown.splitlines()) <= 1
    assert all(unicodedata.category(char) not in {"Cc", "Cs"} for char in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def test_a_bidi_override_is_shown_as_what_it_is() -> None:
    assert one_line("pay \u202e001") == r"pay \u202e001"


@given(st.text(), st.integers(2, 80))
def test_a_cut_keeps_within_its_length(text: str, length: int) -> None:
    assert len(cut(text, length)) <= length
    assert len(cut_middle(text, length)) <= length


def test_a_cut_in_the_middle_shows_both_ends() -> None:
    assert cut_middle("abcdefghij", 7) == "abc…hij"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"),
        (7800, "2 h 10 min"), (26 * 3600, "26 h"), (48 * 3600, "2 d"), (76 * 3600, "3 d 4 h"),
        (-5, "0 s"),
    ],
)  # fmt: skip
def test_lengths_of_time_are_said_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words
