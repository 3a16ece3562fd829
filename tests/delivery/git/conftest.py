"""A remote with a small ledger, a person who edits it, and a bot with its clone and its store."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from faultbook.base.clock import seconds
from faultbook.delivery.git.clone import LedgerClone, LedgerOptions
from faultbook.delivery.git.pusher import Pusher
from faultbook.model.ledger_operation import LedgerOperation, LedgerOperationState, LedgerVerb
from faultbook.operations.ledger import owe, prepare_operation, read_operation
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import notices
from faultbook.store.transaction import Transaction
from tests.conftest import FrozenClock
from tests.ledger.remotes import HEADER, LEDGER, ROW, BareRemote, bots_clone

TEMPLATE = (Path(__file__).parents[3] / "templates" / "incident.md").read_text("utf-8")
OPTIONS = LedgerOptions(TEMPLATE, channel="COPS", race_seconds=0.02)


@dataclass
class GitBot:
    """A bot's git side, without the event loop: each step is a call."""

    store: Store
    clone: LedgerClone
    pusher: Pusher
    clock: FrozenClock

    @classmethod
    def make(
        cls, home: Path, remote: BareRemote, clock: FrozenClock, name: str = "host/1/aa"
    ) -> "GitBot":
        store = open_store(sqlite_url(home), clock)
        clone = LedgerClone(store, bots_clone(home, remote), OPTIONS)
        return cls(store, clone, Pusher(store, clone, name), clock)

    def owe(self, verb: LedgerVerb, **payload: Any) -> str:  # noqa: ANN401 - JSON values
        new = prepare_operation(
            verb, payload, requester_id="UANA", requester_name="Ana", channel="C1", thread_ts="1.5"
        )
        return self.store.write(owe, new)

    def owe_lesson(self, what: str) -> str:
        rule = f"The check `{what}` fails the build (tests/test_{what.replace(' ', '_')}.py)"
        return self.owe(LedgerVerb.ADD_LESSON, what_failed=what, fix="Mended", rule=rule)

    def fetch(self) -> None:
        self.clone.fetch()
        self.clone.observe()

    def push(self) -> None:
        """Push until nothing is left that may be pushed now."""
        while self.pusher.push_waiting():
            pass

    def operation(self, operation_id: str) -> LedgerOperation:
        return self.store.read(read_operation, operation_id)

    def state(self, operation_id: str) -> LedgerOperationState:
        return self.operation(operation_id).state

    def said(self) -> list[tuple[str, dict[str, Any]]]:
        def read(tx: Transaction) -> list[tuple[str, dict[str, Any]]]:
            rows = tx.execute(select(notices).order_by(notices.c.sequence))
            return [(row.kind, row.payload) for row in rows]

        return self.store.read(read)

    def later(self, by: float) -> None:
        self.clock.advance(by)

    def crash(self) -> None:
        """Let the claim run out, as after a bot that is gone."""
        self.clock.instant += seconds(OPTIONS.lease_seconds + 1)


@pytest.fixture
def remote(tmp_path: Path) -> BareRemote:
    return BareRemote.make(tmp_path / "remote.git", {LEDGER: HEADER + ROW})


@pytest.fixture
def make_bot(
    tmp_path: Path, remote: BareRemote, clock: FrozenClock
) -> Iterator[Callable[[str], GitBot]]:
    made: list[GitBot] = []

    def make(name: str) -> GitBot:
        bot = GitBot.make(tmp_path / name, remote, clock, f"host/1/{name}")
        made.append(bot)
        return bot

    yield make
    for bot in made:
        bot.store.close()


@pytest.fixture
def bot(make_bot: Callable[[str], GitBot]) -> GitBot:
    return make_bot("home")
