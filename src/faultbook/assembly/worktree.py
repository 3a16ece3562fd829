"""The ledger in the working tree that a command stands in, with the settings that go with it."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbook.assembly.templates import template
from faultbook.base.clock import system_clock
from faultbook.base.errors import NotFoundError
from faultbook.base.ids import new_id
from faultbook.base.settings import Settings, load_settings
from faultbook.ledger.git import Git, GitError
from faultbook.ledger.history import ROW, highest_number
from faultbook.ledger.replay import Change, Ground, apply
from faultbook.ledger.snapshot import TEMPLATE, LedgerSnapshot
from faultbook.ledger.worktree import Worktree, find_worktree
from faultbook.model.known_failure import Repeats
from faultbook.model.ledger_operation import LedgerOperation, LedgerVerb


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did.

    Attributes:
        paths: the files that changed, from the root.
        commit: None where none was asked for.
    """

    change: Change
    paths: tuple[str, ...]
    commit: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerTree:
    """A working tree whose ledger is read and edited."""

    worktree: Worktree
    settings: Settings

    def read(self) -> LedgerSnapshot:
        """Read the ledger as it stands here.

        Raises:
            NotFoundError: there is none.
        """
        files = self.worktree.read_files()
        if self.worktree.ledger_path not in files:
            raise NotFoundError(
                f"There is no {self.worktree.ledger_path} in {self.worktree.root}.",
                code="no_ledger",
                next_step="Make one: faultbook ledger init.",
                where=self.worktree.ledger_path,
            )
        return self.snapshot(files)

    def snapshot(self, files: Mapping[str, bytes], commit: str | None = None) -> LedgerSnapshot:
        """Take files as a state of the ledger, with the team's template or ours."""
        own = files.get(TEMPLATE)
        words = builtin_template() if own is None else own.decode("utf-8", "replace")
        inside = {path: data for path, data in files.items() if path != TEMPLATE}
        return LedgerSnapshot(commit, inside, words, self.worktree.folder)

    def highest(self, commit: str | None = None) -> int:
        """Find the highest number that a lesson ever had, up to a commit or anywhere we know of."""
        heads = (
            [commit] if commit else ["HEAD", self.worktree.find_main(self.settings.ledger.branch)]
        )
        folder = self.worktree.git_folder()
        if folder is None:
            return 0
        git = Git(folder, os.environ)
        path = f"{self.worktree.prefix}{self.worktree.ledger_path}"
        try:
            return max(highest_number(git, path, head) for head in heads if head)
        except GitError:  # no commit yet
            return 0

    def base(self, revision: str | None) -> str | None:
        """Find what a check compares with: a revision that was named, else the merge base.

        Raises:
            NotFoundError: the revision names no commit.
        """
        if revision is not None:
            return self.worktree.resolve(revision)
        return self.worktree.find_base(self.settings.ledger.branch)

    def change(
        self, verb: LedgerVerb, payload: Mapping[str, Any], *, author: str, commit: bool
    ) -> Done:
        """Do to the working tree what the bot's operation of this verb does to the remote.

        Raises:
            FaultbookError: it can't be done; nothing was written.
        """
        tree = self.worktree
        with tree.lock():
            if commit:
                tree.refuse_uncommitted()
            state = self.read()
            ground = Ground(state.files, state.template, self.highest(), tree.folder)
            operation = LedgerOperation(
                new_id(), verb, dict(payload), "", author, created_at=system_clock()
            )
            change = apply(operation, ground)
            paths = tree.write(state.files, change.files)
            made = self.commit(paths, change.summary, change.number) if commit and paths else None
        return Done(change, tuple(paths), made)

    def commit(self, paths: Iterable[str], summary: str, number: int | None) -> str:
        """Commit files, with the trailer that keeps a number from being used again."""
        trailer = f"\n\n{ROW}: {number}" if number is not None else ""
        return self.worktree.commit(list(paths), f"{summary}{trailer}")


def read_settings() -> Settings:
    """Read the settings of the folder that a command was started in."""
    return load_settings(os.environ, Path.cwd())


def open_tree(settings: Settings, start: Path | None = None) -> LedgerTree:
    """Find the ledger of the folder that a command was started in.

    Raises:
        NotFoundError: there is neither a ledger nor a git repository.
    """
    return LedgerTree(find_worktree(start or Path.cwd(), settings.ledger.folder), settings)


def builtin_template() -> str:
    """Read the template of incident files that comes with Faultbook."""
    return template("incident.md").read_text("utf-8")


def read_counted(settings: Settings) -> dict[int, Repeats]:
    """Read the repeats that the bot counted, where its records are on this machine or named.

    The ledger itself needs no database, so none is made for it.
    """
    # Found before the store's libraries are imported, which cost more than most of these commands.
    if settings.database_url is None and not settings.home.is_dir():
        return {}
    from faultbook.assembly.house import open_house  # noqa: PLC0415
    from faultbook.operations.known_failures import read_repeats  # noqa: PLC0415
    from faultbook.store.engine import DATABASE_NAME  # noqa: PLC0415

    if settings.database_url is None and not (settings.home / DATABASE_NAME).exists():
        return {}
    house = open_house(settings)
    try:
        return house.store.read(read_repeats)
    finally:
        house.close()
