"""The public documents: their fields, and that nothing is lost in them."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from faultbook.base.errors import UnavailableError
from faultbook.model.answer import FailingAnswer
from faultbook.model.timeline import Timeline
from faultbook.view.documents import failing_document, run_document, timeline_document
from faultbook.view.reading import read_failing, read_timeline
from tests.view.answers import EXAMPLE, answers
from tests.view.runs import EXAMPLE as RUN
from tests.view.runs import timelines


def test_a_series_shows_its_facts_by_their_public_names() -> None:
    document = failing_document(EXAMPLE)
    assert document["headline"] == "failing"
    assert document["exit_code"] == 1
    assert document["as_of"] == "2026-11-18T21:20:00Z"
    failing, unproven, silent = document["series"]
    assert list(failing)[:14] == [
        "workflow",
        "environment",
        "branch",
        "standing",
        "silent_since",
        "verdict",
        "failure_class",
        "reason",
        "since",
        "streak",
        "first_bad_run",
        "last_good_run",
        "evidence",
        "newest_record_at",
    ]
    assert failing["first_bad_run"] == {
        "run_id": "019a94f0-0000-7000-8000-0000aaaaaaaa",
        "code_version": "a1b2c3d" * 5,
        "started_at": "2026-11-18T15:04:00Z",
    }
    assert failing["evidence"] == [{"name": "out/run.log", "check": "verified", "uri": None}]
    assert (unproven["standing"], unproven["verdict"]) == ("unproven", None)
    assert (silent["standing"], silent["silent_since"]) == ("passing", "2026-11-17T20:05:00Z")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(answers())
def test_the_answer_is_read_back_whole_from_its_document(drawn: FailingAnswer) -> None:
    document = json.loads(json.dumps(failing_document(drawn)))
    assert read_failing(document) == drawn
    assert document["exit_code"] == drawn.exit_code


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(timelines)
def test_a_run_is_read_back_whole_from_its_document(drawn: Timeline) -> None:
    document = json.loads(json.dumps(timeline_document(drawn)))
    assert read_timeline(document) == drawn


def test_a_run_without_its_events_says_nothing_of_them() -> None:
    assert "events" not in run_document(RUN.run)
    assert run_document(RUN.run)["reason"] == "missing_artifact_ref"


@pytest.mark.parametrize("document", [{}, {"headline": "new_kind"}, {"series": 3}])
def test_a_document_of_another_version_is_refused_in_words(document: dict[str, object]) -> None:
    for read in (read_failing, read_timeline):
        with pytest.raises(UnavailableError, match="can't be read"):
            read(document)


def test_a_count_that_is_no_number_is_refused_in_words() -> None:
    document = failing_document(EXAMPLE) | {"undelivered": float("inf")}
    with pytest.raises(UnavailableError, match="can't be read") as refused:
        read_failing(document)
    assert refused.value.code == "unreadable_answer"
