"""Two servers on one PostgreSQL: forty people click on each of two hundred requests at once."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from faultbook.model.approval import Decision
from faultbook.operations.approvals import list_approvals
from faultbook.operations.auditing import verify_audit
from faultbook.store import audit
from faultbook.store.approvals import ApprovalFilter
from faultbook.store.engine import Store, open_store
from faultbook.store.transaction import Transaction
from tests.assembly.test_up import up
from tests.conftest import PostgresServer
from tests.intake.http.conftest import make_token

_REQUESTS, _PEOPLE = 200, 40
_POLICIES = """\
[[policies]]
name = "one-of-us"
kinds = ["refund"]
per_hour = 1000
[[policies.thresholds]]
users = {people}

[[policies]]
name = "several"
kinds = ["payout"]
per_hour = 1000
[[policies.thresholds]]
users = {people}
approve = 3
deny = 2
"""
_NEEDED = {
    "refund": {Decision.APPROVE: 1, Decision.DENY: 1},
    "payout": {Decision.APPROVE: 3, Decision.DENY: 2},
}
_VERBS = {Decision.APPROVE: "approved", Decision.DENY: "denied"}


class Click(NamedTuple):
    """One person's click on a request, and what the server said."""

    request: str
    person: str
    decision: Decision
    status: int
    told: dict[str, Any]


@pytest.fixture
def servers(postgres: PostgresServer, tmp_path: Path) -> Iterator[tuple[list[httpx.Client], Store]]:
    """Start two servers as a team would, each a process of its own."""
    url = postgres.new_database()
    people = [f"U{number:03}" for number in range(_PEOPLE)]
    with ExitStack() as stack:
        clients = []
        for name in ("one", "two"):
            home = tmp_path / name
            home.mkdir()
            (home / "faultbook.toml").write_text(_POLICIES.format(people=people))
            running = stack.enter_context(up(home, "--no-slack", FAULTBOOK_DATABASE_URL=url))
            limits = httpx.Limits(max_connections=_PEOPLE)
            client = httpx.Client(base_url=running.api, limits=limits, timeout=60)
            clients.append(stack.enter_context(client))
        store = open_store(url)
        stack.callback(store.close)
        yield clients, store


@pytest.mark.long
def test_on_two_servers_each_of_two_hundred_requests_has_one_outcome_and_everybody_is_told(
    servers: tuple[list[httpx.Client], Store],
) -> None:
    clients, store = servers
    asked = _ask(clients[0], store)
    clicks = _click_all(clients, store, asked)
    by_request: defaultdict[str, list[Click]] = defaultdict(list)
    for click in clicks:
        by_request[click.request].append(click)
    found = {one.id: one for one in store.read(list_approvals, ApprovalFilter(None, limit=500))}
    for document in asked:
        mine, outcome = by_request[document["id"]], found[document["id"]]
        counted = [one for one in mine if one.status == httpx.codes.OK]
        [decisive] = [one for one in counted if one.told["decision"] is not None]
        verb = _VERBS[decisive.decision]
        assert (outcome.state.value, outcome.decided_by) == (verb, decisive.person)
        assert {(one.voter.id, one.decision) for one in outcome.votes} == {
            (one.person, one.decision) for one in counted
        }
        tally, needed = Counter(one.decision for one in counted), _NEEDED[outcome.action.kind]
        assert tally[decisive.decision] == needed[decisive.decision]
        late = [one for one in mine if one.status != httpx.codes.OK]
        assert len(late) + len(counted) == _PEOPLE
        for one in late:
            assert (one.status, one.told["code"]) == (409, f"already_{verb}")
            assert one.told["detail"].startswith(f"{decisive.person} {verb} this at ")
    _check_log(store, clicks)


def _ask(client: httpx.Client, store: Store) -> list[dict[str, Any]]:
    headers = _bearer(make_token(store, "approvals:request", agent="refund-bot"))
    asked = []
    for number in range(_REQUESTS):
        body = {"kind": ("refund", "payout")[number % 2], "target": f"c_{number}", "why": "twice"}
        answer = client.post("/v1/approvals", json=body | {"parameters": {}}, headers=headers)
        assert answer.status_code == 201, answer.text
        asked.append(answer.json())
    return asked


def _click_all(
    clients: list[httpx.Client], store: Store, asked: list[dict[str, Any]]
) -> list[Click]:
    """Click in forty threads, request after request, everybody in another order each time."""
    chance = random.Random(5)  # noqa: S311 - who clicks in which order is no secret
    people = [f"U{number:03}" for number in range(_PEOPLE)]
    tokens = {one: make_token(store, "approvals:decide", person=one) for one in people}
    planned = [
        (one, person, chance.choice(list(Decision)), clients[number % 2])
        for one in asked
        for number, person in enumerate(chance.sample(people, _PEOPLE))
    ]

    def click(plan: tuple[dict[str, Any], str, Decision, httpx.Client]) -> Click:
        one, person, decision, client = plan
        body = {"digest": one["digest"], "reason": "why"}
        path = f"/v1/approvals/{one['id']}/{decision.value}"
        answer = client.post(path, json=body, headers=_bearer(tokens[person]))
        return Click(one["id"], person, decision, answer.status_code, answer.json())

    with ThreadPoolExecutor(_PEOPLE) as pool:
        return list(pool.map(click, planned))


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def _check_log(store: Store, clicks: list[Click]) -> None:
    def look(tx: Transaction) -> Counter[tuple[str, str, str]]:
        return Counter((one.kind, one.subject, one.actor) for one in audit.read_all(tx))

    kept = store.read(look)
    for click in clicks:
        ok = click.status == httpx.codes.OK
        kind = f"vote.{click.decision}" if ok else "vote.refused"
        assert kept[kind, click.request, f"{click.person} ({click.person})"] == 1, click
    assert store.read(verify_audit).broken_at is None
