"""The git side of a bot as a process: `-m tests.delivery.git.launcher HOME REMOTE NAME COUNT`.

It owes COUNT lessons of its own, works until nothing waits, and ends. With a fifth argument it ends
itself with SIGKILL the first time that moment has come; the product has no such points.
"""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faultbook.base.clock import system_clock
from faultbook.delivery.git.clone import LedgerClone
from faultbook.delivery.git.worker import LedgerWorker
from faultbook.ledger.repository import Repository
from faultbook.model.ledger_operation import LedgerVerb, NewLedgerOperation
from faultbook.operations.ledger import owe, prepare_operation, read_queue, settle_all_pushed
from faultbook.store import ledger
from faultbook.store.engine import Store, open_store, sqlite_url
from tests.delivery.git.conftest import OPTIONS
from tests.ledger.remotes import BareRemote, bots_clone


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _wrap(owner: type, name: str, *, after: bool) -> None:
    method = getattr(owner, name)

    def wrapped(*args: object, **kwargs: object) -> object:
        result = method(*args, **kwargs) if after else None
        _die()
        return result

    setattr(owner, name, wrapped)


def _write(operation: Callable[..., object], *, after: bool) -> None:
    write: Callable[..., Any] = Store.write

    def wrapped(self: Store, asked: Callable[..., object], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever was asked
        if asked is not operation:
            return write(self, asked, *args, **kwargs)
        result = write(self, asked, *args, **kwargs) if after else None
        if result or not after or operation is not ledger.claim:
            _die()
        return result

    setattr(Store, "write", wrapped)  # noqa: B010 - the point is to replace a method


POINTS: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "after_the_claim": lambda: _write(ledger.claim, after=True),
    "after_the_fetch": lambda: _wrap(Repository, "fetch", after=True),
    "before_the_commit": lambda: _wrap(Repository, "commit", after=False),
    "after_the_commit": lambda: _wrap(Repository, "commit", after=True),
    "before_the_push": lambda: _wrap(Repository, "push", after=False),
    "after_the_push": lambda: _wrap(Repository, "push", after=True),
    "before_it_is_settled": lambda: _write(settle_all_pushed, after=False),
    "after_it_is_settled": lambda: _write(settle_all_pushed, after=True),
    "before_the_snapshot": lambda: _wrap(LedgerClone, "move", after=False),
}


def lesson(name: str, number: int) -> NewLedgerOperation:
    """Make a lesson that is like no other one."""
    digest = hashlib.sha256(f"{name} {number}".encode()).hexdigest()
    words = [digest[at : at + 6] for at in range(0, 36, 6)]
    return prepare_operation(
        LedgerVerb.ADD_LESSON,
        {
            "what_failed": f"{name} {number}",
            "fix": words[0],
            "rule": f"When {words[1]} {words[2]}, {words[3]} stops {words[4]} ({words[5]}.py)",
        },
        requester_id="UANA",
        requester_name="Ana",
        key=f"{name} {number}",
    )


async def main(home: Path, remote: BareRemote, name: str, count: int) -> None:
    store = open_store(sqlite_url(home), system_clock)
    worker = LedgerWorker(store, bots_clone(home, remote), OPTIONS)
    await worker.start()
    for number in range(count):
        await store.write_async(owe, lesson(name, number))
        worker.wake()
        await asyncio.sleep(0.02)  # so that pushes of several bots meet
    while (await store.read_async(read_queue)).waiting:  # noqa: ASYNC110 - a thread's work
        await asyncio.sleep(0.02)
    await worker.stop()
    store.close()


if __name__ == "__main__":
    (Path(sys.argv[1]) / "pid").write_text(str(os.getpid()))
    POINTS[sys.argv[5] if len(sys.argv) > 5 else ""]()
    asyncio.run(
        main(Path(sys.argv[1]), BareRemote(Path(sys.argv[2])), sys.argv[3], int(sys.argv[4]))
    )
