"""Slack's ack path in HTTP mode, signed: a mention and a click, each durable before its ack."""

from pathlib import Path

from faultbook.view.actions import FAILING_POST_HERE
from tests.benchmarks.floors import SECRET
from tests.benchmarks.load import Figures, measure
from tests.benchmarks.servers import floor, up
from tests.sandbox.driver import Workspace


def mentions(home: Path) -> list[str]:
    """Mentions acked with the durable commit inside, beside bare Bolt's no-op."""
    with floor("bolt") as port:
        bare = {c: _mentions(port, SECRET, c) for c in (1, 16)}
    workspace = Workspace.start(home / "slack")
    try:
        (home / "bot").mkdir()
        with up(home / "bot", workspace) as server:
            _mentions(server.port, workspace.signing_secret, 16, 500)
            ours = {c: _mentions(server.port, workspace.signing_secret, c) for c in (1, 16)}
    finally:
        workspace.stop()
    bounds = {1: "", 16: " (must 0.3, aim 0.6)"}
    return [
        f"{c} at once: {ours[c].rate:,.0f}/s, p50 {ours[c].p50_ms:.2f} ms; bare Bolt's no-op"
        f" {bare[c].rate:,.0f}/s, p50 {bare[c].p50_ms:.2f} ms:"
        f" ratio {ours[c].rate / bare[c].rate:.2f}{bounds[c]}"
        for c in (1, 16)
    ]


def clicks(home: Path) -> list[str]:
    """A click's durable ack, beside bare Bolt and Bolt's default."""
    with floor("bolt") as port:
        bare = _clicks(port, SECRET, 2_000)
    with floor("bolt-default") as port:
        default = _clicks(port, SECRET, 200)
    workspace = Workspace.start(home / "slack")
    try:
        (home / "bot").mkdir()
        with up(home / "bot", workspace) as server:
            _clicks(server.port, workspace.signing_secret, 200)
            ours = _clicks(server.port, workspace.signing_secret, 2_000)
    finally:
        workspace.stop()
    return [
        f"durable ack p50 {ours.p50_ms:.2f} ms, p99 {ours.p99_ms:.2f} ms (must below 2 ms)",
        (
            f"floors: bare Bolt's no-op p50 {bare.p50_ms:.2f} ms, Bolt's default"
            f" {default.p50_ms:.1f} ms; ours is {ours.p50_ms / bare.p50_ms:.1f} times bare Bolt"
        ),
    ]


def _mentions(port: int, secret: str, clients: int, requests: int = 4_000) -> Figures:
    return _fine(measure("mentions", port, clients=clients, requests=requests, secret=secret))


def _clicks(port: int, secret: str, requests: int) -> Figures:
    told = {"secret": secret, "action_id": FAILING_POST_HERE}
    return _fine(measure("clicks", port, clients=1, requests=requests, **told))


def _fine(figures: Figures) -> Figures:
    if set(figures.statuses) != {"200"}:
        raise RuntimeError(f"answers other than 200: {figures.statuses}")
    return figures
