"""The bot's private bare clone: fetch, read, commit, and push as compare-and-swap.

The clone is a projection: it can be thrown away at any time and is made again by a fetch. Nothing
in it is checked out, so no filter, attribute or line-ending rule touches a byte.
"""

import contextlib
import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import filelock

from faultbook.base.clock import SECOND, Instant
from faultbook.base.errors import InvalidError, UnavailableError
from faultbook.base.redaction import redact
from faultbook.ledger.git import REMOTE_SECONDS, Git, GitError, explain, is_damage
from faultbook.ledger.tree import TreeWriter

_FIRST_FETCH_SECONDS = 900.0
_LOCK_SECONDS = 30.0
_LARGEST_FILE = 32_000_000
BRANCHES = "faultbook/"
"""Branches of the bot's own, for changes that main does not take."""

_REMOTE_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SCP_LIKE = re.compile(r"[^/:]+:(?!//)")
_SCHEMES = frozenset({"file", "git", "http", "https", "ssh"})
_NO_BRANCH = "couldn't find remote ref"
# What a server says when another push was quicker.
_RACES = (
    *("stale info", "fetch first", "non-fast-forward", "needs force", "cannot lock ref"),
    *("failed to update ref", "failed to lock", "incorrect old value", "reference already exists"),
    *("remote failed to report status",),
)
# What a server says when it can't now.
_PASSING = ("unpacker error", "internal server error", "temporar", "no space", "quarantine", "n/a")


@dataclass(frozen=True, slots=True)
class Remote:
    """Where the ledger is, and in whose name the bot commits.

    Attributes:
        url: anything git can push to: a path, SSH, HTTPS.
        folder: of the ledger, from the repository's root.
    """

    url: str
    branch: str = "main"
    folder: str = "lessons"
    author_name: str = "Faultbook"
    author_email: str = "faultbook@localhost"


class Push(StrEnum):
    """How a push came out; that it can't be known is an `UnavailableError`."""

    DONE = "done"
    RACE = "race"
    """Another push was quicker; nothing was changed."""
    DECLINED = "declined"
    """The remote does not take it on this branch."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """An answered push.

    Attributes:
        words: the remote's own, redacted; empty when it is done.
    """

    outcome: Push
    words: str = ""


class Repository:
    """One remote's clone, below a home; used by one process at a time, under `lock`."""

    def __init__(self, home: Path, remote: Remote, environ: Mapping[str, str]) -> None:
        """Name a clone; nothing is touched before `open`.

        Raises:
            InvalidError: the remote or the branch can't be used.
        """
        _check(remote)
        self.remote = remote
        self.name = hashlib.sha256(f"{remote.url}\n{remote.branch}".encode()).hexdigest()[:16]
        self._folder = home / "git" / f"{self.name}.git"
        self._tracked = f"refs/remotes/origin/{remote.branch}"
        branch, ours = f"refs/heads/{remote.branch}", f"refs/heads/{BRANCHES}*"
        self._refspecs = (
            f"+{branch}:{self._tracked}",
            f"+{ours}:refs/remotes/origin/{BRANCHES}*",
        )
        config = [("remote.origin.url", remote.url), *((_FETCH, one) for one in self._refspecs)]
        self.git = Git(self._folder, environ, config)
        self._trees = TreeWriter(self.git)
        self._lock = filelock.FileLock(self._folder.with_suffix(".lock"), timeout=_LOCK_SECONDS)
        self._blobs: dict[str, bytes] = {}

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the clone for this process.

        Raises:
            UnavailableError: another process holds it for too long.
        """
        self._folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with self._lock:
                yield
        except filelock.Timeout as error:
            raise UnavailableError(
                "another process of this home works on the ledger",
                code="ledger_locked",
                next_step="It ends by itself; I keep trying.",
            ) from error

    def open(self) -> None:
        """Make the clone where there is none."""
        if not (self._folder / "HEAD").is_file():
            shutil.rmtree(self._folder, ignore_errors=True)
        make_bare(self._folder, self.remote.branch, self.git.environ)

    def fetch(self) -> str | None:
        """Bring in what is new, and give the head; None when the branch is not there yet.

        A clone that is damaged is made again.

        Raises:
            UnavailableError: the remote can't be had; says why.
        """
        try:
            return self._fetch()
        except GitError as error:
            if not is_damage(error):
                raise explain(error) from error
        self.discard()
        try:
            return self._fetch()
        except GitError as error:
            raise explain(error) from error

    def _fetch(self) -> str | None:
        self.open()
        first = self.head() is None
        options = ("--quiet", "--no-tags", "--prune", "--no-write-fetch-head")
        seconds = _FIRST_FETCH_SECONDS if first else REMOTE_SECONDS
        try:
            self.git.run("fetch", *options, "origin", seconds=seconds)
        except GitError as error:
            if _NO_BRANCH not in error.stderr:
                raise
            self.git.run("update-ref", "-d", self._tracked)
        return self.head()

    def discard(self) -> None:
        """Throw the clone away."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._blobs = {}
        self._trees = TreeWriter(self.git)

    def head(self) -> str | None:
        """Give the head that was fetched or pushed last."""
        return self._resolve(self._tracked)

    def _resolve(self, ref: str) -> str | None:
        try:
            told = self.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref)
        except GitError as error:
            if error.code == 1:
                return None
            raise
        return told.decode().strip()

    def has(self, commit: str) -> bool:
        """Tell whether a commit is in the clone."""
        try:
            self.git.run("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError:
            return False
        return True

    def read(self, commit: str | None, paths: Sequence[str]) -> dict[str, bytes]:
        """Read the markdown files at a commit that are, or are below, these paths.

        Links, submodules and files of absurd size are passed over.
        """
        if commit is None:
            return {}
        found = self._list(commit, paths)
        missing = [blob for blob in dict.fromkeys(found.values()) if blob not in self._blobs]
        kept = {blob: self._blobs[blob] for blob in found.values() if blob in self._blobs}
        self._blobs = kept | self._read_blobs(missing)
        return {path: self._blobs[blob] for path, blob in found.items()}

    def _list(self, commit: str, paths: Sequence[str]) -> dict[str, str]:
        told = self.git.run("ls-tree", "-r", "-z", "-l", "--full-tree", commit, "--", *paths)
        found: dict[str, str] = {}
        for entry in told.split(b"\0")[:-1]:
            facts, _, name = entry.partition(b"\t")
            mode, _, blob, size = facts.decode().split()
            regular = mode in {"100644", "100755"} and int(size) <= _LARGEST_FILE
            if regular and name.endswith(b".md"):
                found[name.decode("utf-8", "surrogateescape")] = blob
        return found

    def _read_blobs(self, blobs: Sequence[str]) -> dict[str, bytes]:
        if not blobs:
            return {}
        asked = "".join(f"{blob}\n" for blob in blobs).encode()
        told, at = self.git.run("cat-file", "--batch", stdin=asked), 0
        found: dict[str, bytes] = {}
        for blob in blobs:
            end = told.index(b"\n", at)
            size = int(told[at:end].split()[2])
            found[blob] = told[end + 1 : end + 1 + size]
            at = end + 1 + size + 1
        return found

    def commit(
        self, parent: str | None, files: Mapping[str, bytes], message: str, at: Instant
    ) -> str:
        """Make a commit upon `parent` that changes exactly these files, and give its id.

        Raises:
            InvalidError: a path leads through what is no folder, or to what is no file.
        """
        tree = self._trees.write(parent, files)
        when = f"{at // SECOND} +0000"
        name, email = self.remote.author_name, self.remote.author_email
        identity = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", name), ("EMAIL", email), ("DATE", when))
        }
        parents = ("-p", parent) if parent else ()
        told = self.git.run(
            *("commit-tree", tree, *parents, "-F", "-"), stdin=message.encode(), identity=identity
        )
        made = told.decode().strip()
        self._trees.name(made, tree)
        return made

    def push(self, commit: str, branch: str, expected: str | None) -> Pushed:
        """Let a branch of the remote go from `expected` to `commit`, or change nothing.

        The lease names the very head that the commit was made upon, so what is pushed is always a
        fast-forward, also where somebody has set the branch back meanwhile.

        Raises:
            UnavailableError: the remote can't be had; whether it took the push is not known.
        """
        ref = f"refs/heads/{branch}"
        options = ("--porcelain", "--no-verify", f"--force-with-lease={ref}:{expected or ''}")
        try:
            self.git.run("push", *options, "origin", f"{commit}:{ref}", seconds=REMOTE_SECONDS)
        except GitError as error:
            return read_refusal(error)
        return Pushed(Push.DONE)

    def branches(self) -> dict[str, str]:
        """Give the heads of the bot's own branches, as they were fetched last."""
        prefix = "refs/remotes/origin/"
        form = "--format=%(objectname) %(refname)"
        told = self.git.run("for-each-ref", form, f"{prefix}{BRANCHES}").decode("utf-8", "replace")
        pairs = (line.split(" ", 1) for line in told.splitlines())
        return {ref.removeprefix(prefix): commit for commit, ref in pairs}


_FETCH = "remote.origin.fetch"


def make_bare(folder: Path, branch: str, environ: Mapping[str, str]) -> None:
    """Make a bare repository for others to push to, where there is none; whole, or not at all."""
    if (folder / "HEAD").is_file():
        return
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(made, ignore_errors=True)  # a beginning that was killed
    Git(made, environ).run("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}")
    made.rename(folder)


def read_refusal(error: GitError) -> Pushed:
    """Tell from a push that failed whether another was quicker, or the remote does not take it.

    Raises:
        UnavailableError: the remote can't be had, or not now.
    """
    told = error.stdout.decode("utf-8", "replace")
    refused = next((line for line in told.splitlines() if line.startswith("!")), None)
    if refused is None:
        raise explain(error) from error
    reason = redact(refused.rpartition("\t")[2])
    if any(words in reason for words in _RACES):
        return Pushed(Push.RACE, reason)
    if any(words in reason.lower() for words in _PASSING):
        raise UnavailableError(
            f"git's remote can't take a push now: {reason} {error.words}",
            code="git_remote_failed",
            next_step="Look at the remote's own log; I keep trying.",
            where="ledger.remote",
        )
    remote = [line for line in error.stderr.splitlines() if line.startswith("remote:")]
    said = " ".join(line.removeprefix("remote:").strip() for line in remote)
    return Pushed(Push.DECLINED, f"{reason} {said}".strip())


def _check(remote: Remote) -> None:
    url = remote.url
    scheme = _SCHEME.match(url)
    if (
        not url.strip()
        or url.startswith("-")
        or not url.isprintable()
        or _REMOTE_HELPER.match(url)
        or (scheme and scheme[1].lower() not in _SCHEMES)
    ):
        raise InvalidError(
            f"The ledger's remote `{redact(url)[:80]}` is none that I use.",
            code="ledger_remote_refused",
            next_step="Name it by a path, ssh:// or https:// in faultbook.toml.",
            where="ledger.remote",
        )
    if not is_branch_name(remote.branch):
        raise InvalidError(
            f"`{remote.branch[:80]}` can't be a branch.",
            code="ledger_branch_refused",
            next_step="Correct `branch` under [ledger] in faultbook.toml.",
            where="ledger.branch",
        )


def is_branch_name(name: str) -> bool:
    """Tell whether git takes this as a branch's name; git-check-ref-format(1)."""
    parts = name.split("/")
    return (
        bool(name)
        and not name.startswith("-")
        and re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{", name) is None
        and name != "@"
        and not name.endswith(".")
        and all(part and not part.startswith(".") and not part.endswith(".lock") for part in parts)
    )


def is_local_path(url: str) -> bool:
    """Tell whether a remote is a path on this machine, which may be given relative."""
    return not _SCHEME.match(url) and not _SCP_LIKE.match(url)
