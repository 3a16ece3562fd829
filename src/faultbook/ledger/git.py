"""Running git for the bot's own clone: list arguments, no prompt, no hook, a time limit each.

What git may find in its surroundings is closed off: variables of a repository it was started from,
hooks, transports that run commands, prompts. The configuration that a call needs goes through the
environment (`GIT_CONFIG_COUNT`, git-config(1)), so that a remote's address, which may carry a
password, is neither in a process list nor in a file.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faultbook.base.errors import FaultbookError, InvalidError, UnavailableError
from faultbook.base.process_group import kill_group
from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line

LOCAL_SECONDS = 60.0
REMOTE_SECONDS = 30.0

# What an operator hands to git on purpose; every other GIT_ variable belongs to somebody else's
# repository (a hook that starts us sets GIT_DIR) or makes git do what nobody asked for.
_KEPT = frozenset(
    {
        *("GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT"),
        *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
        *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"),
    }
)
_DROPPED = ("GIT_", "SLACK_", "FAULTBOOK_")
_FIXED = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",  # not ext::, which runs what it names
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C.UTF-8",  # git's words are told apart below
    "LANGUAGE": "",
    "TZ": "UTC",
}
_CONFIG = (
    ("core.hooksPath", os.devnull),
    ("core.attributesFile", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("core.warnAmbiguousRefs", "false"),
    ("color.ui", "false"),
    ("gc.autoDetach", "false"),  # no process outlives its call
    ("maintenance.autoDetach", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.gpgSign", "false"),
    ("push.followTags", "false"),
    ("log.showSignature", "false"),
    ("log.mailmap", "false"),
    ("log.showRoot", "true"),
    ("i18n.commitEncoding", "utf-8"),
    ("i18n.logOutputEncoding", "utf-8"),
)
_SHOWN = 300
_UNIMPORTANT = re.compile(
    r"^(?:hint:|Please make sure|and the repository exists|To |Done$|warning: redirecting"
    r"|error: failed to push some refs|fatal: Could not read from remote repository)",
    re.IGNORECASE,
)


class GitError(Exception):
    """A call of git that did not end well.

    Attributes:
        code: its exit code; None when it was ended by its time limit.
        stdout: what it had written.
        stderr: its words, redacted.
    """

    def __init__(
        self, arguments: Sequence[str], code: int | None, stdout: bytes, stderr: str
    ) -> None:
        super().__init__(f"git {arguments[0]}: {stderr or code}")
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def words(self) -> str:
        """What it said, on one line, without git's own advice."""
        lines = [line.strip() for line in self.stderr.splitlines()]
        told = [line for line in lines if line and not _UNIMPORTANT.match(line)]
        return cut(one_line(" ".join(told) or f"exit code {self.code}"), _SHOWN)


@dataclass(frozen=True)
class Git:
    """Git for one bare repository.

    Attributes:
        folder: the repository.
        environ: the environment to take what is allowed from.
        config: configuration for each call, beside what is always set.
    """

    folder: Path
    environ: Mapping[str, str]
    config: Sequence[tuple[str, str]] = ()
    _running: "set[subprocess.Popen[bytes]]" = field(default_factory=set, init=False, repr=False)

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        seconds: float = LOCAL_SECONDS,
        identity: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git and give what it wrote.

        Raises:
            GitError: it ended with another code than 0, or not in time.
            InvalidError: git is not installed.
        """
        command = ["git", f"--git-dir={self.folder}", *arguments]
        try:
            # A session of its own: it has no terminal to ask on, and ends with all it started.
            process = subprocess.Popen(  # noqa: S603 - list arguments, checked by who calls
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment() | dict(identity or {}),
                cwd=self.folder.parent,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise InvalidError(
                "git is not installed here.",
                code="git_missing",
                next_step="Install git; the ledger lives in it.",
            ) from error
        self._running.add(process)
        try:
            stdout, stderr = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            kill_group(process)
            stdout, _ = process.communicate()
            raise GitError(arguments, None, stdout, f"no answer in {seconds:.0f} s") from None
        finally:
            self._running.discard(process)
        if process.returncode != 0:
            words = redact(stderr.decode("utf-8", "replace"))
            raise GitError(arguments, process.returncode, stdout, words)
        return stdout

    def interrupt(self) -> None:
        """End the call that another thread waits for; it fails there."""
        for process in list(self._running):
            kill_group(process)

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in self.environ.items()
            if name in _KEPT or not name.startswith(_DROPPED)
        }
        config = (*_CONFIG, *self.config)
        kept["GIT_CONFIG_COUNT"] = str(len(config))
        for at, (key, value) in enumerate(config):
            kept[f"GIT_CONFIG_KEY_{at}"] = key
            kept[f"GIT_CONFIG_VALUE_{at}"] = value
        return kept | _FIXED


# The first that matches says what a remote's refusal comes to: code, words, next step.
_REFUSALS: tuple[tuple[re.Pattern[str], str, str, str], ...] = (
    (
        re.compile(r"Host key verification failed", re.IGNORECASE),
        "git_host_unknown",
        "git doesn't know the remote's host key",
        "Add it to known_hosts of the user the bot runs as.",
    ),
    (
        re.compile(
            r"Authentication failed|could not read (?:Username|Password)|Permission denied"
            r"|terminal prompts disabled|returned error: 40[13]|Permission to .* denied"
            r"|Access denied|invalid credentials",
            re.IGNORECASE,
        ),
        "git_auth_rejected",
        "git's remote rejects the credentials",
        "Give the bot's user a key or a credential helper that may push there.",
    ),
    (
        re.compile(
            r"does not appear to be a git repository|Repository not found|returned error: 404"
            r"|repository .* (?:not found|does not exist)",
            re.IGNORECASE,
        ),
        "git_repository_missing",
        "git's remote is not there",
        "Correct `remote` under [ledger] in faultbook.toml.",
    ),
    (
        re.compile(r"detected dubious ownership", re.IGNORECASE),
        "git_ownership",
        "git distrusts the remote's folder, which belongs to another user",
        "Run as its owner, or add it to git's safe.directory.",
    ),
    (
        re.compile(r"transport '.*' not allowed", re.IGNORECASE),
        "git_transport_refused",
        "git may not use the remote's transport",
        "Name the remote by a path, ssh:// or https:// in faultbook.toml.",
    ),
)


def explain(error: GitError) -> FaultbookError:
    """Turn a remote call's failure into what a person can act on; the operation may wait for it."""
    for pattern, code, words, next_step in _REFUSALS:
        if pattern.search(error.stderr):
            return UnavailableError(
                f"{words}: {error.words}", code=code, next_step=next_step, where="ledger.remote"
            )
    return UnavailableError(
        f"git doesn't answer: {error.words}",
        code="git_unreachable",
        next_step="Check the remote and the network; I keep trying.",
        where="ledger.remote",
    )


_DAMAGE = re.compile(
    r"\.lock': File exists|cannot lock ref|bad object|is corrupt|object file .* is empty"
    r"|not a git repository: |unable to (?:read|resolve) (?:ref|sha1|tree)|missing blob|bad tree"
    r"|invalid sha1 pointer|broken (?:ref|link)",
    re.IGNORECASE,
)


def is_damage(error: GitError) -> bool:
    """Tell whether the clone itself is the trouble, as after a machine that lost its power."""
    ours = (line for line in error.stderr.splitlines() if not line.startswith("remote:"))
    return any(_DAMAGE.search(line) for line in ours)
