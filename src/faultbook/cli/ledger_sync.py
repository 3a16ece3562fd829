"""`faultbook ledger sync`: what the bot and others pushed, brought here where that is safe."""

import click

from faultbook.assembly.worktree import LedgerTree, open_tree, read_settings
from faultbook.cli.asking import json_option, write_json
from faultbook.ledger.table import read_ledger
from faultbook.ledger.worktree import Synced
from faultbook.model.lesson import Lesson


@click.command("sync", short_help="Fetch, and move this branch forward where it is safe.")
@json_option
def sync(*, as_json: bool) -> int:
    """Fetch, and move this branch forward where that changes nobody's work.

    A branch that went its own way is left alone, and told what came in meanwhile. Exit code: 0 up
    to date now, 1 the branch went its own way, 2 the remote can't be had.
    """
    tree = open_tree(read_settings())
    done = tree.worktree.fast_forward()
    new = _arrived(tree, done)
    if as_json:
        write_json(
            {
                "upstream": done.upstream,
                "ahead": done.ahead,
                "behind": done.behind,
                "moved": bool(done.behind) and not done.diverged,
                "lessons": [lesson.number for lesson in new],
            }
        )
    else:
        _say(done, new)
    return 1 if done.diverged else 0


def _arrived(tree: LedgerTree, done: Synced) -> list[Lesson]:
    """Find the lessons that came to the other side since both were one."""
    if not done.behind:
        return []
    before = {lesson.number for lesson in _lessons_at(tree, done.parted)}
    there = _lessons_at(tree, done.there)
    return [lesson for lesson in there if lesson.number and lesson.number not in before]


def _lessons_at(tree: LedgerTree, commit: str) -> tuple[Lesson, ...]:
    data = tree.worktree.read_files_at(commit).get(tree.worktree.ledger_path)
    return read_ledger(data).lessons if data is not None else ()


def _say(done: Synced, new: list[Lesson]) -> None:
    numbers = ", ".join(str(lesson.number) for lesson in new)
    lessons = f" New lessons: {numbers}." if new else ""
    if done.diverged:
        click.echo(
            f"This branch is {done.ahead} ahead of {done.upstream} and {done.behind} behind it."
            f" Nothing was moved.{lessons}"
        )
        click.echo(
            f"    next: git rebase {done.upstream}, then faultbook ledger check --fix", err=True
        )
    elif done.behind:
        commits = "1 commit" if done.behind == 1 else f"{done.behind} commits"
        click.echo(f"Moved forward by {commits} of {done.upstream}.{lessons}")
    else:
        ahead = f", and {done.ahead} ahead of it" if done.ahead else ""
        click.echo(f"Up to date with {done.upstream}{ahead}.")
