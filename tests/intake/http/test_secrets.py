"""A secret planted in every field is nowhere afterwards: not in the store, answers, or logs."""

import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from faultbook.model.documents import RecordDocument
from faultbook.operations import recording
from tests.intake.http.conftest import Api, problem

CANARY = "xoxb-1234567890-canarycanary"
ESCAPED = CANARY.replace("x", "\\u0078", 1)
ARTIFACT_FIELDS = ("name", "uri", "detail", "excerpt", "text")


def planted(secret: str) -> dict[str, Any]:
    """Put a secret into every field that takes text."""
    return {
        "workflow": f"w {secret}",
        "environment": f"e {secret}",
        "branch": f"b {secret}",
        "task_id": secret,
        "code_version": secret,
        "model": secret,
        "prompt_version": secret,
        "state_refs": [f"s3://{secret}"],
        "url": f"https://x.y/?token={secret}",
        "promised": [f"p {secret}"],
        "tool_allowlist": [secret],
        "verdict": "failed",
        "detail": f"failed with {secret}",
        "stdout_tail": f"{'.' * 12_000}{secret}\n",
        "stderr_tail": f"Authorization: Bearer {secret}",
        "artifacts": [
            {"name": f"a {secret}", "uri": f"/x/{secret}", "text": f"key {secret}\n"},
            {"name": f"b {secret}", "detail": secret, "excerpt": secret, "check": "stale"},
        ],
        "events": [{"kind": secret, "name": secret, "text": f"calling with {secret}"}],
    }


def test_the_planted_document_covers_every_field_that_takes_text() -> None:
    document = planted(CANARY)
    free = {
        name
        for name, field in RecordDocument.model_fields.items()
        if "str" in str(field.annotation) and name not in {"agent_name", "input_sha256", "confirm"}
    }
    assert free <= set(document), free - set(document)
    told = {name for artifact in document["artifacts"] for name in artifact}
    assert set(ARTIFACT_FIELDS) <= told


@pytest.mark.parametrize("escaped", [False, True])
@pytest.mark.parametrize("path", ["/v1/runs:record", "/v1/runs:batch", "/v1/runs"])
def test_a_secret_in_every_field_is_nowhere_in_the_database(
    sqlite_api: Api, tmp_path: Path, path: str, *, escaped: bool
) -> None:
    client = sqlite_api.client()
    document = planted(CANARY)
    if path == "/v1/runs":
        ends = {"verdict", "detail", "stdout_tail", "stderr_tail", "artifacts", "events"}
        document = {name: value for name, value in document.items() if name not in ends}
    body = json.dumps(document)
    if escaped:
        body = body.replace(CANARY, ESCAPED)
    with capture_logs() as logs:
        response = client.post(path, content=body)
    assert response.status_code in (200, 201)
    run_id = json.loads(response.text.splitlines()[0])["run_id"]
    client.post(
        f"/v1/runs/{run_id}/events", json={"kind": "log", "name": CANARY, "text": f"x {CANARY}"}
    )
    client.put(
        f"/v1/runs/{run_id}/artifacts/up {CANARY}",
        content=f"uploaded {CANARY}".encode(),
        params={"uri": f"/home/{CANARY}"},
    )
    client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 1, "stdout_tail": CANARY})
    shown = client.get(f"/v1/runs/{run_id}").text + client.get("/v1/failing").text
    assert CANARY not in response.text + shown + str(logs)
    assert "[REDACTED:slack-bot-token]" in shown
    for file in (tmp_path / "home").iterdir():
        assert b"canarycanary" not in file.read_bytes(), file


def test_a_secret_in_an_artifact_s_base64_is_not_kept(sqlite_api: Api, tmp_path: Path) -> None:
    # base64 of "key <canary>"
    content = "a2V5IHhveGItMTIzNDU2Nzg5MC1jYW5hcnljYW5hcnk="
    artifact = {"name": "a", "content": content}
    document = {"workflow": "w", "exit_code": 0, "artifacts": [artifact]}
    recorded = sqlite_api.client().post("/v1/runs:record", json=document)
    assert recorded.json()["verdict"] == "passed"
    for file in (tmp_path / "home").iterdir():
        assert b"canarycanary" not in file.read_bytes(), file


def test_a_secret_in_what_is_refused_is_not_told_back(sqlite_api: Api) -> None:
    client = sqlite_api.client()
    bodies: tuple[dict[str, Any], ...] = (
        {"workflow": "w", CANARY: 1},
        {"workflow": "w", "verdict": CANARY},
        {"workflow": "w", "artifacts": [{"name": "a", "check": CANARY}]},
    )
    for body in bodies:
        response = client.post("/v1/runs:record", json=body)
        assert response.status_code == 422
        assert CANARY not in response.text
    assert CANARY not in client.get(f"/v1/{CANARY}").text
    assert CANARY not in client.get(f"/v1/runs/{CANARY}").text
    assert CANARY not in client.get(f"/v1/failing?{CANARY}=1").text


def test_what_nobody_expected_gets_a_number_and_a_redacted_trace(
    sqlite_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"could not use {CANARY}")

    client = sqlite_api.client()
    monkeypatch.setattr(recording, "start_run", fail)
    with capture_logs() as logs:
        response = client.post("/v1/runs", json={"workflow": "w"})
    document = problem(response, 500, "unexpected")
    assert (document["retryable"], document["failure_class"]) == (True, "transient")
    assert document["error_id"] in document["detail"]
    assert "RuntimeError" not in response.text
    [entry] = logs
    assert entry["number"] == document["error_id"]
    assert "RuntimeError" in entry["trace"]
    assert CANARY not in str(logs)
    monkeypatch.undo()
    assert client.post("/v1/runs", json={"workflow": "w"}).status_code == 201
