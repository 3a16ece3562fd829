"""The real wrapper as a process of its own, and what it left in the store."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faultbook.base.clock import Clock, system_clock
from faultbook.model.run import RunRecord
from faultbook.operations.recording import read_run
from faultbook.store.engine import Store, open_store, sqlite_url
from faultbook.store.schema import runs
from faultbook.store.transaction import Transaction

FAULTBOOK = (sys.executable, "-m", "faultbook")
# Nothing of the machine that runs the tests is to be seen: a CI's variables would name a branch.
_KEPT = ("PATH", "LANG", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT")


@dataclass
class Wrapper:
    """`faultbook run` in a folder of its own, with a home of its own."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.work.mkdir(parents=True, exist_ok=True)
        self.environ = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "HOME": str(self.folder / "user"),
            "TMPDIR": str(self.folder / "tmp"),
            "FAULTBOOK_HOME": str(self.home),
            **self.environ,
        }
        (self.folder / "tmp").mkdir(exist_ok=True)

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def spool(self) -> Path:
        return self.home / "spool"

    def spooled(self) -> list[Path]:
        return sorted(self.spool.glob("*.json"))

    def run(
        self,
        *command: str,
        options: Sequence[str] = (),
        workflow: str = "job",
        environ: Mapping[str, str] | None = None,
        **given: Any,  # noqa: ANN401 - subprocess.run's own
    ) -> "subprocess.CompletedProcess[bytes]":
        given.setdefault("capture_output", True)
        given.setdefault("stdin", subprocess.DEVNULL) if "input" not in given else None
        return subprocess.run(
            self.argv(*command, options=options, workflow=workflow),
            cwd=self.work,
            env={**self.environ, **(environ or {})},
            check=False,
            timeout=given.pop("timeout", 60),
            **given,
        )

    def start(
        self,
        *command: str,
        options: Sequence[str] = (),
        workflow: str = "job",
        **given: Any,  # noqa: ANN401 - Popen's own
    ) -> "subprocess.Popen[bytes]":
        given.setdefault("stdin", subprocess.DEVNULL)
        given.setdefault("stdout", subprocess.PIPE)
        given.setdefault("stderr", subprocess.PIPE)
        return subprocess.Popen(
            self.argv(*command, options=options, workflow=workflow),
            cwd=self.work,
            env=self.environ,
            **given,
        )

    def argv(self, *command: str, options: Sequence[str] = (), workflow: str = "job") -> list[str]:
        return [*FAULTBOOK, "run", "--workflow", workflow, *options, "--", *command]

    def faultbook(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [*FAULTBOOK, *arguments],
            cwd=self.work,
            env=self.environ,
            capture_output=True,
            check=False,
            timeout=60,
        )

    def open_store(self, clock: Clock = system_clock) -> Store:
        return open_store(sqlite_url(self.home), clock)

    def records(self) -> list[RunRecord]:
        """Read every run, in the order of their arrival."""
        if not (self.home / "faultbook.db").exists():
            return []
        store = self.open_store()
        try:
            return all_runs(store)
        finally:
            store.close()

    def record(self) -> RunRecord:
        [found] = self.records()
        return found


def all_runs(store: Store) -> list[RunRecord]:
    def operation(tx: Transaction) -> list[RunRecord]:
        ids = tx.execute(runs.select().with_only_columns(runs.c.run_id).order_by(runs.c.sequence))
        return [read_run(tx, run_id) for run_id in ids.scalars()]

    return store.read(operation)


def sh(script: str) -> tuple[str, str, str]:
    return ("sh", "-c", script)


def python(code: str) -> tuple[str, str, str]:
    return (sys.executable, "-c", code)


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what has to come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.01)
