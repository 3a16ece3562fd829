"""The executing side of a bot as processes: `-m tests.journeys.executing DATABASE FOLDER URL`.

Each line on its stdin, `POINT NUMBER SECONDS-AHEAD`, is one life: a fork that runs what is approved
until nothing is left to do, or until it ends itself with SIGKILL as it passes the point with the
approval of that number. The product has no such points. The process itself only forks, since to
import everything anew for each life would take longer than the life.
"""

import asyncio
import os
import random
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faultbook.base.clock import SECOND, system_clock
from faultbook.delivery.executor.doing import Doing
from faultbook.delivery.executor.order import Order
from faultbook.delivery.executor.outcome import Outcome
from faultbook.delivery.executor.worker import ExecutionWorker, ExecutorOptions
from faultbook.model.approval_policy import ApprovalPolicies, ExecutorPlan
from faultbook.operations.execution import begin_execution, give_up, report_execution
from faultbook.store import executions
from faultbook.store.engine import Store, open_store
from faultbook.store.transaction import Transaction
from tests.approving import everybody_is_there, policies, policy

_EFFECT = """
import os, time
time.sleep(0.02)
with open("effects", "a") as sink:
    sink.write(os.environ["FAULTBOOK_APPROVAL_DIGEST"] + "\\n")
"""
_PROBE = """
import os, sys
there = os.path.exists("effects") and open("effects").read().split()
sys.exit(0 if os.environ["FAULTBOOK_APPROVAL_DIGEST"] in (there or []) else 1)
"""
_ONCE = """
import os
try:
    os.close(os.open("once-" + os.environ["FAULTBOOK_APPROVAL_DIGEST"], os.O_CREAT | os.O_EXCL))
except FileExistsError:
    print("it was there")
"""
KINDS = ("command", "url", "probe", "safe_command", "safe_url")
"""The first two may not be repeated; the others can tell, or take it twice."""
REPEATABLE = frozenset(KINDS[2:])


def rules_for(folder: Path, url: str) -> ApprovalPolicies:
    """Give the policies that all processes have: one for each kind of executor."""
    for name, code in (("effect.py", _EFFECT), ("probe.py", _PROBE), ("once.py", _ONCE)):
        (folder / name).write_text(code)

    def python(name: str) -> tuple[str, ...]:
        return (sys.executable, "-S", "-E", name)

    plans = {
        "command": ExecutorPlan(command=python("effect.py")),
        "url": ExecutorPlan(url=f"{url}/each"),
        "probe": ExecutorPlan(command=python("effect.py"), probe=python("probe.py")),
        "safe_command": ExecutorPlan(command=python("once.py"), idempotent=True),
        "safe_url": ExecutorPlan(url=f"{url}/once", idempotent=True),
    }
    return policies(*(policy(kind, plan) for kind, plan in plans.items()))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _written(operations: tuple[Callable[..., Any], ...], fatal: int, *, after: bool) -> None:
    write: Callable[..., Any] = Store.write_async

    async def wrapped(self: Store, asked: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever was asked
        is_fatal = asked in operations and args[0] == fatal
        if is_fatal and not after:
            _die()
        result = await write(self, asked, *args, **kwargs)
        if is_fatal:
            _die()
        return result

    setattr(Store, "write_async", wrapped)  # noqa: B010 - the point is to replace a method


def _effect(when: str, fatal: int) -> None:
    once = Doing._once

    async def wrapped(self: Doing, order: Order, seconds: float) -> Outcome:
        if order.approval.number != fatal:
            return await once(self, order, seconds)
        if when == "before":
            _die()
        if when == "while":
            loop = asyncio.get_running_loop()
            loop.call_later(random.uniform(0, 0.08), _die)  # noqa: S311 - any moment will do
        await once(self, order, seconds)
        _die()
        raise AssertionError("unreachable")

    setattr(Doing, "_once", wrapped)  # noqa: B010 - the same


_REPORTS = (report_execution, give_up)
POINTS: dict[str, Callable[[int], None]] = {
    "before_begin": lambda number: _written((begin_execution,), number, after=False),
    "after_begin": lambda number: _written((begin_execution,), number, after=True),
    "before_effect": lambda number: _effect("before", number),
    "while_effect": lambda number: _effect("while", number),
    "after_effect": lambda number: _effect("after", number),
    "before_report": lambda number: _written(_REPORTS, number, after=False),
    "after_report": lambda number: _written(_REPORTS, number, after=True),
}


def _left(tx: Transaction, kinds: tuple[str, ...]) -> bool:
    waiting = executions.list_approved(tx, kinds)
    return bool(waiting or executions.list_held(tx))


async def live(database: str, folder: Path, url: str, ahead: int) -> None:
    """Run what is approved, and take up what was left behind, until nothing is left."""
    store = open_store(database, lambda: system_clock() + ahead * SECOND)
    rules = rules_for(folder, url)
    environ = {"PATH": os.environ["PATH"]}
    options = ExecutorOptions(folder, folder / "locks", environ)
    worker = ExecutionWorker(store, rules, everybody_is_there, options)
    await worker.start()
    names = tuple(one.name for one in rules.all)
    while await store.read_async(_left, names):  # noqa: ASYNC110 - other threads work
        await asyncio.sleep(0.02)
    await worker.stop()
    store.close()


def main(database: str, folder: Path, url: str) -> None:
    for line in sys.stdin:
        point, number, ahead = line.split()
        child = os.fork()
        if child == 0:
            try:
                if point in POINTS:
                    POINTS[point](int(number))
                asyncio.run(live(database, folder, url, int(ahead)))
            except BaseException:  # noqa: BLE001 - the child must never read the next line
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
