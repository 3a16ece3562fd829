"""Search over lessons: what fits comes first, retired last, and no query is dangerous."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.ledger.search import LessonIndex
from faultbook.model.lesson import Lesson

PDF = Lesson(
    14,
    "Export wrote no PDF and exited 0",
    "The wrapper checks the file",
    "The wrapper fails any export without its file (tests/test_export.py)",
    area="billing/export",
)
VENDOR = Lesson(
    26,
    "A vendor renamed a field",
    "Map the new field",
    "Validate vendor JSON against a schema in CI",
    area="billing",
)
CACHE = Lesson(
    3, "The cache was stale for a day", "Purge at deploy", "Name cache keys by commit", area="ci"
)
OLD = Lesson(
    9, "No PDF", "Retry", "Retry the export of the PDF", retired=True, superseded_by=14,
    area="billing",
)  # fmt: skip
JAPANESE = Lesson(30, "請求書が見つからない", "再生成", "毎回ファイルを確認する")
ALL = (OLD, PDF, VENDOR, CACHE, JAPANESE)


@pytest.fixture(scope="module")
def index() -> LessonIndex:
    return LessonIndex.build(ALL)


def numbers(index: LessonIndex, words: str, **more: str) -> list[int | None]:
    return [match.lesson.number for match in index.search(words, **more)]  # type: ignore[arg-type] # area only


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("pdf missing", [14, 9]),
        ("exporting PDFs", [14, 9]),  # stemmed
        ("have we seen this vendor's schema before?", [26]),
        ("stale caches", [3]),
        ("CACHE", [3]),
        ("test_export", [14, 9]),  # taken apart as the index does
        ("見つからない", [30]),  # a script without blanks between words
        ("14", [14]),
        ("lesson #9", [9]),
        ("kubernetes", []),
        ("", []),
        (" \t", []),
    ],
)
def test_lessons_are_found_as_people_ask(index: LessonIndex, words: str, found: list[int]) -> None:
    assert numbers(index, words) == found


def test_retired_lessons_come_last_however_well_they_fit(index: LessonIndex) -> None:
    found = index.search("retry export of the PDF")
    assert [(m.lesson.number, m.lesson.retired) for m in found] == [(14, False), (9, True)]
    assert found[1].score > found[0].score


def test_the_rule_counts_more_than_the_fix() -> None:
    in_fix = Lesson(1, "a", "schema", "b")
    in_rule = Lesson(2, "a", "b", "schema")
    assert numbers(LessonIndex.build([in_fix, in_rule]), "schema") == [2, 1]


@pytest.mark.parametrize(
    ("area", "found"), [("billing", [14, 26, 9]), ("Billing/Export", [14]), ("bill", []), ("*", [])]
)
def test_an_area_holds_what_is_under_it(index: LessonIndex, area: str, found: list[int]) -> None:
    words = "pdf vendor cache"
    assert sorted(numbers(index, words, area=area), key=str) == sorted(found, key=str)
    assert {lesson.number for lesson in index.in_area(area)} == set(found)


def test_the_area_is_read_with_those_in_force_first(index: LessonIndex) -> None:
    assert [lesson.number for lesson in index.in_area("billing")] == [14, 26, 9]


def test_a_failure_is_likened_to_lessons_in_force_that_share_more_than_a_word(
    index: LessonIndex,
) -> None:
    def like(text: str) -> list[int | None]:
        return [match.lesson.number for match in index.similar(text)]

    assert like("the export exited 0 but its PDF is not there") == [14]
    assert like("vendor JSON: a field is missing from the schema") == [26]
    assert like("the vendor was paid twice") == []
    assert like("connection refused by host") == []
    assert like("") == []


@pytest.mark.parametrize(
    "words",
    [
        '"', '" OR 1 --', "pdf AND", "NEAR(a b", "what:pdf", "^pdf*", "pdf -export", "(((",
        "{a b}: c",
        "'; DROP TABLE lessons; --", "\x00pdf", "\ud800 pdf", "pdf\u202e", "%_", "a" * 100_000,
        "word " * 20_000, "* OR *", "NOT pdf", "+", "pdf)", "rule : x", "\n\r\n", "١٤",
    ],
)  # fmt: skip
def test_a_hostile_query_is_only_words(index: LessonIndex, words: str) -> None:
    for area in (None, words[:50]):
        assert set(numbers(index, words, **({"area": area} if area else {}))) <= {14, 9, 26, 3, 30}
    assert len(index.similar(words)) <= 3
    assert len(index) == len(ALL)
    assert numbers(index, "cache") == [3]


@given(st.text())
def test_any_text_at_all_can_be_asked(words: str) -> None:
    index = LessonIndex.build(ALL)
    found = index.search(words, limit=3)
    assert len(found) <= 3
    retired = [match.lesson.retired for match in found]
    assert retired == sorted(retired)
    index.close()


def test_many_threads_ask_one_index(index: LessonIndex) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(numbers, index, "pdf missing") for _ in range(200)]
        assert all(each.result() == [14, 9] for each in asked)
