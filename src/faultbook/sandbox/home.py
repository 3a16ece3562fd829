"""The home directory: tokens, ids and the ready file, all private to their owner."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from faultbook.sandbox.clock import new_id


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this workspace and its bot are; random per home, kept over restarts."""

    team_id: str
    team_domain: str
    app_id: str
    bot_id: str
    bot_user_id: str
    bot_token: str
    app_token: str
    signing_secret: str
    verification_token: str


def _fresh() -> Identity:
    app_id = new_id("A")
    digits = str(secrets.randbelow(9 * 10**11) + 10**11)
    return Identity(
        team_id=new_id("T"),
        team_domain="local",
        app_id=app_id,
        bot_id=new_id("B"),
        bot_user_id=new_id("U"),
        bot_token=f"xoxb-{digits}-{secrets.token_hex(12)}",
        app_token=f"xapp-1-{app_id}-{digits}-{secrets.token_hex(32)}",
        signing_secret=secrets.token_hex(16),
        verification_token=secrets.token_hex(12),
    )


def open_home(home: Path) -> Identity:
    """Reads the home's identity, making the directory and the identity when new.

    Raises:
        ValueError: If the identity file is damaged.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / "identity.json"
    if not path.exists():
        identity = _fresh()
        write_private(path, json.dumps(asdict(identity)))
        return identity
    try:
        return Identity(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}); remove it to start afresh") from error


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Keeps a second workspace from running on the same home.

    Raises:
        ValueError: If one runs there already.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(home / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ValueError(f"another workspace is running on {home}") from error
    try:
        yield
    finally:
        lock.release()


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    draft.replace(path)
