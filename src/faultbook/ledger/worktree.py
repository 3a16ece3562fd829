"""The working tree an engineer stands in: its ledger read, changed atomically, committed if asked.

Everything goes through the engineer's own git, with their identity, configuration and hooks. Files
are replaced only if they are still what was read; nothing but the ledger's files is ever touched.
"""

import contextlib
import fcntl
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faultbook.base.errors import ConflictError, InvalidError, NotFoundError, UnavailableError
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line
from faultbook.ledger.rows import LEDGER_NAME
from faultbook.ledger.snapshot import TEMPLATE

_PATH = re.compile(r"(?<![\w./-])[\w-][\w./-]{0,200}\.\w{1,10}")
_LOCAL_SECONDS = 60
_REMOTE_SECONDS = 120
_LARGEST_FILE = 32_000_000
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Worktree:
    """A team's files.

    Attributes:
        root: what all paths are relative to.
        folder: of the ledger, from the root.
        has_git: the root lies in a git work tree.
    """

    root: Path
    folder: str
    has_git: bool

    @property
    def ledger_path(self) -> str:
        """Name the ledger's file, from the root."""
        return f"{self.folder}/{LEDGER_NAME}"

    def read_files(self) -> dict[str, bytes]:
        """Read the ledger, its incident files and the team's template, by their paths.

        Raises:
            InvalidError: a file lies outside of the tree, or is of absurd size.
        """
        found = [self.root / self.ledger_path, self.root / TEMPLATE]
        found += sorted((self.root / self.folder / "incidents").glob("*.md"))
        return {
            path.relative_to(self.root).as_posix(): self._contained(path).read_bytes()
            for path in found
            if path.is_file()
        }

    def _contained(self, path: Path) -> Path:
        """Follow links, but not out of the tree."""
        real = path.resolve()
        shown = path.relative_to(self.root).as_posix()
        if not real.is_relative_to(self.root.resolve()):
            raise InvalidError(
                f"{shown} leads out of the repository.",
                code="path_outside",
                next_step="Put the file itself there.",
                where=shown,
            )
        if real.exists() and real.stat().st_size > _LARGEST_FILE:
            raise InvalidError(
                f"{shown} is larger than {_LARGEST_FILE // 1_000_000} MB.",
                code="file_too_large",
                next_step="Name the file that is the ledger.",
                where=shown,
            )
        return real

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the ledger against other commands of this kind; the folder itself is the lock."""
        folder = self.root / self.folder
        handle = os.open(folder if folder.is_dir() else self.root, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def write(self, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
        """Replace or create files, each only if it is still as it was read; tells which changed.

        Nothing is written before all of them were looked at.

        Raises:
            ConflictError: a file was changed in the meantime.
        """
        changed = {path: data for path, data in after.items() if before.get(path) != data}
        staged: list[tuple[Path, Path]] = []
        try:
            for path, data in changed.items():
                target = self._contained(self.root / path)
                staged.append((_written_beside(target, data), target))
            for path, (_, target) in zip(changed, staged, strict=True):
                self._check_unchanged(path, target, before.get(path))
            for new, target in staged:
                new.replace(target)
        finally:
            for new, _ in staged:
                new.unlink(missing_ok=True)
        return list(changed)

    def _check_unchanged(self, path: str, target: Path, before: bytes | None) -> None:
        if (target.read_bytes() if target.exists() else None) != before:
            raise ConflictError(
                f"{path} was changed while this command ran; nothing was written.",
                code="file_changed",
                next_step="Run the command again.",
                where=path,
            )

    def author(self) -> str:
        """Tell who works here, by git's `user.name`; empty when that is not set."""
        return self._git_or_none("config", "user.name") or ""

    def refuse_uncommitted(self) -> None:
        """Make sure that a commit will hold one command's change alone.

        Raises:
            InvalidError: there is no git here.
            ConflictError: the ledger has other edits that are not committed.
        """
        self._need_git()
        told = self._git("status", "--porcelain", "-z", "--", self.folder)
        dirty = [entry[3:] for entry in told.split("\0") if entry]
        if dirty:
            raise ConflictError(
                f"{dirty[0]} has edits that are not committed; nothing was changed.",
                code="uncommitted_edits",
                next_step="Commit or put aside those edits, or leave out --commit.",
                where=dirty[0],
            )

    def commit(self, paths: Sequence[str], message: str) -> str:
        """Commit exactly these files; what else is staged stays staged. Gives the commit.

        Raises:
            ConflictError: git or a hook refused; the files stay changed.
        """
        unknown = [path for path in paths if not self._git_or_none("ls-files", "--", path)]
        try:
            if unknown:
                self._git("add", "--intent-to-add", "--", *unknown)
            self._git("commit", "--quiet", "--only", "-m", message, "--", *paths)
        except UnavailableError as error:
            if unknown:
                self._git_or_none("reset", "--quiet", "--", *unknown)
            raise ConflictError(
                f"Changed, but not committed: {error.message}",
                code="not_committed",
                next_step="Mend what git names, then commit the ledger's files yourself.",
            ) from error
        return self._git("rev-parse", "HEAD").strip()

    def find_main(self, main_branch: str) -> str | None:
        """Find the remote's main branch as it was fetched last, by its full name."""
        if not self.has_git:
            return None
        head = self._git_or_none("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
        for ref in (head, f"refs/remotes/origin/{main_branch}"):
            if ref and self._git_or_none("rev-parse", "--verify", "--quiet", ref):
                return ref
        return None

    def find_base(self, main_branch: str) -> str | None:
        """Find the commit that this work started from: the merge base with the remote's main."""
        main = self.find_main(main_branch)
        return self._git_or_none("merge-base", "HEAD", main) if main else None

    def resolve(self, revision: str) -> str:
        """Find a commit by a name that a person gave.

        Raises:
            NotFoundError: it names none.
        """
        self._need_git()
        asked = f"{revision}^{{commit}}"
        told = self._git_or_none("rev-parse", "--verify", "--quiet", "--end-of-options", asked)
        if told is None:
            raise NotFoundError(
                f"`{cut(one_line(revision), 80)}` names no commit here.",
                code="unknown_revision",
                next_step="Name a branch, a tag or a commit; fetch it first if it is elsewhere.",
                where="--base",
            )
        return told

    def read_files_at(self, commit: str) -> dict[str, bytes]:
        """Read the ledger and its incident files as they were at a commit."""
        prefix = self.prefix
        paths = (self.ledger_path, f"{self.folder}/incidents")
        told = self._git("ls-tree", "-r", "-z", commit, "--", *paths)
        found: dict[str, bytes] = {}
        for entry in told.split("\0"):
            mode, _, rest = entry.partition(" ")
            path = rest.partition("\t")[2]
            if mode in {"100644", "100755"} and path.endswith(".md"):
                found[path] = self._run("cat-file", "blob", f"{commit}:{prefix}{path}").stdout
        return found

    def commit_times(self) -> dict[str, int]:
        """Tell when each incident file was first committed, in seconds since the epoch."""
        folder = f"{self.folder}/incidents"
        options = ("--diff-filter=A", "--name-only", "--relative", "-z", "--format=%x01%ct")
        told = self._git_or_none("log", "--no-renames", *options, "--", folder) or ""
        found: dict[str, int] = {}
        for record in told.split("\x01")[1:]:
            time, _, names = record.replace("\n", "\0").partition("\0")
            found |= {name: int(time) for name in names.split("\0") if name}  # newest first
        return found

    def names_test(self, rule: str) -> bool:
        """Tell whether a rule names a test's file that is here."""
        paths = (path for path in _PATH.findall(rule) if "test" in path.casefold())
        return any(
            (self.root / path).resolve().is_relative_to(self.root.resolve())
            and (self.root / path).is_file()
            for path in paths
        )

    @property
    def prefix(self) -> str:
        """Give the path of this root within its repository; empty, or ending with a slash."""
        return self._git("rev-parse", "--show-prefix").strip("\r\n")

    def git_folder(self) -> Path | None:
        """Give the repository's own folder."""
        told = self._git_or_none("rev-parse", "--absolute-git-dir") if self.has_git else None
        return Path(told) if told else None

    def fast_forward(self) -> "Synced":
        """Fetch, and move the branch forward where that changes nobody's work.

        Raises:
            InvalidError: there is no git, or the branch follows no other.
            UnavailableError: the remote can't be had, or local edits are in the way.
        """
        self._need_git()
        upstream = self._git_or_none("rev-parse", "--abbrev-ref", "@{upstream}")
        if not upstream:
            raise InvalidError(
                "This branch follows no other.",
                code="no_upstream",
                next_step="Name one: git branch --set-upstream-to origin/main.",
            )
        self._git("fetch", "--quiet", seconds=_REMOTE_SECONDS)
        before = self._git("rev-parse", "HEAD").strip()
        told = self._git("rev-list", "--left-right", "--count", "HEAD...@{upstream}")
        ahead, behind = (int(count) for count in told.split())
        there = self._git("rev-parse", "@{upstream}").strip()
        parted = self._git_or_none("merge-base", "HEAD", "@{upstream}") or before
        if behind and not ahead:
            self._git("merge", "--quiet", "--ff-only", "@{upstream}")
        return Synced(upstream, parted, there, ahead, behind)

    def _need_git(self) -> None:
        if not self.has_git:
            raise InvalidError(
                "There is no git repository here.",
                code="no_repository",
                next_step="Make one: git init.",
            )

    def _git(self, *arguments: str, seconds: float = _LOCAL_SECONDS) -> str:
        done = self._run(*arguments, seconds=seconds)
        if done.returncode != 0:
            words = redact(done.stderr.decode("utf-8", "replace"))
            raise UnavailableError(
                f"git {arguments[0]}: {cut(one_line(words) or 'it failed', _SHOWN)}",
                code="git_failed",
                next_step="Mend what git names, then run the command again.",
            )
        return done.stdout.decode("utf-8", "surrogateescape")

    def _git_or_none(self, *arguments: str) -> str | None:
        done = self._run(*arguments)
        told = done.stdout.decode("utf-8", "surrogateescape")
        return told.strip("\r\n ") or None if done.returncode == 0 else None

    def _run(
        self, *arguments: str, seconds: float = _LOCAL_SECONDS
    ) -> "subprocess.CompletedProcess[bytes]":
        return _run_git(self.root, arguments, seconds)


@dataclass(frozen=True, slots=True)
class Synced:
    """What a fetch brought.

    Attributes:
        upstream: the branch that is followed.
        parted, there: the commit that both had, and the followed branch's now.
        ahead, behind: commits that only one of them had.
    """

    upstream: str
    parted: str
    there: str
    ahead: int
    behind: int

    @property
    def diverged(self) -> bool:
        """Tell that both have commits of their own, so nothing was moved."""
        return bool(self.ahead and self.behind)


def find_worktree(start: Path, folder: str) -> Worktree:
    """Find the files a person means: the nearest ledger upward, else the git work tree's root.

    Raises:
        NotFoundError: there is neither.
    """
    top = _git_top(start)
    for place in (start, *start.parents):
        if (place / folder / LEDGER_NAME).is_file():
            return Worktree(place, folder, top is not None)
        if place == top:
            return Worktree(place, folder, has_git=True)
    raise NotFoundError(
        f"There is no {folder}/{LEDGER_NAME} here, nor a git repository.",
        code="no_ledger",
        next_step="Go to your repository, and make one: faultbook ledger init.",
        where=folder,
    )


def _git_top(start: Path) -> Path | None:
    done = _run_git(start, ("rev-parse", "--show-toplevel"), _LOCAL_SECONDS)
    told = done.stdout.decode("utf-8", "surrogateescape").strip("\r\n")
    return Path(told) if done.returncode == 0 and told else None


def _run_git(
    folder: Path, arguments: Sequence[str], seconds: float
) -> "subprocess.CompletedProcess[bytes]":
    fixed = ("-c", "core.quotePath=false", "-c", "color.ui=false", "--literal-pathspecs")
    try:
        return subprocess.run(  # noqa: S603 - list arguments, nothing of them is a program
            ["git", *fixed, *arguments],  # noqa: S607 - the engineer's own git
            cwd=folder,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
        )
    except FileNotFoundError as error:
        raise InvalidError(
            "git is not installed here.",
            code="git_missing",
            next_step="Install git; the ledger lives in it.",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(
            f"git {arguments[0]} did not end within {seconds:.0f} s.",
            code="git_timed_out",
            next_step="Check the remote and the network; then run the command again.",
        ) from error


def _written_beside(target: Path, data: bytes) -> Path:
    """Write a file next to its place, durably, with the rights of what it replaces."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside = Path(name)
    beside.chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o644)
    return beside
