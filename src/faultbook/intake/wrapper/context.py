"""Where a job runs: branch and commit of its git work tree, or what its CI says about itself.

git's own files are read instead of asking git: cron often runs as somebody whose git refuses the
tree ("dubious ownership"), or where there is no git. Only a repository whose refs are kept in
another format (reftable) is asked by the command.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from faultbook.base.redaction import redact
from faultbook.base.text import cut, one_line

DETACHED = "detached"
"""The branch of a work tree that is on none, where no CI names one."""

_LONGEST = 200
_LONGEST_URL = 2_000
_GIT_SECONDS = 5
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HEADS = "refs/heads/"
# A link as run documents take it: no blanks, and no user or password before the host.
_LINK = re.compile(r'https?://[^\s/?#@\\<>|"]+(?:[/?#][^\s\\<>|"]*)?', re.IGNORECASE)

# The source branch of a merge request comes first: what is tested there is that branch.
_BRANCHES = (
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",  # GitLab
    "CI_COMMIT_SOURCE_BRANCH",  # Woodpecker
    "CI_COMMIT_BRANCH",  # GitLab, Woodpecker
    "CI_COMMIT_REF_NAME",
    "CHANGE_BRANCH",  # Jenkins, multibranch
    "BRANCH_NAME",
    "GIT_BRANCH",
    "CIRCLE_BRANCH",
    "TRAVIS_PULL_REQUEST_BRANCH",
    "TRAVIS_BRANCH",
    "SYSTEM_PULLREQUEST_SOURCEBRANCH",  # Azure Pipelines
    "BUILD_SOURCEBRANCH",
    "BUILDKITE_BRANCH",
    "BITBUCKET_BRANCH",
    "DRONE_SOURCE_BRANCH",
    "DRONE_BRANCH",
    "APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH",
    "APPVEYOR_REPO_BRANCH",
    "SEMAPHORE_GIT_WORKING_BRANCH",
    "SEMAPHORE_GIT_BRANCH",
    "CIRRUS_BRANCH",
    "CODEBUILD_WEBHOOK_HEAD_REF",
)
_COMMITS = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "GIT_COMMIT",
    "CIRCLE_SHA1",
    "TRAVIS_COMMIT",
    "BUILD_SOURCEVERSION",
    "BUILDKITE_COMMIT",
    "BITBUCKET_COMMIT",
    "DRONE_COMMIT_SHA",
    "APPVEYOR_REPO_COMMIT",
    "SEMAPHORE_GIT_SHA",
    "CIRRUS_CHANGE_IN_REPO",
    "CODEBUILD_RESOLVED_SOURCE_VERSION",
)
# Each is a template; it holds where every variable in it is set.
_URLS = (
    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    "{CI_JOB_URL}",
    "{CI_PIPELINE_URL}",
    "{BUILD_URL}",
    "{CIRCLE_BUILD_URL}",
    "{TRAVIS_JOB_WEB_URL}",
    "{TRAVIS_BUILD_WEB_URL}",
    "{BUILDKITE_BUILD_URL}",
    "{SYSTEM_TEAMFOUNDATIONSERVERURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    "{DRONE_BUILD_LINK}",
    "https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
    "https://cirrus-ci.com/task/{CIRRUS_TASK_ID}",
)


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of the place a job runs in; None where nothing says so.

    Attributes:
        branch: None outside git and CI: the team's main branch is meant.
        code_version: the commit that is checked out.
        url: the page of the CI's run.
    """

    branch: str | None = None
    code_version: str | None = None
    url: str | None = None


def find_context(environ: Mapping[str, str], folder: Path) -> Context:
    """Tell branch, commit and link of a job that runs in `folder`.

    The work tree's branch comes first, then the CI's variables (CI checks commits out, so the tree
    is on no branch there).
    """
    head = _find_head(folder)
    branch = head.branch if head else None
    if branch is None:
        branch = _branch_of_ci(environ) or (DETACHED if head else None)
    commit = head.commit if head else None
    return Context(
        branch=_fitting(branch),
        code_version=commit or _commit_of_ci(environ),
        url=_url_of_ci(environ),
    )


def _fitting(name: str | None) -> str | None:
    """Make a name fit a document: whoever named the branch must not stop the record."""
    return (cut(one_line(redact(name)), _LONGEST) or None) if name else None


def _branch_of_ci(environ: Mapping[str, str]) -> str | None:
    for variable in _BRANCHES:
        value = environ.get(variable, "").strip()
        if value and value != "HEAD":
            # Jenkins says origin/main, Azure refs/heads/main.
            value = value.removeprefix(_HEADS)
            return value.removeprefix("origin/") if variable == "GIT_BRANCH" else value
    return None


def _commit_of_ci(environ: Mapping[str, str]) -> str | None:
    for variable in _COMMITS:
        value = environ.get(variable, "").strip().lower()
        if _SHA.fullmatch(value):
            return value
    return None


def _url_of_ci(environ: Mapping[str, str]) -> str | None:
    set_variables = {name: value for name, value in environ.items() if value}
    for template in _URLS:
        try:
            url = template.format_map(set_variables)
        except KeyError:
            continue
        if len(url) <= _LONGEST_URL and _LINK.fullmatch(url):
            return url
    return None


@dataclass(frozen=True, slots=True)
class _Head:
    branch: str | None
    commit: str | None


def _find_head(folder: Path) -> _Head | None:
    """Read what is checked out in the nearest work tree upward; None outside of git."""
    for place in (folder, *folder.parents):
        dot_git = place / ".git"
        try:
            private = _private_folder(dot_git)
            if private is None:
                continue
            head = (private / "HEAD").read_text("utf-8").strip()
        except (OSError, ValueError):
            continue
        return _read_head(private, head, place)
    return None


def _private_folder(dot_git: Path) -> Path | None:
    """Give the folder that holds HEAD: `.git` itself, or what a linked work tree's file names."""
    if dot_git.is_dir():
        return dot_git
    if not dot_git.is_file():
        return None
    kind, _, named = dot_git.read_text("utf-8").partition(":")
    return dot_git.parent / named.strip() if kind == "gitdir" else None


def _read_head(private: Path, head: str, place: Path) -> _Head:
    if not head.startswith("ref:"):
        return _Head(None, head if _SHA.fullmatch(head) else None)
    ref = head.removeprefix("ref:").strip()
    if ref == "refs/heads/.invalid":  # git's own sign for the reftable format
        branch = _ask_git(place, "symbolic-ref", "--quiet", "--short", "HEAD")
        return _Head(branch, _ask_git(place, "rev-parse", "--quiet", "--verify", "HEAD"))
    branch = ref.removeprefix(_HEADS) if ref.startswith(_HEADS) else None
    return _Head(branch, _resolve(private, ref))


def _resolve(private: Path, ref: str) -> str | None:
    try:
        common = private / (private / "commondir").read_text("utf-8").strip()
    except (OSError, ValueError):
        common = private
    for folder in (private, common):
        try:
            commit = (folder / ref).read_text("utf-8").strip()
        except (OSError, ValueError):
            continue
        if _SHA.fullmatch(commit):
            return commit
    try:
        packed = (common / "packed-refs").read_text("utf-8", "replace")
    except OSError:
        return None
    for line in packed.splitlines():
        commit, _, name = line.partition(" ")
        if name == ref and _SHA.fullmatch(commit):
            return commit
    return None


def _ask_git(place: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(place), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words; the path is an argument of its own
            command, capture_output=True, text=True, check=False, timeout=_GIT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
