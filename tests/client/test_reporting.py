"""The four verbs, and runs as a context manager, against the real server."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from faultbook.base.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from faultbook.client import Client
from faultbook.model.timeline import Timeline
from faultbook.operations.timeline import read_timeline
from tests.client.conftest import ROUTES
from tests.client.proxies import DeafProxy
from tests.conftest import FrozenClock, run_python
from tests.intake.wrapper.servers import Server, free_port


def _stored(server: Server, run_id: str) -> Timeline:
    return server.store.read(read_timeline, run_id)


def test_the_four_verbs_tell_a_run_from_its_start_to_its_verdict(
    client: Client, server: Server, tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"
    report.write_text("40 invoices\n", encoding="utf-8")
    started = datetime(2026, 11, 18, 11, 6, 30, tzinfo=UTC)
    run_id = client.start_run(
        "nightly",
        promised=["report.csv"],
        started_at=started,
        cost_limit=Decimal("2.5"),
        tool_allowlist={"search", "mail"},
    )
    client.record_event(run_id, "tool", "search", "40 found", duration_ms=12.5)
    checked = client.record_artifact(run_id, "report.csv", report)
    assert (checked["check"], checked["size"]) == ("verified", 12)
    result = client.close_run(run_id, exit_code=0, cost=Decimal("1.25"))
    assert (result.verdict, result.reason, result.run_id) == ("passed", None, run_id)
    stored = _stored(server, run_id)
    assert stored.run.start.contract.cost_limit == Decimal("2.5")
    assert stored.run.start.contract.tool_allowlist == ("mail", "search")
    assert [(event.kind, event.name) for event in stored.events] == [("tool", "search")]


def test_the_same_close_again_gives_the_stored_result(client: Client) -> None:
    run_id = client.start_run("nightly")
    first = client.close_run(run_id, "passed")
    assert client.close_run(run_id, "passed") == first
    assert (first.verdict, first.reason) == ("inconclusive", "no_evidence_promised")
    with pytest.raises(ConflictError) as caught:
        client.close_run(run_id, exit_code=3)
    assert caught.value.code == "late_close"


def test_a_run_that_was_left_normally_rests_on_its_evidence(client: Client, server: Server) -> None:
    with client.run("nightly", promised=["a"]) as run:
        run.event("step", "export")
        run.artifact("a", b"bytes", media_type="text/plain")
    assert run.result is not None
    assert run.result.verdict == "passed"
    with client.run("nightly", promised=["a"]) as bare:
        pass
    assert bare.result is not None
    assert (bare.result.verdict, bare.result.reason) == ("inconclusive", "missing_artifact_ref")
    assert [event.kind for event in _stored(server, run.id).events] == ["step"]


def test_an_exception_closes_the_run_as_failed_with_its_words_redacted(
    client: Client, server: Server
) -> None:
    secret = "xoxb-" + "1234567890-abcdefghij"
    run = client.run("nightly")

    def work() -> None:
        with run:
            run.artifact("a", b"bytes")
            raise ValueError(f"no such page {secret}")

    with pytest.raises(ValueError, match="no such page"):
        work()
    stored = _stored(server, run.id).run
    assert stored.findings[0].detail == "ValueError: no such page [REDACTED:slack-bot-token]"
    assert (str(stored.verdict), str(stored.findings[0].failure_class)) == ("failed", "persistent")


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), TimeoutError(), OSError("disk")])
def test_what_may_pass_by_itself_is_transient(
    client: Client, server: Server, error: OSError
) -> None:
    with pytest.raises(OSError), client.run("nightly") as run:  # noqa: PT011 - it is the given one
        raise error
    told = _stored(server, run.id).run.findings[0]
    expected = "persistent" if type(error) is OSError else "transient"
    assert str(told.failure_class) == expected


def test_an_interrupted_run_is_inconclusive(client: Client, server: Server) -> None:
    with pytest.raises(KeyboardInterrupt), client.run("nightly") as run:
        raise KeyboardInterrupt
    stored = _stored(server, run.id).run
    assert (str(stored.verdict), str(stored.findings[0].reason)) == ("inconclusive", "cancelled")


def test_what_was_closed_within_stays_so(client: Client) -> None:
    with client.run("nightly") as run:
        told = run.fail("session_expired", "log in to the CRM", "auth")
    assert run.result == told
    assert (told.verdict, told.reason, told.failure_reason) == (
        "failed", "session_expired", "log in to the CRM",
    )  # fmt: skip
    with client.run("nightly") as blocked:
        blocked.close("blocked", reason="rate_limited", failure_class="transient")
    assert blocked.result is not None
    assert blocked.result.verdict == "blocked"


def test_the_first_error_is_the_one_that_is_seen(client: Client, server: Server) -> None:
    run = client.run("nightly")
    client.close_run(run.id, exit_code=0)
    with pytest.raises(ValueError, match="first"), run:
        raise ValueError("first")
    assert run.result is None
    assert str(_stored(server, run.id).run.verdict) == "inconclusive"


@pytest.mark.parametrize("words", [b"/events", b"/artifacts/", b"/close", b"POST /v1/runs "])
def test_what_was_done_and_not_heard_of_is_told_again_and_counts_once(
    words: bytes, clients: Callable[..., Client], proxy: DeafProxy, server: Server
) -> None:
    client = clients(proxy.url)
    proxy.lose[words] = 2
    with client.run("nightly", promised=["a"]) as run:
        run.event("step", "export")
        run.artifact("a", b"bytes")
    assert proxy.lose[words] == 0
    assert run.result is not None
    assert run.result.verdict == "passed"
    assert len(_stored(server, run.id).events) == 1
    assert sum(words in line for line in proxy.asked) == 3


def test_a_server_that_is_started_again_is_waited_for(tmp_path: Path, clock: FrozenClock) -> None:
    first = Server(tmp_path / "home", routes=ROUTES, clock=clock)
    environ = first.environ()
    client = Client(environ["FAULTBOOK_URL"], environ["FAULTBOOK_TOKEN"])
    port = first.port
    run_id = client.start_run("nightly")
    first.stop()
    started: list[Server] = []
    again = threading.Timer(
        0.3,
        lambda: started.append(Server(tmp_path / "home", port=port, routes=ROUTES, clock=clock)),
    )
    again.start()
    assert client.close_run(run_id, exit_code=1).verdict == "failed"
    again.join()
    started[0].stop()
    client.close()


def test_refusals_are_our_own_errors(client: Client, server: Server) -> None:
    with pytest.raises(InvalidError) as caught:
        client.start_run("nightly", attempt=0)
    assert caught.value.where == "attempt"
    with pytest.raises(NotFoundError):
        client.record_event("01a1f7fd-fbb8-7515-b532-b672fba52c8f", "log")
    with pytest.raises(UnauthenticatedError), Client(server.url, "fb_word") as nobody:
        nobody.start_run("nightly")
    with pytest.raises(ValueError, match="zone"):
        client.start_run("nightly", started_at=datetime(2026, 11, 18))  # noqa: DTZ001 - that is it
    with pytest.raises(FileNotFoundError), client.run("nightly") as run:
        run.artifact("a", "no/such/file")


def test_the_environment_says_where_the_server_is(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FAULTBOOK_URL", raising=False)
    with pytest.raises(InvalidError) as caught:
        Client()
    assert caught.value.code == "no_url"
    environ = server.environ()
    monkeypatch.setenv("FAULTBOOK_URL", environ["FAULTBOOK_URL"])
    monkeypatch.delenv("FAULTBOOK_TOKEN", raising=False)
    monkeypatch.setenv("FAULTBOOK_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(InvalidError, match="FAULTBOOK_TOKEN_FILE"):
        Client()
    (tmp_path / "token").write_text(environ["FAULTBOOK_TOKEN"] + "\n", encoding="utf-8")
    with Client() as client:
        assert client.start_run("nightly")


def test_where_nobody_listens_it_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("faultbook.client.client._PAUSES", (0.01, 0.01))
    client = Client(f"http://127.0.0.1:{free_port()}", "fb_word")
    with pytest.raises(UnavailableError):
        client.start_run("nightly")


def test_importing_it_brings_nothing_heavy() -> None:
    done = run_python(
        "import sys; from faultbook.client import Client, Task, TaskGone\n"
        "heavy = ('sqlalchemy', 'pydantic', 'slack_bolt', 'fastapi', 'aiohttp', 'uvicorn')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert done.stdout == "[]\n", done.stderr
    lean = run_python(
        "import sys, faultbook.client; from faultbook.client import Client\n"
        "print('httpx' in sys.modules)"
    )
    assert lean.stdout == "False\n", lean.stderr
    assert "cannot import name 'Clent'" in run_python("from faultbook.client import Clent").stderr
