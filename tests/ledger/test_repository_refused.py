"""Remotes that are refused, wrong, away or silent: each is told apart, and none runs a command."""

import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from faultbook.base.errors import FaultbookError, InvalidError, UnavailableError
from faultbook.ledger.git import Git, GitError
from faultbook.ledger.repository import Remote, Repository, is_branch_name, is_local_path


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/owned",
        "fd::7",
        "--upload-pack=touch /tmp/owned",
        "-u",
        "",
        "  ",
        "ftp://example.org/x",
        "javascript://x",
        "https://example.org/x\nurl = ext::x",
        "/srv/x\0y",
    ],
)
def test_a_remote_that_runs_commands_or_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidError) as refused:
        Repository(tmp_path, Remote(url), {})
    assert refused.value.code == "ledger_remote_refused"
    assert refused.value.where == "ledger.remote"


def test_a_transport_that_runs_commands_is_closed_in_git_too(tmp_path: Path) -> None:
    (tmp_path / "x.git").mkdir()
    runner = Git(tmp_path / "x.git", {"PATH": os.environ["PATH"], "GIT_ALLOW_PROTOCOL": "ext"})
    runner.run("init", "-q", "--bare")
    with pytest.raises(GitError, match="transport 'ext' not allowed"):
        runner.run("ls-remote", f"ext::sh -c touch% {tmp_path}/owned")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "branch",
    ["", "-x", "a..b", "a b", "x~1", "a:b", "@", "a/.b", "b.lock", "x/", "/x", "@{u}", "a\\b"],
)
def test_what_is_no_branch_is_refused(tmp_path: Path, branch: str) -> None:
    with pytest.raises(InvalidError, match="can't be a branch"):
        Repository(tmp_path, Remote("/x", branch=branch), {})


@pytest.mark.parametrize("branch", ["main", "release/2.x", "ünï", "a-b_c", "HEAD2", "a@b"])
def test_branch_names_are_judged_as_git_does(branch: str) -> None:
    done = subprocess.run(["git", "check-ref-format", f"refs/heads/{branch}"], check=False)
    assert is_branch_name(branch) == (done.returncode == 0)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("../ledger.git", True),
        ("/srv/x.git", True),
        ("./a:b", True),
        ("file:///srv/x.git", False),
        ("git@host:team/x.git", False),
        ("https://host/x.git", False),
    ],
)
def test_paths_are_told_from_addresses(url: str, local: bool) -> None:  # noqa: FBT001 - a table
    assert is_local_path(url) is local


def refused_with(clone: Repository) -> FaultbookError:
    with pytest.raises(UnavailableError) as refused:
        clone.fetch()
    return refused.value


def test_a_remote_that_is_away_is_told_from_one_that_is_wrong(tmp_path: Path) -> None:
    environ = dict(os.environ) | {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    away = Repository(tmp_path, Remote(f"http://127.0.0.1:{port}/x.git"), environ)
    assert refused_with(away).code == "git_unreachable"
    nothing = Repository(tmp_path, Remote(str(tmp_path / "nothing.git")), environ)
    assert refused_with(nothing).code == "git_repository_missing"


class _Http:
    """Answers every request with one status."""

    def __init__(self, status: bytes, headers: bytes = b"") -> None:
        self._answer = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n" + headers + b"\r\n"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(self._answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (b"401 Unauthorized", "git_auth_rejected"),
        (b"403 Forbidden", "git_auth_rejected"),
        (b"404 Not Found", "git_repository_missing"),
        (b"503 Service Unavailable", "git_unreachable"),
    ],
)
def test_a_servers_refusal_is_told_apart_and_keeps_no_password(
    tmp_path: Path, status: bytes, code: str
) -> None:
    server = _Http(status, b'WWW-Authenticate: Basic realm="x"\r\n')
    try:
        url = f"http://ana:hunter2hunter@127.0.0.1:{server.port}/x.git"
        clone = Repository(tmp_path, Remote(url), {"PATH": os.environ["PATH"]})
        error = refused_with(clone)
    finally:
        server.close()
    assert error.code == code
    assert error.next_step
    assert "hunter2" not in str(error.message)
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"hunter2" not in stored


def test_a_remote_that_never_answers_is_given_up_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faultbook.ledger.repository._FIRST_FETCH_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/x.git"
        clone = Repository(tmp_path, Remote(url), {"PATH": os.environ["PATH"]})
        error = refused_with(clone)
    assert error.code == "git_unreachable"
    assert "no answer in" in error.message
