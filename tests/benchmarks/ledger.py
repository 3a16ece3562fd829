"""An operation on the ledger, from accepted to pushed, beside git's own commit and push of it."""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from faultbook.base.clock import SECOND, system_clock
from faultbook.delivery.git.clone import LedgerOptions
from faultbook.delivery.git.worker import LedgerWorker
from faultbook.model.ledger_operation import LedgerOperationState, LedgerVerb, NewLedgerOperation
from faultbook.operations.ledger import owe, prepare_operation, read_operation
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import ledger_operations
from faultbook.store.transaction import Transaction
from tests.delivery.git.launcher import lesson
from tests.ledger.remotes import HEADER, LEDGER, BareRemote, Person, bots_clone, git

_FILES, _LESSONS, _ROUNDS = 1_000, 100, 30
_MUST = 2.0
_TEMPLATE = (Path(__file__).parents[2] / "templates" / "incident.md").read_text("utf-8")


def ledger(home: Path) -> list[str]:
    """Measure lessons and incidents, each beside the bare cost of the same change."""
    lines = asyncio.run(_lines(home))
    return [*lines, f"a repository of {_FILES:,} files, a ledger of {_LESSONS} lessons"]


async def _lines(home: Path) -> list[str]:
    return [
        await _measured(home / "lessons", "a lesson", _a_lesson),
        await _measured(home / "incidents", "an incident", _an_incident),
    ]


async def _measured(home: Path, what: str, make: Any) -> str:  # noqa: ANN401 - one of two functions
    files = {f"src/{n % 20}/file{n}.txt": f"{n}\n" for n in range(_FILES)}
    files[LEDGER] = HEADER + "".join(_row(n) for n in range(1, _LESSONS + 1))
    ours = BareRemote.make(home / "ours.git", files)
    bare = BareRemote.make(home / "bare.git", files).person()
    store = open_store(sqlite_url(home / "home"), system_clock)
    worker = LedgerWorker(store, bots_clone(home / "home", ours), LedgerOptions(_TEMPLATE))
    await worker.start()
    taken: list[float] = []
    bare_taken: list[float] = []
    for number in range(_ROUNDS + 2):
        before = set(git(ours.path, "ls-tree", "-r", "--name-only", "main").splitlines())
        seconds = await _push(store, worker, make(number))
        after = set(git(ours.path, "ls-tree", "-r", "--name-only", "main").splitlines())
        # The very same change by a person's git, in a repository of the same size.
        changed = {path: ours.read(path) for path in (after - before) | {LEDGER}}
        bare_seconds = await asyncio.to_thread(_commit_and_push, bare, changed)
        if number > 1:  # the first ones warm up
            taken.append(seconds)
            bare_taken.append(bare_seconds)
    await worker.stop()
    store.close()
    mine, floor = statistics.median(taken) * 1000, statistics.median(bare_taken) * 1000
    return (
        f"{what}: p50 {mine:.0f} ms from accepted to pushed; git's own commit and push"
        f" {floor:.0f} ms: {mine / floor:.2f} times that (must {_MUST:g})"
    )


async def _push(store: Store, worker: LedgerWorker, new: NewLedgerOperation) -> float:
    await store.write_async(owe, new)
    worker.wake()
    while True:
        found = await store.read_async(read_operation, new.id)
        if found.state is LedgerOperationState.PUSHED:
            break
        if found.state is not LedgerOperationState.WAITING:
            raise RuntimeError(f"the operation came out {found.state}: {found.error}")
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.05)  # what the worker does after the push is not the person's wait
    return await store.read_async(_seconds, new.id)


def _seconds(tx: Transaction, operation_id: str) -> float:
    """Tell how long it took by the instants of the two transactions."""
    columns = (ledger_operations.c.settled_at, ledger_operations.c.created_at)
    row = tx.execute(select(*columns).where(ledger_operations.c.id == operation_id)).one()
    return float(row.settled_at - row.created_at) / SECOND


def _commit_and_push(person: Person, files: dict[str, str]) -> float:
    for path, text in files.items():
        place = person.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    began = time.perf_counter()
    git(person.folder, "add", "--", *files)
    git(person.folder, "commit", "-q", "-m", "The same change")
    git(person.folder, "push", "-q", "origin", "HEAD:main")
    return time.perf_counter() - began


def _row(number: int) -> str:
    told = lesson("seeded", number).payload
    return f"| {number} | {told['what_failed']} | {told['fix']} | {told['rule']} |\n"


def _a_lesson(number: int) -> NewLedgerOperation:
    return lesson("bench", number)


def _an_incident(number: int) -> NewLedgerOperation:
    told = lesson("bench", number).payload
    payload = {
        "title": f"bench {number}: no file was written",
        "date": "2026-11-18",
        "severity": "high",
        "area": "billing",
        "owner": "Ana",
        "prevention_rule": told["rule"],
        "rule_author": "Ana",
        "what_failed": told["what_failed"],
        "why_linked": "Whoever adds an export reads why its exit code is not enough",
    }
    return prepare_operation(
        LedgerVerb.OPEN_INCIDENT, payload, requester_id="UANA", requester_name="Ana"
    )
