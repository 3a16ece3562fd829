"""The API describes itself whole, and truly."""

import json
from typing import Any

import jsonschema

from tests.intake.http.conftest import Api


def test_every_endpoint_is_described_with_its_body_and_its_answers(sqlite_api: Api) -> None:
    document = sqlite_api.bearer(None).get("/openapi.json").json()
    described = {
        (method.upper(), path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert set(described) == {
        ("POST", "/v1/runs"),
        ("POST", "/v1/runs/{run_id}/events"),
        ("PUT", "/v1/runs/{run_id}/artifacts/{name}"),
        ("POST", "/v1/runs/{run_id}/close"),
        ("POST", "/v1/runs:record"),
        ("POST", "/v1/runs:batch"),
        ("GET", "/v1/runs/{run_id}"),
        ("POST", "/v1/tasks"),
        ("GET", "/v1/tasks"),
        ("POST", "/v1/tasks:claim"),
        ("GET", "/v1/tasks/{task_id}"),
        ("POST", "/v1/tasks/{task_id}/cancel"),
        ("POST", "/v1/tasks/{task_id}/retry"),
        ("POST", "/v1/tasks/{task_id}/heartbeat"),
        ("POST", "/v1/tasks/{task_id}/progress"),
        ("POST", "/v1/tasks/{task_id}/release"),
        ("POST", "/v1/tasks/{task_id}/close"),
        ("POST", "/v1/approvals"),
        ("GET", "/v1/approvals"),
        ("GET", "/v1/approvals/{approval_id}"),
        ("POST", "/v1/approvals/{approval_id}/execute"),
        ("POST", "/v1/approvals/{approval_id}/executed"),
        ("POST", "/v1/approvals/{approval_id}/failed"),
        ("POST", "/v1/approvals/{approval_id}/cancel"),
        ("POST", "/v1/approvals/{approval_id}/approve"),
        ("POST", "/v1/approvals/{approval_id}/deny"),
        ("POST", "/v1/approvals/{approval_id}/break-glass"),
        ("POST", "/v1/approvals/{approval_id}/review"),
        ("POST", "/v1/approvals/{approval_id}/outcome"),
        ("GET", "/v1/failing"),
        ("GET", "/healthz"),
    }
    for (method, path), operation in described.items():
        assert ("requestBody" in operation) is (method != "GET"), path
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        assert any(status.startswith("2") for status in operation["responses"]), path
        assert operation["description"]
        assert ("security" in operation) is (path != "/healthz")


def test_every_reference_leads_somewhere(sqlite_api: Api) -> None:
    text = sqlite_api.bearer(None).get("/openapi.json").text
    schemas = json.loads(text)["components"]["schemas"]
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(schemas)
    assert {"RecordDocument", "StartDocument", "CloseDocument", "EventDocument"} <= named


def test_what_is_answered_fits_what_is_described(sqlite_api: Api) -> None:
    client = sqlite_api.client()
    document = client.get("/openapi.json").json()

    def fits(schema: str, answer: dict[str, Any]) -> None:
        whole = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
        jsonschema.validate(answer, whole)

    opened = client.post("/v1/runs", json={"workflow": "w"}).json()
    fits("OpenedRun", opened)
    path = f"/v1/runs/{opened['run_id']}"
    fits("Noted", client.post(f"{path}/events", json={"kind": "log"}).json())
    fits("CheckedArtifact", client.put(f"{path}/artifacts/a", content=b"x").json())
    fits("Run", client.post(f"{path}/close", json={"exit_code": 1}).json())
    fits("Problem", client.post(f"{path}/close", json={"exit_code": 0}).json())
    record = {"workflow": "w", "exit_code": 0}
    jsonschema.validate(
        record,
        {
            "$ref": "#/components/schemas/RecordDocument",
            "components": document["components"],
        },
    )
    fits("JudgedRun", client.post("/v1/runs:record", json=record).json())
    lines = client.post("/v1/runs:batch", content=json.dumps(record) + "\nbad").text.splitlines()
    for line in lines:
        fits("BatchResult", json.loads(line))
    worker = sqlite_api.client("tasks:work", "tasks:write", "tasks:read")
    fits("Task", worker.post("/v1/tasks", json={"text": "export invoices"}).json())
    claim = worker.post("/v1/tasks:claim", json={}).json()
    fits("Claim", claim)
    task, lease = f"/v1/tasks/{claim['task']['id']}", {"lease": claim["lease"]["id"]}
    fits("Held", worker.post(f"{task}/heartbeat", json=lease).json())
    fits("Held", worker.post(f"{task}/progress", json=lease | {"text": "half"}).json())
    fits("ClosedTask", worker.post(f"{task}/close", json=lease | {"exit_code": 0}).json())
    fits("Problem", worker.post(f"{task}/heartbeat", json=lease).json())
    fits("Task", worker.get(task).json())
    fits("Tasks", worker.get("/v1/tasks?state=all").json())
    fits("Failing", client.get("/v1/failing").json())
    fits("Health", client.get("/healthz").json())
