"""Real git repositories for tests: a bare remote, a person's clone of it, and the bot's."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from faultbook.ledger.repository import Remote, Repository

LEDGER = "lessons/_ledger.md"
HEADER = "| # | What failed | Fix | One-rule lesson |\n|---|---|---|---|\n"
ROW = (
    "| 1 | The export wrote nothing | Wait for it | The wrapper fails an export without a file |\n"
)

_ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ben",
    "GIT_AUTHOR_EMAIL": "ben@example.org",
    "GIT_COMMITTER_NAME": "Ben",
    "GIT_COMMITTER_EMAIL": "ben@example.org",
}


def git(folder: Path, *arguments: str, stdin: str | None = None) -> str:
    """Run git as a person would; gives what it wrote."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=_ENVIRON,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout


@dataclass
class BareRemote:
    """A bare repository that bots and people push to."""

    path: Path

    @classmethod
    def make(cls, path: Path, files: dict[str, str] | None = None) -> "BareRemote":
        """Make one with these files on main; without any, main is not there yet."""
        path.mkdir(parents=True)
        git(path, "init", "-q", "--bare", "-b", "main")
        made = cls(path)
        if files:
            made.person().push(files)
        return made

    def person(self, name: str = "person") -> "Person":
        """Clone it as a person."""
        folder = self.path.parent / f"{self.path.stem}-{name}"
        if not folder.exists():
            git(self.path.parent, "clone", "-q", str(self.path), str(folder))
        return Person(folder, self)

    def head(self, branch: str = "main") -> str:
        return git(self.path, "rev-parse", f"refs/heads/{branch}").strip()

    def read(self, path: str = LEDGER, branch: str = "main") -> str:
        data = subprocess.run(
            ["git", "cat-file", "blob", f"refs/heads/{branch}:{path}"],
            cwd=self.path,
            capture_output=True,
            check=True,
        ).stdout
        return data.decode()

    def log(self, form: str = "%s", branch: str = "main") -> list[str]:
        told = git(self.path, "log", "--reverse", f"--format={form}", f"refs/heads/{branch}")
        return told.splitlines()

    def branches(self) -> list[str]:
        told = git(self.path, "for-each-ref", "--format=%(refname)", "refs/heads/")
        return [line.removeprefix("refs/heads/") for line in told.splitlines()]

    def hook(self, name: str, script: str) -> None:
        """Put a hook in place; an empty script takes it away."""
        place = self.path / "hooks" / name
        if not script:
            place.unlink()
            return
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(0o755)

    def protect(self, branch: str = "main") -> None:
        """Let nobody push to a branch, as a host does that wants pull requests."""
        script = f'while read old new ref; do [ "$ref" = refs/heads/{branch} ] && {{ echo'
        self.hook("pre-receive", f'{script} "{branch} is protected" >&2; exit 1; }}; done; exit 0')


@dataclass
class Person:
    """A person with a clone and an editor."""

    folder: Path
    remote: BareRemote

    def pull(self) -> None:
        git(self.folder, "pull", "-q", "--ff-only", "origin", "main")

    def read(self, path: str = LEDGER) -> str:
        return (self.folder / path).read_bytes().decode()

    def push(self, files: dict[str, str], message: str = "Edit by hand") -> str:
        """Write files, commit them and push; gives the commit."""
        for path, text in files.items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())
        git(self.folder, "add", "--", *files)
        git(self.folder, "commit", "-q", "-m", message)
        git(self.folder, "push", "-q", "origin", "HEAD:main")
        return git(self.folder, "rev-parse", "HEAD").strip()


def bots_clone(home: Path, remote: BareRemote, **settings: str) -> Repository:
    """Make the bot's clone of a remote, not opened yet."""
    return Repository(home, Remote(str(remote.path), **settings), _ENVIRON)
