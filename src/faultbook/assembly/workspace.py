"""The local workspace as a process of its own: started, found again after a crash, stopped."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from faultbook.assembly.templates import template
from faultbook.base.errors import UnavailableError

_START_SECONDS = 15
_STOP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Workspace:
    """A running local workspace.

    Attributes:
        page: where a person opens it.
        pid: its process, which `stop_workspace` ends by this id.
    """

    page: str
    api_url: str
    bot_token: str
    app_token: str
    signing_secret: str
    pid: int


async def start_workspace(home: Path, port: int) -> Workspace:
    """Start the workspace of a home, or take over the one that still runs from before.

    A bot that was killed leaves its workspace running; people keep their page, and the next bot
    finds it by the file in its home.

    Raises:
        UnavailableError: it did not start; the message carries its own words.
    """
    found = await _still_running(home)
    if found is not None:
        return found
    command = [sys.executable, "-m", "faultbook.sandbox"]
    command += ["--home", str(home), "--port", str(port)]
    command += ["--manifest", str(template("slack-manifest.yaml"))]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is the bot's to handle; it stops the workspace last
    )
    assert process.stdout is not None  # noqa: S101 - asked for above
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
        return _read(json.loads(line))
    except (TimeoutError, ValueError) as error:
        words = await _last_words(process)
        raise UnavailableError(
            f"The local workspace did not start: {words}",
            code="workspace_unavailable",
            next_step="Choose another port with --workspace-port, or stop what holds it.",
        ) from error


async def stop_workspace(workspace: Workspace) -> None:
    """End the workspace's process and wait until it is gone."""
    try:
        os.kill(workspace.pid, signal.SIGTERM)
        async with asyncio.timeout(_STOP_SECONDS):
            while await _answers(workspace):  # noqa: ASYNC110 - another process, no event of ours
                await asyncio.sleep(0.05)
    except (ProcessLookupError, TimeoutError):
        return


async def _still_running(home: Path) -> Workspace | None:
    try:
        workspace = _read(json.loads((home / "sandbox.json").read_text("utf-8")))
    except (OSError, ValueError):
        return None
    return workspace if await _answers(workspace) else None


async def _answers(workspace: Workspace) -> bool:
    """Tell whether the workspace is there and takes the token of this home."""
    headers = {"Authorization": f"Bearer {workspace.bot_token}"}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            answer = await client.post(f"{workspace.api_url}auth.test", headers=headers)
            return bool(answer.json().get("ok"))
    except (httpx.HTTPError, ValueError):
        return False


def _read(ready: dict[str, Any]) -> Workspace:
    names = ("page", "api_url", "bot_token", "app_token", "signing_secret", "pid")
    try:
        return Workspace(**{name: ready[name] for name in names})
    except (KeyError, TypeError) as error:
        raise ValueError("not the workspace's own file") from error


async def _last_words(process: asyncio.subprocess.Process) -> str:
    if process.returncode is None:
        process.kill()
    _, stderr = await process.communicate()
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {process.returncode}"
