"""What the history tells: which operations are in it, the highest number ever, who wrote a line."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from faultbook.ledger.git import Git, GitError
from faultbook.ledger.table import read_ledger

OPERATION, ROW, REQUESTER = "Ledger-Op", "Ledger-Row", "Requested-by"
"""The trailers of the bot's commits."""

_HISTORY_SECONDS = 300.0
_IDS_AT_ONCE = 100
_TRAILERS = f"%(trailers:key={OPERATION},valueonly)%x1f%(trailers:key={ROW},valueonly)"
_NUMBERED = re.compile(rb"^\+\|[ \t]*\[?(\d{1,9})(?:\]\([^|]*\))?[ \t]*\|")


@dataclass(frozen=True, slots=True)
class Landed:
    """An operation that is in the history.

    Attributes:
        path: the incident file it brought or changed.
    """

    commit: str
    number: int | None = None
    path: str | None = None


def find_operations(
    git: Git, ids: Collection[str], head: str, since: str | None = None
) -> dict[str, Landed]:
    """Look for operations in the history of `head`, and not in that of `since`."""
    wanted, found = list(ids), {}
    for at in range(0, len(wanted), _IDS_AT_ONCE):
        some = set(wanted[at : at + _IDS_AT_ONCE])
        greps = [f"--grep={OPERATION}: {identifier}" for identifier in sorted(some)]
        for commit, operations, rows in _log(git, _range(head, since), "-F", *greps):
            for identifier in some.intersection(operations):
                number = next((int(row) for row in rows if row.isdecimal()), None)
                found[identifier] = Landed(commit, number, _incident_of(git, commit))
    return found


def highest_number(git: Git, path: str, head: str, since: str | None = None, known: int = 0) -> int:
    """Find the highest number that the bot's commits or a row of the ledger ever had.

    Numbers are never used again, so rows that were taken away count. `known` is one that is known
    to have been used; nothing below it is looked at.
    """
    # Whatever brings a number changes the ledger, so one walk along its path finds all.
    form = f"--format=%x00%H%x1f%(trailers:key={ROW},valueonly,separator=%x20)"
    options = ("log", "-p", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", form)
    told = git.run(*options, *_range(head, since), "--", path, seconds=_HISTORY_SECONDS)
    highest, candidates = known, list[tuple[int, str]]()
    for change in told.split(b"\0")[1:]:
        first, *lines = change.splitlines()
        commit, _, rows = first.decode("utf-8", "replace").partition("\x1f")
        highest = max([highest, *(int(row) for row in rows.split() if row.isdecimal())])
        numbers = [int(match[1]) for line in lines if (match := _NUMBERED.match(line))]
        if numbers:
            candidates.append((max(numbers), commit))
    for number, commit in sorted(candidates, reverse=True):
        if number <= highest:
            break
        # The line may stand in another table: only the ledger's own rows count.
        highest = max(highest, _highest_at(git, commit, path))
    return highest


def _highest_at(git: Git, commit: str, path: str) -> int:
    return read_ledger(git.run("cat-file", "blob", f"{commit}:{path}")).highest


def who_wrote(git: Git, path: str, line: int, head: str, since: str) -> str | None:
    """Name the person who wrote a line after `since`, or changed its file; None if only we did."""
    ours = set()
    changes = list(_authors(git, path, head, since))
    for commit, _, is_ours in changes:
        if is_ours:
            ours.add(commit)
    blamed = _blame(git, path, line, head, since)
    if blamed is not None and blamed[0] not in ours:
        return blamed[1]
    return next((author for _, author, is_ours in changes if not is_ours), None)


def hand_authors(git: Git, path: str, head: str, since: str) -> list[str]:
    """Name the authors of commits after `since` that are none of ours, the newest first."""
    return [author for _, author, is_ours in _authors(git, path, head, since) if not is_ours]


def _authors(git: Git, path: str, head: str, since: str) -> Iterator[tuple[str, str, bool]]:
    form = f"--format=%H%x1f%(trailers:key={OPERATION},valueonly,separator=%x20)%x1f%an"
    told = git.run("log", "-z", form, *_range(head, since), "--", path, seconds=_HISTORY_SECONDS)
    for record in told.decode("utf-8", "replace").split("\0"):
        if record.strip():
            commit, operation, author = record.split("\x1f", 2)
            yield commit.strip(), author.strip(), bool(operation.strip())


def _blame(git: Git, path: str, line: int, head: str, since: str) -> tuple[str, str] | None:
    spot = f"{line},{line}"
    try:
        told = git.run("blame", "--porcelain", "-L", spot, f"{since}..{head}", "--", path)
    except GitError:  # the line is beyond the file's end, or the file is gone
        return None
    lines = told.decode("utf-8", "replace").splitlines()
    if not lines or "boundary" in lines:
        return None
    author = next((one for one in lines if one.startswith("author ")), "author ")
    return lines[0].split()[0], author.removeprefix("author ").strip()


def _log(
    git: Git, span: tuple[str, ...], *filters: str
) -> Iterator[tuple[str, list[str], list[str]]]:
    form = f"--format=%H%x1f{_TRAILERS}"
    told = git.run("log", "-z", form, *filters, *span, seconds=_HISTORY_SECONDS)
    for record in told.decode("utf-8", "replace").split("\0"):
        if record.strip():
            commit, operations, rows = record.split("\x1f", 2)
            yield commit.strip(), operations.split(), rows.split()


def _incident_of(git: Git, commit: str) -> str | None:
    options = ("-r", "-z", "--root", "--no-commit-id", "--name-only")
    names = git.run("diff-tree", *options, commit).decode("utf-8", "replace").split("\0")
    return next((name for name in names if "/incidents/" in name), None)


def _range(head: str, since: str | None) -> tuple[str, ...]:
    return (head,) if since is None else (head, f"^{since}")
