"""How long the Python client takes to import, beside the bare interpreter and httpx."""

import statistics
import subprocess
import sys
from pathlib import Path

_MUST_MS, _TIMES = 100, 9


def client(_home: Path) -> list[str]:
    """Import it in fresh interpreters."""
    bare = _milliseconds("httpx")
    plain = _milliseconds("faultbook.client")
    used = _milliseconds("faultbook.client; from faultbook.client import Client")
    return [
        (
            f"import faultbook.client {plain:.0f} ms, with Client {used:.0f} ms"
            f" (must {_MUST_MS} ms); httpx, which the first Client imports, takes {bare:.0f} ms"
        )
    ]


def _milliseconds(module: str) -> float:
    code = (
        f"import time; began = time.perf_counter(); import {module};"
        " print((time.perf_counter() - began) * 1000)"
    )
    found = []
    for _ in range(_TIMES):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        found.append(float(done.stdout))
    return statistics.median(found)
