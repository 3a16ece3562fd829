"""A bare HTTP/1.1 load client: prepared requests over kept connections, latencies in seconds.

Runs as a process of its own (`python -m tests.benchmarks.load`), so that client and server do not
share an interpreter. It is bounded by a number of requests, and talks to loopback only.
"""

import asyncio
import hashlib
import hmac
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import uvloop


@dataclass(frozen=True)
class Figures:
    """What a load came to."""

    rate: float
    p50_ms: float
    p99_ms: float
    statuses: dict[str, int]


def measure(kind: str, port: int, *, clients: int, requests: int, **options: Any) -> Figures:  # noqa: ANN401 - handed to the maker of requests as they are
    """Send requests of a kind from a process of their own."""
    told = {"kind": kind, "port": port, "clients": clients, "requests": requests, **options}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load", json.dumps(told)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Figures(**json.loads(done.stdout))


def _signed(secret: str, body: bytes, content_type: str) -> bytes:
    stamp = str(int(time.time()))
    base = b"v0:" + stamp.encode() + b":" + body
    signature = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    headers = (
        f"Content-Type: {content_type}\r\nX-Slack-Request-Timestamp: {stamp}\r\n"
        f"X-Slack-Signature: {signature}\r\n"
    )
    return _request("POST", "/slack/events", body, headers)


def _request(method: str, path: str, body: bytes = b"", headers: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def mentions(told: dict[str, Any]) -> Iterator[bytes]:
    """Make signed app mentions, each with its own event id, over ten channels."""
    run = f"{time.time_ns():x}"
    began = int(time.time())  # no two runs tell of the same messages
    for number in range(told["requests"]):
        ts = f"{began}.{number:06}"
        event = {
            "token": "x",
            "team_id": "T1",
            "api_app_id": "A1",
            "type": "event_callback",
            "event_id": f"Ev{run}{number}",
            "event_time": int(time.time()),
            "authorizations": [
                {"enterprise_id": None, "team_id": "T1", "user_id": "UBOT", "is_bot": True}
            ],
            "event": {
                "type": "app_mention",
                "user": "U1",
                "text": "<@UBOT> what's failing?",
                "ts": ts,
                "channel": f"C{number % 10}",
                "event_ts": ts,
                "team": "T1",
            },
        }
        yield _signed(told["secret"], json.dumps(event).encode(), "application/json")


def clicks(told: dict[str, Any]) -> Iterator[bytes]:
    """Make signed clicks on a button that owes a notice; `values` gives each its own value."""
    run = f"{time.time_ns():x}"
    user = told.get("user", "U1")
    for number in range(told["requests"]):
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": "ana", "name": "ana", "team_id": "T1"},
            "team": {"id": "T1", "domain": "local"},
            "api_app_id": "A1",
            "token": "x",
            "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1"},
            "trigger_id": f"1.2.{number}",
            "channel": {"id": "C1", "name": "general"},
            "message": {"ts": "1.2", "text": "x"},
            "actions": [
                {
                    "type": "button",
                    "action_id": told["action_id"],
                    "block_id": "b",
                    "value": told["values"][number] if "values" in told else "{}",
                    "action_ts": f"{run}.{number}",
                }
            ],
        }
        body = f"payload={quote_plus(json.dumps(payload))}".encode()
        yield _signed(told["secret"], body, "application/x-www-form-urlencoded")


def records(told: dict[str, Any]) -> Iterator[bytes]:
    """Make whole runs, one a request, over 500 series."""
    for number in range(told["requests"]):
        body = json.dumps(record(number)).encode()
        yield _request("POST", "/v1/runs:record", body, _api_headers(told))


def record(number: int) -> dict[str, Any]:
    """Make one whole run with inline evidence."""
    return {
        "workflow": f"bench-{number % 500}",
        "exit_code": 0 if number % 25 else 1,
        "promised": ["report.txt"],
        "code_version": "a1b2c3d",
        "artifacts": [{"name": "report.txt", "text": f"{number} invoices"}],
    }


def batches(told: dict[str, Any]) -> Iterator[bytes]:
    """Make batches of whole runs as JSON lines."""
    size = told["lines"]
    for number in range(told["requests"]):
        lines = (json.dumps(record(number * size + line)) for line in range(size))
        yield _request("POST", "/v1/runs:batch", "\n".join(lines).encode(), _api_headers(told))


def gets(told: dict[str, Any]) -> Iterator[bytes]:
    """Make the same GET again and again."""
    for _ in range(told["requests"]):
        yield _request("GET", told["path"], b"", _api_headers(told))


def posts(told: dict[str, Any]) -> Iterator[bytes]:
    """Make whole-run bodies for a bare floor's path."""
    for number in range(told["requests"]):
        yield _request("POST", told["path"], json.dumps(record(number)).encode())


def _api_headers(told: dict[str, Any]) -> str:
    token = f"Authorization: Bearer {told['token']}\r\n" if told.get("token") else ""
    return f"Content-Type: application/json\r\n{token}"


_MAKERS: dict[str, Callable[[dict[str, Any]], Iterator[bytes]]] = {
    maker.__name__: maker for maker in (mentions, clicks, records, batches, gets, posts)
}


async def _client(
    port: int,
    work: Iterator[bytes],
    latencies: list[float],
    statuses: dict[str, int],
    pause: float,
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in work:
        began = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length:" in lower:
            length = int(lower.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
            if length:
                await reader.readexactly(length)
        elif b"chunked" in lower:
            while (size := int(await reader.readline(), 16)) >= 0:
                await reader.readexactly(size + 2)
                if not size:
                    break
        latencies.append(time.perf_counter() - began)
        status = head[9:12].decode()
        statuses[status] = statuses.get(status, 0) + 1
        if pause:
            await asyncio.sleep(pause)
    writer.close()


async def _load(told: dict[str, Any]) -> Figures:
    prepared = list(_MAKERS[told["kind"]](told))
    latencies: list[float] = []
    statuses: dict[str, int] = {}
    work = iter(prepared)
    began = time.perf_counter()
    await asyncio.gather(
        *(
            _client(told["port"], work, latencies, statuses, told.get("pause", 0.0))
            for _ in range(told["clients"])
        )
    )
    took = time.perf_counter() - began
    cuts = statistics.quantiles(latencies, n=100) if len(latencies) > 1 else latencies * 99
    return Figures(len(latencies) / took, cuts[49] * 1000, cuts[98] * 1000, statuses)


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_load(json.loads(sys.argv[1]))).__dict__))
