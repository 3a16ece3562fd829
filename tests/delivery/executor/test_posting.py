"""Executors over HTTP: what is posted, and what each answer says about the effect."""

import socket

import pytest

from faultbook.model.approval import ApprovalState
from faultbook.model.approval_policy import ExecutorPlan
from faultbook.model.canonical import canonical
from faultbook.store.engine import Store
from tests.delivery.executor.conftest import Bench
from tests.delivery.receiver import cut_off, never, receiving

DONE, FAILED, UNKNOWN = (
    ApprovalState.EXECUTED,
    ApprovalState.EXECUTION_FAILED,
    ApprovalState.EXECUTION_UNKNOWN,
)


@pytest.fixture
def bench(sqlite_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(sqlite_store, tmp_path_factory.mktemp("bench"))


async def test_the_action_is_posted_with_its_digest_as_the_key(bench: Bench) -> None:
    async with receiving() as receiver:
        done = await bench.execute(ExecutorPlan(url=receiver.url))
    assert (done.state, done.outcome) == (DONE, "HTTP 200: answer 200")
    (got,) = receiver.received
    assert got.path == "/hook?x=1"
    assert got.headers["Idempotency-Key"] == f'"{done.digest}"'
    assert got.headers["Faultbook-Approval"] == done.id
    assert got.body == canonical(done.action.as_json())


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (201, DONE, "HTTP 201: answer 201"),
        (307, FAILED, "HTTP 307: answer 307"),
        (303, UNKNOWN, "HTTP 303; it may have happened: answer 303"),
        (401, FAILED, "HTTP 401: answer 401"),
        (422, FAILED, "HTTP 422: answer 422"),
        (409, UNKNOWN, "HTTP 409; it may have happened: answer 409"),
        (500, UNKNOWN, "HTTP 500; it may have happened: answer 500"),
        (501, FAILED, "HTTP 501: answer 501"),
        (503, UNKNOWN, "HTTP 503; it may have happened: answer 503"),
    ],
)
async def test_an_answer_says_whether_it_happened(
    bench: Bench, status: int, state: ApprovalState, words: str
) -> None:
    async with receiving(status) as receiver:
        done = await bench.execute(ExecutorPlan(url=receiver.url))
    assert (done.state, done.outcome) == (state, words)
    assert len(receiver.received) == 1


async def test_a_broken_connection_and_a_missing_answer_leave_it_unknown(bench: Bench) -> None:
    async with receiving(cut_off, never) as receiver:
        plan = ExecutorPlan(url=receiver.url, timeout_seconds=1.0)
        broken = await bench.execute(plan, {"amount": "1"})
        silent = await bench.execute(plan, {"amount": "2"})
    assert (broken.state, silent.state) == (UNKNOWN, UNKNOWN)
    assert "it may have happened" in broken.outcome
    assert silent.outcome == "No answer within 1 s; it may have happened."
    assert len(receiver.received) == 2


async def test_an_idempotent_endpoint_is_asked_again_with_the_same_key(bench: Bench) -> None:
    async with receiving(503, cut_off, 200) as receiver:
        done = await bench.execute(ExecutorPlan(url=receiver.url, idempotent=True))
    assert done.state is DONE
    assert {got.headers["Idempotency-Key"] for got in receiver.received} == {f'"{done.digest}"'}
    assert len(receiver.received) == 3


async def test_what_was_not_taken_is_sent_again_and_fails_in_the_end(bench: Bench) -> None:
    async with receiving(429, 425, 429) as receiver:
        done = await bench.execute(ExecutorPlan(url=receiver.url))
    assert (done.state, done.outcome) == (FAILED, "HTTP 429, not taken: answer 429")
    assert len(receiver.received) == 3


async def test_where_nobody_listens_nothing_was_sent(bench: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = await bench.execute(ExecutorPlan(url=f"http://127.0.0.1:{port}/"))
    assert done.state is FAILED
    assert done.outcome.endswith("nothing was sent.")


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ((429, 429), "HTTP 429, not taken: answer 429"),
        ((401,), "HTTP 401: answer 401"),
        ((429, 422), "HTTP 422: answer 422"),
        ((502, 501), "HTTP 501: answer 501"),
    ],
)
async def test_a_doubtful_answer_stays_doubtful_whatever_the_next_try_is_told_but_a_success(
    bench: Bench, then: tuple[int, ...], words: str
) -> None:
    async with receiving(502, *then) as receiver:
        done = await bench.execute(ExecutorPlan(url=receiver.url, idempotent=True))
    assert done.state is UNKNOWN
    assert done.outcome == f"HTTP 502; it may have happened: answer 502; tried again: {words}"
    assert len(receiver.received) == 1 + len(then)
