"""Fingerprints: the same failure is recognised, another is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbook.model.fingerprint import fingerprint, normalised
from faultbook.model.verdict import FailureClass, Reason


def of(detail: str, workflow: str = "invoice-sync", reason: Reason = Reason.NONZERO_EXIT) -> str:
    return fingerprint(workflow, FailureClass.PERSISTENT, reason, detail)


@pytest.mark.parametrize(
    ("once", "again"),
    [
        ("no PDF after 3 tries", "no PDF after 17 tries"),
        ("2026-11-18T15:04:00Z timed out", "2027-01-02 03:04:05.678 UTC timed out"),
        ("at 09:14 it broke", "at 23:59:59 it broke"),
        (
            "run 019a94f0-0000-7000-8000-00007c1e90ab lost",
            "run 7c9e6679-7425-40de-944b-e07fc1f90ae7 lost",
        ),
        ("can't read /tmp/a8fj2k/out.pdf", "can't read /tmp/other/out.pdf"),
        ("commit a1b2c3d4 broke", "commit 9f8e7d6 broke"),
        ("object at 0x7f3a2b", "object at 0x1"),
        ("charge ch_3PqLk2eZvKYlo2C refused", "charge ch_9AbCd1fGhIJkl0M refused"),
        ("report_2026_11_18.csv is empty", "report_2026_12_01.csv is empty"),
        ("out.csv  is\n empty", "out.csv is empty"),
        ("Timed Out", "timed out"),
    ],
)
def test_what_differs_from_run_to_run_does_not_count(once: str, again: str) -> None:
    assert of(once) == of(again)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no PDF was written", "no CSV was written"),
        ("tests_failed: test_export", "tests_failed: test_import"),
        ("vendor JSON lacks total", "vendor JSON lacks date"),
        ("the face is bad", "the cafe is bad"),
    ],
)
def test_other_words_are_another_failure(one: str, other: str) -> None:
    assert of(one) != of(other)


def test_workflow_class_and_reason_are_part_of_it() -> None:
    assert of("x") != of("x", workflow="other")
    assert of("x") != of("x", reason=Reason.EMPTY_OUTPUT)
    assert of("x") != fingerprint("invoice-sync", FailureClass.TRANSIENT, Reason.NONZERO_EXIT, "x")
    assert fingerprint("w", None, None, "") == fingerprint("W", None, None, " ")


@given(st.text())
def test_any_words_make_a_fingerprint_that_is_safe_in_any_text(detail: str) -> None:
    assert re.fullmatch(r"f1-[0-9a-f]{20}", of(detail))


@given(st.text(st.sampled_from("ab01-:/. _\n"), max_size=200))
def test_taking_out_what_differs_leaves_nothing_more_to_take_out(detail: str) -> None:
    once = normalised(detail)
    assert len(once) <= 300
    assert not re.search(r"\d", once)
