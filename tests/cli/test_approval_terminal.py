"""`faultbook approval` on a terminal: what is shown, what is asked, and what fits."""

import os
import pty
import re
import subprocess
import sys

from faultbook.base.clock import system_clock
from faultbook.view.approval_text import approvals_text
from faultbook.view.terminal import Look
from tests.cli.approvals import Place


def test_a_narrow_list_keeps_until_when_each_waits_and_whose_votes_it_has(local: Place) -> None:
    local.approval("request", "refund", "t" * 80, "-p", f"order={'o' * 80}", "--why", "w")
    local.ask()
    found = [local.document("A-1"), local.document("A-2") | {"task": "T-1"}]
    listed = approvals_text(found, system_clock(), Look(width=80))
    assert all(len(line) <= 80 for line in listed.splitlines())
    assert len(re.findall(r"\n +0 of 1, until \d+ \w+ \d\d:\d\d", listed)) == 2
    assert ", for T-1\n" in listed


def test_on_a_terminal_the_whole_action_is_shown_before_it_is_approved(local: Place) -> None:
    local.ask("-p", f"note={'long ' * 60}end")
    for answer, code, state in (("n\n", 1, "pending"), ("y\n", 0, "approved")):
        told, exit_code = _on_a_terminal(local, answer, "approve", "A-1")
        shown = re.sub(r"\s+", " ", told)
        assert "amount 120.00" in shown
        assert "end" in shown
        assert "…" not in shown.split("Why:")[0]
        assert (exit_code, local.document()["state"]) == (code, state)


def test_on_a_terminal_nothing_is_asked_about_what_is_decided_already(local: Place) -> None:
    local.ask()
    local.approval("approve", "A-1", "--digest", local.digest, who="chris")
    for verb, more in (("approve", ()), ("break-glass", ("--reason", "the bank calls"))):
        told, exit_code = _on_a_terminal(local, "y\n", verb, "A-1", *more)
        assert "[y/N]" not in told
        assert "UCHRIS approved this at" in told
        assert (exit_code, "[already_approved]" in told) == (1, True)


def _on_a_terminal(place: Place, answer: str, *words: str) -> tuple[str, int]:
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "faultbook", "approval", *words],
        cwd=place.folder,
        env=place.environ("ben") | {"COLUMNS": "130", "TERM": "dumb"},
        stdin=other,
        stdout=other,
        stderr=other,
        close_fds=True,
    )
    os.close(other)
    os.write(main, answer.encode())
    told = b""
    try:
        while chunk := os.read(main, 4096):
            told += chunk
    except OSError:  # the other end was closed
        pass
    os.close(main)
    return told.decode(), process.wait(30)
