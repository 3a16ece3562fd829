"""The client against servers that do what they should, and others."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from faultbook.base.errors import (
    ConflictError,
    FaultbookError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    UnavailableError,
)
from faultbook.client.codes import AMBIGUOUS, NOT_SENT
from faultbook.client.http import HttpClient
from tests.intake.wrapper.servers import Bystander, answer, free_port

PROBLEM = json.dumps(
    {"code": "some_code", "detail": "Not so.", "next_step": "Do it.", "field": "x"}
).encode()


@pytest.fixture
def bystanders() -> Iterator[list[Bystander]]:
    """Close what a test has opened."""
    opened: list[Bystander] = []
    yield opened
    for each in opened:
        each.close()


def _ask(bystanders: list[Bystander], told: bytes | None, seconds: float = 5) -> HttpClient:
    bystanders.append(Bystander(told))
    return HttpClient(bystanders[-1].url, "fb_word", seconds)


@pytest.mark.parametrize(
    ("status", "branch"),
    [
        (401, UnauthenticatedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (413, TooLargeError),
        (415, InvalidError),
        (422, InvalidError),
    ],
)
def test_a_refusal_is_our_own_error_again(
    status: int, branch: type[FaultbookError], bystanders: list[Bystander]
) -> None:
    client = _ask(bystanders, answer(status, PROBLEM, "application/problem+json"))
    with pytest.raises(branch) as caught:
        client.close_run("7", b"{}")
    error = caught.value
    assert type(error) is branch
    assert (error.message, error.code, error.next_step, error.where) == (
        "Not so.", "some_code", "Do it.", "x",
    )  # fmt: skip
    assert len(bystanders[0].asked) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 405, 413, 200, 302])
def test_what_a_proxy_says_is_no_refusal(status: int, bystanders: list[Bystander]) -> None:
    client = _ask(bystanders, answer(status, b"<html/>", "text/html"))
    with pytest.raises(UnavailableError, match=f"answered {status}, and not as Faultbook does"):
        client.start_run(b"{}", "key")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_in_trouble_is_asked_twice(status: int, bystanders: list[Bystander]) -> None:
    client = _ask(bystanders, answer(status, b"{}"))
    with pytest.raises(UnavailableError) as caught:
        client.record_run(b"{}", "key")
    assert caught.value.code == AMBIGUOUS
    first, second = bystanders[0].asked
    assert first == second
    assert b'Idempotency-Key: "key"' in first
    assert b"Authorization: Bearer fb_word" in first


def test_a_server_that_hangs_is_asked_once(bystanders: list[Bystander]) -> None:
    client = _ask(bystanders, None, seconds=0.2)
    with pytest.raises(UnavailableError) as caught:
        client.start_run(b"{}", "key")
    assert caught.value.code == AMBIGUOUS


def test_where_nobody_listens_nothing_was_sent() -> None:
    client = HttpClient(f"http://127.0.0.1:{free_port()}", None)
    with pytest.raises(UnavailableError) as caught:
        client.start_run(b"{}", "key")
    assert caught.value.code == NOT_SENT


def test_names_are_one_part_of_the_address(bystanders: list[Bystander]) -> None:
    client = _ask(bystanders, answer(200, b'{"check": "verified"}'))
    client.put_artifact("7", "out/a b?.csv", iter([b"x", b"y"]), "text/csv")
    asked = bystanders[0].asked[0]
    assert asked.startswith(b"PUT /v1/runs/7/artifacts/out%2Fa%20b%3F.csv HTTP/1.1\r\n")
    client.close()


def test_the_digest_of_what_is_brought_is_announced(bystanders: list[Bystander]) -> None:
    client = _ask(bystanders, answer(200, b'{"check": "verified"}'))
    client.put_artifact("7", "a", iter([b"x"]), sha256="ab" * 32)
    assert b"/artifacts/a?sha256=abab" in bystanders[0].asked[0].splitlines()[0]
    client.close()


@pytest.mark.parametrize(
    "url", ["", "faultbook", "ftp://faultbook.example", "http://", "https://u:p@faultbook.example",
            "http://[::1", "http://\x00"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(InvalidError) as caught:
        HttpClient(url, None)
    assert caught.value.where == "FAULTBOOK_URL"
    assert "u:p" not in str(caught.value)


def test_a_path_before_the_api_is_kept(bystanders: list[Bystander]) -> None:
    bystanders.append(Bystander(answer(200, b'{"run_id": "7"}')))
    HttpClient(f"{bystanders[0].url}/faultbook/", None).start_run(b"{}", "key")
    assert bystanders[0].asked[0].startswith(b"POST /faultbook/v1/runs HTTP/1.1\r\n")


def test_it_brings_nothing_heavy_with_it() -> None:
    code = (
        "import sys, faultbook.client.http;"
        "print([name for name in ('sqlalchemy', 'pydantic', 'slack_bolt', 'fastapi', 'aiohttp')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
