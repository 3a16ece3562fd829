"""`faultbook ledger`: the lessons in the repository that one stands in."""

import click

from faultbook.assembly.worktree import Done, open_tree, read_settings
from faultbook.base.errors import InvalidError
from faultbook.cli.asking import json_option, write_json
from faultbook.cli.ledger_check import check
from faultbook.cli.ledger_init import init
from faultbook.cli.ledger_reading import review, search, show, stats
from faultbook.cli.ledger_sync import sync
from faultbook.cli.wanted import Wanted, completed, until_accepted
from faultbook.ledger.rule import check_rule
from faultbook.ledger.snapshot import LedgerSnapshot
from faultbook.ledger.table import Column, read_ledger
from faultbook.model.ledger_operation import LedgerVerb

commit_option = click.option("--commit", is_flag=True, help="Commit this change, and nothing else.")


@click.group("ledger")
def command() -> None:
    """Keep the lessons: lessons/_ledger.md in the repository that you stand in.

    Files are changed in place, and committed only with --commit.
    """


for _one in (init, check, show, search, sync, stats, review):
    command.add_command(_one)


@command.command("add")
@click.option("--what", help="What failed, in a sentence.")
@click.option("--fix", help="What was done about it.")
@click.option("--lesson", help="The rule: one sentence a stranger can check.")
@click.option("--area", help="What it belongs to, where the table has the column.")
@commit_option
@json_option
def add(
    *,
    what: str | None,
    fix: str | None,
    lesson: str | None,
    area: str | None,
    commit: bool,
    as_json: bool,
) -> None:
    """Add a lesson under the next number. On a terminal, what is missing is asked for."""
    tree = open_tree(read_settings())
    state = tree.read()
    if area:
        _need_area(state)
    wanted = (
        Wanted("what", "What failed"),
        Wanted("fix", "Fix"),
        Wanted("lesson", "One-rule lesson: when X, do Y, held by Z"),
    )
    told = completed({"what": what, "fix": fix, "lesson": lesson}, wanted)
    author = tree.worktree.author()
    until_accepted(told, "lesson", lambda rule: _check(rule, author, state))
    payload = {
        "what_failed": told["what"],
        "fix": told["fix"],
        "rule": told["lesson"],
        "area": area,
    }
    done = tree.change(LedgerVerb.ADD_LESSON, payload, author=author, commit=commit)
    say_done(done, f"Lesson {done.change.number} added", as_json=as_json)


def _need_area(state: LedgerSnapshot) -> None:
    """Make sure that an area is not dropped: tables of four columns have no place for it."""
    if read_ledger(state.files[state.ledger_path]).columns <= Column.AREA.place:
        raise InvalidError(
            f"The table in {state.ledger_path} has no column Area.",
            code="no_area_column",
            next_step="Add a fifth column `Area` to it, or leave out --area.",
            where="--area",
        )


def _check(rule: str, author: str, state: LedgerSnapshot) -> None:
    check_rule(
        rule,
        author=author,
        template_words=state.template,
        lessons=state.lessons,
        repeats=None,
        enforcement_change=None,
    )


@command.command("retire")
@click.argument("number", type=click.IntRange(min=1))
@click.option("--superseded-by", type=click.IntRange(min=1), help="The lesson that replaces it.")
@click.option("--why", default="", help="Why it holds no longer.")
@commit_option
@json_option
def retire(
    number: int, superseded_by: int | None, why: str, *, commit: bool, as_json: bool
) -> None:
    """Retire lesson NUMBER: its row stays, and says what superseded it."""
    tree = open_tree(read_settings())
    payload = {"number": number, "superseded_by": superseded_by, "why": why}
    author = tree.worktree.author()
    done = tree.change(LedgerVerb.RETIRE_LESSON, payload, author=author, commit=commit)
    words = f"Lesson {number} retired" if done.paths else f"Lesson {number} was retired before"
    say_done(done, words, as_json=as_json)


def say_done(done: Done, words: str, *, as_json: bool) -> None:
    """Say what a command changed."""
    if as_json:
        write_json(
            {
                "number": done.change.number,
                "incident": done.change.path,
                "paths": list(done.paths),
                "commit": done.commit,
            }
        )
        return
    where = f" in {', '.join(done.paths)}" if done.paths else ""
    committed = f", commit {done.commit[:7]}" if done.commit else ""
    click.echo(f"{words}{where}{committed}.")
