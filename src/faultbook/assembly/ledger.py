"""The ledger in git: its clone and its worker, and a real remote of its own for the samples."""

import os
from contextlib import AsyncExitStack
from pathlib import Path

from faultbook.assembly.house import House
from faultbook.assembly.templates import template
from faultbook.base.clock import system_clock
from faultbook.base.errors import UnavailableError
from faultbook.base.redaction import redact
from faultbook.base.settings import Settings
from faultbook.delivery.git.clone import LedgerOptions
from faultbook.delivery.git.worker import LedgerWorker
from faultbook.ledger.audit_tags import PREFIX, list_tags
from faultbook.ledger.git import GitError
from faultbook.ledger.repository import Remote, Repository, is_local_path, make_bare
from faultbook.ledger.rows import LEDGER_NAME
from faultbook.ledger.snapshot import LedgerAccess
from faultbook.model.audit import Anchor

_SAMPLES = "samples/ledger"


async def start_ledger(
    house: House, stack: AsyncExitStack, *, samples: bool = False
) -> LedgerAccess | None:
    """Start the worker of the ledger that the settings name; the stack stops it.

    Without a remote the samples get one, a bare repository in the home; else there is no ledger.

    Raises:
        InvalidError: the remote or the branch can't be used, or git is not installed.
    """
    remote = remote_of(house.settings)
    if remote is None and samples:
        remote = await house.store.in_thread(make_sample_remote, house.settings)
    if remote is None:
        return None
    settings = house.settings.ledger
    repository = Repository(house.settings.home.absolute(), remote, os.environ)
    options = LedgerOptions(
        template=template("incident.md").read_text("utf-8"),
        channel=settings.channel or "",
        fetch_seconds=float(settings.fetch_seconds),
    )
    worker = LedgerWorker(house.store, repository, options)
    await worker.start()
    stack.push_async_callback(worker.stop)
    told = redact(remote.url)
    return LedgerAccess(worker.snapshot, worker.wake, options.channel, settings.web_url, told)


def remote_of(settings: Settings) -> Remote | None:
    """Name the remote that is set; a relative path is one from `faultbook.toml`'s folder."""
    ledger = settings.ledger
    if ledger.remote is None:
        return None
    url = ledger.remote
    if url and is_local_path(url) and not url.startswith("-"):
        base = settings.config_path.parent if settings.config_path else Path.cwd()
        url = str(base / Path(url).expanduser())
    return _remote(settings, url)


def audit_anchors(settings: Settings) -> list[Anchor]:
    """Give the heads of the audit log that the clone of the ledger holds as tags.

    Raises:
        UnavailableError: the clone can't be read.
    """
    remote = remote_of(settings)
    samples = _sample_place(settings)
    if remote is None and samples.is_dir():
        remote = _remote(settings, str(samples))
    if remote is None:
        return []
    repository = Repository(settings.home.absolute(), remote, os.environ)
    if not repository.git.folder.is_dir():
        return []
    try:
        tags = list_tags(repository)
    except GitError as error:
        raise UnavailableError(
            f"The ledger's clone can't be read: {error.words}",
            code="git_failed",
            next_step="Give the head instead: faultbook audit verify --head SIZE:HASH.",
            where=str(repository.git.folder),
        ) from error
    return [Anchor(head, f"the tag {PREFIX}{day}") for day, head in tags.items()]


def make_sample_remote(settings: Settings) -> Remote:
    """Make the samples' remote with a small ledger in it, once.

    Raises:
        UnavailableError: git fails here.
    """
    remote = _remote(settings, str(_sample_place(settings)))
    seed = Repository(settings.home.absolute(), remote, os.environ)
    try:
        make_bare(Path(remote.url), remote.branch, os.environ)
        with seed.lock():
            if seed.fetch() is None:
                files = _sample_files(remote.folder)
                made = seed.commit(None, files, "Begin the ledger\n", system_clock())
                seed.push(made, remote.branch, None)
    except GitError as error:
        raise UnavailableError(
            f"The samples' ledger can't be made: {error.words}",
            code="git_failed",
            next_step="Mend what git names, or start without --samples.",
            where=remote.url,
        ) from error
    return remote


def _sample_place(settings: Settings) -> Path:
    return settings.home.absolute() / "ledger.git"


def _sample_files(folder: str) -> dict[str, bytes]:
    source = template(_SAMPLES)
    paths = [source / LEDGER_NAME, *sorted((source / "incidents").glob("*.md"))]
    return {f"{folder}/{path.relative_to(source).as_posix()}": path.read_bytes() for path in paths}


def _remote(settings: Settings, url: str) -> Remote:
    ledger = settings.ledger
    return Remote(
        url=url,
        branch=ledger.branch,
        folder=ledger.folder,
        author_name=ledger.author_name,
        author_email=ledger.author_email,
    )
