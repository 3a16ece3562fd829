"""The audit log's heads as annotated tags of the ledger's repository: one a day, never moved.

A tag that was fetched or made here is kept, whatever becomes of it on the remote: it says what the
log was on that day, and whoever rewrites the log would have to rewrite every clone as well.
"""

import re

from faultbook.base.clock import SECOND, Instant
from faultbook.base.errors import InvalidError
from faultbook.ledger.git import REMOTE_SECONDS, GitError, explain
from faultbook.ledger.repository import Push, Pushed, Repository, read_refusal
from faultbook.model.audit import Head, parse_head

PREFIX = "faultbook-audit/"
"""Tags are named by it and the day, in UTC: `faultbook-audit/2026-11-18`."""

_REFS = f"refs/tags/{PREFIX}"
_MOVED = "would clobber existing tag"
_UNFIT = re.compile(r"[<>\x00-\x1f\x7f]")  # what can't be in an identity; git strips it too


def fetch_tags(repository: Repository) -> str:
    """Bring in the remote's tags; tells what git says of those that are others here, or nothing.

    Raises:
        UnavailableError: the remote can't be had.
    """
    options = ("--no-tags", "--no-prune", "--no-write-fetch-head")
    try:
        repository.git.run(
            *("fetch", *options, "origin", f"{_REFS}*:{_REFS}*"), seconds=REMOTE_SECONDS
        )
    except GitError as error:
        if _MOVED in error.stderr:
            return error.words
        raise explain(error) from error
    return ""


def list_tags(repository: Repository) -> dict[str, Head]:
    """Give the heads that the clone's tags hold, by their days; what holds none is passed over."""
    form = "--format=%(refname)%00%(contents:subject)"
    told = repository.git.run("for-each-ref", form, _REFS).decode("utf-8", "replace")
    found: dict[str, Head] = {}
    for line in told.splitlines():
        ref, _, subject = line.partition("\0")
        try:
            found[ref.removeprefix(_REFS)] = parse_head(subject)
        except InvalidError:
            continue
    return found


def put_tag(repository: Repository, day: str, head: Head, commit: str, at: Instant) -> Pushed:
    """Tag a commit with the head of a day, on the remote and then here; an older tag stays.

    Raises:
        UnavailableError: the remote can't be had; whether it took the tag is not known.
    """
    remote = repository.remote
    name, email = (
        _UNFIT.sub("", told).strip() or "Faultbook"
        for told in (remote.author_name, remote.author_email)
    )
    told = (
        f"object {commit}\ntype commit\ntag {PREFIX}{day}\n"
        f"tagger {name} <{email}> {at // SECOND} +0000\n\n{head}\n"
    )
    tag = repository.git.run("mktag", stdin=told.encode()).decode().strip()
    ref = f"{_REFS}{day}"
    options = ("--porcelain", "--no-verify", f"--force-with-lease={ref}:")
    try:
        repository.git.run("push", *options, "origin", f"{tag}:{ref}", seconds=REMOTE_SECONDS)
    except GitError as error:
        return read_refusal(error)
    repository.git.run("update-ref", ref, tag)
    return Pushed(Push.DONE)
