"""The public documents: what they become, apart from any door."""

import json
from typing import Any

import pytest

from faultbook.base.clock import SECOND, Instant, iso
from faultbook.base.errors import FaultbookError, InvalidError
from faultbook.base.redaction import redact
from faultbook.model.document_runs import Reception, to_end, to_event, to_run, to_start
from faultbook.model.document_text import TAIL_BYTES, redaction_for
from faultbook.model.documents import read_close, read_event, read_record, read_start
from faultbook.model.evidence import Artifact, Check
from faultbook.model.judge import judge
from faultbook.model.policy import Policy
from faultbook.model.run import Contract, RunEnd, RunStart, RunType, Schedule, SeriesKey
from faultbook.model.verdict import Reason, Verdict
from tests.conftest import START

POLICY = Policy(main_branch="trunk", default_environment="live")
RECEPTION = Reception(POLICY, START, agent_name="bot")
ATTESTED = Reception(POLICY, START, agent_name="bot", attested=True)


def run(
    reception: Reception = RECEPTION,
    **fields: Any,  # noqa: ANN401 - whatever a document holds
) -> tuple[RunStart, RunEnd]:
    body = json.dumps({"workflow": "w", "exit_code": 0, **fields}).encode()
    start, end, _ = to_run(read_record(body), reception)
    return start, end


def artifact(reception: Reception = RECEPTION, **fields: Any) -> Artifact:  # noqa: ANN401 - the same
    _, end = run(reception, artifacts=[{"name": "a", **fields}])
    [found] = end.outcome.artifacts
    return found


def test_what_is_not_said_is_the_teams_default_or_nothing() -> None:
    start, end = run()
    assert start == RunStart(
        SeriesKey("w", "live", "trunk"), START, START, agent_name="bot", promised=()
    )
    assert end.ended_at == START
    assert (end.usage.input_tokens, end.stdout_tail, end.outcome.claim) == (None, None, None)


def test_everything_that_is_said_is_kept() -> None:
    start, _ = run(
        environment="e",
        branch="b",
        run_type="replay",
        task_id="T-41",
        attempt=2,
        code_version="c",
        model="m",
        prompt_version="p",
        input_sha256="AB" * 32,
        state_refs=["s3://x"],
        url="https://ci.example/1?a=b#c",
        promised=["r.txt"],
        timeout_seconds=60,
        grace_seconds=0,
        tool_allowlist=[],
        token_limit=5,
        cost_limit="0.1",
        every_seconds=3600,
        due_grace_seconds=60,
    )
    assert start.series == SeriesKey("w", "e", "b")
    assert start.run_type is RunType.REPLAY
    assert (start.task_id, start.attempt, start.code_version) == ("T-41", 2, "c")
    assert (start.input_sha256, start.promised) == ("ab" * 32, ("r.txt",))
    assert start.url == "https://ci.example/1?a=b#c"
    assert start.contract == Contract(60.0, 0.0, (), 5, start.contract.cost_limit)
    assert str(start.contract.cost_limit) == "0.100000"
    assert start.schedule == Schedule(3600.0, 60.0)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-18T11:06:40Z", START),
        ("2026-11-18t11:06:40z", START),
        ("2026-11-18 11:06:40+00:00", START),
        ("2026-11-18T13:36:40+02:30", START),
        ("2026-11-18T11:06:39.5Z", START - SECOND // 2),
        ("2026-11-18T11:06:39.999999999Z", START - 1),
    ],
)
def test_times_are_read_as_rfc_3339_writes_them(text: str, instant: Instant) -> None:
    assert run(started_at=text)[0].started_at == instant


@pytest.mark.parametrize(("ahead", "kept"), [(-5, START - 5 * SECOND), (299, START), (300, START)])
def test_a_small_lead_is_drawn_back_to_now(ahead: int, kept: Instant) -> None:
    told = START + ahead * SECOND
    start, end = run(started_at=iso(told), ended_at=iso(told))
    assert (start.started_at, end.ended_at) == (kept, kept)
    assert start.occurred_at == told


@pytest.mark.parametrize(
    ("behind", "corrected"), [(0.5, False), (1, True), (-200, True), (-7_200, True)]
)
def test_a_clock_that_differs_by_a_second_or_more_is_corrected(
    behind: float, *, corrected: bool
) -> None:
    told = START - 1_000 * SECOND
    offset = round(behind * SECOND)
    start, _ = run(started_at=iso(told), sent_at=iso(START - offset))
    assert start.started_at == told + (offset if corrected else 0)
    assert start.occurred_at == told


def test_where_only_one_of_start_and_end_is_said_the_other_is_the_same() -> None:
    earlier = START - 60 * SECOND
    for start, end in (run(started_at=iso(earlier)), run(ended_at=iso(earlier))):
        assert (start.started_at, end.ended_at) == (earlier, earlier)


def test_an_end_a_little_before_its_start_is_drawn_up_to_it() -> None:
    start, end = run(started_at=iso(START), ended_at=iso(START - SECOND))
    assert end.ended_at == start.started_at


def test_a_close_without_an_end_ended_as_it_was_reported() -> None:
    assert to_end(read_close(b'{"exit_code":0}'), RECEPTION).ended_at == START
    assert to_start(read_start(b'{"workflow":"w"}'), RECEPTION).started_at == START


@pytest.mark.parametrize(
    "fields",
    [
        {"exit_code": 0},
        {"signal": 9},
        {"timed_out": True},
        {"command_started": False},
        {"verdict": "passed"},
        {"artifacts": [{"name": "j", "media_type": "Application/JUnit+XML; x=y", "text": " "}]},
    ],
)
def test_each_way_to_say_how_a_run_ended_is_enough(fields: dict[str, Any]) -> None:
    body = json.dumps({"workflow": "w", **fields}).encode()
    assert to_run(read_record(body), RECEPTION)


@pytest.mark.parametrize(
    "fields", [{}, {"timed_out": False}, {"command_started": True}, {"artifacts": [{"name": "a"}]}]
)
def test_a_run_that_says_nothing_of_its_end_is_refused(fields: dict[str, Any]) -> None:
    body = json.dumps({"workflow": "w", **fields}).encode()
    with pytest.raises(InvalidError, match="Nothing says how") as caught:
        to_run(read_record(body), RECEPTION)
    assert caught.value.where == "verdict"


def test_bytes_sent_along_are_read() -> None:
    assert artifact(text="fine").check is Check.VERIFIED
    assert artifact(content="ZmluZQ==").sha256 == artifact(text="fine").sha256
    assert artifact(content="Zmlu\r\nZQ==\n").sha256 == artifact(text="fine").sha256
    assert artifact(text=" \u2003").check is Check.EMPTY
    assert artifact(text="fine", sha256="0" * 64).check is Check.MISMATCH


@pytest.mark.parametrize("claimed", ["stale", "empty", "unreachable", "mismatch", "verified"])
@pytest.mark.parametrize("attested", [False, True])
def test_a_claimed_check_can_only_worsen(claimed: str, *, attested: bool) -> None:
    reception = ATTESTED if attested else RECEPTION
    with_bytes = artifact(reception, text="fine", check=claimed, detail="why")
    assert with_bytes.check == claimed
    assert artifact(reception, text=" ", check="verified").check is Check.EMPTY
    assert artifact(reception, text="x", sha256="0" * 64, check="verified").check is Check.MISMATCH
    named = artifact(reception, sha256="ab" * 32, check=claimed)
    expected = "unreachable" if claimed == "verified" and not attested else claimed
    assert named.check == expected
    assert (named.sha256 is not None) is attested


def test_what_did_not_fit_is_kept_with_a_claimed_mismatch() -> None:
    found = artifact(check="mismatch", mismatch="schema_mismatch", detail="total is missing")
    assert (found.mismatch, found.detail) == (Reason.SCHEMA_MISMATCH, "total is missing")
    assert artifact(check="mismatch").mismatch is Reason.DIGEST_MISMATCH
    assert artifact(check="stale", mismatch="schema_mismatch").mismatch is None


def test_reports_are_counted_by_their_elements_and_added_up() -> None:
    report = '<testsuite tests="9"><testcase name="x"/></testsuite>'
    junit = {"media_type": "application/junit+xml"}
    artifacts = [{"name": f"{n}.xml", "text": report, **junit} for n in range(2)]
    _, end = run(artifacts=artifacts, exit_code=None)
    assert end.outcome.tests is not None
    assert (end.outcome.tests.total, end.outcome.tests.executed) == (2, 2)
    assert judge(end.outcome).verdict is Verdict.PASSED
    with pytest.raises(FaultbookError):
        run(artifacts=[{"name": "j", "text": "<testsuite", **junit}])


def test_only_the_end_of_an_output_is_kept_whole_in_its_characters() -> None:
    _, end = run(stdout_tail="é" * 9_000, stderr_tail="a\0b")
    assert end.stdout_tail == "é" * (TAIL_BYTES // 2)
    assert end.stderr_tail == "a\\u0000b"


def test_long_words_are_cut_and_not_refused() -> None:
    _, end = run(verdict="failed", detail="d" * 40_001)
    assert end.outcome.claim is not None
    assert len(end.outcome.claim.detail) == 2_000
    event = to_event(
        read_event(json.dumps({"kind": "log", "text": "t" * 9_999}).encode()), RECEPTION
    )
    assert len(event.text) == 2_000


def test_without_a_token_the_document_says_who_it_was() -> None:
    local = Reception(POLICY, START)
    assert run(local, agent_name="me")[0].agent_name == "me"
    assert run(local)[0].agent_name is None


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":"xoxb-1234567890-abc"}',
        b'{"a":"XOXB-1234567890-abc"}',
        b'{"a":"\\u0078oxb-1234567890-abc"}',
        b'{"a":"https:\\/\\/a:b@c"}',
        b'{"a":"https://user:word@host"}',
        b'{"a":"api_key=12345"}',
        '{"a":"pa\u017f\u017fword=12345"}'.encode(),
    ],
)
def test_a_document_with_any_sign_of_a_secret_has_each_text_looked_at(raw: bytes) -> None:
    assert redaction_for(raw) is redact


def test_an_ordinary_document_is_spared() -> None:
    raw = (
        b'{"workflow":"invoice-sync","task_id":"T-41","input_tokens":5,"token_limit":9,"a":"x\\n"}'
    )
    assert redaction_for(raw) is not redact
    assert redaction_for(raw)("same") == "same"
