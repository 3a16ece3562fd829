"""`make bench`: the figures that Faultbook promises, each beside its floor.

`make bench ARGS="mentions records"` measures some of them. Reads the ratios: the machine is noisy.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import (
    answers,
    approvals,
    client,
    ledger,
    reading,
    receipts,
    records,
    slack,
    startup,
    tasks,
)

_ALL: dict[str, Callable[[Path], list[str]]] = {
    "mentions": slack.mentions,
    "clicks": slack.clicks,
    "records": records.one_call,
    "batches": records.batches,
    "answers": answers.answers,
    "decisions": approvals.decisions,
    "ledger": ledger.ledger,
    "check": reading.check,
    "search": reading.search,
    "claims": tasks.claims,
    "receipts": receipts.receipts,
    "startup": startup.startup,
    "client": client.client,
}


def main(names: list[str]) -> None:
    """Measure what is named, or all."""
    unknown = [name for name in names if name not in _ALL]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]}; there are: {', '.join(_ALL)}")
    for name in names or _ALL:
        with tempfile.TemporaryDirectory(prefix="faultbook-bench-") as folder:
            print(f"\n{name}", flush=True)
            for line in _ALL[name](Path(folder)):
                print(f"  {line}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
