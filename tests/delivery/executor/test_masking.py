"""Secrets in what executors say: whatever they are, and however they are quoted."""

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, quote_plus

import pytest
from aiohttp import web
from hypothesis import assume, given
from hypothesis import strategies as st

from faultbook.delivery.executor.order import HEARD_BYTES, Order, make_order
from faultbook.model.approval import ApprovalState
from faultbook.model.approval_policy import ExecutorPlan
from tests.delivery.executor.conftest import Bench
from tests.delivery.receiver import Received, receiving
from tests.view.approvals import APPROVAL

MARK = "[REDACTED:secret]"
QUOTED: dict[str, Callable[[str], str]] = {
    "raw": str,
    "stripped": str.strip,
    "json": json.dumps,
    "json as it is": lambda value: json.dumps(value, ensure_ascii=False),
    "quote": quote,
    "quote all": lambda value: quote(value, safe=""),
    "quote_plus": quote_plus,
}
MULTILINE = '-----BEGIN THING-----\nab/c+d é"\\\n\nlast line of it'


def order(secret: str) -> Order:
    """Give an order of an action that names a secret."""
    action = replace(APPROVAL.action, parameters={"key": "secret:bank"})
    asked = replace(APPROVAL, action=action)
    return make_order(asked, ExecutorPlan(command=("true",)), {"FAULTBOOK_SECRET_BANK": secret})


def shown(told: Order, said: str) -> tuple[str, str, str]:
    return told.say(said), told.say_first(said.encode()), told.say_last(said.encode())


@given(st.text(st.characters(codec="utf-8"), min_size=4, max_size=40))
def test_a_secret_of_any_characters_never_stands_in_what_is_shown_however_it_is_quoted(
    secret: str,
) -> None:
    told = order(secret)
    for quoting in QUOTED.values():
        quoted = quoting(secret)
        for words in shown(told, f"refused {quoted} by the bank"):
            for piece in (secret, quoted, *(line.strip() for line in secret.splitlines())):
                if len(piece) >= 4 and piece not in f"refused {MARK} by the bank":
                    assert piece not in words


@given(st.text('ab\n" \\', min_size=4, max_size=12))
def test_a_secret_that_repeats_itself_never_stands_there_either(secret: str) -> None:
    assume(secret.strip())
    for words in shown(order(secret), secret * 3):
        assert secret not in words


@pytest.mark.parametrize("quoting", QUOTED.values(), ids=QUOTED)
def test_of_a_secret_of_several_lines_no_line_is_shown(quoting: Callable[[str], str]) -> None:
    for words in shown(order(MULTILINE), f"{quoting(MULTILINE)}\n"):
        assert "REDACTED:secret" in words
        assert "THING" not in words
        assert "line" not in words


def test_one_line_of_a_secret_is_hidden_where_it_stands_alone() -> None:
    told = order(MULTILINE)
    assert told.say("bad key: last line of it") == f"bad key: {MARK}"
    assert told.say("bad key: ab%2Fc%2Bd+%C3%A9%22%5C") == f"bad key: {MARK}"


def test_what_is_too_short_to_be_a_secret_strikes_out_no_words() -> None:
    assert order("it").say("it was not there, said it") == "it was not there, said it"


@pytest.mark.parametrize("missing", range(1, 21))
def test_a_secret_that_is_cut_where_hearing_began_or_ended_is_hidden_too(missing: int) -> None:
    secret = "hunter2-é-bank-key-01"
    told = order(secret)
    for quoted in (secret, quote(secret), json.dumps(secret)[1:-1]):
        data = quoted.encode()
        end = data[missing:] + b"x" * (HEARD_BYTES - len(data[missing:]))
        assert "y-01" not in told.say_last(end)
        start = b"\n" * (HEARD_BYTES - len(data[:-missing])) + data[:-missing]
        assert "hunt" not in told.say_first(start)


async def test_no_part_of_a_secret_stands_in_an_outcome(bench: Bench) -> None:
    bench.environ["FAULTBOOK_SECRET_BANK"] = MULTILINE
    code = "key = json.load(sys.stdin)['parameters']['key']\nprint(key)\nsys.exit(json.dumps(key))"
    done = await bench.execute(
        ExecutorPlan(command=bench.script("go.py", code)), {"key": "secret:bank"}
    )
    assert done.state is ApprovalState.EXECUTION_FAILED
    assert done.outcome == f'Exit 1: "{MARK}"'


async def test_a_secret_that_was_printed_before_the_end_that_is_heard_shows_no_rest_of_it(
    bench: Bench,
) -> None:
    bench.environ["FAULTBOOK_SECRET_BANK"] = "hunter2-bank-key-01"
    code = "print(json.load(sys.stdin)['parameters']['key'] + 'x' * 3989)"
    done = await bench.execute(
        ExecutorPlan(command=bench.script("go.py", code)), {"key": "secret:bank"}
    )
    assert done.state is ApprovalState.EXECUTED
    assert done.outcome.startswith(f"{MARK}xxx")


async def test_an_endpoint_that_sends_back_what_it_got_shows_no_secret(bench: Bench) -> None:
    bench.environ["FAULTBOOK_SECRET_BANK"] = MULTILINE

    async def echo(got: Received) -> web.StreamResponse:
        return web.Response(status=422, body=got.body)

    async with receiving(echo) as receiver:
        done = await bench.execute(ExecutorPlan(url=receiver.url), {"key": "secret:bank"})
    assert f'"key":"{MARK}"' in done.outcome
