"""Branch, commit and link of the place a job runs in, against real git."""

import subprocess
from pathlib import Path

import pytest

from faultbook.intake.wrapper.context import Context, find_context

SHA = "0123456789abcdef0123456789abcdef01234567"
IDENTITY = ("-c", "user.name=Ana", "-c", "user.email=ana@example.org")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a work tree on the branch `work/one` with one commit."""
    folder = tmp_path / "tree"
    folder.mkdir()
    _git(folder, "init", "-q", "-b", "work/one")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    return folder


def _head(folder: Path) -> str:
    return _git(folder, "rev-parse", "HEAD")


def test_a_work_tree_tells_its_branch_and_commit_from_any_folder_in_it(tree: Path) -> None:
    deep = tree / "a" / "b"
    deep.mkdir(parents=True)
    for folder in (tree, deep):
        assert find_context({}, folder) == Context("work/one", _head(tree))


def test_packed_refs_are_read(tree: Path) -> None:
    _git(tree, "pack-refs", "--all")
    assert not (tree / ".git" / "refs" / "heads" / "work" / "one").exists()
    assert find_context({}, tree) == Context("work/one", _head(tree))


def test_a_linked_work_tree_tells_its_own_branch(tree: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    _git(tree, "worktree", "add", "-q", "-b", "two", str(linked))
    _git(linked, "commit", "-q", "--allow-empty", "-m", "two")
    assert find_context({}, linked) == Context("two", _head(linked))
    assert find_context({}, tree).code_version != _head(linked)


def test_a_branch_without_a_commit_has_no_version(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q", "-b", "fresh")
    assert find_context({}, tmp_path) == Context("fresh", None)


def test_a_detached_head_is_detached_unless_the_ci_names_the_branch(tree: Path) -> None:
    head = _head(tree)
    _git(tree, "checkout", "-q", "--detach")
    assert find_context({}, tree) == Context("detached", head)
    assert find_context({"GITHUB_HEAD_REF": "topic"}, tree) == Context("topic", head)


def test_the_branch_of_the_work_tree_comes_before_the_cis(tree: Path) -> None:
    assert find_context({"CI_COMMIT_BRANCH": "other"}, tree).branch == "work/one"


def test_outside_of_git_and_ci_nothing_is_said(tmp_path: Path) -> None:
    assert find_context({}, tmp_path) == Context()


@pytest.mark.parametrize(
    ("environ", "branch"),
    [
        ({"GITHUB_HEAD_REF": "topic", "GITHUB_REF_NAME": "12/merge"}, "topic"),
        ({"GITHUB_HEAD_REF": "", "GITHUB_REF_NAME": "main"}, "main"),
        ({"CI_COMMIT_BRANCH": "topic"}, "topic"),
        ({"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "topic", "CI_COMMIT_REF_NAME": "x"}, "topic"),
        ({"GIT_BRANCH": "origin/topic"}, "topic"),
        ({"CHANGE_BRANCH": "topic", "BRANCH_NAME": "PR-3"}, "topic"),
        ({"BUILD_SOURCEBRANCH": "refs/heads/a/b"}, "a/b"),
        ({"CIRCLE_BRANCH": "HEAD", "BUILDKITE_BRANCH": "topic"}, "topic"),
        ({"CIRCLE_BRANCH": "a\n b\x00c" + "d" * 300}, "a b\\u0000c" + "d" * 189 + "…"),
    ],
)
def test_the_ci_names_the_branch(environ: dict[str, str], branch: str, tmp_path: Path) -> None:
    assert find_context(environ, tmp_path).branch == branch


def test_the_ci_names_the_commit_where_git_does_not(tree: Path, tmp_path: Path) -> None:
    assert find_context({"GITHUB_SHA": SHA.upper()}, tmp_path).code_version == SHA
    assert find_context({"BUILDKITE_COMMIT": "HEAD"}, tmp_path).code_version is None
    assert find_context({"GITHUB_SHA": SHA}, tree).code_version == _head(tree)


GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_RUN_ID": "77",
}


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        (GITHUB, "https://github.com/acme/shop/actions/runs/77"),
        ({"CI_JOB_URL": "https://gitlab.example/j/1"}, "https://gitlab.example/j/1"),
        ({"BUILD_URL": "http://jenkins:8080/job/x/3/"}, "http://jenkins:8080/job/x/3/"),
        ({"BUILD_URL": "javascript:alert(1)"}, None),
        ({"BUILD_URL": "https://user:word@jenkins/job"}, None),
        ({"BUILD_URL": "https://x/" + "y" * 3000}, None),
        ({"GITHUB_RUN_ID": "77"}, None),
        ({}, None),
    ],
)
def test_the_ci_tells_its_page(environ: dict[str, str], url: str | None, tmp_path: Path) -> None:
    assert find_context(environ, tmp_path).url == url


@pytest.mark.parametrize("content", ["", "gitdir: /no/such/place", "nonsense", "gitdir:\x00"])
def test_a_git_file_that_leads_nowhere_is_no_work_tree(content: str, tmp_path: Path) -> None:
    (tmp_path / ".git").write_text(content)
    assert find_context({}, tmp_path) == Context()


@pytest.mark.parametrize(
    "head", ["", "ref: refs/heads/../../x", "ref: refs/bisect/bad", "zz", "\xff"]
)
def test_an_odd_head_breaks_nothing(head: str, tree: Path) -> None:
    (tree / ".git" / "HEAD").write_text(head)
    assert find_context({}, tree).code_version is None


def test_a_repository_that_keeps_its_refs_otherwise_is_asked_by_git(tmp_path: Path) -> None:
    done = subprocess.run(
        ["git", "init", "-q", "-b", "topic", "--ref-format=reftable"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip("this git knows no reftable")
    _git(tmp_path, "commit", "-q", "--allow-empty", "-m", "one")
    assert find_context({}, tmp_path) == Context("topic", _head(tmp_path))
