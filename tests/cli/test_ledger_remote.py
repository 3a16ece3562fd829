"""A ledger that several people push: numbers stay apart, and what others wrote comes in."""

from pathlib import Path

from tests.cli.ledgers import ADD, LEDGER, ROW, Team, git, name


def clone_pair(team: Team, tmp_path: Path) -> Path:
    """Give the team's repository a remote, and make another person's clone of it."""
    git(tmp_path, "clone", "--quiet", "--bare", str(team.root), "remote.git")
    team.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    team.git("fetch", "--quiet")
    team.git("branch", "--quiet", "--set-upstream-to", "origin/main")
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "remote.git"), str(other))
    name(other, "Ben")
    return other


def push_row(other: Path) -> None:
    (other / "lessons/_ledger.md").write_bytes(LEDGER + ROW)
    git(other, "commit", "--quiet", "-am", "Add lesson 3")
    git(other, "push", "--quiet")


def test_numbers_on_the_remotes_main_are_not_used_again(team: Team, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(team.root), "remote.git")
    team.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(tmp_path / "remote.git"), str(other))
    name(other, "Ben")
    (other / "lessons/_ledger.md").write_bytes(LEDGER + ROW)
    git(other, "commit", "--quiet", "-am", "Add lesson 3")
    git(other, "push", "--quiet")
    team.git("fetch", "--quiet")
    assert team.run(*ADD, "--json").document["number"] == 4


def test_rows_of_one_number_are_told_apart_after_a_merge(team: Team, tmp_path: Path) -> None:
    other = clone_pair(team, tmp_path)
    push_row(other)
    mine = ("ledger", "add", "--what", "Cron ran twice", "--fix", "Lock", "--commit", "--lesson")
    assert team.run(*mine, "Jobs take a lock before they start (tests/test_lock.py)").code == 0
    team.git("fetch", "--quiet")
    merged = LEDGER + ROW + team.ledger.removeprefix(LEDGER)
    team.write(merged)
    done = team.run("ledger", "check", "--base", "origin/main")
    assert done.code == 1
    assert "lessons/_ledger.md:8:3 duplicate-number" in done.out
    assert "1 problem in 4 rows, 0 incident files" in done.out
    fixed = team.run("ledger", "check", "--base", "origin/main", "--fix")
    assert fixed.err == "Mended lessons/_ledger.md\n"
    assert team.ledger == merged.replace(b"| 3 | Cron", b"| new | Cron")


def test_what_others_pushed_comes_in_where_that_changes_nobodys_work(
    team: Team, tmp_path: Path
) -> None:
    other = clone_pair(team, tmp_path)
    assert team.run("ledger", "sync").out == "Up to date with origin/main.\n"
    push_row(other)
    done = team.run("ledger", "sync")
    assert done.out == "Moved forward by 1 commit of origin/main. New lessons: 3.\n"
    assert (done.code, team.ledger) == (0, LEDGER + ROW)


def test_a_branch_that_went_its_own_way_is_left_alone(team: Team, tmp_path: Path) -> None:
    other = clone_pair(team, tmp_path)
    push_row(other)
    assert team.run(*ADD, "--commit").code == 0
    mine = team.git("rev-parse", "HEAD")
    done = team.run("ledger", "sync")
    assert done.code == 1
    assert "Nothing was moved. New lessons: 3." in done.out
    assert "next: git rebase origin/main" in done.err
    assert team.git("rev-parse", "HEAD") == mine


def test_a_sync_without_a_remote_says_what_to_do(team: Team) -> None:
    done = team.run("ledger", "sync")
    assert (done.code, "[no_upstream]" in done.err) == (2, True)
