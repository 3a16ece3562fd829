"""Many runs at once, one JSON document a line."""

import json
from typing import Any

import httpx
import pytest

from faultbook.intake.http.batch import LINES_A_CHUNK
from faultbook.store.engine import Store
from faultbook.store.schema import runs
from faultbook.store.transaction import Transaction
from tests.intake.http.conftest import Api, problem


def line(number: int, **fields: Any) -> bytes:  # noqa: ANN401 - whatever a document holds
    return json.dumps({"workflow": f"w{number}", "exit_code": 0, **fields}).encode()


def results(response: httpx.Response) -> list[dict[str, Any]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(each) for each in response.text.splitlines()]


def stored(store: Store) -> int:
    def count(tx: Transaction) -> int:
        return len(tx.execute(runs.select()).all())

    return store.read(count)


def test_a_bad_line_is_its_own_error_and_harms_no_other(api: Api) -> None:
    body = b"\n".join(
        (
            line(1),
            b"",
            b"  \r",
            b"{",
            line(2, verdct="x"),
            line(3, exit_code=1),
            b"\xff\xfe",
            line(4),
        )
    )
    told = results(api.client().post("/v1/runs:batch", content=body))
    assert [each["line"] for each in told] == [1, 4, 5, 6, 7, 8]
    assert [each.get("problem", {}).get("code") for each in told] == [
        None,
        "malformed_json",
        "unknown_field",
        None,
        "malformed_json",
        None,
    ]
    assert told[2]["problem"]["field"] == "verdct"
    assert told[2]["problem"]["instance"] == "/v1/runs:batch#5"
    assert told[3]["verdict"] == "failed"
    assert stored(api.store) == 3
    assert api.client().get(f"/v1/runs/{told[5]['run_id']}").json()["workflow"] == "w4"


def test_more_lines_than_a_chunk_keep_their_order_and_their_series(api: Api) -> None:
    count = LINES_A_CHUNK + 20
    body = b"\n".join(line(n % 7, code_version=f"v{n}", exit_code=n % 2) for n in range(count))
    client = api.client()
    told = results(client.post("/v1/runs:batch", content=body))
    assert [each["line"] for each in told] == list(range(1, count + 1))
    assert len({each["run_id"] for each in told}) == count
    last = client.get(f"/v1/runs/{told[-1]['run_id']}").json()
    assert last["code_version"] == f"v{count - 1}"
    answer = client.get("/v1/failing").json()
    assert answer["counts"]["total"] == 7
    assert stored(api.store) == count


def test_a_batch_with_a_key_can_be_sent_again_whole(api: Api) -> None:
    client = api.client()
    body = b"\n".join([*(line(n) for n in range(LINES_A_CHUNK)), b"bad", line(9)])
    headers = {"Idempotency-Key": "night-1"}
    first, again = (
        results(client.post("/v1/runs:batch", content=body, headers=headers)) for _ in range(2)
    )
    assert first == again
    assert stored(api.store) == LINES_A_CHUNK + 1
    other = client.post("/v1/runs:batch", content=line(1), headers=headers)
    problem(other, 422, "idempotency_key_reused")


@pytest.mark.parametrize("body", [b"", b"\n\n  \n"])
def test_a_batch_without_a_line_is_refused(sqlite_api: Api, body: bytes) -> None:
    problem(sqlite_api.client().post("/v1/runs:batch", content=body), 422, "empty_batch")


def test_a_batch_of_bad_lines_alone_writes_nothing(sqlite_api: Api) -> None:
    told = results(sqlite_api.client().post("/v1/runs:batch", content=b"1\n2"))
    assert [each["problem"]["status"] for each in told] == [422, 422]
    assert stored(sqlite_api.store) == 0
