"""Recording whole runs over HTTP, beside a server that only reads the same bodies."""

from pathlib import Path

from tests.benchmarks import floors
from tests.benchmarks.load import Figures, measure
from tests.benchmarks.servers import floor, make_token, up

_MUST_RECORDS, _AIM_RECORDS = 1_000, 2_900
_MUST_LINES, _AIM_LINES = 5_000, 20_000


def one_call(home: Path) -> list[str]:
    """One run a request: durable when it is answered."""
    token = make_token(home)
    with up(home) as server:
        measure("records", server.port, clients=8, requests=2_000, token=token)
        one = measure("records", server.port, clients=1, requests=3_000, token=token)
        eight = measure("records", server.port, clients=8, requests=8_000, token=token)
    with floor("starlette") as port:
        bare = measure("posts", port, clients=8, requests=8_000, path="/x")
    commits = floors.commits()
    return [
        _line("8 clients", eight, f"must {_MUST_RECORDS}, aim {_AIM_RECORDS}"),
        _line("1 client", one, ""),
        (
            f"floor: bare Starlette, no store, 8 clients {bare.rate:,.0f}/s;"
            f" ours is {eight.rate / bare.rate:.2f} of it"
        ),
        (
            f"floor: bare sqlite3, one commit a row {commits:,.0f}/s;"
            f" ours is {eight.rate / commits:.2f} of it"
        ),
    ]


def batches(home: Path) -> list[str]:
    """JSON lines through the same validator."""
    token = make_token(home)
    lines = 500
    with up(home) as server:
        measure("batches", server.port, clients=1, requests=4, lines=lines, token=token)
        two = measure("batches", server.port, clients=2, requests=60, lines=lines, token=token)
    _all_fine(two)
    return [
        (
            f"{two.rate * lines:,.0f} runs/s in batches of {lines}, 2 clients"
            f" (must {_MUST_LINES:,}, aim {_AIM_LINES:,})"
        )
    ]


def _line(name: str, figures: Figures, bounds: str) -> str:
    _all_fine(figures)
    shown = f" ({bounds})" if bounds else ""
    return f"{name}: {figures.rate:,.0f} records/s, p50 {figures.p50_ms:.2f} ms{shown}"


def _all_fine(figures: Figures) -> None:
    bad = {status: n for status, n in figures.statuses.items() if not status.startswith("2")}
    if bad:
        raise RuntimeError(f"answers other than 2xx: {bad}")
