"""The four faces of one answer say the same: Slack, App Home, the command line, JSON."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from faultbook.model.answer import Counts, FailingAnswer, FailingQuery
from faultbook.model.policy import Policy
from faultbook.model.run import RunEnd, RunStart, SeriesKey
from faultbook.model.standing import Standing
from faultbook.operations import recording
from faultbook.operations.failing import ask_failing
from faultbook.store.engine import Store
from faultbook.view.documents import failing_document
from faultbook.view.failing_lines import group_of
from faultbook.view.message import Block
from faultbook.view.slack_failing import failing_message
from faultbook.view.slack_home import home_view
from faultbook.view.terminal import failing_text
from tests.conftest import FrozenClock
from tests.truth.table import ROWS, Row
from tests.view.answers import FAILING, HEADLINES, SILENT, answer, answers
from tests.view.slack_rules import texts

KEY = SeriesKey("invoice-sync", "production", "main")
_TOKEN = re.compile(r"<!date\^\d+\^[^|]*\|(\d+ \w+) \d+ (\d+:\d+ UTC)>")


def words_of(blocks: list[Block]) -> str:
    """Read blocks as a person does: without marks, times as their plain form."""
    text = "\n".join(found["text"] for found in texts(blocks))
    text = _TOKEN.sub(r"\1 \2", text)
    text = re.sub(r"[*`]", "", text)
    return text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")


FACES: dict[str, Callable[[FailingAnswer], str]] = {
    "message": lambda answer: words_of(failing_message(answer).blocks),
    "message's text": lambda answer: (
        failing_message(answer).text.replace("&gt;", ">").replace("&lt;", "<")
    ),
    "home": lambda answer: words_of(home_view(answer)["blocks"]),
    "terminal": failing_text,
}


def opening(answer: FailingAnswer, face: str) -> str:
    """Read what a face says first."""
    text = FACES[face](answer)
    lines = text.split("\n")
    if face == "home":
        return lines[lines.index("What's failing") + 1]
    return lines[0]


@pytest.mark.parametrize("case", HEADLINES)
def test_every_face_opens_with_the_same_words(case: str) -> None:
    answer = HEADLINES[case]
    first = opening(answer, "terminal")
    assert opening(answer, "message") == first
    assert opening(answer, "home") == first
    assert opening(answer, "message's text").startswith(first)


@pytest.mark.parametrize("case", sorted(HEADLINES.keys() - {"200"}))
@pytest.mark.parametrize("face", FACES)
def test_every_face_names_the_same_series_by_the_same_standing(case: str, face: str) -> None:
    answer = HEADLINES[case]
    text = FACES[face](answer)
    document = failing_document(answer)
    assert [series["workflow"] for series in document["series"]] == [
        series.key.workflow for series in answer.series
    ]
    for series in answer.series:
        assert series.key.workflow in text
        assert group_of(series) in text.lower()
        if series.reason is not None and series.silent_since is None:
            told = series.detail if series.standing is Standing.DEGRADED else series.reason.value
            assert told in text


@pytest.mark.parametrize("face", FACES)
def test_a_rule_that_did_not_hold_is_said_loudly(face: str) -> None:
    text = FACES[face](HEADLINES["happened again"])
    assert "The rule exists and it happened again: lesson 14." in text
    assert "The rule exists and it happened again: lesson 3" in text
    known = FACES[face](HEADLINES["known"])
    assert "happened again" not in known
    assert "lesson 27" in known


def test_a_rule_that_did_not_hold_is_named_in_one_line_too() -> None:
    again = replace(FAILING, known_lesson=14, happened_again=True)
    seven = answer(*(replace(again, key=SeriesKey(f"w{n}", "prod", "main")) for n in range(7)))
    assert FACES["message"](seven).count("· again, lesson 14") == 2
    assert FACES["message"](seven).count("happened again: lesson 14.") == 5


def test_a_document_names_the_lesson_and_the_fingerprint() -> None:
    failing, _ = failing_document(HEADLINES["happened again"])["series"]
    told = (failing["known_lesson"], failing["happened_again"], failing["repeats"])
    assert told == (14, True, 2)
    assert failing["fingerprint"] == FAILING.fingerprint
    assert failing_document(answer(SILENT))["series"][0]["fingerprint"] is None


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(answers())
def test_every_face_counts_alike(drawn: FailingAnswer) -> None:
    document = failing_document(drawn)
    known = {name: document["counts"][name] for name in Counts.__slots__}
    assert Counts(**known) == drawn.counts
    passing = f"{drawn.counts.passing} passing"
    if drawn.counts.total:
        assert passing in FACES["message"](drawn)
        assert passing in FACES["home"](drawn)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.happened)
def test_what_a_run_came_to_is_said_on_all_four_faces(
    row: Row, store: Store, clock: FrozenClock
) -> None:
    policy = Policy(heartbeat=frozenset({KEY.workflow}) if row.heartbeat else frozenset())
    start = RunStart(KEY, started_at=clock(), received_at=clock())
    run_id = store.write(recording.start_run, start, policy).run_id
    clock.advance(30)
    store.write(recording.close_run, run_id, RunEnd(clock(), row.outcome), policy, "digest")
    answer = ask_failing(store, FailingQuery(), policy)
    document = failing_document(answer)
    word = row.standing.value
    for face, show in FACES.items():
        text = show(answer)
        if row.standing is Standing.PASSING:
            assert text.startswith("Nothing is failing") or face == "home", face
            assert ("by heartbeat only" in text) == row.heartbeat, face
        else:
            assert f"1 {word}" in text, face
            assert "invoice-sync" in text, face
    assert document["counts"][word] == 1
    if row.standing is not Standing.PASSING:
        [series] = document["series"]
        assert series["standing"] == word
        assert series["verdict"] == (row.verdict.value if word != "unknown" else None)
        assert series["failure_class"] == (row.failure_class.value if row.failure_class else None)
