"""Artifacts by their bytes: what is fresh, what is not, what is refused."""

import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbook.base.errors import InvalidError
from faultbook.intake.wrapper.confirm import confirm
from faultbook.intake.wrapper.duration import parse_duration
from faultbook.intake.wrapper.record import artifact_documents
from faultbook.intake.wrapper.schema import Schema, load_schema
from faultbook.intake.wrapper.watch import MOST_FILES, Found, Watch
from faultbook.model.documents import JUNIT_MEDIA_TYPE, ArtifactDocument
from faultbook.model.evidence import Check
from tests.intake.wrapper.bench import is_alive
from tests.intake.wrapper.harness import until


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of our own: artifacts are relative to the working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _watch(*names: str, schema: Schema | None = None) -> Watch:
    """Watch what is to be taken for new, although it is there already."""
    watch = Watch(names, schema)
    watch._has_looked = True
    return watch


def _check(name: str) -> Found:
    [found] = _watch(name).check()
    return found


def test_what_was_not_looked_at_before_can_not_be_told_to_be_fresh() -> None:
    Path("out").write_text("x")
    [found] = Watch(["out"]).check()
    assert found.artifact.check is Check.UNREACHABLE
    assert found.path is None


@pytest.mark.parametrize(("after", "check"), [("old!", Check.VERIFIED), ("new", Check.UNREACHABLE)])
def test_a_file_that_could_not_be_read_before_is_new_by_its_size_only(
    after: str, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("out").write_text("old")
    watch = Watch(["out"])
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", _denied)
        watch.look()
    Path("out").write_text(after)
    [found] = watch.check()
    assert found.artifact.check is check


def _denied(*_arguments: object, **_more: object) -> int:
    raise PermissionError(13, "Permission denied")


def test_a_link_that_led_nowhere_before_is_new() -> None:
    Path("out").symlink_to("file/within")
    Path("file").write_text("no folder")
    watch = Watch(["out"])
    watch.look()
    Path("out").unlink()
    Path("out").write_text("x")
    assert [each.artifact.check for each in watch.check()] == [Check.VERIFIED]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.binary(max_size=20) | st.none(), after=st.binary(max_size=20) | st.none())
def test_only_bytes_that_are_new_and_say_something_are_verified(
    before: bytes | None, after: bytes | None
) -> None:
    path = Path("out")
    path.unlink(missing_ok=True)
    if before is not None:
        path.write_bytes(before)
    watch = Watch(["out"])
    watch.look()
    path.unlink(missing_ok=True)
    if after is not None:
        path.write_bytes(after)
    found = [each.artifact.check for each in watch.check()]
    if after is None:
        assert found == []
    elif after == before:
        assert found == [Check.STALE]
    elif after in (b"", b" ", b"\n") or _is_blank(after):
        assert found == [Check.EMPTY]
    else:
        assert found == [Check.VERIFIED]


def _is_blank(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return not text.strip() or not text.strip("\ufeff\u200b\u200c\u200d\u2060\u180e").strip()


def test_a_file_behind_a_link_is_read_and_a_dangling_link_is_missing() -> None:
    Path("real").write_text("new")
    Path("link").symlink_to("real")
    Path("dangling").symlink_to("nothing")
    assert _check("link").artifact.check is Check.VERIFIED
    assert _watch("dangling").check() == []


def test_a_socket_is_refused_with_what_it_is() -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("door")
        found = _check("door").artifact
    assert (found.check, found.detail) == (Check.UNREACHABLE, "door is a socket, no file")


def test_a_link_to_another_file_with_the_same_bytes_is_stale() -> None:
    Path("day1").write_text("same")
    Path("latest").symlink_to("day1")
    watch = Watch(["latest"])
    watch.look()
    Path("day2").write_text("same")
    Path("latest").unlink()
    Path("latest").symlink_to("day2")
    assert [each.artifact.check for each in watch.check()] == [Check.STALE]


def test_a_new_link_to_an_old_file_is_new_as_a_copy_of_it_would_be() -> None:
    Path("yesterday").write_text("report")
    watch = Watch(["linked", "copied"])
    watch.look()
    Path("linked").symlink_to("yesterday")
    Path("copied").write_text("report")
    assert [each.artifact.check for each in watch.check()] == [Check.VERIFIED] * 2


def test_what_a_file_says_in_words_is_not_judged_without_a_schema() -> None:
    Path("report.txt").write_text("ERROR: export failed, 0 rows")
    assert _check("report.txt").artifact.check is Check.VERIFIED


def test_a_name_with_signs_of_a_pattern_is_a_name_where_it_exists() -> None:
    Path("out[1].txt").write_text("x")
    assert _check("out[1].txt").artifact.check is Check.VERIFIED


def test_a_pattern_reads_no_more_files_than_it_may_and_no_folders() -> None:
    Path("sub.txt").mkdir()
    for number in range(MOST_FILES + 20):
        Path(f"{number}.txt").write_text(str(number))
    found = _watch("*.txt").check()
    assert len(found) == MOST_FILES
    assert found[0].artifact.name == "*.txt"


def test_names_fit_their_field_whatever_the_file_is_called() -> None:
    odd = "a\nb\u202e" + "c" * 100
    Path(odd).write_text("x")
    name = _check(odd).artifact.name
    ArtifactDocument(name=name)
    assert name.startswith("a b\\u202e")
    raw = os.fsdecode(b"\xff\xfe.bin")
    Path(raw).write_text("x")
    json.dumps(artifact_documents([_check(raw)])).encode()


def test_a_test_report_is_known_by_its_content() -> None:
    Path("a.xml").write_text("<testsuite><testcase name='a'/></testsuite>")
    Path("b.xml").write_text("<note/>")
    assert _check("a.xml").artifact.media_type == JUNIT_MEDIA_TYPE
    assert _check("b.xml").artifact.media_type != JUNIT_MEDIA_TYPE


def test_bytes_travel_in_the_document_until_it_is_full() -> None:
    for number in range(30):
        Path(f"{number}.bin").write_bytes(bytes([65 + number]) * 200_000)
    Path("large.bin").write_bytes(b"x" * 300_000)
    documents = artifact_documents(_watch("*.bin").check())
    inline = [each for each in documents if "content" in each]
    assert len(inline) == 20
    assert all(each["sha256"] and each["check"] == "verified" for each in documents)


def _schema(text: str) -> str:
    Path("schema.json").write_text(text)
    return "schema.json"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{", "is no JSON"),
        ("[]", "is no JSON Schema"),
        ('{"type": "nothing"}', "is no JSON Schema"),
        ('{"$ref": "https://example.org/schema.json"}', "refers to https://example.org"),
        ('{"items": {"$ref": "file:///etc/passwd"}}', "refers to file:///etc/passwd"),
    ],
)
def test_a_schema_that_can_not_be_used_is_refused_before_the_start(schema: str, words: str) -> None:
    with pytest.raises(InvalidError, match=words) as caught:
        load_schema(_schema(schema))
    assert caught.value.where == "--schema"
    assert "not started" in caught.value.next_step


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"total": 3}', None),
        (b'{"total": "3"}', "$.total"),
        (b"{}", "'total' is a required property"),
        (b'{"total": NaN}', "NaN is no JSON number"),
        (b"\xff", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"total": "ghp_' + b"a1B2" * 9 + b'"}', "[REDACTED:github-pat]"),
    ],
)
def test_output_is_held_against_its_schema(data: bytes, words: str | None) -> None:
    schema = load_schema(
        _schema('{"required": ["total"], "properties": {"total": {"$ref": "#/$defs/n"}},'
                '"$defs": {"n": {"type": "number"}}}')
    )  # fmt: skip
    problem = schema.problem(data)
    assert (problem is None) if words is None else words in (problem or "")


def test_a_reference_that_leads_nowhere_is_said_and_nothing_is_fetched() -> None:
    schema = load_schema(_schema('{"$ref": "other.json"}'))
    assert "can't be checked" in (schema.problem(b"{}") or "")


def test_a_schema_holds_the_json_artifacts_only() -> None:
    Path("a.json").write_text("[]")
    Path("b.txt").write_text("text")
    schema = load_schema(_schema('{"type": "object"}'))
    found = _watch("a.json", "b.txt", schema=schema).check()
    assert [each.artifact.check for each in found] == [Check.MISMATCH, Check.VERIFIED]
    found = _watch("b.txt", schema=schema).check()
    assert [each.artifact.check for each in found] == [Check.MISMATCH]


def test_a_probe_that_takes_too_long_is_ended_with_all_it_started() -> None:
    probe = confirm("sleep 30 & echo $! > child; echo waiting; wait", lambda: False, limit=0.5)
    assert (probe.outcome, probe.words) == ("timed_out", "waiting")
    child = int(Path("child").read_text())
    until(lambda: not is_alive(child))


@pytest.mark.parametrize(
    ("command", "outcome", "words"),
    [
        ("echo no row; exit 4", "failed", "exit 4: no row"),
        ("true", "succeeded", ""),
        ("sleep 30 &", "succeeded", ""),
        ("echo ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2; false", "failed",
         "exit 1: [REDACTED:github-pat]"),
    ],
)  # fmt: skip
def test_a_probe_tells_how_it_came_out(command: str, outcome: str, words: str) -> None:
    probe = confirm(command, lambda: False, limit=20)
    assert (probe.outcome, probe.words) == (outcome, words)


def test_a_probe_is_ended_when_the_wrapper_has_to_go() -> None:
    assert confirm("sleep 30", lambda: True).outcome == "timed_out"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("3600", 3600), ("0", 0), ("1.5", 1.5), ("90s", 90), ("15m", 900), ("1h", 3600),
     ("1h30m", 5400), ("1d", 86_400), ("2w", 1_209_600), ("250ms", 0.25), (" 1H ", 3600)],
)  # fmt: skip
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "soon", "-1", "1y", "1h30", "h", "nan", "inf", "1e3", "1 h", "٣", "99999999999"]
)
def test_what_is_no_duration_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse_duration(text)
    assert "15m" in caught.value.next_step


def test_a_path_that_is_no_line_is_named_on_one_and_can_be_recorded(folder: Path) -> None:
    for name in ("two\nlines.txt", " padded .txt", "n" * 200 + "/" + "m" * 200 + "/" + "o" * 200):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        [found] = _watch(name).check()
        assert found.artifact.check is Check.VERIFIED
        [document] = artifact_documents([found])
        ArtifactDocument.model_validate_json(json.dumps(document))
        assert len(document.get("uri", name)) >= len(name.strip())


def test_promises_that_look_alike_are_each_kept(folder: Path) -> None:
    (folder / "a b.txt").write_text("x")
    watch = _watch("a b.txt", "a  b.txt", "a\tb.txt", "a b.txt")
    assert watch.promised == ("a b.txt", "a b.txt (2)", "a b.txt (3)")
    assert [found.artifact.name for found in watch.check()] == ["a b.txt"]
