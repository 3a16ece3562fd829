"""A secret in whatever a job says of itself is in no file of ours afterwards."""

from pathlib import Path

import pytest

from faultbook.model.verdict import Verdict
from tests.intake.wrapper.harness import Wrapper, sh

CANARY = "xoxb-1234567890-canarycanary"
NOBODY = {"FAULTBOOK_URL": "http://127.0.0.1:9", "FAULTBOOK_TOKEN": CANARY}
OPTIONS = (
    *("--environment", f"e {CANARY}", "--branch", f"b {CANARY}", "--code-version", f"c {CANARY}"),
    *("--url", f"https://ci.example/?t={CANARY}", "--artifact", f"out {CANARY}.txt"),
    *("--artifact", f"missing {CANARY}", "--confirm", f"echo {CANARY}; false"),
)
JOB = f"echo {CANARY}; echo {CANARY} >&2; date > 'out {CANARY}.txt'"


def _files(wrapper: Wrapper) -> list[Path]:
    places = (wrapper.home, wrapper.folder / "user", wrapper.folder / "tmp")
    return [path for place in places for path in place.rglob("*") if path.is_file()]


@pytest.mark.parametrize("environ", [{}, NOBODY], ids=["recorded", "kept"])
def test_no_word_of_an_order_brings_a_secret_into_a_file(
    wrapper: Wrapper, environ: dict[str, str]
) -> None:
    done = wrapper.run(*sh(JOB), CANARY, options=OPTIONS, workflow=f"w {CANARY}", environ=environ)
    said = [line for line in done.stderr.splitlines() if line.startswith(b"faultbook:")]
    assert done.returncode == 0
    assert CANARY.encode() not in b"".join(said)
    files = _files(wrapper)
    assert len(wrapper.spooled()) == bool(environ)
    for path in files:
        assert b"canarycanary" not in path.read_bytes(), path


def test_a_kept_record_arrives_under_the_names_that_were_kept(wrapper: Wrapper) -> None:
    wrapper.run(*sh(JOB), options=OPTIONS[:-2], workflow=f"w {CANARY}", environ=NOBODY)
    [kept] = wrapper.spooled()
    assert b"w [REDACTED:slack-bot-token]" in kept.read_bytes()
    kept.write_bytes(kept.read_bytes().replace(b'"target":"server:', b'"target":null,"was":"'))
    wrapper.run(*sh("exit 3"))
    first, second = wrapper.records()
    assert {first.verdict, second.verdict} == {Verdict.INCONCLUSIVE, Verdict.FAILED}
    [delivered] = [run for run in (first, second) if run.verdict is Verdict.INCONCLUSIVE]
    assert [artifact.name for artifact in delivered.artifacts] == [
        "out [REDACTED:slack-bot-token].txt"
    ]
    assert [finding.reason for finding in delivered.findings] == ["missing_artifact_ref"]
