"""Bad requests, whatever their document says: too large, packed, or to where nothing is."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from faultbook.base.errors import TooLargeError
from faultbook.intake.http.requests import read_body
from tests.intake.http.conftest import LIMITS, Api, problem


@pytest.mark.parametrize("path", ["/v1/runs", "/v1/runs:record", "/v1/runs:batch"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_of_20_megabytes_is_too_large(shared_api: Api, path: str, *, chunked: bool) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 100_000

    content = pieces() if chunked else b" " * 20_000_000
    response = shared_api.same_client().post(path, content=content)
    document = problem(response, 413, "too_large")
    assert str(LIMITS.body_bytes) in document["detail"]


async def test_no_more_than_the_limit_is_read() -> None:
    given_out = 0

    async def receive() -> dict[str, Any]:
        nonlocal given_out
        given_out += 1_000
        return {"type": "http.request", "body": b"x" * 1_000, "more_body": True}

    endless = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(TooLargeError):
        await read_body(endless, 10_000)
    assert given_out == 11_000
    declared = [(b"content-length", b"10001")]
    told = Request({"type": "http", "method": "POST", "headers": declared}, receive)
    with pytest.raises(TooLargeError):
        await read_body(told, 10_000)
    assert given_out == 11_000


def test_an_artifact_over_the_limit_is_refused_and_leaves_nothing(shared_api: Api) -> None:
    client = shared_api.same_client()
    run_id = client.post("/v1/runs", json={"workflow": "w"}).json()["run_id"]
    path = f"/v1/runs/{run_id}/artifacts/a"
    problem(client.put(path, content=b"x" * (LIMITS.artifact_bytes + 1)), 413, "too_large")
    report = {"Content-Type": "application/junit+xml"}
    large = b"<testsuite>" + b" " * LIMITS.junit_bytes
    problem(client.put(path, content=large, headers=report), 413, "too_large")
    assert client.get(f"/v1/runs/{run_id}").json()["artifacts"] == []


def test_a_compressed_body_is_not_unfolded(shared_api: Api) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    headers = {"Content-Encoding": "gzip"}
    client = shared_api.same_client()
    for path in ("/v1/runs:record", "/v1/runs:batch"):
        response = client.post(path, content=bomb, headers=headers)
        problem(response, 415, "unsupported_body")


@pytest.mark.parametrize(
    ("path", "options", "status", "code"),
    [
        ("a?sha265=x", {}, 422, "unknown_parameter"),
        ("a?sha256=x", {}, 422, "bad_field"),
        ("a%0Ab", {}, 404, "not_found"),
        ("a%00b", {}, 422, "bad_field"),
        ("n" * 501, {}, 422, "bad_field"),
        (
            "a",
            {"headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            415,
            "unsupported_body",
        ),
        ("a", {"headers": {"Content-Type": "no type"}}, 422, "bad_field"),
        ("a", {"headers": {"Content-Digest": "sha-256=:zz:"}}, 422, "bad_digest"),
        ("a", {"headers": {"Content-Type": "application/junit+xml"}}, 422, ""),
    ],
)
def test_an_upload_that_does_not_fit_is_told_so(
    shared_api: Api, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    client = shared_api.same_client()
    run_id = client.post("/v1/runs", json={"workflow": "w"}).json()["run_id"]
    response = client.put(f"/v1/runs/{run_id}/artifacts/{path}", content=b"bytes", **options)
    problem(response, status, code or response.json()["code"])
    assert client.get(f"/v1/runs/{run_id}").json()["artifacts"] == []


@pytest.mark.parametrize(
    "run_id", ["nope", "%00" * 8, "%2e%2e", "g" * 36, "0" * 37, "٣" * 8, "%", "_" * 8]
)
def test_a_run_that_can_not_be_is_not_found(shared_api: Api, run_id: str) -> None:
    client = shared_api.same_client()
    problem(client.get(f"/v1/runs/{run_id}"), 404, "run_not_found")
    problem(client.post(f"/v1/runs/{run_id}/close", json={"exit_code": 0}), 404, "run_not_found")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "not_found"),
        ("GET", "/v1/failing/", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("DELETE", "/v1/runs", 405, "method_not_allowed"),
        ("POST", "/v1/failing", 405, "method_not_allowed"),
        ("PATCH", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_the_framework_s_errors_are_problems_too(
    shared_api: Api, method: str, path: str, status: int, code: str
) -> None:
    response = shared_api.same_client().request(method, path)
    problem(response, status, code)
    assert status != 405 or response.headers["allow"]


@pytest.mark.parametrize(
    ("query", "code", "where"),
    [
        ("branche=x", "unknown_field", "branche"),
        ("since=yesterday", "bad_time", "since"),
        ("since=2026-11-18T11:00:00", "bad_time", "since"),
        ("all_branches=perhaps", "bad_field", "all_branches"),
        ("workflow=a%0Ab", "bad_field", "workflow"),
        ("workflow=%00", "bad_field", "workflow"),
        ("branch=" + "b" * 201, "bad_field", "branch"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(
    shared_api: Api, query: str, code: str, where: str
) -> None:
    response = shared_api.same_client().get(f"/v1/failing?{query}")
    assert problem(response, 422, code)["field"] == where
